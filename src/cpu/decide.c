/* SPDX-License-Identifier: Apache-2.0 */
/* From register values to the word. Bit numbers: Intel SDM volume 2A, CPUID, and volume 1, 13.3. */
#include "cpu/cpu.h"

#define BIT(n) (UINT32_C(1) << (n))

enum {
    XCR0_AVX = 0x6,      /* XMM and YMM */
    XCR0_AVX512 = 0xe6,  /* with opmask, ZMM and the upper 16 registers */
    XCR0_TILES = 0x60000 /* TILECFG and TILEDATA */
};

/* All masks must be there whole. */
struct rule {
    uint32_t bit;
    const char *name;
    uint32_t leaf1_ecx, leaf7_ebx, leaf7_ecx, leaf7_edx, leaf7_1_eax;
    uint64_t xcr0;
    bool permission, not_intel;
    uint32_t base;         /* features it is of no use without */
    const char *base_name;
};

/* A feature stands behind its base. */
static const struct rule rules[CXN_CPU_FEATURES] = {
    { .bit = CXN_CPU_AVX2, .name = "AVX2", .xcr0 = XCR0_AVX,
      .leaf1_ecx = BIT(12) | BIT(28) | BIT(29) /* FMA, AVX, F16C */, .leaf7_ebx = BIT(5) },
    { .bit = CXN_CPU_AVX_VNNI, .name = "AVX-VNNI", .xcr0 = XCR0_AVX, .leaf7_1_eax = BIT(4),
      .base = CXN_CPU_AVX2, .base_name = "needs AVX2" },
    { .bit = CXN_CPU_AVX512, .name = "AVX-512", .xcr0 = XCR0_AVX512,
      .leaf7_ebx = BIT(16) | BIT(17) | BIT(30) | BIT(31) /* F, DQ, BW, VL */,
      .base = CXN_CPU_AVX2, .base_name = "needs AVX2" },
    { .bit = CXN_CPU_AVX512_VNNI, .name = "AVX-512 VNNI", .xcr0 = XCR0_AVX512,
      .leaf7_ecx = BIT(11), .base = CXN_CPU_AVX512, .base_name = "needs AVX-512" },
    { .bit = CXN_CPU_AVX512_BF16, .name = "AVX-512 BF16", .xcr0 = XCR0_AVX512,
      .leaf7_1_eax = BIT(5), .base = CXN_CPU_AVX512, .base_name = "needs AVX-512" },
    { .bit = CXN_CPU_AMX_BF16, .name = "AMX BF16", .xcr0 = XCR0_TILES, .permission = true,
      .leaf7_edx = BIT(22) | BIT(24) /* BF16, TILE */, .base = CXN_CPU_AVX512_BF16,
      .base_name = "needs AVX-512 BF16" },
    { .bit = CXN_CPU_AMX_INT8, .name = "AMX INT8", .xcr0 = XCR0_TILES, .permission = true,
      .leaf7_edx = BIT(24) | BIT(25) /* TILE, INT8 */, .base = CXN_CPU_AVX512,
      .base_name = "needs AVX-512" },
    /* VDPBF16PS makes two products a lane. It is worth it on Zen 5, and not on an Emerald Rapids
     * (docs/speed-log.md, "bf16 without AMX on Intel"); Cooper Lake was not measured. */
    { .bit = CXN_CPU_BF16_DOTS, .name = "fast AVX-512 BF16", .xcr0 = XCR0_AVX512,
      .leaf7_1_eax = BIT(5), .not_intel = true, .base = CXN_CPU_AVX512_BF16,
      .base_name = "needs AVX-512 BF16" },
};

static bool has_all(uint64_t value, uint64_t mask)
{
    return (value & mask) == mask;
}

static bool in_cpuid(const struct rule *rule, const struct cxn_cpu_registers *r)
{
    return has_all(r->leaf1_ecx, rule->leaf1_ecx) && has_all(r->leaf7_ebx, rule->leaf7_ebx) &&
           has_all(r->leaf7_ecx, rule->leaf7_ecx) && has_all(r->leaf7_edx, rule->leaf7_edx) &&
           has_all(r->leaf7_1_eax, rule->leaf7_1_eax);
}

static struct cxn_cpu_verdict judge(const struct rule *rule, const struct cxn_cpu_registers *r,
                                    uint32_t word)
{
    struct cxn_cpu_verdict v = { .bit = rule->bit, .name = rule->name };
    if (!in_cpuid(rule, r)) v.reason = "this CPU does not have it";
    else if (!has_all(r->xcr0, rule->xcr0))
        v.reason = "the operating system does not save its registers";
    else if (rule->permission && !r->amx_permission)
        v.reason = "the operating system refuses permission to use it";
    else if (!has_all(word, rule->base)) v.reason = rule->base_name;
    else if (rule->not_intel && r->intel) v.reason = "float32 is faster on Intel's CPUs";
    else v = (struct cxn_cpu_verdict){ rule->bit, rule->name, true, "usable" };
    return v;
}

uint32_t cxn_cpu_decide(const struct cxn_cpu_registers *registers,
                        struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES])
{
    uint32_t word = 0;
    for (size_t i = 0; i < CXN_CPU_FEATURES; i++) {
        const struct cxn_cpu_verdict v = judge(&rules[i], registers, word);
        if (v.usable) word |= v.bit;
        if (verdicts) verdicts[i] = v;
    }
    return word;
}

uint32_t cxn_cpu_detect(void)
{
    struct cxn_cpu_registers registers;
    cxn_cpu_read(&registers);
    return cxn_cpu_decide(&registers, NULL);
}
