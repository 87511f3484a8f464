/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models of a tiny network: protobuf, tensors, graph; trained or quantised. What is read must
 * be finite. */
#include <math.h>

#include "fuzz/text.h"
#include "onnx/quantized.h"
#include "onnx/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cxn_net_config tiny = {
    .growth = 1, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 1
};

/* What is taken however small the input is, of that for the drawn probe of a quantised model, and
 * for a byte of it: a tensor needs 5. */
enum { FIXED_BYTES = 1 << 18, PROBE_BYTES = 3 << 20, BYTES_A_BYTE = 128 };

static void read_trained(struct cxn_onnx_model *m, const cxn_net *net,
                                    struct cxn_error *err)
{
    struct cxn_weights_report report;
    float *block = NULL;
    const enum cxn_status status = cxn_onnx_load(m, net, CXN_ONNX_HEAD_ANY, &block, &report, err);
    fuzz_check_status(status, block, err);
    for (size_t i = 0; block && i < net->float_count; i++) fuzz_require(isfinite(block[i]));
    cxn_free(block);
}

static void read_quantized(struct cxn_onnx_model *m, const cxn_net *net,
                                      struct cxn_error *err)
{
    const struct cxn_env env = { .mem = m->mem };
    struct cxn_onnx_quantized q;
    cxn_fold *fold = NULL;
    fuzz_require(cxn_fold_open(&fold, net, NULL, NULL) == CXN_OK);
    const enum cxn_status status = cxn_onnx_quantized_open(&q, m, fold, &env, err);
    fuzz_check_status(status, status == CXN_OK ? q.bytes : NULL, err);
    cxn_onnx_quantized_close(&q);
    cxn_fold_close(&fold);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cxn_onnx_model m;
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    cxn_mem_init(&mem, 0);
    fuzz_require(cxn_net_open(&net, &tiny, NULL, NULL) == CXN_OK);
    const struct cxn_source source = cxn_source_memory(data, size);
    const enum cxn_status status = cxn_onnx_model_read(&m, &mem, &source, &err);
    const bool quantized = status == CXN_OK && cxn_onnx_is_quantized(&m);
    if (status != CXN_OK) fuzz_check_status(status, NULL, &err);
    else if (quantized) read_quantized(&m, net, &err);
    else read_trained(&m, net, &err);
    cxn_onnx_model_close(&m);
    cxn_net_close(&net);
    fuzz_require(mem.blocks == 0);
    const size_t fixed = quantized ? FIXED_BYTES + PROBE_BYTES : FIXED_BYTES;
    fuzz_require(mem.peak_bytes <= fixed + BYTES_A_BYTE * size);
    return 0;
}
