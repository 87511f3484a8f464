/* SPDX-License-Identifier: Apache-2.0 */
/* From register values to features, levels and the choice of kernels. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <chexnet/cpu.h>

#include "cpu/cpu.h"
#include "kern/kern.h"
#include "unit/unit.h"

enum {
    UP_TO_VNNI = CXN_CPU_AVX2 | CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI | CXN_CPU_AVX512_BF16,
    AMX = CXN_CPU_AMX_BF16 | CXN_CPU_AMX_INT8
};

/* Register values of each kind of machine, in the order of struct cxn_cpu_registers: Zen 5 as read
 * from one, the others as published; bits that no rule reads differ from model to model. */
static const struct {
    const char *what;
    struct cxn_cpu_registers registers;
    uint32_t want;
    const char *level;
} machines[] = {
    { "no x86", { 0 }, 0, "c" },
    { "Westmere: SSE4.2, no XSAVE", { 0x029ee3ff, 0, 0, 0, 0, 0, false, "", true }, 0, "c" },
    { "Haswell", { 0x7ffafbff, 0x27ab, 0, 0, 0, 0x7, false, "", true }, CXN_CPU_AVX2, "avx2" },
    { "Haswell, YMM not saved", { 0x7ffafbff, 0x27ab, 0, 0, 0, 0x3, false, "", true }, 0, "c" },
    { "Haswell, OSXSAVE off", { 0x77fafbff, 0x27ab, 0, 0, 0, 0, false, "", true }, 0, "c" },
    { "Skylake-SP", { 0x7ffefbff, 0xd39ffffb, 0, 0x9c000000, 0, 0x2ff, false, "", true },
      CXN_CPU_AVX2 | CXN_CPU_AVX512, "avx512" },
    { "Skylake-SP, ZMM not saved",
      { 0x7ffefbff, 0xd39ffffb, 0, 0x9c000000, 0, 0x7, false, "", true }, CXN_CPU_AVX2, "avx2" },
    { "Ice Lake-SP", { 0x7ffefbff, 0xf3bfbffb, 0x40417f5e, 0xbc040412, 0, 0x2ff, false, "", true },
      CXN_CPU_AVX2 | CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI, "vnni" },
    { "Alder Lake",
      { 0x7ffafbff, 0x239c27eb, 0x98c027ac, 0xfc1cc410, 0x400810, 0x207, false, "", true },
      CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI, "avxvnni" },
    { "Zen 4", { 0x7efa320b, 0xf1bf97a9, 0x405fce, 0x10000010, 0x20, 0x2e7, false, "", false },
      UP_TO_VNNI | CXN_CPU_BF16_DOTS, "vnni" },
    { "Zen 5", { 0xfffa3203, 0xf1bf07ab, 0x405fc6, 0x110, 0x30, 0xe7, false, "", false },
      UP_TO_VNNI | CXN_CPU_AVX_VNNI | CXN_CPU_BF16_DOTS, "vnni" },
    { "Sapphire Rapids",
      { 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c30, 0x602e7, true, "", true },
      UP_TO_VNNI | CXN_CPU_AVX_VNNI | AMX, "amx" },
    { "Sapphire Rapids, permission refused",
      { 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c30, 0x602e7, false, "", true },
      UP_TO_VNNI | CXN_CPU_AVX_VNNI, "vnni" },
    { "Sapphire Rapids, tiles not saved",
      { 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c30, 0x2e7, true, "", true },
      UP_TO_VNNI | CXN_CPU_AVX_VNNI, "vnni" },
    { "Sapphire Rapids, tile configuration saved, tile data not",
      { 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c30, 0x202e7, true, "", true },
      UP_TO_VNNI | CXN_CPU_AVX_VNNI, "vnni" },
    { "a hypervisor that hides AVX-512 BF16 but shows AMX",
      { 0x7ffefbff, 0xf3bfbffb, 0x1b417f7e, 0xffdd4432, 0x1c10, 0x602e7, true, "", true },
      CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI | CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI | CXN_CPU_AMX_INT8,
      "vnni" },
    { "a hypervisor that hides AVX2 but shows AVX-512",
      { 0x7ffefbff, 0xf3bfbffb & ~0x20u, 0x1b417f7e, 0, 0x1c30, 0x2e7, false, "", true }, 0, "c" },
};

