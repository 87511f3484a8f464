/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
