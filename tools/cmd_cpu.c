/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/cpu.h>
#include <string.h>

#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    OPT_JSON,
    { 0 },
};

/* ---- tables ------------------------------------------------------------------------------- */

static void print_features(const cxn_context *ctx)
{
    struct cxn_cpu_feature f;
    printf("\n%-16s %-7s %s\n", "feature", "usable", "why");
    for (size_t i = 0; cxn_cpu_feature_at(ctx, i, &f) == CXN_OK; i++)
        if (f.usable) printf("%-16s yes\n", f.name);
        else printf("%-16s %-7s %s\n", f.name, "no", f.reason);
}

static void print_kernels(const cxn_context *ctx)
{
    struct cxn_cpu_kernel k;
    const char *last = "";
    printf("\n%-16s %-36s %-8s %s\n", "operation", "what it is", "kernel", "why");
    for (size_t i = 0; cxn_cpu_kernel_at(ctx, i, &k) == CXN_OK; i++) {
        const bool same = strcmp(last, k.operation) == 0;
        printf("%-16s %-36s %-8s %s\n", same ? "" : k.operation, same ? "" : k.does, k.level,
               k.reason);
        last = k.operation;
    }
}

static void print_modes(const cxn_context *ctx)
{
    struct cxn_cpu_mode m;
    printf("\n%-16s %s\n", "mode", "most work by kernels");
    for (size_t i = 0; cxn_cpu_mode_at(ctx, i, &m) == CXN_OK; i++)
        printf("%-16s %s%s\n", m.mode, m.level, m.is_auto ? " (what auto takes)" : "");
}

static void print_tables(const cxn_context *ctx)
{
    struct cxn_cpu_name name;
    cxn_cpu_name(&name);
    printf("CPU: %s\nlevel: %s\nthreads: %u\n", name.text[0] ? name.text : "(no name)",
           cxn_context_level(ctx), cxn_context_threads(ctx));
    print_features(ctx);
    print_kernels(ctx);
    print_modes(ctx);
    puts("\n" RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *features_json(const cxn_context *ctx)
{
    json_t *list = json_array();
    struct cxn_cpu_feature f;
    for (size_t i = 0; cxn_cpu_feature_at(ctx, i, &f) == CXN_OK; i++)
        json_array_append_new(list, json_pack("{s:s,s:b,s:s}", "name", f.name, "usable",
                                              (int)f.usable, "reason", f.reason));
    return list;
}

static json_t *kernels_json(const cxn_context *ctx)
{
    json_t *list = json_array();
    struct cxn_cpu_kernel k;
    for (size_t i = 0; cxn_cpu_kernel_at(ctx, i, &k) == CXN_OK; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s}", "operation", k.operation,
                                              "kernel", k.level, "picked", (int)k.picked,
                                              "reason", k.reason));
    return list;
}

static json_t *modes_json(const cxn_context *ctx)
{
    json_t *list = json_array();
    struct cxn_cpu_mode m;
    for (size_t i = 0; cxn_cpu_mode_at(ctx, i, &m) == CXN_OK; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "mode", m.mode, "level", m.level,
                                              "auto", (int)m.is_auto));
    return list;
}

static enum cxn_status print_object(const cxn_context *ctx, struct cxn_error *err)
{
    struct cxn_cpu_name name;
    cxn_cpu_name(&name);
    json_t *object = json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "cpu", name.text, "level",
                               cxn_context_level(ctx), "threads", (int)cxn_context_threads(ctx),
                               "features", features_json(ctx), "kernels", kernels_json(ctx),
                               "modes", modes_json(ctx));
    return json_print(object, err);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) status = print_object(ctx, err);
    else print_tables(ctx);
    cxn_context_close(&ctx);
    return status;
}

const struct command cmd_cpu = {
    .name = "cpu",
    .summary = "which kernels this CPU gets, and why",
    .details = "A feature is usable where the CPU has it, the operating system saves its\n"
               "registers and, for AMX, gives permission. --cpu LEVEL lowers the choice; levels\n"
               "are c, avx2, avxvnni, avx512, vnni and amx.",
    .example = "chexnet cpu --cpu avx2",
    .options = options,
    .run = run,
};
