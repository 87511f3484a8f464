/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/cpu.h>
#include <stdio.h>

#include "api/context.h"
#include "api/engines.h"
#include "cpu/cpu.h"
#include "kern/kern.h"

_Static_assert(CXN_CPU_BRAND_BYTES <= CXN_CPU_TEXT_BYTES, "a name fits");

void cxn_cpu_name(struct cxn_cpu_name *name)
{
    struct cxn_cpu_registers registers;
    cxn_cpu_read(&registers);
    snprintf(name->text, sizeof name->text, "%s", registers.brand);
}

/* The machine's verdicts, lowered to what the context may use. */
static void judge(const cxn_context *ctx, struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES])
{
    struct cxn_cpu_registers registers;
    cxn_cpu_read(&registers);
    cxn_cpu_decide(&registers, verdicts);
    for (size_t i = 0; i < CXN_CPU_FEATURES; i++) {
        struct cxn_cpu_verdict *v = &verdicts[i];
        if (!v->usable || (cxn_context_env(ctx)->cpu & v->bit)) continue;
        v->usable = false;
        v->reason = "switched off by the level asked for";
    }
}

enum cxn_status cxn_cpu_feature_at(const cxn_context *ctx, size_t i, struct cxn_cpu_feature *out)
{
    if (i >= CXN_CPU_FEATURES || !out) return CXN_E_ARG;
    struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
    judge(ctx, verdicts);
    *out = (struct cxn_cpu_feature){ .name = verdicts[i].name, .usable = verdicts[i].usable };
    snprintf(out->reason, sizeof out->reason, "%s", verdicts[i].reason);
    return CXN_OK;
}

/* Row `row` of an operation. */
static void describe(const cxn_context *ctx, const struct cxn_kern_op *op, size_t row,
                     struct cxn_cpu_kernel *out)
{
    const struct cxn_kern_row *kernel = cxn_kern_row(op, row);
    const uint32_t cpu = cxn_context_env(ctx)->cpu;
    const size_t best = cxn_kern_best(op, cpu);
    const char *name = "", *why = row == best ? "picked" : "a faster one is usable";
    struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
    judge(ctx, verdicts);
    for (size_t i = 0; i < CXN_CPU_FEATURES && name[0] == '\0'; i++) {
        if ((kernel->needs & ~cpu & verdicts[i].bit) == 0) continue;
        name = verdicts[i].name;
        why = verdicts[i].reason;
    }
    *out = (struct cxn_cpu_kernel){ .operation = op->name, .does = op->does,
                                    .level = kernel->name, .picked = row == best };
    snprintf(out->reason, sizeof out->reason, "%s%s%s", name, name[0] ? ": " : "", why);
}

enum cxn_status cxn_cpu_kernel_at(const cxn_context *ctx, size_t i, struct cxn_cpu_kernel *out)
{
    size_t count;
    const struct cxn_kern_op *const *ops = cxn_kern_ops(&count);
    if (!out) return CXN_E_ARG;
    for (size_t op = 0; op < count; i -= ops[op++]->row_count) {
        if (i >= ops[op]->row_count) continue;
        describe(ctx, ops[op], i, out);
        return CXN_OK;
    }
    return CXN_E_ARG;
}

enum cxn_status cxn_cpu_mode_at(const cxn_context *ctx, size_t i, struct cxn_cpu_mode *out)
{
    const uint32_t cpu = cxn_context_env(ctx)->cpu;
    const struct cxn_engine *engine = cxn_engine_at(i), *fastest;
    if (!engine || !out) return CXN_E_ARG;
    const enum cxn_status status = cxn_engine_choose("auto", cpu, &fastest, NULL);
    if (status == CXN_OK)
        *out = (struct cxn_cpu_mode){ .mode = engine->name, .level = engine->level(cpu),
                                      .is_auto = engine == fastest };
    return status;
}
