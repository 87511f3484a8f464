/* SPDX-License-Identifier: Apache-2.0 */
#include "image_craft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "base/hash.h"

void bytes_add(struct bytes *b, const void *data, size_t n)
{
    if (b->size + n > b->room) {
        b->room = (b->size + n) * 2;
        b->data = realloc(b->data, b->room);
        assert_non_null(b->data);
    }
    if (n > 0) memcpy(b->data + b->size, data, n);
    b->size += n;
}

void bytes_add_u8(struct bytes *b, unsigned value)
{
    bytes_add(b, &(uint8_t){ (uint8_t)value }, 1);
}

void bytes_add_u16(struct bytes *b, unsigned value)
{
    bytes_add_u8(b, value >> 8);
    bytes_add_u8(b, value & 0xff);
}

void bytes_add_u32(struct bytes *b, uint32_t value)
{
    bytes_add_u16(b, value >> 16);
    bytes_add_u16(b, value & 0xffff);
}

void bytes_fill(struct bytes *b, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++) bytes_add_u8(b, value);
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    memset(b, 0, sizeof *b);
}

/* ---- PNG ---------------------------------------------------------------------------------- */

const uint8_t png_grey_raw[6] = { 0, 10, 20, 0, 30, 40 };

void png_start(struct bytes *b) { bytes_add(b, "\x89PNG\r\n\x1a\n", 8); }

void png_chunk(struct bytes *b, const char *type, const void *data, size_t n)
{
    bytes_add_u32(b, (uint32_t)n);
    bytes_add(b, type, 4);
    bytes_add(b, data, n);
    bytes_add_u32(b, cxn_crc32(0, b->data + b->size - n - 4, n + 4));
}

void png_head(struct bytes *b, uint32_t width, uint32_t height, unsigned depth, unsigned type)
{
    struct bytes head = { 0 };
    bytes_add_u32(&head, width);
    bytes_add_u32(&head, height);
    bytes_add_u8(&head, depth);
    bytes_add_u8(&head, type);
    bytes_fill(&head, 3, 0);
    png_chunk(b, "IHDR", head.data, head.size);
    bytes_free(&head);
}

void png_idat(struct bytes *b, const void *raw, size_t n)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(9);
    assert_non_null(c);
    const size_t bound = libdeflate_zlib_compress_bound(c, n);
    void *stream = malloc(bound);
    const size_t size = libdeflate_zlib_compress(c, raw, n, stream, bound);
    assert_true(size > 0);
    png_chunk(b, "IDAT", stream, size);
    free(stream);
    libdeflate_free_compressor(c);
}

void png_start_grey(struct bytes *b)
{
    png_start(b);
    png_head(b, 2, 2, 8, 0);
}

void png_whole_grey(struct bytes *b)
{
    png_start_grey(b);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "IEND", NULL, 0);
}

/* ---- JPEG --------------------------------------------------------------------------------- */

const struct jpeg_spec jpeg_grey_8x8 = {
    .sof = 0xc0,
    .precision = 8,
    .width = 8,
    .height = 8,
    .components = 1,
    .sampling = 0x11,
    .dht_count = 1,
    .quant = 1,
};

void jpeg_marker(struct bytes *b, unsigned marker)
{
    bytes_add_u8(b, 0xff);
    bytes_add_u8(b, marker);
}

static void add_huffman(struct bytes *b, unsigned id, unsigned count, unsigned symbol)
{
    jpeg_marker(b, 0xc4);
    bytes_add_u16(b, 2 + 1 + 16 + count);
    bytes_add_u8(b, id);
    bytes_add_u8(b, count);
    bytes_fill(b, 15, 0);
    for (unsigned i = 0; i < count; i++) bytes_add_u8(b, symbol + i);
}

void jpeg_tables(struct bytes *b, const struct jpeg_spec *s)
{
    jpeg_marker(b, 0xd8);
    if (s->quant < 0x100) {
        jpeg_marker(b, 0xdb);
        bytes_add_u16(b, 2 + 1 + 64);
        bytes_add_u8(b, 0);
        bytes_fill(b, 64, (uint8_t)s->quant);
    }
    add_huffman(b, 0x00, s->dht_count, s->dc_symbol);
    add_huffman(b, 0x10, s->dht_count, 0);
}

void jpeg_frame(struct bytes *b, const struct jpeg_spec *s)
{
    jpeg_marker(b, s->sof);
    bytes_add_u16(b, 8 + 3 * s->components);
    bytes_add_u8(b, s->precision);
    bytes_add_u16(b, s->height);
    bytes_add_u16(b, s->width);
    bytes_add_u8(b, s->components);
    for (unsigned i = 0; i < s->components; i++) {
        bytes_add_u8(b, s->same_id ? 1 : i + 1);
        bytes_add_u8(b, s->sampling);
        bytes_add_u8(b, 0);
    }
}

void jpeg_scan(struct bytes *b, const struct jpeg_spec *s)
{
    const bool progressive = s->sof == 0xc2;
    jpeg_marker(b, 0xda);
    bytes_add_u16(b, 6 + 2 * s->components);
    bytes_add_u8(b, s->components);
    for (unsigned i = 0; i < s->components; i++) {
        bytes_add_u8(b, s->same_id ? 1 : i + 1);
        bytes_add_u8(b, s->table_ids);
    }
    bytes_add_u8(b, 0);
    bytes_add_u8(b, progressive ? 0 : 63);
    bytes_add_u8(b, 0);
    bytes_fill(b, s->data_bytes, 0);
    bytes_add_u8(b, 0x3f);
}

void jpeg_whole(struct bytes *b, const struct jpeg_spec *s)
{
    jpeg_tables(b, s);
    jpeg_frame(b, s);
    jpeg_scan(b, s);
    jpeg_marker(b, 0xd9);
}

/* ---- running ------------------------------------------------------------------------------ */

enum cxn_status decode_exactly(const uint8_t *data, size_t size)
{
    const struct cxn_env env = { 0 };
    struct cxn_picture p;
    uint8_t *copy = copy_exactly(data, size);
    const enum cxn_status status = cxn_image_decode(&env, copy, size, &p, NULL, NULL);
    assert_int_equal(p.pixels == NULL, status != CXN_OK);
    cxn_picture_close(&p);
    free(copy);
    return status;
}

static void check_fault(const struct fault *fault)
{
    struct bytes file = { 0 };
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    struct cxn_picture p;
    cxn_mem_init(&mem, (size_t)64 << 20);
    const struct cxn_env env = { .mem = &mem };
    fault->build(&file);
    /* Exactly as long as the file, so that a sanitizer sees the first byte read beyond it. */
    file.data = realloc(file.data, file.size);
    const double start = case_seconds();
    const enum cxn_status status = cxn_image_decode(&env, file.data, file.size, &p, NULL, &err);
    const double seconds = case_seconds() - start;
    if (status != fault->status || (fault->text && !strstr(err.text, fault->text)))
        fail_msg("%s: '%s' (%s), expected '%s' (%s)", fault->name, err.text,
                 cxn_status_name(status), fault->text, cxn_status_name(fault->status));
    if (seconds > CASE_SECONDS_MAX) fail_msg("%s: %.1f s", fault->name, seconds);
    assert_int_equal(p.pixels == NULL, status != CXN_OK);
    cxn_picture_close(&p);
    assert_int_equal(mem.blocks, 0);
    assert_int_equal(mem.used_bytes, 0);
    bytes_free(&file);
}

void check_faults(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) check_fault(&faults[i]);
}
