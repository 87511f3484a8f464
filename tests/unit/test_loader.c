/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "unit/data_support.h"

/* The linker puts this between the library and the system: threads that may still be started. */
static int threads_left = 1000;
typedef void *thread_main(void *arg);
int __real_pthread_create(pthread_t *id, const pthread_attr_t *attr, thread_main *run, void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, thread_main *run, void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, thread_main *run, void *arg)
{
    if (threads_left == 0) return EAGAIN;
    threads_left--;
    return __real_pthread_create(id, attr, run, arg);
}

enum { PICTURES = 6 };
static const char *const names[PICTURES] = { "a.png", "b.png", "c.png", "d.png", "e.png", "f.png" };
static struct scratch scratch;

static int set_up(void **state)
{
    (void)state;
    char path[SCRATCH_PATH];
    scratch = make_scratch();
    for (uint32_t i = 0; i < PICTURES; i++)
        write_png(in_scratch(&scratch, names[i], path), 300 + 7 * i, 310, i % 2 ? 3 : 1, i);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_scratch(&scratch);
    return 0;
}

static cxn_images *open_scratch(const struct cxn_env *env)
{
    const char *path = scratch.path;
    cxn_images *images;
    assert_int_equal(cxn_images_open(&images, env, &path, 1, NULL), CXN_OK);
    return images;
}

/* ---- where pictures come from -------------------------------------------------------------- */

static void expect_refused(const cxn_images *images, const char *name, enum cxn_status status,
                           const char *sentence)
{
    struct cxn_picture picture;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_images_read(images, name, &picture, NULL, &err), status);
    assert_null(picture.pixels);
    assert_non_null(strstr(err.text, sentence));
}

static void folders_are_searched_in_order(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    const struct scratch second = make_scratch();
    char path[SCRATCH_PATH];
    write_png(in_scratch(&second, "a.png", path), 256, 256, 1, 99);
    write_png(in_scratch(&second, "only.png", path), 256, 256, 1, 7);
    const char *const paths[] = { scratch.path, second.path };
    cxn_images *images;
    struct cxn_picture picture;
    assert_int_equal(cxn_images_open(&images, &env, paths, 2, NULL), CXN_OK);
    assert_int_equal(cxn_images_read(images, "a.png", &picture, NULL, NULL), CXN_OK);
    assert_int_equal(picture.height, 264); /* 300 x 310, not the second folder's 256 x 256 */
    cxn_picture_close(&picture);
    assert_int_equal(cxn_images_read(images, "only.png", &picture, NULL, NULL), CXN_OK);
    assert_int_equal(picture.height, 256);
    cxn_picture_close(&picture);
    expect_refused(images, "none.png", CXN_E_IO, "'none.png': in none of the 2 folders");
    cxn_images_close(&images);
    assert_null(images);
    remove_scratch(&second);
}

static void a_name_is_no_path(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    cxn_images *images = open_scratch(&env);
    expect_refused(images, "../a.png", CXN_E_FORMAT, "image name '../a.png', expected a file name");
    expect_refused(images, "/etc/passwd", CXN_E_FORMAT, "'/etc/passwd', expected a file name");
    expect_refused(images, "..", CXN_E_FORMAT, "image name '..', expected a file name");
    expect_refused(images, "", CXN_E_FORMAT, "no image name");
    expect_refused(images, "none.png", CXN_E_IO, "none.png': No such file");
    cxn_images_close(&images);
}

static void bad_sources(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    cxn_images *images;
    struct cxn_error err = { "" };
    char path[SCRATCH_PATH];
    const char *paths[] = { "/nonexistent/folder", scratch.path };
    assert_int_equal(cxn_images_open(&images, &env, paths, 1, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "'/nonexistent/folder': No such file"));
    assert_null(images);
    paths[0] = in_scratch(&scratch, "a.png", path);
    assert_int_equal(cxn_images_open(&images, &env, paths, 1, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "a.png: not a cache made by chexnet prepare"));
    assert_int_equal(cxn_images_open(&images, &env, paths, 2, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "a.png' is not a folder; a cache stands alone"));
    assert_int_equal(cxn_images_open(&images, &env, paths, 0, &err), CXN_E_ARG);
}

