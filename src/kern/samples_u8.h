/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_SAMPLES_U8_H
#define CXN_KERN_SAMPLES_U8_H

#include "kern/samples.h"

/* Bytes as they are; the plane that tells where the picture is has 255 for 1. One function a level,
 * kern/<level>/samples_u8.c. */
cxn_samples_fn cxn_samples_u8_c;

/* The fastest row that needs no other bits than those in `cpu`. */
const struct cxn_samples_kernel *cxn_samples_u8_pick(uint32_t cpu);
extern const struct cxn_kern_op cxn_samples_u8_op;

#endif
