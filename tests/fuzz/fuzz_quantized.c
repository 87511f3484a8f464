/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised models of a tiny network: what the reader takes, the engine packs and runs. */
#include "derived.h"
#include "quant/engine.h"
#include "quant/quantized_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum cxn_status read_model(const cxn_fold *fold, const struct cxn_tensors *list,
                                  const struct cxn_source *source, struct cxn_error *err)
{
    struct cxn_env env = { .mem = list->mem };
    struct cxn_quantized_file file;
    struct cxn_probe probe = { 0 };
    float answers[CXN_PROBE_VIEWS * 14];
    enum cxn_status status = cxn_quantized_read(&file, fold, list, source, err);
    if (status == CXN_OK) status = cxn_derived_probe(&file.derived, &probe, err);
    if (status == CXN_OK) status = cxn_pool_open(&env.pool, 1, err);
    if (status == CXN_OK) {
        const struct cxn_engine_source numbers = { .net = fold->net, .quantized = file.quantized };
        status = cxn_probe_ask(&probe, &cxn_engine_int8, &numbers, &env, answers, err);
        for (size_t i = 0; status == CXN_OK && i < CXN_COUNTOF(answers); i++)
            require(answers[i] >= 0.0f && answers[i] <= 1.0f);
    }
    cxn_pool_close(&env.pool);
    cxn_probe_close(&probe);
    cxn_quantized_file_close(&file);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_derived(data, size, read_model);
}
