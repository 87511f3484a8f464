/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_CONTEXT_H
#define CXN_API_CONTEXT_H

#include <chexnet/chexnet.h>

#include "base/env.h"

struct cxn_context {
    struct cxn_mem mem;
    struct cxn_log log;
    struct cxn_env env; /* points at the above; what the rooms below are handed */
};

/* The environment to work with: the context's, or for NULL a zeroed one with static lifetime. */
const struct cxn_env *cxn_context_env(const cxn_context *ctx);

#endif
