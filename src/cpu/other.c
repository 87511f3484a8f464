/* SPDX-License-Identifier: Apache-2.0 */
/* Machines without x86's features: level `c` alone. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/peak.h"

void cxn_cpu_read(struct cxn_cpu_registers *registers)
{
    memset(registers, 0, sizeof *registers);
}

struct cxn_peak_loop cxn_peak_pick(uint32_t cpu)
{
    (void)cpu;
    return (struct cxn_peak_loop){ 0 };
}

struct cxn_peak_loop cxn_peak_pick_i8(uint32_t cpu)
{
    (void)cpu;
    return (struct cxn_peak_loop){ 0 };
}
