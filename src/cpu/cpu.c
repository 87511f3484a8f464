/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/cpu.h"

#include <string.h>

uint32_t cxn_cpu_detect(void)
{
    return 0;
}

enum cxn_status cxn_cpu_limit(uint32_t cpu, const char *level, uint32_t *limited,
                              struct cxn_error *err)
{
    (void)cpu;
    if (strcmp(level, "c") != 0)
        return cxn_fail(err, CXN_E_ARG, "unknown instruction level '%s', expected c", level);
    *limited = 0;
    return CXN_OK;
}

const char *cxn_cpu_level(uint32_t cpu)
{
    (void)cpu;
    return "c";
}