/* ---- reading ahead ------------------------------------------------------------------------- */

/* Every sample in order, equal to what reading it alone gives; `held` are given back late. */
static void check_run(unsigned threads, size_t slots, size_t held)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    const char *many[PICTURES * 5];
    for (size_t i = 0; i < CXN_COUNTOF(many); i++) many[i] = names[(i * 5 + i / 7) % PICTURES];
    cxn_list list = make_list(many, CXN_COUNTOF(many));
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = threads, .slots = slots };
    cxn_loader *loader;
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
    struct cxn_sample *late[8] = { NULL };
    for (size_t i = 0; i < list.count; i++) {
        struct cxn_sample *s = cxn_loader_next(loader);
        assert_non_null(s);
        assert_int_equal(s->index, i);
        assert_int_equal(s->status, CXN_OK);
        struct cxn_picture alone;
        assert_int_equal(cxn_images_read(images, many[i], &alone, NULL, NULL), CXN_OK);
        assert_same_picture(&s->picture, &alone);
        cxn_picture_close(&alone);
        struct cxn_sample **place = held ? &late[i % held] : &s;
        if (held) {
            struct cxn_sample *old = *place;
            *place = s;
            s = old;
        }
        cxn_loader_release(loader, s);
    }
    assert_null(cxn_loader_next(loader));
    assert_null(cxn_loader_next(loader));
    cxn_loader_close(&loader); /* with samples still held */
    assert_null(loader);
    cxn_images_close(&images);
    assert_int_equal(mem.blocks, 0);
    free(list.items);
}

static void order_is_the_lists(void **state)
{
    (void)state;
    static const unsigned threads[] = { 1, 2, 3, 7 };
    for (size_t i = 0; i < CXN_COUNTOF(threads); i++) {
        check_run(threads[i], 1, 0);
        check_run(threads[i], 4, 3);
        check_run(threads[i], 16, 0);
    }
}

/* Every sample of the order, equal to what reading it alone gives. */
static void check_order(const uint32_t *order, size_t count, unsigned threads, size_t slots)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    cxn_list list = make_list(names, PICTURES);
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = threads, .slots = slots,
                                                .order = order, .order_count = count };
    cxn_loader *loader;
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
    for (size_t i = 0; i < count; i++) {
        struct cxn_sample *s = cxn_loader_next(loader);
        assert_non_null(s);
        assert_int_equal(s->place, i);
        assert_int_equal(s->index, order[i]);
        assert_int_equal(s->status, CXN_OK);
        struct cxn_picture alone;
        assert_int_equal(cxn_images_read(images, names[order[i]], &alone, NULL, NULL), CXN_OK);
        assert_same_picture(&s->picture, &alone);
        cxn_picture_close(&alone);
        cxn_loader_release(loader, s);
    }
    assert_null(cxn_loader_next(loader));
    cxn_loader_close(&loader);
    cxn_images_close(&images);
    assert_int_equal(mem.blocks, 0);
    free(list.items);
}

static void order_may_be_another(void **state)
{
    (void)state;
    static const uint32_t shuffled[] = { 4, 0, 5, 2, 1, 3 }, subset[] = { 5, 3 };
    static const uint32_t repeats[] = { 2, 2, 2, 0, 5, 2, 0, 0, 1, 5, 5, 5, 5, 4 };
    for (unsigned threads = 1; threads < 4; threads++) {
        for (size_t slots = 1; slots < 8; slots += 3) {
            check_order(shuffled, CXN_COUNTOF(shuffled), threads, slots);
            check_order(subset, CXN_COUNTOF(subset), threads, slots);
            check_order(repeats, CXN_COUNTOF(repeats), threads, slots);
            check_order(repeats, 0, threads, slots); /* a rank that has nothing to do */
        }
    }
    threads_left = 0;
    check_order(repeats, CXN_COUNTOF(repeats), 2, 3);
    threads_left = 1000;
}

