/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_QUANTIZED_TENSORS_H
#define CXN_ONNX_QUANTIZED_TENSORS_H

#include "fuse/derived.h"
#include "quant/quantized.h"

/*
 * The initialisers of a quantised graph. Bytes of maps are numbers of scale 1, as all grids are in
 * the numbers of parts (docs/int8.md); a part's own:
 *     stem         colour alone, in float, of normalised samples: weight, bias
 *     norm         a BatchNormalization of slope 1 or -1 and epsilon 0: weight, bias (0),
 *                  running_mean (the knot), running_var (1)
 *     convolution  weight [out][in][kernel][kernel] of 8 bits and its scale, m; in two parts
 *                  weight_hi, weight_lo, scale_hi, 128 m, and scale; bias, b
 *     head         weight, bias
 */

enum cxn_onnx_array {
    CXN_ARRAY_WEIGHT, /* of a convolution, of both parts the first */
    CXN_ARRAY_LOW,
    CXN_ARRAY_SCALE_HIGH,
    CXN_ARRAY_SCALE,
    CXN_ARRAY_BIAS,
    CXN_ARRAY_SLOPE,
    CXN_ARRAY_SHIFT,
    CXN_ARRAY_KNOT,
    CXN_ARRAY_VARIANCE,
    CXN_ARRAY_LINEAR,
    CXN_ARRAY_STEM_WEIGHT,
    CXN_ARRAY_STEM_BIAS,
};

struct cxn_onnx_initializer {
    struct cxn_slot slot; /* name, type, shape */
    size_t count;         /* of elements */
    enum cxn_onnx_array array;
};

enum { CXN_INITIALIZERS_MAX = 5 }; /* of a part */

/* Those of a part, in the file's order; how many. two_parts: whether its weights are. */
size_t cxn_onnx_initializers(const struct cxn_part *part, bool two_parts,
                             struct cxn_onnx_initializer list[CXN_INITIALIZERS_MAX]);

/* n elements of one from number `first` on. */
void cxn_onnx_initializer_fill(const struct cxn_onnx_initializer *t, const cxn_quantized *quantized,
                               size_t part, size_t first, size_t n, void *dst);

/* Goes through weights of a convolution as the graph has them, [out][in][kernel][kernel]. */
struct cxn_onnx_weight_walk {
    size_t in, out, taps;
    size_t o, i, tap;
};

struct cxn_onnx_weight_walk cxn_onnx_weights_from(const struct cxn_part *part, size_t first);

/* Where the next one is in [kernel][kernel][in][out]. */
static inline size_t cxn_onnx_next_weight(struct cxn_onnx_weight_walk *w)
{
    const size_t at = (w->tap * w->in + w->i) * w->out + w->o;
    if (++w->tap < w->taps) return at;
    w->tap = 0;
    if (++w->i < w->in) return at;
    w->i = 0;
    w->o++;
    return at;
}

/* CXN_E_FORMAT for numbers that a graph cannot have, in a text that names them as the safetensors
 * file does: a scale of 0 or less where there are weights, a stem's m or b of 2^96 and more. */
enum cxn_status cxn_onnx_check_quantized(const cxn_quantized *quantized, struct cxn_error *err);

#endif
