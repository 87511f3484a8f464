/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_PACK_H
#define CXN_FUSE_PACK_H

#include <stdbool.h>

#include "base/env.h"
#include "fuse/fold.h"
#include "fuse/kernels.h"

/* The folded graph with its weights packed for the kernels of one instruction level. */

/* x * scale + shift, then ReLU: the norm before a convolution. */
struct cxn_packed_norm {
    const float *scale, *shift;
    size_t channels;
};

/* The same as fuse/hinge.h has it; its scale and shift are in the convolution behind it. */
struct cxn_packed_hinge {
    const uint16_t *knot, *turn;
};

struct cxn_packed_layer {
    struct cxn_packed_norm norm; /* channels: of the block's map so far */
    struct cxn_packed_hinge hinge; /* instead of norm's two arrays, where the kernels have hinges */
    const float *reduce;         /* 1x1 to `middle`, norm2 folded in */
    const float *grow;           /* 3x3 to `growth`, as its block has it */
    struct cxn_ahead after_reduce, after_grow; /* what the network reads next */
};

struct cxn_packed_block {
    size_t in, out;       /* channels that enter it, and of its whole map */
    size_t layer_count;
    bool winograd;        /* the 3x3 are packed for fuse/winograd.h, else for the direct kernel */
    const struct cxn_packed_layer *layers;
    struct cxn_packed_norm norm; /* of the transition, or of the head after the last block */
    const float *halve;          /* 1x1 of the transition to out / 2; NULL after the last block */
};

struct cxn_packed {
    struct cxn_fuse_kernels kernels; /* whose packing it is */
    size_t stem, middle, growth, classes;
    const float *stem_grey, *stem_colour; /* 7x7 of samples_f32's planes: 2 and 4 */
    struct cxn_packed_block block[CXN_NET_BLOCKS];
    const float *head_w, *head_bias; /* [classes][channels], [classes] */
    struct cxn_packed_layer *layers; /* of all blocks */
    float *numbers;                  /* what all pointers above point into */
};

/* source: not needed afterwards. The threads of env->pool share the parts. CXN_OK, CXN_E_NOMEM,
 * what source->read() returns, or CXN_E_ARG for a network whose bottleneck does not fit the
 * kernels. */
enum cxn_status cxn_packed_open(struct cxn_packed **packed, const struct cxn_fold_source *source,
                                const struct cxn_fuse_kernels *kernels, const struct cxn_env *env,
                                struct cxn_error *err);
void cxn_packed_close(struct cxn_packed **packed);

#endif
