/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "data/cache.h"
#include "data/prepare.h"
#include "image/image.h"
#include "unit/data_support.h"

enum { PICTURES = 5 };
static const char *const names[PICTURES] = { "a.png", "b.png", "c.png", "d.png", "e.png" };

/* Of places in a file that are all tried, every so many where each access is checked, too: hundreds
 * of preparations take minutes there. */
#ifdef CXN_SANITIZED
enum { EACH = 7 };
#else
enum { EACH = 1 };
#endif

/* A folder of five pictures, and where the cache goes. */
struct setting {
    struct scratch scratch;
    struct cxn_mem mem;
    struct cxn_env env;
    char cache[SCRATCH_PATH], partial[SCRATCH_PATH];
    cxn_images *images;
    cxn_list list;
};

static struct setting *open_setting(void)
{
    struct setting *s = calloc(1, sizeof *s);
    char path[SCRATCH_PATH];
    s->scratch = make_scratch();
    in_scratch(&s->scratch, "set.cache", s->cache);
    in_scratch(&s->scratch, "set.cache.partial", s->partial);
    for (uint32_t i = 0; i < PICTURES; i++)
        write_png(in_scratch(&s->scratch, names[i], path), 256 + 9 * i, 300, i == 2 ? 3 : 1, i);
    cxn_mem_init(&s->mem, 0);
    s->env.mem = &s->mem;
    const char *folder = s->scratch.path;
    assert_int_equal(cxn_images_open(&s->images, &s->env, &folder, 1, NULL), CXN_OK);
    s->list = make_list(names, PICTURES);
    return s;
}

static void close_setting(struct setting *s)
{
    cxn_images_close(&s->images);
    assert_int_equal(s->mem.blocks, 0);
    remove_scratch(&s->scratch);
    free(s->list.items);
    free(s);
}

struct stop {
    size_t after, told;
};

static int stop_after(void *ctx, size_t done, size_t total)
{
    struct stop *stop = ctx;
    assert_true(done <= total);
    return ++stop->told >= stop->after;
}

static enum cxn_status prepare_some(struct setting *s, bool skip_bad, size_t stop_at,
                                    struct cxn_prepare_counts *counts, struct cxn_error *err)
{
    const cxn_list *list = &s->list;
    struct stop stop = { .after = stop_at };
    const struct cxn_prepare_job job = { .images = s->images, .lists = &list, .list_count = 1,
                                         .path = s->cache, .skip_bad = skip_bad,
                                         .progress = { stop_at ? stop_after : NULL, &stop } };
    return cxn_prepare_run(&s->env, &job, counts, err);
}

static void prepare_all(struct setting *s, size_t decoded, size_t kept)
{
    struct cxn_prepare_counts counts;
    struct cxn_error err = { "" };
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_OK);
    assert_string_equal(err.text, "");
    assert_int_equal(counts.images, s->list.count);
    assert_int_equal(counts.decoded, decoded);
    assert_int_equal(counts.kept, kept);
    assert_int_equal(counts.bad, 0);
    assert_false(is_there(s->partial));
}

/* Every image of the list read through the cache equals the one decoded from its file. */
static void check_pictures(struct setting *s)
{
    cxn_images *cached;
    const char *path = s->cache;
    assert_int_equal(cxn_images_open(&cached, &s->env, &path, 1, NULL), CXN_OK);
    assert_true(cxn_images_cached(cached));
    assert_int_equal(cxn_images_fit(cached, &s->list, NULL), CXN_OK);
    for (size_t i = 0; i < s->list.count; i++) {
        struct cxn_picture a, b;
        const char *name = s->list.items[i].name;
        assert_int_equal(cxn_images_read(s->images, name, &a, NULL, NULL), CXN_OK);
        assert_int_equal(cxn_images_read(cached, name, &b, NULL, NULL), CXN_OK);
        assert_same_picture(&a, &b);
        cxn_picture_close(&a);
        cxn_picture_close(&b);
    }
    cxn_images_close(&cached);
}

