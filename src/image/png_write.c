/* SPDX-License-Identifier: Apache-2.0 */
/* PNG (ISO/IEC 15948:2004): one IHDR, one IDAT, IEND; filters Sub and Up, chosen row by row. */
#include "image/png_write.h"

#include <libdeflate.h>
#include <string.h>

#include "base/hash.h"
#include "base/size.h"

enum {
    FILTER_SUB = 1,
    FILTER_UP = 2,
    SIGNATURE_BYTES = 8,
    CHUNK_BYTES = 12, /* length, type, checksum */
    IHDR_BYTES = 13,
    FRAME_BYTES = SIGNATURE_BYTES + 3 * CHUNK_BYTES + IHDR_BYTES,
    IDAT_AT = SIGNATURE_BYTES + CHUNK_BYTES + IHDR_BYTES, /* its length field */
    LEVEL = 5, /* of libdeflate; on noisy radiographs higher levels gain under 1 percent */
};
#define IDAT_BYTES_MAX ((size_t)1 << 30)

static void put_u32be(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Type and content stand at p + 4 already. */
static uint8_t *seal_chunk(uint8_t *p, const char *type, size_t n)
{
    put_u32be(p, (uint32_t)n);
    memcpy(p + 4, type, 4);
    put_u32be(p + 8 + n, cxn_crc32(0, p + 4, n + 4));
    return p + CHUNK_BYTES + n;
}

static unsigned distance_from_zero(uint8_t v)
{
    return v < 128 ? v : 256u - v;
}

/* Of two filters the one whose differences are smaller in sum, as libpng's heuristic has it. */
static void filter_row(const uint8_t *row, const uint8_t *above, size_t n, size_t channels,
                       uint8_t *dst)
{
    size_t sub = 0, up = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t left = i < channels ? 0 : row[i - channels];
        sub += distance_from_zero((uint8_t)(row[i] - left));
        up += distance_from_zero((uint8_t)(row[i] - (above ? above[i] : 0)));
    }
    *dst++ = above && up <= sub ? FILTER_UP : FILTER_SUB;
    if (dst[-1] == FILTER_UP) {
        for (size_t i = 0; i < n; i++) dst[i] = (uint8_t)(row[i] - above[i]);
        return;
    }
    for (size_t i = 0; i < n; i++)
        dst[i] = (uint8_t)(row[i] - (i < channels ? 0 : row[i - channels]));
}

static void filter_picture(const struct cxn_picture *p, uint8_t *dst)
{
    const size_t n = (size_t)p->width * p->channels;
    for (uint32_t y = 0; y < p->height; y++) {
        const uint8_t *row = p->pixels + (size_t)y * p->stride_bytes;
        filter_row(row, y > 0 ? row - p->stride_bytes : NULL, n, p->channels, dst);
        dst += n + 1;
    }
}

static uint8_t *put_head(const struct cxn_picture *p, uint8_t *dst)
{
    static const uint8_t signature[SIGNATURE_BYTES] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,
                                                        '\n' };
    memcpy(dst, signature, sizeof signature);
    uint8_t *ihdr = dst + SIGNATURE_BYTES;
    put_u32be(ihdr + 8, p->width);
    put_u32be(ihdr + 12, p->height);
    const uint8_t rest[5] = { 8, p->channels == 3 ? 2 : 0, 0, 0, 0 };
    memcpy(ihdr + 16, rest, sizeof rest);
    return seal_chunk(ihdr, "IHDR", IHDR_BYTES);
}

/* raw: the filtered rows. bytes->data has room for the compressor's bound and the frame. */
static enum cxn_status pack(const struct cxn_picture *p, struct libdeflate_compressor *z,
                            const uint8_t *raw, size_t raw_bytes, struct cxn_bytes *bytes,
                            struct cxn_error *err)
{
    uint8_t *idat = put_head(p, bytes->data);
    const size_t n = libdeflate_zlib_compress(z, raw, raw_bytes, idat + 8,
                                              bytes->size - FRAME_BYTES);
    if (n == 0) return cxn_fail(err, CXN_E_INTERNAL, "png: the compressor's bound was wrong");
    uint8_t *end = seal_chunk(seal_chunk(idat, "IDAT", n), "IEND", 0);
    bytes->size = (size_t)(end - bytes->data);
    return CXN_OK;
}

enum cxn_status cxn_png_encode(const struct cxn_env *env, const struct cxn_picture *p,
                               struct cxn_bytes *bytes, struct cxn_error *err)
{
    *bytes = (struct cxn_bytes){ 0 };
    if ((p->channels != 1 && p->channels != 3) || p->width == 0 || p->height == 0)
        return cxn_fail(err, CXN_E_ARG, "png: %ux%u, %u channels: expected pixels of 1 or 3",
                        p->width, p->height, p->channels);
    size_t raw_bytes;
    const size_t row = (size_t)p->width * p->channels + 1;
    if (!cxn_size_mul(row, p->height, &raw_bytes) || raw_bytes > IDAT_BYTES_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "png: %ux%u is more than %zu bytes", p->width, p->height,
                        IDAT_BYTES_MAX);
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(LEVEL);
    if (!z) return cxn_fail(err, CXN_E_NOMEM, "no memory for a compressor");
    const size_t bound = libdeflate_zlib_compress_bound(z, raw_bytes) + FRAME_BYTES;
    uint8_t *raw = cxn_alloc(env->mem, raw_bytes, 1), *packed = cxn_alloc(env->mem, bound, 1);
    enum cxn_status status = CXN_OK;
    if (!raw || !packed)
        status = cxn_fail_nomem(err, env->mem, raw_bytes + bound, "a PNG");
    if (status == CXN_OK) {
        filter_picture(p, raw);
        *bytes = (struct cxn_bytes){ .data = packed, .size = bound };
        status = pack(p, z, raw, raw_bytes, bytes, err);
    }
    if (status != CXN_OK) {
        cxn_free(packed);
        *bytes = (struct cxn_bytes){ 0 };
    }
    cxn_free(raw);
    libdeflate_free_compressor(z);
    return status;
}

enum cxn_status cxn_png_write(const struct cxn_env *env, const struct cxn_picture *picture,
                              const char *path, struct cxn_error *err)
{
    struct cxn_bytes bytes;
    enum cxn_status status = cxn_png_encode(env, picture, &bytes, err);
    if (status != CXN_OK) return cxn_fail_in(err, status, path);
    cxn_out *out;
    status = cxn_out_open(&out, path, err);
    if (status == CXN_OK) {
        cxn_out_write(out, bytes.data, bytes.size);
        status = cxn_out_commit(&out, err);
    }
    cxn_free(bytes.data);
    return status;
}
