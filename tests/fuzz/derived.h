/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_FUZZ_DERIVED_H
#define CXN_TESTS_FUZZ_DERIVED_H

#include <stdlib.h>
#include <string.h>

#include "fuse/derived.h"

/*
 * Files of models derived from weights of a tiny network. The probe picture makes such a file
 * large, so zeros behind the data are left out of the seeds and put back here; behind a first byte
 * of 1 nothing is.
 */

static const struct cxn_net_config tiny = {
    .growth = 2, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 2, .classes = 14
};

/* The picture is the last tensor, and black in the seeds. */
enum { PICTURE_BYTES = CXN_PROBE_SIDE * CXN_PROBE_SIDE * CXN_PROBE_CHANNELS };

/* All that one kind's reader reads, the probe too. */
typedef enum cxn_status read_kind_fn(const cxn_fold *fold, const struct cxn_tensors *list,
                                     const struct cxn_source *source, struct cxn_error *err);

static void require(int condition)
{
    if (!condition) abort();
}

static void read_list(const uint8_t *data, size_t size, read_kind_fn *read, struct cxn_mem *mem)
{
    const struct cxn_source source = cxn_source_memory(data, size);
    struct cxn_tensors list;
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    cxn_fold *fold = NULL;
    require(cxn_net_open(&net, &tiny, mem, NULL) == CXN_OK);
    require(cxn_fold_open(&fold, net, mem, NULL) == CXN_OK);
    enum cxn_status status = cxn_tensors_open(&list, mem, &source, &err);
    if (status == CXN_OK && cxn_derived_is(&list)) {
        status = read(fold, &list, &source, &err);
        require(status == CXN_OK || status == CXN_E_FORMAT);
        require((status == CXN_OK) == (err.text[0] == '\0'));
        require(!strchr(err.text, '\n'));
    }
    cxn_tensors_close(&list);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
}

static inline int fuzz_derived(const uint8_t *data, size_t size, read_kind_fn *read)
{
    struct cxn_mem mem;
    if (size == 0) return 0;
    const size_t zeros = data[0] == 1 ? 0 : PICTURE_BYTES;
    uint8_t *file = calloc(size - 1 + zeros + 1, 1); /* never of 0 bytes */
    require(file != NULL);
    memcpy(file, data + 1, size - 1);
    cxn_mem_init(&mem, 0);
    read_list(file, size - 1 + zeros, read, &mem);
    require(mem.blocks == 0);
    require(mem.peak_bytes < ((size_t)64 << 20));
    free(file);
    return 0;
}

#endif