static void machines_are_judged(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < CXN_COUNTOF(machines); i++) {
        struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
        const uint32_t word = cxn_cpu_decide(&machines[i].registers, verdicts);
        if (word != machines[i].want) print_error("%s: %#x\n", machines[i].what, word);
        assert_int_equal(word, machines[i].want);
        assert_int_equal(cxn_cpu_decide(&machines[i].registers, NULL), word);
        assert_string_equal(cxn_cpu_level(word), machines[i].level);
        for (size_t v = 0; v < CXN_CPU_FEATURES; v++) {
            assert_int_equal(verdicts[v].usable, (word & verdicts[v].bit) != 0);
            assert_true(strlen(verdicts[v].reason) > 0);
        }
    }
}

/* Without any one of the CPUID bits that a rule reads, the features that need it are gone. */
static void each_bit_counts(void **unused)
{
    (void)unused;
    const struct cxn_cpu_registers full = {
        .leaf1_ecx = UINT32_MAX, .leaf7_ebx = UINT32_MAX, .leaf7_ecx = UINT32_MAX,
        .leaf7_edx = UINT32_MAX, .leaf7_1_eax = UINT32_MAX, .xcr0 = UINT64_MAX,
        .amx_permission = true
    };
    const uint32_t dots = CXN_CPU_BF16_DOTS, of_bf16 = dots | CXN_CPU_AMX_BF16;
    const uint32_t wide = (UP_TO_VNNI & ~CXN_CPU_AVX2) | dots | AMX;
    const uint32_t all = UP_TO_VNNI | CXN_CPU_AVX_VNNI | AMX | dots;
    const uint32_t no_avx2 = CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI | wide;
    struct cxn_cpu_registers r = full;
    const struct { uint32_t *word; unsigned bit; uint32_t lost; } cases[] = {
        { &r.leaf1_ecx, 12, no_avx2 }, { &r.leaf1_ecx, 28, no_avx2 },
        { &r.leaf1_ecx, 29, no_avx2 }, { &r.leaf7_ebx, 5, no_avx2 },
        { &r.leaf7_ebx, 16, wide }, { &r.leaf7_ebx, 17, wide },
        { &r.leaf7_ebx, 30, wide }, { &r.leaf7_ebx, 31, wide },
        { &r.leaf7_ecx, 11, CXN_CPU_AVX512_VNNI }, { &r.leaf7_1_eax, 4, CXN_CPU_AVX_VNNI },
        { &r.leaf7_1_eax, 5, CXN_CPU_AVX512_BF16 | of_bf16 },
        { &r.leaf7_edx, 22, CXN_CPU_AMX_BF16 },
        { &r.leaf7_edx, 24, AMX }, { &r.leaf7_edx, 25, CXN_CPU_AMX_INT8 },
    };
    assert_int_equal(cxn_cpu_decide(&full, NULL), all);
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        r = full;
        *cases[i].word &= ~(UINT32_C(1) << cases[i].bit);
        assert_int_equal(cxn_cpu_decide(&r, NULL), all & ~cases[i].lost);
    }
}

static const char *reason_of(const char *what, uint32_t bit)
{
    for (size_t i = 0; i < CXN_COUNTOF(machines); i++) {
        struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
        if (strcmp(machines[i].what, what) != 0) continue;
        cxn_cpu_decide(&machines[i].registers, verdicts);
        for (size_t v = 0; v < CXN_CPU_FEATURES; v++)
            if (verdicts[v].bit == bit) return verdicts[v].reason;
    }
    fail_msg("no machine '%s'", what);
    return NULL;
}

