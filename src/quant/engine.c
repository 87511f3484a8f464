/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/engine.h"

#include "fuse/state.h"
#include "quant/pack.h"

static enum cxn_status open_int8(cxn_engine_state **state, const struct cxn_engine_source *source,
                                 const struct cxn_env *env, struct cxn_error *err)
{
    struct cxn_packed *packed;
    *state = NULL;
    const enum cxn_status status = cxn_quantized_pack(&packed, source->quantized, env, err);
    return status == CXN_OK ? cxn_fused_open(state, &packed, env, err) : status;
}

static const char *level_of_int8(uint32_t cpu)
{
    return cxn_fuse_kernels_i8(cpu).level;
}

const struct cxn_engine cxn_engine_int8 = {
    .name = "int8", .device = "cpu", .bound = 5e-2, .level = level_of_int8, .open = open_int8,
    .fit = cxn_fused_fit, .run = cxn_fused_run, .profile = cxn_fused_profile,
    .close = cxn_fused_close
};
