/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, passes and sample formats of PNG: five bytes choose the kind of picture, the rest are
 * its inflated bytes, followed by zeros. */
#include <stdlib.h>
#include <string.h>

#include "image/png.h"

enum { HEAD_BYTES = 5 };

static const struct kind {
    uint8_t type, depth, samples;
} kinds[] = {
    { CXN_PNG_GREY, 1, 1 },       { CXN_PNG_GREY, 2, 1 },        { CXN_PNG_GREY, 4, 1 },
    { CXN_PNG_GREY, 8, 1 },       { CXN_PNG_GREY, 16, 1 },       { CXN_PNG_RGB, 8, 3 },
    { CXN_PNG_RGB, 16, 3 },       { CXN_PNG_PALETTE, 1, 1 },     { CXN_PNG_PALETTE, 2, 1 },
    { CXN_PNG_PALETTE, 4, 1 },    { CXN_PNG_PALETTE, 8, 1 },     { CXN_PNG_GREY_ALPHA, 8, 2 },
    { CXN_PNG_GREY_ALPHA, 16, 2 }, { CXN_PNG_RGBA, 8, 4 },       { CXN_PNG_RGBA, 16, 4 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES) return 0;
    const struct kind kind = kinds[data[0] % CXN_COUNTOF(kinds)];
    struct cxn_png_head head = {
        .width = data[1] % 64 + 1u,
        .height = data[2] % 64 + 1u,
        .depth = kind.depth,
        .samples = kind.samples,
        .type = kind.type,
        .interlaced = data[3] % 2 == 1,
        .colour_count = data[4],
    };
    memset(head.colours, 0x5a, sizeof head.colours);
    const struct cxn_env env = { 0 };
    struct cxn_picture out;
    const size_t n = cxn_png_raw_bytes(&head), given = size - HEAD_BYTES;
    uint8_t *raw = calloc(n, 1);
    if (!raw) return 0;
    memcpy(raw, data + HEAD_BYTES, given < n ? given : n);
    if (cxn_picture_open(&env, head.width, head.height, cxn_png_channels(&head), &out, NULL) ==
        CXN_OK)
        cxn_png_unpack(&env, &head, raw, &out, NULL);
    cxn_picture_close(&out);
    free(raw);
    return 0;
}
