/* SPDX-License-Identifier: Apache-2.0 */
/* A Sapphire Rapids, as far as kernels ask: AVX2, which is not emulated, where this CPU has it. */
#include "cpu/cpu.h"

void cxn_cpu_read(struct cxn_cpu_registers *r)
{
    /* clang 14 cannot be asked for F16C; what has AVX2 has it. */
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    *r = (struct cxn_cpu_registers){ 0 };
    if (!avx2) return;
    *r = (struct cxn_cpu_registers){ 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c30,
                                     0x602e7, true, "emulated", true };
}
