/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/data_support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "image/image.h"
#include "image/png_write.h"

struct scratch make_scratch(void)
{
    struct scratch s;
    const char *root = getenv("TMPDIR");
    snprintf(s.path, sizeof s.path, "%s/chexnet-test-XXXXXX", root ? root : "/tmp");
    assert_non_null(mkdtemp(s.path));
    return s;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void remove_scratch(const struct scratch *s)
{
    assert_int_equal(nftw(s->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

char *in_scratch(const struct scratch *s, const char *name, char path[SCRATCH_PATH])
{
    assert_true(snprintf(path, SCRATCH_PATH, "%s/%s", s->path, name) < SCRATCH_PATH);
    return path;
}

void write_png(const char *path, uint32_t width, uint32_t height, uint32_t channels, uint32_t seed)
{
    const struct cxn_env env = { 0 };
    struct cxn_picture p;
    struct cxn_random r = cxn_random_make(seed, 0);
    assert_int_equal(cxn_picture_open(&env, width, height, channels, &p, NULL), CXN_OK);
    for (size_t i = 0; i < (size_t)height * p.stride_bytes; i++)
        p.pixels[i] = (uint8_t)(i / 37 + (cxn_random_u32(&r) & 15));
    assert_int_equal(cxn_png_write(&env, &p, path, NULL), CXN_OK);
    cxn_picture_close(&p);
}

void write_whole(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

void write_text(const char *path, const char *text)
{
    write_whole(path, text, strlen(text));
}

struct cxn_bytes read_whole(const char *path)
{
    struct cxn_bytes bytes;
    assert_int_equal(cxn_file_read(NULL, path, SIZE_MAX, &bytes, NULL), CXN_OK);
    return bytes;
}

bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

cxn_list make_list(const char *const *names, size_t count)
{
    cxn_list list = { .count = count, .items = calloc(count, sizeof *list.items) };
    assert_non_null(list.items);
    for (size_t i = 0; i < count; i++) list.items[i].name = names[i];
    return list;
}

void assert_same_picture(const struct cxn_picture *a, const struct cxn_picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    const size_t row = (size_t)a->width * a->channels;
    for (uint32_t y = 0; y < a->height; y++)
        assert_memory_equal(a->pixels + y * a->stride_bytes, b->pixels + y * b->stride_bytes, row);
}
