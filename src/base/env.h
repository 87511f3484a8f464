/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_ENV_H
#define CXN_BASE_ENV_H

#include <stdint.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"

/*
 * What a piece of work may use, handed down from the caller; nothing of it is global. Borrowed:
 * whoever made it keeps it alive longer than everything opened with it. A zeroed one is valid: no
 * limit, the calling thread alone, silence, level `c`.
 */
struct cxn_env {
    struct cxn_mem *mem;
    cxn_pool *pool; /* NULL: the calling thread alone */
    const struct cxn_log *log;
    uint32_t cpu; /* CXN_CPU_* bits that kernels may use (cpu/cpu.h) */
};

#endif
