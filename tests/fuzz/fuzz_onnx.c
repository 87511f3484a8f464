/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models of a tiny network: protobuf, tensors, graph. What is read must be finite. */
#include <math.h>

#include "fuzz/text.h"
#include "onnx/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cxn_net_config tiny = {
    .growth = 1, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 1
};

/* What is taken however small the input is, and for a byte of it: a tensor needs 5. */
enum { FIXED_BYTES = 1 << 18, BYTES_A_BYTE = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cxn_onnx_model m;
    struct cxn_mem mem;
    struct cxn_error err = { "" };
    struct cxn_weights_report report;
    cxn_net *net = NULL;
    float *block = NULL;
    cxn_mem_init(&mem, 0);
    fuzz_require(cxn_net_open(&net, &tiny, NULL, NULL) == CXN_OK);
    const struct cxn_source source = cxn_source_memory(data, size);
    enum cxn_status status = cxn_onnx_model_read(&m, &mem, &source, &err);
    if (status == CXN_OK)
        status = cxn_onnx_load(&m, net, CXN_ONNX_HEAD_ANY, &block, &report, &err);
    fuzz_check_status(status, block, &err);
    for (size_t i = 0; block && i < net->float_count; i++) fuzz_require(isfinite(block[i]));
    cxn_free(block);
    cxn_onnx_model_close(&m);
    cxn_net_close(&net);
    fuzz_require(mem.blocks == 0);
    fuzz_require(mem.peak_bytes <= FIXED_BYTES + BYTES_A_BYTE * size);
    return 0;
}
