/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUZZ_WEIGHTS_H
#define CXN_FUZZ_WEIGHTS_H

#include <stdlib.h>
#include <string.h>

#include "model/tensors.h"

/* Read a file's list of tensors and every tensor that is not large; what the list promises must
 * hold: only a checksum, a type or a view may still be refused, and nothing leaks. */
static inline int read_weights(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    struct cxn_tensors list;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    const struct cxn_source source = cxn_source_memory(data, size);
    const enum cxn_status status = cxn_tensors_open(&list, &mem, &source, &err);
    for (size_t i = 0; status == CXN_OK && i < list.count && i < 64; i++) {
        const struct cxn_tensor *t = &list.items[i];
        const char *name = cxn_tensors_name(&list, i);
        if (strlen(name) > CXN_TENSOR_NAME_MAX) abort();
        if (t->count > size) continue; /* an expanded view, refused when it is read */
        float *values = calloc((size_t)t->count + 1, sizeof *values);
        if (!values) abort();
        const enum cxn_status read = cxn_tensors_read_f32(&list, &source, i, values, &err);
        if (read != CXN_OK && read != CXN_E_FORMAT) abort();
        /* The text holds the name, and a name may say anything. */
        if (read != CXN_OK && strstr(err.text, "truncated") && !strstr(name, "truncated")) abort();
        free(values);
    }
    cxn_tensors_close(&list);
    if (mem.blocks != 0) abort();
    return 0;
}

#endif
