/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_PACK_H
#define CXN_QUANT_PACK_H

#include "base/env.h"
#include "fuse/pack.h"
#include "quant/quantized.h"

/* A quantised network packed for the kernels of env->cpu; not needed afterwards. CXN_OK,
 * CXN_E_NOMEM, or CXN_E_ARG for a network whose bottleneck does not fit the kernels. */
enum cxn_status cxn_quantized_pack(struct cxn_packed **packed, const cxn_quantized *quantized,
                                   const struct cxn_env *env, struct cxn_error *err);

#endif
