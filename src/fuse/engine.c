/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/engine.h"

#include "fuse/state.h"

static enum cxn_status open_fused(cxn_engine_state **state, const struct cxn_engine_source *source,
                                  const struct cxn_fuse_kernels *kernels,
                                  const struct cxn_env *env, struct cxn_error *err)
{
    struct cxn_packed *packed;
    cxn_fold *fold;
    *state = NULL;
    enum cxn_status status = cxn_fold_open(&fold, source->net, env->mem, err);
    if (status != CXN_OK) return status;
    const struct cxn_fold_source numbers =
        source->folded ? *source->folded : cxn_fold_source_block(fold, source->block);
    status = cxn_packed_open(&packed, &numbers, kernels, env, err);
    cxn_fold_close(&fold);
    return status == CXN_OK ? cxn_fused_open(state, &packed, env, err) : status;
}

static enum cxn_status open_fp32(cxn_engine_state **state, const struct cxn_engine_source *source,
                                 const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_fuse_kernels kernels = cxn_fuse_kernels_f32(env->cpu);
    return open_fused(state, source, &kernels, env, err);
}

static enum cxn_status open_bf16_dots(cxn_engine_state **state,
                                      const struct cxn_engine_source *source,
                                      const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_fuse_kernels kernels = cxn_fuse_kernels_bf16_dots(env->cpu);
    return open_fused(state, source, &kernels, env, err);
}

static enum cxn_status open_bf16(cxn_engine_state **state, const struct cxn_engine_source *source,
                                 const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_fuse_kernels kernels = cxn_fuse_kernels_bf16(env->cpu);
    return open_fused(state, source, &kernels, env, err);
}

static const char *level_of_fp32(uint32_t cpu)
{
    return cxn_fuse_kernels_f32(cpu).level;
}

static const char *level_of_bf16(uint32_t cpu)
{
    return cxn_fuse_kernels_bf16(cpu).level;
}

static const char *level_of_bf16_dots(uint32_t cpu)
{
    return cxn_fuse_kernels_bf16_dots(cpu).level;
}

const struct cxn_engine cxn_engine_fp32 = {
    .name = "fp32", .device = "cpu", .bound = 1e-5, .level = level_of_fp32, .open = open_fp32,
    .fit = cxn_fused_fit, .run = cxn_fused_run, .profile = cxn_fused_profile,
    .close = cxn_fused_close
};

const struct cxn_engine cxn_engine_bf16 = {
    .name = "bf16", .device = "cpu", .bound = 2e-2, .level = level_of_bf16, .open = open_bf16,
    .fit = cxn_fused_fit, .run = cxn_fused_run, .profile = cxn_fused_profile,
    .close = cxn_fused_close
};

const struct cxn_engine cxn_engine_bf16_dots = {
    .name = "bf16-dots", .device = "cpu", .level = level_of_bf16_dots, .open = open_bf16_dots,
    .fit = cxn_fused_fit, .run = cxn_fused_run, .profile = cxn_fused_profile,
    .close = cxn_fused_close
};
