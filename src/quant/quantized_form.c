/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/quantized_form.h"

#include <stdio.h>
#include <string.h>

#include "quant/engine.h"

const struct cxn_derived_kind cxn_quantized_kind = {
    .format = "quantized", .engine = &cxn_engine_int8,
    .folded = "preprocessing and norm0 into features.conv0; norm2 into conv1; other norms to flip "
              "and knot, their scales into the weights behind them",
};

struct cxn_quantized_array cxn_quantized_array_at(const cxn_quantized *quantized, size_t part,
                                                  size_t array)
{
    const struct cxn_quantized_part *p = &quantized->parts[part];
    const enum cxn_part_kind kind = quantized->fold->parts[part].kind;
    const struct cxn_quantized_array norm[CXN_QUANTIZED_ARRAYS] = {
        { "flip", CXN_DTYPE_U8, p->flip }, { "knot", CXN_DTYPE_U8, p->knot }
    };
    const struct cxn_quantized_array head[CXN_QUANTIZED_ARRAYS] = {
        { "weight", CXN_DTYPE_F32, p->linear }, { "bias", CXN_DTYPE_F32, p->b }
    };
    const struct cxn_quantized_array conv[CXN_QUANTIZED_ARRAYS] = {
        { p->low ? "weight_hi" : "weight", CXN_DTYPE_I8, p->weight },
        { "weight_lo", CXN_DTYPE_I8, p->low },
        { "m", CXN_DTYPE_F32, p->m },
        { "b", CXN_DTYPE_F32, p->b },
    };
    return (kind == CXN_PART_NORM ? norm : kind == CXN_PART_HEAD ? head : conv)[array];
}

static struct cxn_slot make_slot(const struct cxn_slots *slots, size_t i, size_t array)
{
    const struct cxn_part *part = &slots->fold->parts[i];
    const struct cxn_quantized_array a = cxn_quantized_array_at(slots->form, i, array);
    if (!a.numbers) return (struct cxn_slot){ 0 };
    if (array == 0 || a.dtype == CXN_DTYPE_I8) return cxn_slot_of_first(part, a.name, a.dtype);
    return cxn_slot_of_second(part, a.name, a.dtype);
}

struct cxn_slots cxn_quantized_slots(const cxn_quantized *quantized)
{
    return (struct cxn_slots){ .fold = quantized->fold, .each_count = CXN_QUANTIZED_ARRAYS,
                               .form = quantized, .make = make_slot };
}

void cxn_quantized_pairs(const struct cxn_quantized_about *about, const char *put_back,
                         char text[CXN_COUNT_TEXT_BYTES],
                         struct cxn_out_pair pairs[CXN_QUANTIZED_PAIRS])
{
    const struct cxn_out_pair all[CXN_QUANTIZED_PAIRS] = {
        { "calibration_sha256", about->calibration_sha256 },
        { "method", cxn_calibration_method_name(about->method) },
        { "images", text },
        { "bit_exact", "true" },
        { "put_back", put_back },
        { "auc_drop", about->auc_drop },
    };
    snprintf(text, CXN_COUNT_TEXT_BYTES, "%zu", about->images);
    memcpy(pairs, all, sizeof all);
}
