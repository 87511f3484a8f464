/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_QUANTIZED_CASE_H
#define CXN_TESTS_QUANTIZED_CASE_H

#include "nn/engine.h"
#include "quant/quantized.h"

/* A quantised network of random numbers, and what docs/int8.md says that it computes. */

/* Every third convolution in two parts where put_back is set. Maps fill their bytes and saturate
 * here and there, hinges rise, fall, cut always and never. Fails the running test where there is
 * no memory. */
cxn_quantized *random_quantized(const cxn_fold *fold, bool put_back, uint64_t seed);

/* Fails the running test where they are not the same. */
void assert_same_quantized(const cxn_quantized *a, const cxn_quantized *b);

/* What docs/int8.md says that it computes, from one thread in plain loops, of none of the library's
 * kernels but the sigmoid's. prob: [classes]. */
void walk_quantized(const cxn_quantized *quantized, const struct cxn_view *view, float *prob);

#endif
