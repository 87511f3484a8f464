/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_SORT_H
#define CXN_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does element a go before element b? Elements are known by their index alone. */
typedef bool cxn_before_fn(const void *ctx, uint32_t a, uint32_t b);

/*
 * Sort n indices; equal ones keep their order. scratch has room for n and holds nothing afterwards.
 * At most n log2(n) comparisons whatever the order, about n when it is nearly sorted, and no memory
 * of its own: qsort() would take some outside the budget.
 */
void cxn_sort_indices(uint32_t *index, uint32_t *scratch, size_t n, cxn_before_fn *before,
                      const void *ctx);

#endif
