/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_INIT_H
#define CXN_TRAIN_INIT_H

#include <stdint.h>

#include "nn/densenet.h"

/*
 * Weights to start from scratch, as torchvision's DenseNet draws them: convolutions normal with
 * deviation sqrt(2 / inputs of an output) (He et al. 2015), norms 1 and 0, the head evenly within
 * 1 / sqrt(inputs) with a bias of 0; running means 0, variances 1. Each tensor draws from a stream
 * of its own. block: net->float_count floats.
 */
void cxn_weights_draw(const cxn_net *net, uint64_t seed, float *block);

/* The head alone, as above: for weights that came with another. */
void cxn_weights_draw_head(const cxn_net *net, uint64_t seed, float *block);

#endif
