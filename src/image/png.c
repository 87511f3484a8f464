/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG (ISO/IEC 15948): a strict walk over the chunks, one inflate of known size, then the filters
 * (png_pixels.c). Everything that two readers could understand differently is an error. Ancillary
 * chunks are checked for their frame and CRC and never opened, so they cannot hold a bomb.
 */
#include <libdeflate.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "image/decoder.h"
#include "image/png.h"

static const uint8_t signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

enum {
    CHUNK_BYTES_MAX = 0x7fffffff,
    DEFLATE_RATIO_MAX = 1032, /* 258 bytes from 2 bits: deflate cannot expand more */
};

struct chunk {
    char type[5];
    const uint8_t *data;
    uint32_t size;
    size_t at; /* offset in the file, for messages */
};

/* The state of a walk over one file. */
struct walk {
    struct cxn_cursor cursor;
    struct cxn_png_head head;
    struct cxn_error *err;
    size_t first_idat; /* offset of the first IDAT chunk; 0: none yet */
    size_t idat_count, idat_bytes;
    bool head_seen, palette_seen, alpha_seen, idat_over, end_seen;
};

static bool is_png(const uint8_t *data, size_t size)
{
    return size >= sizeof signature && memcmp(data, signature, sizeof signature) == 0;
}

/* ---- chunks ------------------------------------------------------------------------------- */

/* The next chunk; only its frame is looked at. false: it does not fit in the file. */
static bool next_chunk(struct cxn_cursor *c, struct chunk *chunk)
{
    chunk->at = c->pos;
    chunk->size = cxn_cursor_u32be(c);
    const uint8_t *type = cxn_cursor_bytes(c, 4);
    if (!type || chunk->size > CHUNK_BYTES_MAX) return false;
    memcpy(chunk->type, type, 4);
    chunk->type[4] = '\0';
    chunk->data = cxn_cursor_bytes(c, chunk->size);
    return chunk->data && cxn_cursor_bytes(c, 4);
}

