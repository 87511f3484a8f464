/* SPDX-License-Identifier: Apache-2.0 */
/* Optimised models of a tiny network. */
#include "derived.h"
#include "fuse/optimized.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum cxn_status read_model(const cxn_fold *fold, const struct cxn_tensors *list,
                                  const struct cxn_source *source, struct cxn_error *err)
{
    struct cxn_optimized optimized;
    struct cxn_probe probe = { 0 };
    enum cxn_status status = cxn_optimized_open(&optimized, fold, list, source, err);
    if (status == CXN_OK) status = cxn_optimized_check(&optimized, err);
    if (status == CXN_OK) status = cxn_derived_probe(&optimized.derived, &probe, err);
    cxn_probe_close(&probe);
    cxn_optimized_close(&optimized);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_derived(data, size, read_model);
}
