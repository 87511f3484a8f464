/* SPDX-License-Identifier: Apache-2.0 */
/* Calibrations of a tiny network. */
#include "fuzz/text.h"
#include "quant/calibration_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cxn_net_config tiny = {
    .growth = 2, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 14
};

/* What is taken however small the input is, and by jansson at most for a byte of it. */
enum { FIXED_BYTES = 1 << 16, BYTES_A_BYTE = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    cxn_fold *fold = NULL;
    cxn_calibration *c = NULL;
    fuzz_require(cxn_net_open(&net, &tiny, NULL, NULL) == CXN_OK);
    fuzz_require(cxn_fold_open(&fold, net, NULL, NULL) == CXN_OK);
    const enum cxn_status status = cxn_calibration_parse(&c, fold, &env, data, size, &err);
    fuzz_check_status(status, c, &err);
    if (c) fuzz_require(cxn_calibration_check(c, NULL) == CXN_OK && c->images > 0);
    cxn_calibration_close(&c);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
    fuzz_require(mem.blocks == 0);
    fuzz_require(mem.peak_bytes <= FIXED_BYTES + BYTES_A_BYTE * size);
    return 0;
}