static bool is_type(const struct chunk *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static enum cxn_status check_frame(const struct chunk *chunk, struct cxn_error *err)
{
    for (size_t i = 0; i < 4; i++)
        if (!is_letter(chunk->type[i]))
            return cxn_fail(err, CXN_E_FORMAT, "chunk at byte %zu: its type is not four letters",
                            chunk->at);
    struct cxn_cursor tail = cxn_cursor_make(chunk->data + chunk->size, 4);
    const uint32_t stored = cxn_cursor_u32be(&tail);
    const uint32_t actual = cxn_crc32(0, chunk->data - 4, (size_t)chunk->size + 4);
    if (stored != actual)
        return cxn_fail(err, CXN_E_FORMAT, "%s chunk at byte %zu: CRC is %08x, expected %08x",
                        chunk->type, chunk->at, (unsigned)stored, (unsigned)actual);
    return CXN_OK;
}

/* ---- what each chunk means ---------------------------------------------------------------- */

/* Samples a pixel where the pair is legal, else 0 (table 11.1 of the standard). */
static uint32_t samples_of(uint8_t type, uint32_t depth)
{
    const bool bytes = depth == 8 || depth == 16;
    const bool small = depth == 1 || depth == 2 || depth == 4;
    switch (type) {
    case CXN_PNG_GREY: return bytes || small ? 1 : 0;
    case CXN_PNG_RGB: return bytes ? 3 : 0;
    case CXN_PNG_PALETTE: return small || depth == 8 ? 1 : 0;
    case CXN_PNG_GREY_ALPHA: return bytes ? 2 : 0;
    case CXN_PNG_RGBA: return bytes ? 4 : 0;
    default: return 0;
    }
}

static enum cxn_status read_head(struct walk *w, const struct chunk *chunk)
{
    struct cxn_png_head *head = &w->head;
    if (w->head_seen)
        return cxn_fail(w->err, CXN_E_FORMAT, "second IHDR chunk at byte %zu", chunk->at);
    if (chunk->size != 13)
        return cxn_fail(w->err, CXN_E_FORMAT, "IHDR of %u bytes, expected 13",
                        (unsigned)chunk->size);
    struct cxn_cursor c = cxn_cursor_make(chunk->data, chunk->size);
    head->width = cxn_cursor_u32be(&c);
    head->height = cxn_cursor_u32be(&c);
    head->depth = cxn_cursor_u8(&c);
    head->type = cxn_cursor_u8(&c);
    head->samples = samples_of(head->type, head->depth);
    if (head->samples == 0)
        return cxn_fail(w->err, CXN_E_FORMAT, "IHDR: colour type %u with bit depth %u",
                        (unsigned)head->type, (unsigned)head->depth);
    const uint8_t compression = cxn_cursor_u8(&c), filter = cxn_cursor_u8(&c);
    const uint8_t interlace = cxn_cursor_u8(&c);
    if (compression != 0 || filter != 0 || interlace > 1)
        return cxn_fail(w->err, CXN_E_FORMAT,
                        "IHDR: compression %u, filter %u, interlace %u, expected 0, 0, 0 or 1",
                        compression, filter, interlace);
    head->interlaced = interlace == 1;
    w->head_seen = true;
    return cxn_image_check_size(head->width, head->height, w->err);
}

static enum cxn_status read_palette(struct walk *w, const struct chunk *chunk)
{
    struct cxn_png_head *head = &w->head;
    const uint32_t count = chunk->size / 3;
    const uint32_t most = head->type == CXN_PNG_PALETTE ? 1u << head->depth : CXN_PNG_COLOURS_MAX;
    if (w->palette_seen || w->first_idat != 0 || w->alpha_seen)
        return cxn_fail(w->err, CXN_E_FORMAT, "PLTE at byte %zu: a second one, or too late",
                        chunk->at);
    if (head->type == CXN_PNG_GREY || head->type == CXN_PNG_GREY_ALPHA)
        return cxn_fail(w->err, CXN_E_FORMAT, "PLTE in a grey picture");
    if (chunk->size % 3 != 0 || count == 0 || count > most)
        return cxn_fail(w->err, CXN_E_FORMAT, "PLTE of %u bytes, expected 3 to %u, 3 a colour",
                        (unsigned)chunk->size, (unsigned)most * 3);
    memcpy(head->colours, chunk->data, chunk->size);
    head->colour_count = count;
    w->palette_seen = true;
    return CXN_OK;
}

/* Alpha is dropped, but a tRNS that cannot be right means that the file is not what it seems. */
static enum cxn_status check_transparency(struct walk *w, const struct chunk *chunk)
{
    const struct cxn_png_head *head = &w->head;
    const bool keyed = head->type == CXN_PNG_GREY || head->type == CXN_PNG_RGB;
    const bool legal = keyed ? chunk->size == 2 * head->samples
                             : head->type == CXN_PNG_PALETTE && chunk->size <= head->colour_count;
    if (!legal || chunk->size == 0 || w->alpha_seen || w->first_idat != 0)
        return cxn_fail(w->err, CXN_E_FORMAT,
                        "tRNS at byte %zu: %u bytes do not fit colour type %u, or its place",
                        chunk->at, (unsigned)chunk->size, (unsigned)head->type);
    w->alpha_seen = true;
    return CXN_OK;
}

static enum cxn_status count_idat(struct walk *w, const struct chunk *chunk)
{
    if (w->idat_over)
        return cxn_fail(w->err, CXN_E_FORMAT, "IDAT at byte %zu: not beside the one before it",
                        chunk->at);
    if (w->head.type == CXN_PNG_PALETTE && !w->palette_seen)
        return cxn_fail(w->err, CXN_E_FORMAT, "palette picture without PLTE before its IDAT");
    if (w->first_idat == 0) w->first_idat = chunk->at;
    w->idat_count++;
    w->idat_bytes += chunk->size; /* disjoint parts of the file */
    return CXN_OK;
}

static enum cxn_status read_end(struct walk *w, const struct chunk *chunk)
{
    const size_t left = cxn_cursor_left(&w->cursor);
    if (chunk->size != 0)
        return cxn_fail(w->err, CXN_E_FORMAT, "IEND of %u bytes, expected 0",
                        (unsigned)chunk->size);
    if (w->first_idat == 0) return cxn_fail(w->err, CXN_E_FORMAT, "IEND without any IDAT");
    if (left != 0) return cxn_fail(w->err, CXN_E_FORMAT, "%zu bytes after IEND", left);
    w->end_seen = true;
    return CXN_OK;
}

static enum cxn_status read_chunk(struct walk *w, const struct chunk *chunk)
{
    if (!w->head_seen && !is_type(chunk, "IHDR"))
        return cxn_fail(w->err, CXN_E_FORMAT, "first chunk is %s, expected IHDR", chunk->type);
    if (is_type(chunk, "IDAT")) return count_idat(w, chunk);
    w->idat_over = w->first_idat != 0;
    if (is_type(chunk, "IHDR")) return read_head(w, chunk);
    if (is_type(chunk, "PLTE")) return read_palette(w, chunk);
    if (is_type(chunk, "tRNS")) return check_transparency(w, chunk);
    if (is_type(chunk, "IEND")) return read_end(w, chunk);
    const bool critical = chunk->type[0] < 'a';
    if (critical)
        return cxn_fail(w->err, CXN_E_FORMAT, "unknown critical chunk %s at byte %zu", chunk->type,
                        chunk->at);
    return CXN_OK;
}

static enum cxn_status walk_chunks(struct walk *w)
{
    while (!w->end_seen) {
        struct chunk chunk;
        if (cxn_cursor_left(&w->cursor) == 0)
            return cxn_fail(w->err, CXN_E_FORMAT, "the file ends at byte %zu without IEND",
                            w->cursor.pos);
        if (!next_chunk(&w->cursor, &chunk))
            return cxn_fail(w->err, CXN_E_FORMAT,
                            "chunk at byte %zu: it does not fit in the file of %zu bytes", chunk.at,
                            w->cursor.size);
        enum cxn_status status = check_frame(&chunk, w->err);
        if (status == CXN_OK) status = read_chunk(w, &chunk);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

/* ---- pixels ------------------------------------------------------------------------------- */

/* The zlib stream: a part of the file where it lies in one IDAT, else joined in *joined, which the
 * caller frees. */
static const uint8_t *join_idat(const struct cxn_env *env, const struct walk *w, uint8_t **joined)
{
    struct cxn_cursor c = w->cursor;
    struct chunk chunk;
    cxn_cursor_seek(&c, w->first_idat);
    if (w->idat_count == 1) return next_chunk(&c, &chunk) ? chunk.data : NULL;
    uint8_t *dst = cxn_alloc(env->mem, w->idat_bytes, 1);
    if (!dst) return NULL;
    *joined = dst;
    for (size_t i = 0; i < w->idat_count && next_chunk(&c, &chunk); i++) {
        memcpy(dst, chunk.data, chunk.size);
        dst += chunk.size;
    }
    return *joined;
}

static enum cxn_status inflate_raw(const struct walk *w, const uint8_t *stream, uint8_t *raw,
                                   size_t raw_bytes)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d) return cxn_fail(w->err, CXN_E_NOMEM, "no memory for inflating");
    size_t read = 0;
    const enum libdeflate_result result =
        libdeflate_zlib_decompress_ex(d, stream, w->idat_bytes, raw, raw_bytes, &read, NULL);
    libdeflate_free_decompressor(d);
    switch (result) {
    case LIBDEFLATE_SUCCESS: break;
    case LIBDEFLATE_SHORT_OUTPUT:
        return cxn_fail(w->err, CXN_E_FORMAT, "IDAT holds less than the %zu bytes of the picture",
                        raw_bytes);
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return cxn_fail(w->err, CXN_E_FORMAT, "IDAT holds more than the %zu bytes of the picture",
                        raw_bytes);
    case LIBDEFLATE_BAD_DATA:
    default: return cxn_fail(w->err, CXN_E_FORMAT, "IDAT is not a whole, valid zlib stream");
    }
    if (read != w->idat_bytes)
        return cxn_fail(w->err, CXN_E_FORMAT, "IDAT: %zu bytes after the end of the zlib stream",
                        w->idat_bytes - read);
    return CXN_OK;
}

static enum cxn_status unpack(const struct cxn_env *env, const struct walk *w, uint8_t *raw,
                              struct cxn_picture *out)
{
    const struct cxn_png_head *head = &w->head;
    enum cxn_status status = cxn_picture_open(env, head->width, head->height,
                                              cxn_png_channels(head), out, w->err);
    if (status == CXN_OK) status = cxn_png_unpack(env, head, raw, out, w->err);
    if (status != CXN_OK) cxn_picture_close(out);
    return status;
}

static enum cxn_status read_pixels(const struct cxn_env *env, const struct walk *w,
                                   struct cxn_picture *out)
{
    const size_t raw_bytes = cxn_png_raw_bytes(&w->head);
    if (raw_bytes / DEFLATE_RATIO_MAX > w->idat_bytes)
        return cxn_fail(w->err, CXN_E_FORMAT, "%zu bytes of IDAT cannot hold a picture of %zu",
                        w->idat_bytes, raw_bytes);
    uint8_t *joined = NULL;
    uint8_t *raw = cxn_alloc(env->mem, raw_bytes, 1);
    const uint8_t *stream = raw ? join_idat(env, w, &joined) : NULL;
    enum cxn_status status =
        stream ? inflate_raw(w, stream, raw, raw_bytes)
               : cxn_fail_nomem(w->err, env->mem, raw_bytes + w->idat_bytes, "inflating");
    cxn_free(joined);
    if (status == CXN_OK) status = unpack(env, w, raw, out);
    cxn_free(raw);
    return status;
}

static enum cxn_status read_png(const struct cxn_env *env, const uint8_t *data, size_t size,
                                struct cxn_picture *out, unsigned *notes, struct cxn_error *err)
{
    struct walk w = { .cursor = cxn_cursor_make(data, size), .err = err };
    cxn_cursor_seek(&w.cursor, sizeof signature);
    enum cxn_status status = walk_chunks(&w);
    if (status == CXN_OK) status = read_pixels(env, &w, out);
    if (status == CXN_OK && w.head.depth == 16) *notes |= CXN_NOTE_SCALED_16;
    return status;
}

const struct cxn_decoder cxn_decoder_png = { "png", is_png, read_png };
