/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_PACK_H
#define CXN_FUSE_PACK_H

#include <stdbool.h>

#include "base/env.h"
#include "fuse/fold.h"
#include "fuse/kernels.h"

/* The folded graph with its weights packed for the kernels of one instruction level. */

/* The norm before a convolution, ReLU included, in whichever form the kernels take it. */
struct cxn_packed_norm {
    size_t channels; /* of the block's map so far */
    const float *scale, *shift; /* x * scale + shift, then ReLU */
    struct {
        const uint16_t *knot, *turn;
    } hinge; /* as fuse/hinge.h has it; scale and shift are in the convolution behind it */
    struct {
        const uint8_t *flip, *knot;
    } byte_hinge; /* the same as kern/hinge_i8.h has it */
};

/* A convolution's weights as the packer of its kernel leaves them. */
struct cxn_packed_conv {
    const void *w;
    bool two_parts, bounded; /* of bytes alone: as of struct cxn_conv_bordered */
};

struct cxn_packed_layer {
    struct cxn_packed_norm norm;
    struct cxn_packed_conv reduce; /* 1x1 to `middle`, norm2 folded in */
    struct cxn_packed_conv grow;   /* 3x3 to `growth`, as its block has it */
    struct cxn_ahead after_reduce, after_grow; /* what the network reads next */
};

struct cxn_packed_block {
    size_t in, out;       /* channels that enter it, and of its whole map */
    size_t layer_count;
    bool winograd;        /* the 3x3 are packed for fuse/winograd.h, else for the direct kernel */
    struct cxn_packed_layer *layers;
    struct cxn_packed_norm norm; /* of the transition, or of the head after the last block */
    struct cxn_packed_conv halve; /* 1x1 of the transition to out / 2; none after the last block */
};

struct cxn_packed {
    struct cxn_fuse_kernels kernels; /* whose packing it is */
    size_t stem, middle, growth, classes;
    struct cxn_packed_conv stem_grey, stem_colour; /* 7x7 of the samples' planes: 2 and 4 */
    struct cxn_packed_block block[CXN_NET_BLOCKS];
    const float *head_w, *head_bias; /* [classes][channels], [classes] */
    size_t layer_count;
    struct cxn_packed_layer *layers; /* of all blocks */
    void *numbers;                   /* what all pointers above point into; owned */
};

/* source: not needed afterwards. The threads of env->pool share the parts. CXN_OK, CXN_E_NOMEM,
 * what source->read() returns, or CXN_E_ARG for a network whose bottleneck does not fit the
 * kernels. */
enum cxn_status cxn_packed_open(struct cxn_packed **packed, const struct cxn_fold_source *source,
                                const struct cxn_fuse_kernels *kernels, const struct cxn_env *env,
                                struct cxn_error *err);
void cxn_packed_close(struct cxn_packed **packed);

/* For other packers: the same but for the numbers, of which nothing is set yet. CXN_OK, CXN_E_NOMEM
 * or CXN_E_ARG as above. */
enum cxn_status cxn_packed_new(struct cxn_packed **packed, const cxn_net *net,
                               const struct cxn_fuse_kernels *kernels, struct cxn_mem *mem,
                               struct cxn_error *err);

/*
 * Once all of a layer's weights are placed in the order in which they are read and after_grow.first
 * is where its `grow` ends: the rest of what each layer reads next, which is what lies next. end:
 * of everything.
 */
void cxn_packed_look_ahead(struct cxn_packed *packed, const void *end);

#endif
