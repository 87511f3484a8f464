/* SPDX-License-Identifier: Apache-2.0 */
#include "api/engines.h"

#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "fuse/engine.h"
#include "quant/engine.h"

/* ref64 is not here: it is for tests alone. */
static const struct row {
    const struct cxn_engine *engine;
    uint32_t fast_with; /* CPU bits without any of which "auto" prefers a row above; 0: none */
    bool quantized;     /* needs a quantised file, and "auto" never takes it */
} rows[] = { /* "auto" takes the last fast one */
    { .engine = &cxn_engine_reference },
    { .engine = &cxn_engine_fp32 },
    /* Without fast instructions for bfloat16 its products cost more than float32's. */
    { .engine = &cxn_engine_bf16, .fast_with = CXN_CPU_AMX_BF16 | CXN_CPU_BF16_DOTS },
    { .engine = &cxn_engine_int8, .quantized = true },
};

static bool is_fast(const struct row *row, uint32_t cpu)
{
    if (row->quantized) return false;
    return row->fast_with == 0 || (row->fast_with & cpu) != 0;
}

const struct cxn_engine *cxn_engine_at(size_t i)
{
    return i < CXN_COUNTOF(rows) ? rows[i].engine : NULL;
}

const struct cxn_engine *cxn_engine_of_weights(size_t i)
{
    return i < CXN_COUNTOF(rows) && !rows[i].quantized ? rows[i].engine : NULL;
}

enum cxn_status cxn_engine_choose(const char *mode, uint32_t cpu, const struct cxn_engine **engine,
                                  struct cxn_error *err)
{
    const bool any = strcmp(mode, "auto") == 0;
    *engine = NULL;
    for (size_t i = 0; i < CXN_COUNTOF(rows); i++)
        if (any ? is_fast(&rows[i], cpu) : strcmp(mode, rows[i].engine->name) == 0)
            *engine = rows[i].engine;
    if (*engine) return CXN_OK;
    char names[64] = "auto";
    for (size_t i = 0; i < CXN_COUNTOF(rows); i++) {
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, " or %s", rows[i].engine->name);
    }
    return cxn_fail(err, CXN_E_ARG, "unknown mode '%s', expected %s", mode, names);
}