static void round_trip(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    prepare_all(s, PICTURES, 0);
    check_pictures(s);
    struct stat before, after;
    assert_int_equal(stat(s->cache, &before), 0);
    prepare_all(s, 0, PICTURES); /* nothing has changed: nothing is written */
    assert_int_equal(stat(s->cache, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    char path[SCRATCH_PATH];
    write_png(in_scratch(&s->scratch, names[4], path), 3000, 17, 1, 3); /* becomes 45176 x 256 */
    prepare_all(s, 1, PICTURES - 1);
    check_pictures(s);
    close_setting(s);
}

static void changed_sources(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    char path[SCRATCH_PATH];
    s->list.count = 4;
    prepare_all(s, 4, 0);
    struct stat was; /* other content and size, but the old time */
    assert_int_equal(stat(in_scratch(&s->scratch, names[1], path), &was), 0);
    write_png(path, 270, 290, 1, 77);
    const struct timespec old[2] = { was.st_atim, was.st_mtim };
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    const struct timespec times[2] = { { 1, 0 }, { 1, 5 } };
    assert_int_equal(utimensat(AT_FDCWD, in_scratch(&s->scratch, names[3], path), times, 0), 0);
    s->list.count = 5; /* and one more image */
    prepare_all(s, 3, 2);
    check_pictures(s);
    s->list.count = 2; /* a shorter list: a smaller cache */
    prepare_all(s, 0, 2);
    check_pictures(s);
    close_setting(s);
}

static void interrupted(void **state)
{
    (void)state;
    for (size_t at = 1; at < PICTURES; at++) {
        struct setting *s = open_setting();
        struct cxn_prepare_counts counts;
        struct cxn_error err = { "" };
        assert_int_equal(prepare_some(s, false, at, &counts, &err), CXN_E_STOPPED);
        assert_non_null(strstr(err.text, "stopped after"));
        assert_true(is_there(s->partial));
        assert_false(is_there(s->cache));
        prepare_all(s, PICTURES - at, at);
        check_pictures(s);
        close_setting(s);
    }
}

/* As a kill or a loss of power may leave it: cut anywhere, or with a hole of zeros. */
static void torn_partial(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    struct cxn_prepare_counts counts;
    assert_int_equal(prepare_some(s, false, 3, &counts, NULL), CXN_E_STOPPED);
    struct cxn_bytes whole = read_whole(s->partial);
    for (size_t cut = 0; cut < whole.size; cut += cut < 400 ? EACH : 9973) {
        write_whole(s->partial, whole.data, cut);
        assert_int_equal(prepare_some(s, false, 0, &counts, NULL), CXN_OK);
        assert_int_equal(counts.decoded + counts.kept, PICTURES);
        assert_true(counts.kept <= 2);
        if (cut % 5 == 0) check_pictures(s);
        assert_int_equal(unlink(s->cache), 0);
    }
    memset(whole.data + whole.size - 5000, 0, 4000);
    write_whole(s->partial, whole.data, whole.size);
    prepare_all(s, PICTURES - 2, 2);
    check_pictures(s);
    cxn_free(whole.data);
    close_setting(s);
}

/* A kill after the index was written but before the name was taken. */
static void finished_but_not_named(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    prepare_all(s, PICTURES, 0);
    assert_int_equal(rename(s->cache, s->partial), 0);
    prepare_all(s, 0, PICTURES);
    check_pictures(s);
    close_setting(s);
}

static void bad_images(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    char path[SCRATCH_PATH];
    struct cxn_prepare_counts counts;
    struct cxn_error err = { "" };
    write_text(in_scratch(&s->scratch, "c.png", path), "no picture");
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "/c.png"));
    assert_false(is_there(s->cache));
    assert_int_equal(prepare_some(s, true, 0, &counts, &err), CXN_OK);
    assert_int_equal(counts.images, PICTURES);
    assert_int_equal(counts.bad, 1);
    assert_int_equal(prepare_some(s, true, 0, &counts, &err), CXN_OK);
    assert_int_equal(counts.decoded, 0); /* it is known to be bad */
    assert_int_equal(counts.bad, 1);
    cxn_images *cached;
    struct cxn_picture picture;
    const char *cache = s->cache;
    assert_int_equal(cxn_images_open(&cached, &s->env, &cache, 1, NULL), CXN_OK);
    assert_int_equal(cxn_images_fit(cached, &s->list, NULL), CXN_OK);
    assert_int_equal(cxn_images_read(cached, "c.png", &picture, NULL, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "/c.png"));
    assert_non_null(strstr(err.text, "(noted in "));
    cxn_images_close(&cached);
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_E_FORMAT);
    write_png(path, 256, 300, 1, 5); /* mended */
    prepare_all(s, 1, PICTURES - 1);
    check_pictures(s);
    close_setting(s);
}

