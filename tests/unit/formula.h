/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_FORMULA_H
#define CXN_TESTS_FORMULA_H

#include <stddef.h>
#include <stdint.h>

#include "nn/densenet.h"

/* Weights and a picture made by formula: the same bits as tests/golden/make_full.py makes, so that
 * its answers hold without a file of weights in the repository. */

enum { FORMULA_WIDTH = 300, FORMULA_HEIGHT = 340 };

/* The same for tests/golden/make_train.py. */
enum { FORMULA_TRAIN_SIDE = 240, FORMULA_TRAIN_PICTURES = 8 };

/* block: net->float_count floats. */
void formula_weights(const cxn_net *net, float *block);

/* The norms' biases raised by 3, so that twenty steps are not chaos (make_train.py). */
void formula_calm(const cxn_net *net, float *block);

/* pixels: FORMULA_HEIGHT rows of FORMULA_WIDTH grey bytes. */
void formula_picture(uint8_t *pixels);

/* 3 for every fourth picture, else 1. */
uint32_t formula_train_channels(uint32_t number);

/* pixels: FORMULA_TRAIN_SIDE rows of as many places. */
void formula_train_picture(uint32_t number, uint8_t *pixels);

/* Labels of picture `number`, each 0 or 1. */
void formula_labels(uint32_t number, size_t classes, double *labels);

/* The place of sample sample_number in a tensor of count numbers. */
size_t formula_sample(size_t tensor, size_t sample_number, size_t count);

#endif
