/* SPDX-License-Identifier: Apache-2.0 */
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cpu/cpu.h"

enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 }; /* asm/prctl.h of Linux 5.16 */

static uint64_t read_xcr0(void)
{
    uint32_t low, high; /* _xgetbv() would need -mxsave on this file */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void read_brand(char brand[CXN_CPU_BRAND_BYTES])
{
    enum { LEAVES = 3 };
    static const uint32_t first = 0x80000002;
    uint32_t word[4 * LEAVES] = { 0 };
    for (uint32_t i = 0; i < LEAVES; i++)
        if (!__get_cpuid(first + i, &word[4 * i], &word[4 * i + 1], &word[4 * i + 2],
                         &word[4 * i + 3]))
            return;
    const char *text = (const char *)word;
    const size_t skip = strspn(text, " "); /* old models are right-aligned */
    const size_t n = strnlen(text + skip, sizeof word - skip);
    memcpy(brand, text + skip, n);
    brand[n] = '\0';
}

void cxn_cpu_read(struct cxn_cpu_registers *r)
{
    uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
    memset(r, 0, sizeof *r);
    if (__get_cpuid(0, &eax, &ebx, &ecx, &edx))
        r->intel = ebx == signature_INTEL_ebx && edx == signature_INTEL_edx &&
                   ecx == signature_INTEL_ecx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) r->leaf1_ecx = ecx;
    uint32_t subleaves = 0;
    if (__get_cpuid_count(7, 0, &subleaves, &r->leaf7_ebx, &r->leaf7_ecx, &r->leaf7_edx) &&
        subleaves >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx))
        r->leaf7_1_eax = eax;
    if (r->leaf1_ecx & bit_OSXSAVE) r->xcr0 = read_xcr0();
    if (r->xcr0 >> XFEATURE_XTILEDATA & 1)
        r->amx_permission = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
    read_brand(r->brand);
}