static void other_lists_are_refused(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    struct cxn_error err = { "" };
    cxn_images *cached;
    const char *cache = s->cache;
    prepare_all(s, PICTURES, 0);
    assert_int_equal(cxn_images_open(&cached, &s->env, &cache, 1, NULL), CXN_OK);
    static const char *const other[] = { "b.png", "x.png", "y.png" };
    cxn_list list = make_list(other, 3);
    assert_int_equal(cxn_images_fit(cached, &list, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "does not fit the list: 2 of its 3 images are not in it, "
                                     "first 'x.png'"));
    struct cxn_picture picture;
    assert_int_equal(cxn_images_read(cached, "x.png", &picture, NULL, &err), CXN_E_FORMAT);
    cxn_images_close(&cached);
    free(list.items);
    close_setting(s);
}

static void nothing_found(void *ctx, const struct cxn_cache_entry *e)
{
    (void)ctx;
    (void)e;
}

static void targets_are_checked(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    struct cxn_prepare_counts counts;
    struct cxn_error err = { "" };
    write_text(s->cache, "a list of mine, and not a cache");
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "it exists and is not a cache"));
    assert_int_equal(unlink(s->cache), 0);
    char text[200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    write_text(s->partial, text);
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, ".partial: not a cache"));
    assert_int_equal(unlink(s->partial), 0);
    cxn_cache_writer *writer; /* somebody else at work */
    assert_int_equal(cxn_cache_writer_open(&writer, &s->env, s->cache, nothing_found, NULL, NULL),
                     CXN_OK);
    assert_int_equal(prepare_some(s, false, 0, &counts, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "another prepare is writing it"));
    cxn_cache_writer_close(&writer);
    prepare_all(s, PICTURES, 0);
    close_setting(s);
}

/* ---- hostile and damaged files ------------------------------------------------------------- */

/* Open and read everything; the worst status of all. */
static enum cxn_status read_through(struct setting *s, struct cxn_error *err)
{
    cxn_cache *cache;
    enum cxn_status status = cxn_cache_open(&cache, &s->env, s->cache, err);
    for (size_t i = 0; status == CXN_OK && i < s->list.count; i++) {
        struct cxn_picture picture;
        status = cxn_cache_read(cache, names[i], &picture, NULL, err);
        cxn_picture_close(&picture);
    }
    cxn_cache_close(&cache);
    if (status != CXN_OK) assert_non_null(strstr(err->text, "set.cache"));
    return status;
}

