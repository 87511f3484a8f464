/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_KERN_H
#define CXN_KERN_KERN_H

#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"

/*
 * Kernels: arithmetic on pointers. They allocate nothing, check nothing and know no network; sizes
 * are the caller's business. An operation has one contract header (kern/<op>.h), one table of rows
 * (kern/<op>.c), slowest first, and row 0 is always plain C (kern/c/<op>.c).
 */

/* First member of every operation's record, so that rows can be listed without knowing them. */
struct cxn_kern_row {
    const char *name; /* the level's folder: c, avx2, ...; seen in logs, tests and benchmarks */
    uint32_t needs;   /* CXN_CPU_* bits this code executes, all of them */
};

/* One operation as `chexnet cpu` and the test bench see it. */
struct cxn_kern_op {
    const char *name;
    const char *does; /* for people, one phrase */
    const void *rows; /* row_count records of row_bytes each, beginning with a cxn_kern_row */
    size_t row_bytes, row_count;
};

/* Every operation there is. */
const struct cxn_kern_op *const *cxn_kern_ops(size_t *count);

/* Row i, 0..row_count - 1. */
const struct cxn_kern_row *cxn_kern_row(const struct cxn_kern_op *op, size_t i);

/* Number of the last row whose needs are all in `cpu`. Row 0 needs nothing, so there is one. */
size_t cxn_kern_best(const struct cxn_kern_op *op, uint32_t cpu);

#endif
