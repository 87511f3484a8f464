/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_CPU_CPU_H
#define CXN_CPU_CPU_H

#include <stdint.h>

#include "base/status.h"

/* What kernels may execute, as one word. A bit means: the CPU has it, the operating system saves
 * its registers, and (AMX) the kernel has given permission. */
enum {
    CXN_CPU_AVX2 = 1 << 0,        /* AVX2, FMA and F16C */
    CXN_CPU_AVX_VNNI = 1 << 1,    /* 256-bit VNNI without AVX-512 */
    CXN_CPU_AVX512 = 1 << 2,      /* AVX-512 F, BW, DQ, VL */
    CXN_CPU_AVX512_VNNI = 1 << 3,
    CXN_CPU_AVX512_BF16 = 1 << 4,
    CXN_CPU_AMX_BF16 = 1 << 5,    /* with AMX-TILE */
    CXN_CPU_AMX_INT8 = 1 << 6,    /* with AMX-TILE */
};

/* All bits that this process may use. Asks for the AMX permission the first time; later calls
 * give the same word. */
uint32_t cxn_cpu_detect(void);

/* The bits of `cpu` that belong to the level named (c, avx2, avxvnni, avx512, vnni, amx) or one
 * below it. CXN_E_ARG for an unknown name, with the list, and where `cpu` lacks that level. */
enum cxn_status cxn_cpu_limit(uint32_t cpu, const char *level, uint32_t *limited,
                              struct cxn_error *err);

/* Name of the highest level whose bits are all in the word; "c" for 0. */
const char *cxn_cpu_level(uint32_t cpu);

#endif
