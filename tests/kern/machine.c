/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of checkkern: this one. */
#include "ck.h"

bool ck_machine_concerns(const struct cxn_kern_row *row)
{
    (void)row;
    return true;
}

const char *ck_machine_lacks(const struct cxn_kern_row *row)
{
    struct cxn_cpu_registers registers;
    struct cxn_cpu_verdict verdicts[CXN_CPU_FEATURES];
    cxn_cpu_read(&registers);
    cxn_cpu_decide(&registers, verdicts);
    for (size_t i = CXN_CPU_FEATURES; i-- > 0;)
        if ((row->needs & verdicts[i].bit) && !verdicts[i].usable) return verdicts[i].name;
    return NULL;
}

double ck_machine_peak(const struct cxn_kern_row *row)
{
    return cxn_cpu_peak_f32(row->needs);
}

const char *ck_machine_left(void)
{
    return NULL;
}