static void order_within_the_list(void **state)
{
    (void)state;
    static const uint32_t order[] = { 5, 0, 6 };
    const struct cxn_env env = { 0 };
    cxn_list list = make_list(names, PICTURES);
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = 1, .slots = 1, .order = order,
                                                .order_count = CXN_COUNTOF(order) };
    cxn_loader *loader;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, &err), CXN_E_ARG);
    assert_string_equal(err.text, "loader: image 6 at place 2 of the order, the list has 6");
    assert_null(loader);
    cxn_images_close(&images);
    free(list.items);
}

static void fewer_threads_where_refused(void **state)
{
    (void)state;
    for (int left = 0; left < 3; left++) {
        threads_left = left;
        check_run(3, 4, 2);
        assert_int_equal(threads_left, 0);
    }
    threads_left = 1000;
}

static void bad_files_are_delivered(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    char path[SCRATCH_PATH];
    write_text(in_scratch(&scratch, "empty.png", path), "");
    struct cxn_bytes whole = read_whole(in_scratch(&scratch, "a.png", path));
    write_whole(in_scratch(&scratch, "cut.png", path), whole.data, whole.size / 2);
    cxn_free(whole.data);
    static const char *const list_names[] = { "a.png", "empty.png", "gone.png", "cut.png",
                                              "../b.png", "b.png" };
    static const enum cxn_status expected[] = { CXN_OK, CXN_E_FORMAT, CXN_E_IO, CXN_E_FORMAT,
                                                CXN_E_FORMAT, CXN_OK };
    cxn_list list = make_list(list_names, CXN_COUNTOF(list_names));
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = 2, .slots = 3 };
    cxn_loader *loader;
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
    for (size_t i = 0; i < list.count; i++) {
        struct cxn_sample *s = cxn_loader_next(loader);
        assert_int_equal(s->status, expected[i]);
        if (s->status != CXN_OK) assert_non_null(strstr(s->error.text, list_names[i]));
        else assert_string_equal(s->error.text, "");
        assert_true((s->status == CXN_OK) == (s->picture.pixels != NULL));
        cxn_loader_release(loader, s);
    }
    cxn_loader_close(&loader);
    cxn_images_close(&images);
    free(list.items);
}

/* Every time that an unreadable image comes, and nothing else is disturbed. */
static void bad_file_in_an_order(void **state)
{
    (void)state;
    static const char *const list_names[] = { "a.png", "gone.png", "b.png" };
    static const uint32_t order[] = { 2, 1, 0, 2, 1, 1, 0 };
    const struct cxn_env env = { 0 };
    cxn_list list = make_list(list_names, CXN_COUNTOF(list_names));
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = 2, .slots = 3, .order = order,
                                                .order_count = CXN_COUNTOF(order) };
    cxn_loader *loader;
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
    for (size_t i = 0; i < CXN_COUNTOF(order); i++) {
        struct cxn_sample *s = cxn_loader_next(loader);
        assert_int_equal(s->place, i);
        assert_int_equal(s->index, order[i]);
        assert_int_equal(s->status, order[i] == 1 ? CXN_E_IO : CXN_OK);
        if (s->status != CXN_OK) assert_non_null(strstr(s->error.text, "gone.png"));
        assert_true((s->status == CXN_OK) == (s->picture.pixels != NULL));
        cxn_loader_release(loader, s);
    }
    assert_null(cxn_loader_next(loader));
    cxn_loader_close(&loader);
    cxn_images_close(&images);
    free(list.items);
}

static void early_close(void **state)
{
    (void)state;
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    cxn_list list = make_list(names, PICTURES);
    cxn_images *images = open_scratch(&env);
    for (size_t taken = 0; taken < 4; taken++) {
        const struct cxn_loader_options options = { .threads = 3, .slots = 4 };
        cxn_loader *loader;
        assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
        for (size_t i = 0; i < taken; i++) assert_non_null(cxn_loader_next(loader));
        cxn_loader_close(&loader);
        cxn_loader_close(&loader);
    }
    cxn_images_close(&images);
    assert_int_equal(mem.blocks, 0);
    free(list.items);
}

