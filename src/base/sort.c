/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sort.h"

#include <string.h>

/* Merge the sorted runs [0, middle) and [middle, n) of index. */
static void merge_runs(uint32_t *index, uint32_t *scratch, size_t middle, size_t n,
                       cxn_before_fn *before, const void *ctx)
{
    if (!before(ctx, index[middle], index[middle - 1])) return;
    memcpy(scratch, index, middle * sizeof *index);
    size_t left = 0, right = middle, to = 0;
    while (left < middle && right < n) {
        const bool take_right = before(ctx, index[right], scratch[left]);
        index[to++] = take_right ? index[right++] : scratch[left++];
    }
    memcpy(index + to, scratch + left, (middle - left) * sizeof *index);
}

void cxn_sort_indices(uint32_t *index, uint32_t *scratch, size_t n, cxn_before_fn *before,
                      const void *ctx)
{
    for (size_t run = 1; run < n; run = run > n / 2 ? n : 2 * run) {
        for (size_t at = 0; n - at > run;) {
            const size_t length = n - at > 2 * run ? 2 * run : n - at;
            merge_runs(index + at, scratch, run, length, before, ctx);
            at += length;
        }
    }
}
