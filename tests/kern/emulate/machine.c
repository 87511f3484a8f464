/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of checkkern_emulated: every level from AVX-512 on. */
#include "kern/ck.h"
#include "kern/emulate/amx.h"

bool ck_machine_concerns(const struct cxn_kern_row *row)
{
    return (row->needs & CXN_CPU_AVX512) != 0;
}

const char *ck_machine_lacks(const struct cxn_kern_row *row)
{
    (void)row;
    return NULL;
}

double ck_machine_peak(const struct cxn_kern_row *row)
{
    (void)row;
    return 0.0;
}

const char *ck_machine_left(void)
{
    return emulate_tiles_in_use() ? "left the tiles configured" : NULL;
}
