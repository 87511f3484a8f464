/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_ENGINE_H
#define CXN_FUSE_ENGINE_H

#include "fuse/observe.h"
#include "nn/engine.h"

/* The folded graph in float32 with the fastest kernels of the CPU: a view a thread where there are
 * views enough, the rows of a view shared out where not, with the same bits. */
extern const struct cxn_engine cxn_engine_fp32;

/* The same with maps and weights rounded to bfloat16, sums in float32. Where the CPU multiplies
 * such numbers, so is all that a convolution reads; there CXN_E_ARG for a network with an odd
 * number of channels between two convolutions. */
extern const struct cxn_engine cxn_engine_bf16;

/* What cxn_engine_bf16 is on a CPU that multiplies bfloat16 numbers, for tests on any CPU. */
extern const struct cxn_engine cxn_engine_bf16_dots;

/* run() of a state of cxn_engine_fp32 with the same bits, each view wholly in one thread.
 * observers: [count], one a view. */
enum cxn_status cxn_fp32_observe(cxn_engine_state *state, const struct cxn_view *views,
                                 size_t count, const struct cxn_observer *observers, float *prob,
                                 struct cxn_error *err);

#endif
