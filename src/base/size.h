/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_SIZE_H
#define CXN_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arithmetic on sizes that come from outside: false, and *out untouched, when it does not fit. */

static inline bool cxn_size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

static inline bool cxn_size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

/* Product of n factors; the product of none is 1. */
static inline bool cxn_size_product(const size_t *factors, size_t n, size_t *out)
{
    size_t product = 1;
    for (size_t i = 0; i < n; i++)
        if (!cxn_size_mul(product, factors[i], &product)) return false;
    *out = product;
    return true;
}

#endif
