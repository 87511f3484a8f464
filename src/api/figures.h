/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_FIGURES_H
#define CXN_API_FIGURES_H

#include <chexnet/eval.h>

#include "eval/auc.h"

/* What the public header promises of a figure that src/eval worked out. */
struct cxn_estimate cxn_estimate_of(const struct cxn_eval_figure *figure);

#endif
