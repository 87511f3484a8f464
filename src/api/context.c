/* SPDX-License-Identifier: Apache-2.0 */
#include "api/context.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cpu/cpu.h"

#define STRING_OF(x) #x
#define VERSION_STRING(x) STRING_OF(x)

const char *cxn_version(void)
{
    return VERSION_STRING(CXN_VERSION);
}

static enum cxn_status choose_level(const struct cxn_options *options, uint32_t *cpu,
                                    struct cxn_error *err)
{
    const char *level = options->cpu;
    const bool from_environment = !level;
    if (from_environment) level = getenv("CHEXNET_CPU");
    *cpu = cxn_cpu_detect();
    if (!level || level[0] == '\0') return CXN_OK;
    const enum cxn_status status = cxn_cpu_limit(*cpu, level, cpu, err);
    return from_environment ? cxn_fail_in(err, status, "CHEXNET_CPU") : status;
}

enum cxn_status cxn_context_open(cxn_context **out, const struct cxn_options *options,
                                 struct cxn_error *err)
{
    static const struct cxn_options defaults;
    if (!out) return cxn_fail(err, CXN_E_ARG, "cxn_context_open: no place for the context");
    *out = NULL;
    if (!options) options = &defaults;
    cxn_context *ctx = calloc(1, sizeof *ctx);
    if (!ctx) return cxn_fail(err, CXN_E_NOMEM, "no memory for a context");
    const uint64_t limit = options->memory_limit_bytes;
    cxn_mem_init(&ctx->mem, limit > SIZE_MAX ? SIZE_MAX : (size_t)limit);
    ctx->log = (struct cxn_log){ .write = options->log, .ctx = options->log_ctx };
    ctx->env = (struct cxn_env){ .mem = &ctx->mem, .log = &ctx->log };
    enum cxn_status status = choose_level(options, &ctx->env.cpu, err);
    if (status == CXN_OK) status = cxn_pool_open(&ctx->env.pool, options->threads, err);
    if (status != CXN_OK) {
        cxn_context_close(&ctx);
        return status;
    }
    *out = ctx;
    return CXN_OK;
}

void cxn_context_close(cxn_context **ctx)
{
    if (!ctx || !*ctx) return;
    cxn_pool_close(&(*ctx)->env.pool);
    free(*ctx);
    *ctx = NULL;
}

const struct cxn_env *cxn_context_env(const cxn_context *ctx)
{
    static const struct cxn_env nothing;
    return ctx ? &ctx->env : &nothing;
}

uint32_t cxn_context_threads(const cxn_context *ctx)
{
    return cxn_pool_threads(cxn_context_env(ctx)->pool);
}

const char *cxn_context_level(const cxn_context *ctx)
{
    return cxn_cpu_level(cxn_context_env(ctx)->cpu);
}

uint64_t cxn_peak_memory_bytes(void)
{
    return cxn_peak_rss_bytes();
}
