/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_PRECISION_H
#define CXN_NN_PRECISION_H

/* Of feature maps and products in training, and of the convolutions' weights in an optimised model;
 * all else stays float32. */
enum cxn_precision { CXN_PRECISION_F32, CXN_PRECISION_BF16, CXN_PRECISION_COUNT };

#endif
