/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_FPMODE_H
#define CXN_BASE_FPMODE_H

#include <fenv.h>

/*
 * Results are promised to the bit in IEEE 754's default mode: rounding to nearest, subnormal
 * numbers kept. A host program may have chosen another for its own thread; calls that compute
 * enter the default and leave with the host's.
 */
static inline void cxn_fpmode_enter(fenv_t *host)
{
    fegetenv(host);
    fesetenv(FE_DFL_ENV);
}

static inline void cxn_fpmode_leave(const fenv_t *host)
{
    fesetenv(host);
}

#endif
