/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_NAMES_H
#define CXN_MODEL_NAMES_H

#include <stddef.h>

#include "model/tensors.h"

/*
 * How trained CheXNets spell torchvision's names: behind `module.` (DataParallel), `densenet121.`
 * and `model.` in any nesting; `norm.1`, `conv.2` for norm1, conv2 (torchvision before 0.3);
 * `classifier.0.` for a head in a Sequential.
 */
enum cxn_name_rule {
    CXN_NAME_PREFIX = 1 << 0,
    CXN_NAME_OLD_SPELLING = 1 << 1,
    CXN_NAME_HEAD = 1 << 2,
};

struct cxn_name {
    char text[CXN_TENSOR_NAME_MAX + 1]; /* as torchvision spells it */
    unsigned rules;                     /* that were used */
    size_t prefix_size;                 /* bytes taken off the front */
};

/* name: at most CXN_TENSOR_NAME_MAX bytes. Always gives a text, changed or not. */
void cxn_name_understand(const char *name, struct cxn_name *out);

#endif
