/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_OBSERVE_H
#define CXN_FUSE_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

/* Whom the pass over a view in float32 shows the numbers between its operations. Each place of the
 * view is shown once; the numbers of places follow each other, channels last. Both are called by
 * the thread that computes the view: views that share a ctx need a lock. */
struct cxn_observer {
    void *ctx;
    /* Some places of what lies between the two convolutions of a layer, behind norm2 and ReLU. */
    void (*bottleneck)(void *ctx, uint32_t block, size_t layer, const float *numbers,
                       size_t places);
    /* A block's map with the channels of all its layers. */
    void (*map)(void *ctx, uint32_t block, const float *numbers, size_t places);
};

#endif
