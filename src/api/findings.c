/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/chexnet.h>

#include "data/list.h"

_Static_assert(CXN_FINDINGS == CXN_FINDING_COUNT, "the public constant is the table's length");

const char *cxn_finding_name(int i)
{
    return i >= 0 && i < CXN_FINDINGS ? cxn_finding_names[i] : NULL;
}