/* Peak of the budget over a run through `count` images: so long a list, or one of three images in
 * an order so long. */
static size_t peak_of(size_t count, bool ordered)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    const char **many = calloc(count, sizeof *many);
    for (size_t i = 0; i < count; i++) many[i] = names[i % 2 * 2];
    cxn_list list = make_list(ordered ? names : many, ordered ? 3 : count);
    uint32_t *order = ordered ? calloc(count, sizeof *order) : NULL;
    for (size_t i = 0; order && i < count; i++) order[i] = i % 2 * 2;
    cxn_images *images = open_scratch(&env);
    const struct cxn_loader_options options = { .threads = 2, .slots = 3, .order = order,
                                                .order_count = count };
    cxn_loader *loader;
    assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &options, NULL), CXN_OK);
    for (struct cxn_sample *s; (s = cxn_loader_next(loader));) cxn_loader_release(loader, s);
    cxn_loader_close(&loader);
    cxn_images_close(&images);
    free(list.items);
    free(order);
    free(many);
    return mem.peak_bytes;
}

static void memory_is_bounded(void **state)
{
    (void)state;
    /* One image alone, times the two threads, and the slots' pictures. */
    const size_t bound = 2 * peak_of(1, false) + 3 * (size_t)(256 * 320 + 128);
    /* All of them would be 20 MB, the bound is about 1.3. */
    assert_true(peak_of(300, true) <= bound);
    assert_true(peak_of(300, false) <= bound);
    assert_true(bound < 3u << 20);
}

static void bad_options(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    cxn_list list = make_list(names, PICTURES);
    cxn_images *images = open_scratch(&env);
    static const struct cxn_loader_options bad[] = { { .slots = 1 }, { .threads = 1 },
                                                     { .threads = 257, .slots = 1 } };
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
        cxn_loader *loader;
        assert_int_equal(cxn_loader_open(&loader, &env, images, &list, &bad[i], NULL), CXN_E_ARG);
        assert_null(loader);
    }
    cxn_images_close(&images);
    free(list.items);
}

/* Failure number `at`: either nothing opens, or samples say that there is no memory. */
static bool run_with_failure(size_t at)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    mem.fail_at = at;
    const struct cxn_env env = { .mem = &mem };
    const char *path = scratch.path;
    const struct cxn_loader_options options = { .threads = 1, .slots = 2 };
    cxn_list list = make_list(names, 2);
    cxn_images *images = NULL;
    cxn_loader *loader = NULL;
    struct cxn_error err = { "" };
    bool failed = cxn_images_open(&images, &env, &path, 1, &err) != CXN_OK ||
                  cxn_loader_open(&loader, &env, images, &list, &options, &err) != CXN_OK;
    if (failed) assert_string_not_equal(err.text, "");
    for (struct cxn_sample *s; loader && (s = cxn_loader_next(loader));) {
        if (s->status != CXN_OK) {
            assert_int_equal(s->status, CXN_E_NOMEM);
            assert_null(s->picture.pixels);
            failed = true;
        }
        cxn_loader_release(loader, s);
    }
    cxn_loader_close(&loader);
    cxn_images_close(&images);
    assert_int_equal(mem.blocks, 0);
    free(list.items);
    return failed;
}

static void allocation_failures(void **state)
{
    (void)state;
    size_t at = 1;
    while (run_with_failure(at)) at++;
    assert_true(at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_searched_in_order),
        cmocka_unit_test(a_name_is_no_path),
        cmocka_unit_test(bad_sources),
        cmocka_unit_test(order_is_the_lists),
        cmocka_unit_test(order_may_be_another),
        cmocka_unit_test(order_within_the_list),
        cmocka_unit_test(fewer_threads_where_refused),
        cmocka_unit_test(bad_files_are_delivered),
        cmocka_unit_test(bad_file_in_an_order),
        cmocka_unit_test(early_close),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