/* Header and index byte by byte, and pixels here and there: each change is noticed. */
static void every_byte_matters(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    s->list.count = 2;
    prepare_all(s, 2, 0);
    struct cxn_bytes whole = read_whole(s->cache);
    struct cxn_cache_header h;
    assert_int_equal(cxn_cache_header_decode(whole.data, &h, NULL), CXN_OK);
    cxn_cache *cache;
    assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_OK);
    const size_t pixels = (size_t)cxn_cache_find(cache, "a.png")->data_offset;
    cxn_cache_close(&cache);
    const int fd = open(s->cache, O_WRONLY);
    for (size_t at = 0; at < whole.size; at += EACH) {
        if (at >= CXN_CACHE_HEADER_BYTES && at < h.index_offset &&
            !(at >= pixels && at < pixels + 20))
            continue;
        for (int change = 1; change < 256; change = change * 5 + 1) {
            const uint8_t byte = (uint8_t)(whole.data[at] ^ change);
            struct cxn_error err = { "" };
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
            assert_int_equal(read_through(s, &err), CXN_E_FORMAT);
        }
        assert_int_equal(pwrite(fd, &whole.data[at], 1, (off_t)at), 1);
    }
    close(fd);
    struct cxn_error err = { "" };
    assert_int_equal(read_through(s, &err), CXN_OK);
    for (size_t cut = 0; cut < whole.size;
         cut += cut < 100 || cut + 200 > whole.size ? EACH : 4999) {
        assert_int_equal(truncate(s->cache, (off_t)cut), 0);
        assert_int_equal(read_through(s, &err), CXN_E_FORMAT);
        write_whole(s->cache, whole.data, whole.size);
    }
    cxn_free(whole.data);
    close_setting(s);
}

/* A small cache of one entry, with all its checksums right. */
static void write_hostile(struct setting *s, const struct cxn_cache_entry *entry,
                          const struct cxn_cache_header *header)
{
    uint8_t bytes[4096] = { 0 };
    struct cxn_cache_header h = *header;
    const size_t n = cxn_cache_entry_encode(entry, bytes + 1024);
    if (h.index_offset == 0) h.index_offset = 1024;
    if (h.index_bytes == 0) h.index_bytes = n;
    if (h.entry_count == 0) h.entry_count = 1;
    h.index_crc = cxn_crc32(0, bytes + 1024, n);
    cxn_cache_header_encode(&h, bytes);
    write_whole(s->cache, bytes, 1024 + n);
}

/* Two entries, checksums right. */
static void write_twins(struct setting *s, const char *first, const char *second)
{
    uint8_t bytes[2048] = { 0 };
    struct cxn_cache_entry e = { .name = first, .data_offset = 64, .status = CXN_E_IO };
    size_t n = cxn_cache_entry_encode(&e, bytes + 64);
    e.name = second;
    n += cxn_cache_entry_encode(&e, bytes + 64 + n);
    const struct cxn_cache_header h = { .entry_count = 2, .index_offset = 64, .index_bytes = n,
                                        .index_crc = cxn_crc32(0, bytes + 64, n) };
    cxn_cache_header_encode(&h, bytes);
    write_whole(s->cache, bytes, 64 + n);
}

