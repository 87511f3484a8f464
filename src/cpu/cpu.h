/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_CPU_CPU_H
#define CXN_CPU_CPU_H

#include <stdbool.h>
#include <stddef.h>
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
    CXN_CPU_BF16_DOTS = 1 << 7,   /* AVX-512 BF16 whose products beat those of float32 */
};
enum { CXN_CPU_FEATURES = 8, CXN_CPU_BRAND_BYTES = 49 };

/* What the machine says of itself; all zero where it is not an x86. Tests hold recorded ones. */
struct cxn_cpu_registers {
    uint32_t leaf1_ecx;                       /* CPUID leaf 1 */
    uint32_t leaf7_ebx, leaf7_ecx, leaf7_edx; /* CPUID leaf 7, subleaf 0 */
    uint32_t leaf7_1_eax;                     /* CPUID leaf 7, subleaf 1 */
    uint64_t xcr0;       /* states that the operating system saves; 0 without OSXSAVE */
    bool amx_permission; /* arch_prctl(ARCH_REQ_XCOMP_PERM, 18) succeeded */
    char brand[CXN_CPU_BRAND_BYTES]; /* e.g. "AMD EPYC", "" where unknown */
    bool intel;          /* CPUID leaf 0: GenuineIntel */
};

/* Read this machine's. Asks for the AMX permission where XCR0 has the tiles; the kernel gives it
 * to the process for good, so that asking again changes nothing. Thread safe. */
void cxn_cpu_read(struct cxn_cpu_registers *registers);

struct cxn_cpu_verdict {
    uint32_t bit;
    const char *name;   /* e.g. "AVX-512 VNNI" */
    bool usable;
    const char *reason; /* why, one phrase; static storage */
};

/* The word of these registers and, unless verdicts is NULL, each feature's verdict. */
uint32_t cxn_cpu_decide(const struct cxn_cpu_registers *registers,
                        struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES]);

/* All bits that this process may use. */
uint32_t cxn_cpu_detect(void);

/* The bits of `cpu` that belong to the level named (c, avx2, avxvnni, avx512, vnni, amx) or one
 * below it. CXN_E_ARG for an unknown name, with the list, and where `cpu` lacks that level. */
enum cxn_status cxn_cpu_limit(uint32_t cpu, const char *level, uint32_t *limited,
                              struct cxn_error *err);

/* Name of level i, 0 the lowest; NULL past the end. */
const char *cxn_cpu_level_name(size_t i);

/* Bits without which a CPU does not have level i, less those in `cpu`: 0 where it has it. */
uint32_t cxn_cpu_level_lacks(size_t i, uint32_t cpu);

/* Floating-point operations a second of one core, float32, a product and a sum counted apart: the
 * best of a few runs of independent multiply-adds in registers, with the widest vectors that the
 * word allows, and without AVX2 no fused ones. Takes about 30 ms. */
double cxn_cpu_peak_f32(uint32_t cpu);

/* The same of 8-bit integers whose products are summed exactly in 32 bits. */
double cxn_cpu_peak_i8(uint32_t cpu);

/* Name of the highest level whose bits are all in the word; "c" for 0. */
const char *cxn_cpu_level(uint32_t cpu);

#endif