static void reasons_name_the_cause(void **unused)
{
    (void)unused;
    assert_string_equal(reason_of("Zen 4", CXN_CPU_AMX_INT8), "this CPU does not have it");
    assert_string_equal(reason_of("Zen 4", CXN_CPU_AVX512), "usable");
    assert_string_equal(reason_of("Skylake-SP, ZMM not saved", CXN_CPU_AVX512),
                        "the operating system does not save its registers");
    assert_string_equal(reason_of("Sapphire Rapids, tiles not saved", CXN_CPU_AMX_BF16),
                        "the operating system does not save its registers");
    assert_string_equal(reason_of("Sapphire Rapids, permission refused", CXN_CPU_AMX_BF16),
                        "the operating system refuses permission to use it");
    assert_string_equal(reason_of("Sapphire Rapids", CXN_CPU_BF16_DOTS),
                        "float32 is faster on Intel's CPUs");
    assert_string_equal(reason_of("Ice Lake-SP", CXN_CPU_BF16_DOTS), "this CPU does not have it");
    assert_string_equal(reason_of("a hypervisor that hides AVX2 but shows AVX-512",
                                  CXN_CPU_AVX512), "needs AVX2");
}

static void levels_keep_what_is_below(void **unused)
{
    (void)unused;
    static const struct { const char *level; uint32_t want; } cases[] = {
        { "c", 0 },
        { "avx2", CXN_CPU_AVX2 },
        { "avxvnni", CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI },
        { "avx512", CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI | CXN_CPU_AVX512 },
        { "vnni", UP_TO_VNNI | CXN_CPU_AVX_VNNI | CXN_CPU_BF16_DOTS },
        { "amx", UP_TO_VNNI | CXN_CPU_AVX_VNNI | CXN_CPU_BF16_DOTS | AMX },
    };
    const uint32_t all = UP_TO_VNNI | CXN_CPU_AVX_VNNI | CXN_CPU_BF16_DOTS | AMX;
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        uint32_t limited = 99;
        assert_int_equal(cxn_cpu_limit(all, cases[i].level, &limited, NULL), CXN_OK);
        assert_int_equal(limited, cases[i].want);
        assert_string_equal(cxn_cpu_level(limited), cases[i].level);
    }
    uint32_t limited = 0; /* a level gives nothing that the CPU lacks */
    assert_int_equal(cxn_cpu_limit(UP_TO_VNNI, "vnni", &limited, NULL), CXN_OK);
    assert_int_equal(limited, UP_TO_VNNI);
}

static void impossible_levels_are_refused(void **unused)
{
    (void)unused;
    struct cxn_error err = { "" };
    uint32_t limited = 99;
    assert_int_equal(cxn_cpu_limit(0, "sse9", &limited, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "c, avx2, avxvnni, avx512, vnni or amx"));
    assert_int_equal(cxn_cpu_limit(UP_TO_VNNI, "amx", &limited, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "expected c, avx2, avx512 or vnni "));
    assert_int_equal(cxn_cpu_limit(0, "avx2", &limited, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "expected c "));
    assert_int_equal(cxn_cpu_limit(0, "", &limited, &err), CXN_E_ARG);
    assert_int_equal(limited, 99);
}

static void *detect(void *word)
{
    *(uint32_t *)word = cxn_cpu_detect();
    return NULL;
}

static void detection_is_the_same_in_threads(void **unused)
{
    (void)unused;
    enum { THREADS = 4 };
    pthread_t id[THREADS];
    uint32_t word[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&id[i], NULL, detect, &word[i]), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(id[i], NULL);
    for (size_t i = 0; i < THREADS; i++) assert_int_equal(word[i], cxn_cpu_detect());
}

/* The last row whose needs are met, whatever is asked. */
static void best_rows_are_found(void **unused)
{
    (void)unused;
    static const struct cxn_kern_row rows[] = {
        { "c", 0 }, { "avx2", CXN_CPU_AVX2 }, { "avx512", CXN_CPU_AVX512 },
        { "vnni", CXN_CPU_AVX512_VNNI | CXN_CPU_AVX512_BF16 },
    };
    const struct cxn_kern_op op = { "op", "", rows, sizeof rows[0], CXN_COUNTOF(rows) };
    assert_int_equal(cxn_kern_best(&op, 0), 0);
    assert_int_equal(cxn_kern_best(&op, CXN_CPU_AVX2), 1);
    assert_int_equal(cxn_kern_best(&op, CXN_CPU_AVX2 | CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI), 2);
    assert_int_equal(cxn_kern_best(&op, UP_TO_VNNI), 3);
    assert_string_equal(cxn_kern_row(&op, 2)->name, "avx512");
}

