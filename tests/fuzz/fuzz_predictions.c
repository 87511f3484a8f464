/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction CSVs. */
#include "data/predictions.h"
#include "fuzz/text.h"

static void check_rows(const cxn_predictions *p)
{
    fuzz_require(p->count > 0);
    for (size_t i = 0; i < p->count; i++) {
        fuzz_require(cxn_predictions_find(p, p->names[i]) == i);
        for (size_t f = 0; f < CXN_FINDING_COUNT; f++) {
            const float score = p->scores[i * CXN_FINDING_COUNT + f];
            fuzz_require(score - score == 0); /* finite */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_error err = { "" };
    cxn_predictions *p = NULL;
    const enum cxn_status status =
        cxn_predictions_parse(&p, &env, "predictions", data, size, &err);
    fuzz_check_status(status, p, &err);
    if (p) check_rows(p);
    cxn_predictions_close(&p);
    fuzz_check_memory(&mem, size);
    return 0;
}