static void hostile_fields(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    const struct cxn_cache_entry fine = { .name = "a.png", .data_offset = 64, .status = CXN_E_IO,
                                          .data_bytes = 10 };
    const struct cxn_cache_header plain = { 0 };
    static const struct cxn_cache_header headers[] = {
        { .entry_count = UINT64_MAX }, { .entry_count = 2 },
        { .index_offset = UINT64_MAX }, { .index_offset = UINT64_MAX - 63 },
        { .index_offset = 1 }, { .index_bytes = 1 }, { .index_bytes = 200u << 20 },
        { .index_bytes = UINT64_MAX },
    };
    struct cxn_cache_entry entries[] = {
        { .name = "a.png", .data_offset = UINT64_MAX - 63, .status = CXN_E_IO, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 960, .status = CXN_E_IO, .data_bytes = 65 },
        { .name = "a.png", .data_offset = 0, .status = CXN_E_IO, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 65, .status = CXN_E_IO, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 64, .status = CXN_E_IO, .data_bytes = 1u << 31 },
        { .name = "a.png", .data_offset = 64, .status = CXN_OK, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 64, .status = CXN_E_PEER, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 64, .status = (enum cxn_status)99, .data_bytes = 10 },
        { .name = "x/a.png", .data_offset = 64, .status = CXN_E_IO, .data_bytes = 10 },
        { .name = "", .data_offset = 64, .status = CXN_E_IO, .data_bytes = 10 },
        { .name = "a.png", .data_offset = 64, .width = 256, .height = 1u << 24, .channels = 1 },
        { .name = "a.png", .data_offset = 64, .width = 1u << 31, .height = 1u << 31,
          .channels = 1 },
        { .name = "a.png", .data_offset = 64, .width = 256, .height = 256, .channels = 4 },
        { .name = "a.png", .data_offset = 64, .width = 256, .height = 256, .channels = 1,
          .data_bytes = 65536 },
        { .name = "a.png", .data_offset = 64, .width = 256, .height = 256, .channels = 1,
          .data_bytes = 100 },
        { .name = "a.png", .data_offset = 64, .width = 255, .height = 2, .channels = 1,
          .data_bytes = 510 },
    };
    cxn_cache *cache;
    write_hostile(s, &fine, &plain);
    assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_OK);
    cxn_cache_close(&cache);
    for (size_t i = 0; i < CXN_COUNTOF(headers); i++) {
        write_hostile(s, &fine, &headers[i]);
        const enum cxn_status status = cxn_cache_open(&cache, &s->env, s->cache, NULL);
        assert_true(status == CXN_E_FORMAT || status == CXN_E_LIMIT);
    }
    for (size_t i = 0; i < CXN_COUNTOF(entries); i++) {
        write_hostile(s, &entries[i], &plain);
        assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_E_FORMAT);
    }
    write_twins(s, "a.png", "b.png");
    assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_OK);
    cxn_cache_close(&cache);
    write_twins(s, "a.png", "a.png");
    assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_E_FORMAT);
    write_twins(s, "b.png", "a.png");
    assert_int_equal(cxn_cache_open(&cache, &s->env, s->cache, NULL), CXN_E_FORMAT);
    assert_true(s->mem.peak_bytes < 8u << 20); /* no size was believed */
    close_setting(s);
}

static void cut_off_while_open(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    prepare_all(s, PICTURES, 0);
    cxn_images *cached;
    struct cxn_picture picture;
    struct cxn_error err = { "" };
    const char *cache = s->cache;
    assert_int_equal(cxn_images_open(&cached, &s->env, &cache, 1, NULL), CXN_OK);
    assert_int_equal(truncate(s->cache, 1000), 0);
    assert_int_equal(cxn_images_read(cached, "e.png", &picture, NULL, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "e.png"));
    assert_non_null(strstr(err.text, "set.cache"));
    cxn_images_close(&cached);
    close_setting(s);
}

static void allocation_failures(void **state)
{
    (void)state;
    struct setting *s = open_setting();
    size_t at = 0;
    for (enum cxn_status status = CXN_E_NOMEM; status != CXN_OK;) {
        struct cxn_prepare_counts counts;
        struct cxn_error err = { "" };
        unlink(s->cache);
        unlink(s->partial);
        s->mem.calls = 0;
        s->mem.fail_at = ++at;
        status = prepare_some(s, true, 0, &counts, &err);
        s->mem.fail_at = 0;
        if (status == CXN_OK) break;
        assert_int_equal(status, CXN_E_NOMEM);
        assert_string_not_equal(err.text, "");
    }
    assert_true(at > 20);
    check_pictures(s);
    close_setting(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(changed_sources),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(torn_partial),
        cmocka_unit_test(finished_but_not_named),
        cmocka_unit_test(bad_images),
        cmocka_unit_test(other_lists_are_refused),
        cmocka_unit_test(targets_are_checked),
        cmocka_unit_test(every_byte_matters),
        cmocka_unit_test(hostile_fields),
        cmocka_unit_test(cut_off_while_open),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
