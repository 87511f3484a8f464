/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_RANDOM_H
#define CXN_BASE_RANDOM_H

#include <stdint.h>

/*
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011). The numbers are a function of (seed, stream, position)
 * alone, so that image k of epoch e draws the same on any layout of threads and processes.
 */
void cxn_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A position in one stream of one seed. Give each thing that draws (image, patient, resample) a
 * stream of its own. */
struct cxn_random {
    uint64_t seed, stream, block;
    uint32_t word[4];
    unsigned used; /* words of the block already given, 0..4 */
};

struct cxn_random cxn_random_make(uint64_t seed, uint64_t stream);

uint32_t cxn_random_u32(struct cxn_random *r);

/* 0..n-1 without bias, n at least 1. */
uint32_t cxn_random_below(struct cxn_random *r, uint32_t n);

/* In [0, 1), 53 random bits. */
double cxn_random_unit(struct cxn_random *r);

/* Normal distribution, mean 0, deviation 1 (Box and Muller 1958). */
double cxn_random_normal(struct cxn_random *r);

#endif