static void every_operation_begins_in_c(void **unused)
{
    (void)unused;
    size_t count;
    const struct cxn_kern_op *const *ops = cxn_kern_ops(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(cxn_kern_row(ops[i], 0)->name, "c");
        assert_int_equal(cxn_kern_row(ops[i], 0)->needs, 0);
        assert_int_equal(cxn_kern_best(ops[i], 0), 0);
    }
}

/* The public list: one kernel picked an operation, and all features off at level c. */
static void the_public_list_agrees(void **unused)
{
    (void)unused;
    const struct cxn_options options = { .threads = 1, .cpu = "c" };
    cxn_context *ctx = NULL;
    assert_int_equal(cxn_context_open(&ctx, &options, NULL), CXN_OK);
    struct cxn_cpu_feature f;
    size_t features = 0, picked = 0, ops;
    for (; cxn_cpu_feature_at(ctx, features, &f) == CXN_OK; features++)
        assert_int_equal(f.usable, 0);
    assert_int_equal(features, CXN_CPU_FEATURES);
    struct cxn_cpu_kernel k;
    for (size_t i = 0; cxn_cpu_kernel_at(ctx, i, &k) == CXN_OK; i++) {
        if (!k.picked) continue;
        assert_string_equal(k.level, "c");
        assert_string_equal(k.reason, "picked");
        picked++;
    }
    cxn_kern_ops(&ops);
    assert_int_equal(picked, ops);
    struct cxn_cpu_mode m;
    size_t modes = 0, automatic = 0;
    for (; cxn_cpu_mode_at(ctx, modes, &m) == CXN_OK; modes++) {
        assert_string_equal(m.level, "c");
        if (!m.is_auto) continue;
        assert_string_equal(m.mode, "fp32");
        automatic++;
    }
    assert_true(modes >= 3);
    assert_int_equal(automatic, 1);
    assert_int_equal(cxn_cpu_mode_at(ctx, 0, NULL), CXN_E_ARG);
    assert_int_equal(cxn_cpu_kernel_at(ctx, SIZE_MAX, &k), CXN_E_ARG);
    assert_int_equal(cxn_cpu_kernel_at(ctx, 0, NULL), CXN_E_ARG);
    assert_int_equal(cxn_cpu_feature_at(ctx, 0, NULL), CXN_E_ARG);
    cxn_context_close(&ctx);
}

static void the_variable_lowers_the_level(void **unused)
{
    (void)unused;
    cxn_context *ctx = NULL;
    struct cxn_error err = { "" };
    setenv("CHEXNET_CPU", "c", 1);
    assert_int_equal(cxn_context_open(&ctx, NULL, NULL), CXN_OK);
    assert_string_equal(cxn_context_level(ctx), "c");
    cxn_context_close(&ctx);
    setenv("CHEXNET_CPU", "mmx", 1);
    assert_int_equal(cxn_context_open(&ctx, NULL, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "CHEXNET_CPU: unknown instruction level 'mmx'"));
    unsetenv("CHEXNET_CPU");
    assert_int_equal(cxn_context_open(&ctx, NULL, NULL), CXN_OK);
    assert_string_equal(cxn_context_level(ctx), cxn_cpu_level(cxn_cpu_detect()));
    cxn_context_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines_are_judged),
        cmocka_unit_test(each_bit_counts),
        cmocka_unit_test(reasons_name_the_cause),
        cmocka_unit_test(levels_keep_what_is_below),
        cmocka_unit_test(impossible_levels_are_refused),
        cmocka_unit_test(detection_is_the_same_in_threads),
        cmocka_unit_test(best_rows_are_found),
        cmocka_unit_test(every_operation_begins_in_c),
        cmocka_unit_test(the_public_list_agrees),
        cmocka_unit_test(the_variable_lowers_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
