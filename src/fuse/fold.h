/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_FOLD_H
#define CXN_FUSE_FOLD_H

#include "nn/densenet.h"

/*
 * DenseNet-121 folded for running, as plain numbers: every norm behind a convolution is in its
 * weights, every norm before one is a scale and a shift a channel, and the picture's normalisation
 * is in the stem. Nothing here depends on kernels or instruction levels.
 */

enum cxn_part_kind {
    /* 7x7 on samples as they are: `in` is 2 for grey and ones, 4 for red, green, blue and ones. */
    CXN_PART_STEM,
    CXN_PART_NORM, /* x * scale + shift, then ReLU: the norm before a convolution */
    CXN_PART_CONV,
    CXN_PART_HEAD
};

/*
 * One operation and the shapes of its two arrays:
 *     stem, convolution  weight [kernel][kernel][in][out], bias [out]
 *     norm               scale [out], shift [out]
 *     head               weight [out][in], bias [out]
 * A convolution with no norm behind it has no bias.
 */
struct cxn_part {
    enum cxn_part_kind kind;
    char name[CXN_NET_NAME_BYTES]; /* torchvision's of what it was, as features.conv0 */
    uint32_t out, in, kernel;      /* in, kernel: 0 for a norm; kernel: 0 for the head */
    size_t first_count, second_count; /* floats of the two arrays */
    const struct cxn_net_tensor *from; /* its first tensor */
    const struct cxn_net_tensor *norm; /* the first of the norm behind it; NULL: none */
};

/*
 * All parts in the order in which they run, but that both stems, first the grey one, stand in
 * front: then for each block its layers (norm, 1x1, 3x3), the norm and, but for the last, the 1x1
 * of the transition; then the head.
 */
typedef struct cxn_fold {
    const cxn_net *net; /* borrowed */
    size_t count;
    struct cxn_part parts[];
} cxn_fold;

/* CXN_OK or CXN_E_NOMEM. */
enum cxn_status cxn_fold_open(cxn_fold **fold, const cxn_net *net, struct cxn_mem *mem,
                              struct cxn_error *err);
void cxn_fold_close(cxn_fold **fold);

/* Where the numbers of the parts come from. */
struct cxn_fold_source {
    const cxn_fold *fold;
    const void *from; /* read()'s own */
    /* The two arrays of one part. Several threads may call it at once. Allocates nothing. */
    enum cxn_status (*read)(const struct cxn_fold_source *source, const struct cxn_part *part,
                            float *first, float *second, struct cxn_error *err);
};

/* Folded as they are asked for. block: net->float_count floats, borrowed. Never fails; numbers are
 * not finite where the block's are out of range. */
struct cxn_fold_source cxn_fold_source_block(const cxn_fold *fold, const float *block);

#endif
