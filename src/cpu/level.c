/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"

enum {
    FULL_VNNI = CXN_CPU_AVX2 | CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI,
    FULL_AMX = FULL_VNNI | CXN_CPU_AMX_BF16 | CXN_CPU_AMX_INT8
};

static const struct level {
    const char *name;
    uint32_t requires; /* a CPU has the level when it has all of these */
    uint32_t adds;     /* bits that belong to it and to no level below */
} levels[] = { /* lowest first */
    { "c", 0, 0 },
    { "avx2", CXN_CPU_AVX2, CXN_CPU_AVX2 },
    { "avxvnni", CXN_CPU_AVX2 | CXN_CPU_AVX_VNNI, CXN_CPU_AVX_VNNI },
    { "avx512", CXN_CPU_AVX2 | CXN_CPU_AVX512, CXN_CPU_AVX512 },
    { "vnni", FULL_VNNI, CXN_CPU_AVX512_VNNI | CXN_CPU_AVX512_BF16 | CXN_CPU_BF16_DOTS },
    { "amx", FULL_AMX, CXN_CPU_AMX_BF16 | CXN_CPU_AMX_INT8 },
};

static bool has_level(uint32_t cpu, const struct level *level)
{
    return (level->requires & ~cpu) == 0;
}

/* "c, avx2 or amx": the levels for which `all` is set or `cpu` is enough. */
static void list_levels(char *text, size_t bytes, uint32_t cpu, bool all)
{
    size_t left = 0;
    for (size_t i = 0; i < CXN_COUNTOF(levels); i++)
        if (all || has_level(cpu, &levels[i])) left++;
    text[0] = '\0';
    for (size_t i = 0; i < CXN_COUNTOF(levels); i++) {
        if (!all && !has_level(cpu, &levels[i])) continue;
        const size_t n = strlen(text);
        left--;
        snprintf(text + n, bytes - n, "%s%s", levels[i].name,
                 left > 1 ? ", " : left == 1 ? " or " : "");
    }
}

enum cxn_status cxn_cpu_limit(uint32_t cpu, const char *level, uint32_t *limited,
                              struct cxn_error *err)
{
    char list[80];
    uint32_t kept = 0;
    for (size_t i = 0; i < CXN_COUNTOF(levels); i++) {
        kept |= levels[i].adds;
        if (strcmp(level, levels[i].name) != 0) continue;
        if (!has_level(cpu, &levels[i])) {
            list_levels(list, sizeof list, cpu, false);
            return cxn_fail(err, CXN_E_ARG,
                            "instruction level '%s' is not usable here, expected %s "
                            "(chexnet cpu says why)", level, list);
        }
        *limited = cpu & kept;
        return CXN_OK;
    }
    list_levels(list, sizeof list, cpu, true);
    return cxn_fail(err, CXN_E_ARG, "unknown instruction level '%s', expected %s", level, list);
}

const char *cxn_cpu_level_name(size_t i)
{
    return i < CXN_COUNTOF(levels) ? levels[i].name : NULL;
}

uint32_t cxn_cpu_level_lacks(size_t i, uint32_t cpu)
{
    return levels[i].requires & ~cpu;
}

const char *cxn_cpu_level(uint32_t cpu)
{
    size_t best = 0;
    for (size_t i = 1; i < CXN_COUNTOF(levels); i++)
        if (has_level(cpu, &levels[i])) best = i;
    return levels[best].name;
}
