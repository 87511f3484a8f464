/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_FORMULA_H
#define CXN_TESTS_FORMULA_H

#include <stddef.h>
#include <stdint.h>

#include "nn/densenet.h"

/* Weights and a picture made by formula: the same bits as tests/golden/make_full.py makes, so that
 * its answers hold without a file of weights in the repository. */

enum { FORMULA_WIDTH = 300, FORMULA_HEIGHT = 340 };

/* block: net->float_count floats. */
void formula_weights(const cxn_net *net, float *block);

/* pixels: FORMULA_HEIGHT rows of FORMULA_WIDTH grey bytes. */
void formula_picture(uint8_t *pixels);

#endif
