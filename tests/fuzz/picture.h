/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUZZ_PICTURE_H
#define CXN_FUZZ_PICTURE_H

#include <stdlib.h>

#include "image/image.h"

/* Decode within 64 MiB: a picture exactly where the status says so, and nothing is kept. */
static inline int decode_picture(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    struct cxn_error err;
    struct cxn_picture p;
    cxn_mem_init(&mem, (size_t)64 << 20);
    const struct cxn_env env = { .mem = &mem };
    const enum cxn_status status = cxn_image_decode(&env, data, size, &p, NULL, &err);
    if ((p.pixels == NULL) == (status == CXN_OK)) abort();
    cxn_picture_close(&p);
    if (mem.blocks != 0) abort();
    return 0;
}

#endif
