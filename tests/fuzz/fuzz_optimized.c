/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optimised models of a tiny network. The probe picture makes such a file large, so zeros behind
 * the data are left out of the seeds and put back here; behind a first byte of 1 nothing is.
 */
#include <stdlib.h>
#include <string.h>

#include "fuse/optimized.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cxn_net_config tiny = {
    .growth = 2, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 14
};

/* The picture is the last tensor, and black in the seeds. */
enum { PICTURE_BYTES = CXN_PROBE_SIDE * CXN_PROBE_SIDE * CXN_PROBE_CHANNELS };

static void require(int condition)
{
    if (!condition) abort();
}

static void read_model(const uint8_t *data, size_t size, struct cxn_mem *mem)
{
    const struct cxn_source source = cxn_source_memory(data, size);
    struct cxn_tensors list;
    struct cxn_optimized optimized = { 0 };
    struct cxn_probe probe = { 0 };
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    cxn_fold *fold = NULL;
    require(cxn_net_open(&net, &tiny, mem, NULL) == CXN_OK);
    require(cxn_fold_open(&fold, net, mem, NULL) == CXN_OK);
    enum cxn_status status = cxn_tensors_open(&list, mem, &source, &err);
    if (status == CXN_OK && cxn_derived_is(&list)) {
        status = cxn_optimized_open(&optimized, fold, &list, &source, &err);
        if (status == CXN_OK) status = cxn_optimized_check(&optimized, &err);
        if (status == CXN_OK) status = cxn_derived_probe(&optimized.derived, &probe, &err);
        require(status == CXN_OK || status == CXN_E_FORMAT);
        require((status == CXN_OK) == (err.text[0] == '\0'));
        require(!strchr(err.text, '\n'));
    }
    cxn_probe_close(&probe);
    cxn_optimized_close(&optimized);
    cxn_tensors_close(&list);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    if (size == 0) return 0;
    const size_t zeros = data[0] == 1 ? 0 : PICTURE_BYTES;
    uint8_t *file = calloc(size - 1 + zeros + 1, 1); /* never of 0 bytes */
    require(file != NULL);
    memcpy(file, data + 1, size - 1);
    cxn_mem_init(&mem, 0);
    read_model(file, size - 1 + zeros, &mem);
    require(mem.blocks == 0);
    require(mem.peak_bytes < ((size_t)64 << 20));
    free(file);
    return 0;
}
