/* SPDX-License-Identifier: Apache-2.0 */
#include "train/init.h"

#include <math.h>

#include "base/random.h"
#include "train/order.h"

static void fill(float *at, size_t count, float value)
{
    for (size_t i = 0; i < count; i++) at[i] = value;
}

static void draw_tensor(const cxn_net *net, size_t t, uint64_t seed, float *block)
{
    const struct cxn_net_tensor *tensor = &net->tensors[t];
    struct cxn_random r = cxn_random_make(seed, cxn_random_stream(CXN_RANDOM_WEIGHTS, 0, t));
    float *at = block + tensor->offset;
    const double inputs = (double)(tensor->count / tensor->dims[0]);
    switch (tensor->role) {
    case CXN_ROLE_CONV:
        for (size_t i = 0; i < tensor->count; i++)
            at[i] = (float)(sqrt(2 / inputs) * cxn_random_normal(&r));
        break;
    case CXN_ROLE_HEAD_WEIGHT:
        for (size_t i = 0; i < tensor->count; i++)
            at[i] = (float)((2 * cxn_random_unit(&r) - 1) / sqrt(inputs));
        break;
    case CXN_ROLE_NORM_WEIGHT:
    case CXN_ROLE_NORM_VAR: fill(at, tensor->count, 1); break;
    case CXN_ROLE_NORM_BIAS:
    case CXN_ROLE_NORM_MEAN:
    case CXN_ROLE_HEAD_BIAS: fill(at, tensor->count, 0); break;
    }
}

void cxn_weights_draw(const cxn_net *net, uint64_t seed, float *block)
{
    for (size_t t = 0; t < net->tensor_count; t++) draw_tensor(net, t, seed, block);
}

void cxn_weights_draw_head(const cxn_net *net, uint64_t seed, float *block)
{
    for (size_t t = 0; t < net->tensor_count; t++)
        if (net->tensors[t].role == CXN_ROLE_HEAD_WEIGHT ||
            net->tensors[t].role == CXN_ROLE_HEAD_BIAS)
            draw_tensor(net, t, seed, block);
}
