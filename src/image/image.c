/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

#include <string.h>

#include "base/file.h"
#include "image/decoder.h"

static const struct cxn_decoder *const decoders[] = { &cxn_decoder_png, &cxn_decoder_jpeg };

enum cxn_status cxn_image_check_size(uint64_t width, uint64_t height, struct cxn_error *err)
{
    if (width == 0 || height == 0)
        return cxn_fail(err, CXN_E_FORMAT, "empty picture of %llux%llu pixels",
                        (unsigned long long)width, (unsigned long long)height);
    if (width > CXN_IMAGE_SIDE_MAX || height > CXN_IMAGE_SIDE_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "picture of %llux%llu pixels, limit %u a side",
                        (unsigned long long)width, (unsigned long long)height, CXN_IMAGE_SIDE_MAX);
    if (width * height > CXN_IMAGE_PIXELS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "picture of %llux%llu pixels, limit %zu in all",
                        (unsigned long long)width, (unsigned long long)height,
                        CXN_IMAGE_PIXELS_MAX);
    return CXN_OK;
}

static bool row_is_grey(const uint8_t *rgb, size_t width)
{
    unsigned differences = 0;
    for (size_t x = 0; x < width; x++, rgb += 3)
        differences |= (unsigned)(rgb[0] ^ rgb[1]) | (unsigned)(rgb[0] ^ rgb[2]);
    return differences == 0;
}

/* One channel where all three are the same everywhere. In place: a grey row lies in front of, or
 * on, the colour row that it is read from. */
static void collapse_grey(struct cxn_picture *p)
{
    if (p->channels != 3) return;
    for (size_t y = 0; y < p->height; y++)
        if (!row_is_grey(p->pixels + y * p->stride_bytes, p->width)) return;
    for (size_t y = 0; y < p->height; y++) {
        const uint8_t *src = p->pixels + y * p->stride_bytes;
        uint8_t *dst = p->pixels + y * p->width;
        for (size_t x = 0; x < p->width; x++) dst[x] = src[3 * x];
    }
    p->channels = 1;
    p->stride_bytes = p->width;
}

static enum cxn_status refuse_unknown(const uint8_t *data, size_t size, struct cxn_error *err)
{
    if (size < 8)
        return cxn_fail(err, CXN_E_FORMAT, "%zu bytes, too short for a PNG or JPEG picture", size);
    return cxn_fail(err, CXN_E_FORMAT,
                    "neither a PNG nor a JPEG picture: it starts with %02x %02x %02x %02x", data[0],
                    data[1], data[2], data[3]);
}

enum cxn_status cxn_image_decode(const struct cxn_env *env, const uint8_t *data, size_t size,
                                 struct cxn_picture *out, unsigned *notes, struct cxn_error *err)
{
    unsigned unwanted;
    if (!notes) notes = &unwanted;
    *notes = 0;
    memset(out, 0, sizeof *out);
    if (size > CXN_IMAGE_FILE_BYTES_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "%zu bytes, limit %zu", size, CXN_IMAGE_FILE_BYTES_MAX);
    for (size_t i = 0; i < CXN_COUNTOF(decoders); i++) {
        const struct cxn_decoder *decoder = decoders[i];
        if (!decoder->probe(data, size)) continue;
        const enum cxn_status status = decoder->read(env, data, size, out, notes, err);
        if (status == CXN_OK) collapse_grey(out);
        return cxn_fail_in(err, status, decoder->name);
    }
    return refuse_unknown(data, size, err);
}

enum cxn_status cxn_image_load(const struct cxn_env *env, const char *path, struct cxn_picture *out,
                               unsigned *notes, struct cxn_error *err)
{
    unsigned seen = 0;
    if (notes) *notes = 0;
    memset(out, 0, sizeof *out);
    struct cxn_bytes bytes;
    enum cxn_status status =
        cxn_file_read(env->mem, path, CXN_IMAGE_FILE_BYTES_MAX, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_image_decode(env, bytes.data, bytes.size, out, &seen, err);
    cxn_free(bytes.data);
    if (seen & CXN_NOTE_SCALED_16)
        cxn_note(env->log, "%s: 16-bit samples were scaled to 8 bits", path);
    if (notes) *notes = seen;
    return cxn_fail_in(err, status, path);
}
