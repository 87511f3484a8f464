/* SPDX-License-Identifier: Apache-2.0 */
#include "image_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct cxn_picture make_picture(uint32_t width, uint32_t height, uint32_t channels)
{
    const struct cxn_env env = { 0 };
    struct cxn_picture p;
    assert_int_equal(cxn_picture_open(&env, width, height, channels, &p, NULL), CXN_OK);
    uint8_t *dst = p.pixels;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < channels; c++)
                *dst++ = (uint8_t)((x * 73 + y * 151 + c * 57 + x * y % 251) ^ (x / 8 * y / 16));
    return p;
}

uint32_t picture_crc(const struct cxn_picture *picture)
{
    uint32_t crc = 0;
    for (size_t y = 0; y < picture->height; y++)
        crc = cxn_crc32(crc, picture->pixels + y * picture->stride_bytes,
                        (size_t)picture->width * picture->channels);
    return crc;
}

static uint32_t view_crc(uint32_t crc, const struct cxn_view *v)
{
    const struct cxn_picture *p = v->picture;
    for (size_t y = 0; y < v->height; y++) {
        const uint8_t *row = p->pixels + (v->y + y) * p->stride_bytes;
        for (size_t x = 0; x < v->width; x++) {
            const size_t at = v->x + (v->mirror ? v->width - 1 - x : x);
            crc = cxn_crc32(crc, row + at * p->channels, p->channels);
        }
    }
    return crc;
}

uint32_t views_crc(const struct cxn_view *views, size_t count)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < count; i++) crc = view_crc(crc, &views[i]);
    return crc;
}

static size_t split(char *line, char *fields[FIELDS_MAX])
{
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; at && n < FIELDS_MAX; n++) {
        fields[n] = at;
        at = strchr(at, ',');
        if (at) *at++ = '\0';
    }
    return n;
}

size_t for_each_row(const char *path, size_t field_count,
                    void (*row)(void *ctx, char *const fields[]), void *ctx)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char line[512];
    size_t rows = 0;
    while (fgets(line, sizeof line, f)) {
        char *fields[FIELDS_MAX];
        assert_int_equal(split(line, fields), field_count);
        row(ctx, fields);
        rows++;
    }
    fclose(f);
    return rows;
}

unsigned long number_of(const char *field, int base)
{
    char *end;
    const unsigned long value = strtoul(field, &end, base);
    assert_true(end != field && *end == '\0');
    return value;
}
