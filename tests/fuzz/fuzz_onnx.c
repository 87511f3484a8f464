/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models of a tiny network: protobuf, tensors, graph. What is read must be finite. */
#include <math.h>
#include <stdlib.h>

#include "onnx/read.h"

static const struct cxn_net_config tiny = {
    .growth = 1, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 1
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cxn_onnx_model m;
    struct cxn_mem mem;
    struct cxn_error err;
    struct cxn_weights_report report;
    cxn_net *net = NULL;
    float *block = NULL;
    cxn_mem_init(&mem, 0);
    if (cxn_net_open(&net, &tiny, &mem, &err) != CXN_OK) abort();
    const struct cxn_source source = cxn_source_memory(data, size);
    enum cxn_status status = cxn_onnx_model_read(&m, &mem, &source, &err);
    if (status == CXN_OK)
        status = cxn_onnx_load(&m, net, CXN_ONNX_HEAD_ANY, &block, &report, &err);
    if (status != CXN_OK && status != CXN_E_FORMAT && status != CXN_E_LIMIT) abort();
    if ((status == CXN_OK) != (block != NULL)) abort();
    for (size_t i = 0; block && i < net->float_count; i++)
        if (!isfinite(block[i])) abort();
    cxn_free(block);
    cxn_onnx_model_close(&m);
    cxn_net_close(&net);
    if (mem.blocks != 0) abort();
    return 0;
}
