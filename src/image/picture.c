/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/size.h"
#include "image/image.h"

enum cxn_status cxn_picture_open(const struct cxn_env *env, uint32_t width, uint32_t height,
                                 uint32_t channels, struct cxn_picture *out, struct cxn_error *err)
{
    memset(out, 0, sizeof *out);
    size_t bytes;
    if (!cxn_size_product((const size_t[]){ width, height, channels }, 3, &bytes))
        return cxn_fail(err, CXN_E_LIMIT, "%ux%u picture: its size does not fit", width, height);
    uint8_t *pixels = cxn_alloc(env->mem, bytes, 1);
    if (!pixels) return cxn_fail_nomem(err, env->mem, bytes, "a picture");
    *out = (struct cxn_picture){
        .pixels = pixels,
        .width = width,
        .height = height,
        .channels = channels,
        .stride_bytes = (size_t)width * channels,
    };
    return CXN_OK;
}

void cxn_picture_close(struct cxn_picture *picture)
{
    cxn_free(picture->pixels);
    memset(picture, 0, sizeof *picture);
}
