/* SPDX-License-Identifier: Apache-2.0 */
#include "api/engines.h"

#include <stdio.h>
#include <string.h>

#include "fuse/engine.h"

/* Fastest last: "auto" takes the last row. ref64 is not here: it is for tests alone. */
static const struct cxn_engine *const engines[] = {
    &cxn_engine_reference,
    &cxn_engine_bf16,
    &cxn_engine_fp32,
};

enum cxn_status cxn_engine_choose(const char *mode, const struct cxn_engine **engine,
                                  struct cxn_error *err)
{
    if (strcmp(mode, "auto") == 0) {
        *engine = engines[CXN_COUNTOF(engines) - 1];
        return CXN_OK;
    }
    for (size_t i = 0; i < CXN_COUNTOF(engines); i++) {
        if (strcmp(mode, engines[i]->name) != 0) continue;
        *engine = engines[i];
        return CXN_OK;
    }
    char names[64] = "auto";
    for (size_t i = 0; i < CXN_COUNTOF(engines); i++) {
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, " or %s", engines[i]->name);
    }
    return cxn_fail(err, CXN_E_ARG, "unknown mode '%s', expected %s", mode, names);
}
