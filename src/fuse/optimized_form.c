/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/optimized_form.h"

#include <string.h>

#include "fuse/engine.h"

/* ---- precisions --------------------------------------------------------------------------- */

const struct cxn_engine *cxn_precision_engine(enum cxn_precision precision)
{
    return precision == CXN_PRECISION_BF16 ? &cxn_engine_bf16 : &cxn_engine_fp32;
}

enum cxn_status cxn_precision_parse(const char *word, enum cxn_precision *precision,
                                    struct cxn_error *err)
{
    for (int i = 0; i < CXN_PRECISION_COUNT; i++) {
        if (strcmp(word, cxn_precision_engine((enum cxn_precision)i)->name) != 0) continue;
        *precision = (enum cxn_precision)i;
        return CXN_OK;
    }
    return cxn_fail(err, CXN_E_ARG, "unknown precision '%s', expected fp32 or bf16", word);
}

struct cxn_derived_kind cxn_optimized_kind(enum cxn_precision precision)
{
    return (struct cxn_derived_kind){
        .format = "optimized", .engine = cxn_precision_engine(precision),
        .folded = "preprocessing and norm0 into features.conv0; norm2 into conv1; other norms to "
                  "scale and shift",
    };
}

/* ---- tensors ------------------------------------------------------------------------------ */

static struct cxn_slot make_slot(const struct cxn_slots *slots, size_t i, size_t array)
{
    const struct cxn_part *part = &slots->fold->parts[i];
    const enum cxn_precision precision = *(const enum cxn_precision *)slots->form;
    const bool norm = part->kind == CXN_PART_NORM;
    const bool rounded = part->kind == CXN_PART_CONV && precision == CXN_PRECISION_BF16;
    if (array == 0)
        return cxn_slot_of_first(part, norm ? "scale" : "weight",
                                 rounded ? CXN_DTYPE_BF16 : CXN_DTYPE_F32);
    if (part->second_count == 0) return (struct cxn_slot){ 0 };
    return cxn_slot_of_second(part, norm ? "shift" : "bias", CXN_DTYPE_F32);
}

struct cxn_slots cxn_optimized_slots(const cxn_fold *fold, const enum cxn_precision *precision)
{
    return (struct cxn_slots){ .fold = fold, .each_count = 2, .form = precision,
                               .make = make_slot };
}

size_t cxn_optimized_scratch(const cxn_fold *fold)
{
    size_t most = 0;
    for (size_t i = 0; i < fold->count; i++)
        if (fold->parts[i].first_count + fold->parts[i].second_count > most)
            most = fold->parts[i].first_count + fold->parts[i].second_count;
    return most;
}
