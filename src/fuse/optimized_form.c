/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/optimized_form.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "data/list.h"
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

/* ---- tensors ------------------------------------------------------------------------------ */

static struct cxn_slot make_probe_slot(size_t i, uint64_t classes)
{
    const struct cxn_slot answers = { .dtype = CXN_DTYPE_F32, .rank = 2,
                                      .dims = { CXN_PROBE_VIEWS, classes } };
    struct cxn_slot slot = answers;
    const char *name = "probe.answers";
    if (i == CXN_SLOT_PICTURE) {
        name = "probe.picture";
        slot = (struct cxn_slot){ .dtype = CXN_DTYPE_U8, .rank = 3,
                                  .dims = { CXN_PROBE_SIDE, CXN_PROBE_SIDE, CXN_PROBE_CHANNELS } };
    }
    if (i == CXN_SLOT_REFERENCE) name = "probe.reference";
    snprintf(slot.name, sizeof slot.name, "%s", name);
    return slot;
}

/* The shape of a part's first array; its second one is [out]. */
static void shape_first(const struct cxn_part *part, struct cxn_slot *slot)
{
    if (part->kind == CXN_PART_NORM) return;
    const bool head = part->kind == CXN_PART_HEAD;
    const uint64_t dims[4] = { part->kernel, part->kernel, part->in, part->out };
    slot->rank = head ? 2 : 4;
    memcpy(slot->dims, dims, sizeof dims);
    if (!head) return;
    slot->dims[0] = part->out;
    slot->dims[1] = part->in;
}

struct cxn_slot cxn_slot_make(const cxn_fold *fold, enum cxn_precision precision, size_t i)
{
    if (i >= 2 * fold->count)
        return make_probe_slot(i - 2 * fold->count, fold->net->config.classes);
    const struct cxn_part *part = &fold->parts[i / 2];
    const bool first = i % 2 == 0, norm = part->kind == CXN_PART_NORM;
    struct cxn_slot slot = { .dtype = CXN_DTYPE_F32, .rank = 1, .dims = { part->out } };
    if (!first && part->second_count == 0) return slot;
    snprintf(slot.name, sizeof slot.name, "%s.%s", part->name,
             first ? (norm ? "scale" : "weight") : (norm ? "shift" : "bias"));
    if (!first) return slot;
    shape_first(part, &slot);
    if (part->kind == CXN_PART_CONV && precision == CXN_PRECISION_BF16)
        slot.dtype = CXN_DTYPE_BF16;
    return slot;
}

/* ---- metadata ----------------------------------------------------------------------------- */

static const char preprocessing[] =
    "8-bit samples; shorter side resized to 256, bilinear with antialias; crops of 224x224; "
    "(sample / 255 - mean) / deviation, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225";
static const char folded[] =
    "preprocessing and norm0 into features.conv0; norm2 into conv1; other norms to scale and shift";

void cxn_optimized_pairs(const struct cxn_optimized_about *about, double difference,
                         char text[CXN_OPTIMIZED_TEXT_BYTES],
                         struct cxn_out_pair pairs[CXN_OPTIMIZED_PAIRS])
{
    char *classes = text + CXN_FLOAT_TEXT_BYTES;
    size_t at = 0;
    cxn_float_print(text, (float)difference);
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        at += (size_t)snprintf(classes + at, CXN_OPTIMIZED_TEXT_BYTES - CXN_FLOAT_TEXT_BYTES - at,
                               "%s%s", i > 0 ? "," : "", cxn_finding_names[i]);
    const struct cxn_out_pair all[CXN_OPTIMIZED_PAIRS] = {
        { CXN_OPTIMIZED_KEY, "optimized" },
        { "chexnet_format_version", "1" },
        { "chexnet_version", about->version },
        { "precision", cxn_precision_engine(about->precision)->name },
        { "source_name", about->source_name },
        { "source_sha256", about->source_sha256 },
        { "preprocessing", preprocessing },
        { "folded", folded },
        { "classes", classes },
        { "probe_level", about->level },
        { "probe_difference", text },
    };
    memcpy(pairs, all, sizeof all);
}

/* ---- numbers ------------------------------------------------------------------------------ */

enum cxn_status cxn_fail_infinite(struct cxn_error *err, const char *tensor, size_t i,
                                  double value)
{
    return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu is %g", tensor, i, value);
}

size_t cxn_find_infinite(const float *numbers, size_t count)
{
    enum { LANES = 16 }; /* and no early end within: compilers make vectors of this */
    const uint32_t exponent = 0x7f800000; /* all ones in infinities and NaNs alone */
    size_t i = 0;
    for (uint32_t any = 0; i + LANES <= count; i += LANES) {
        uint32_t bits[LANES];
        memcpy(bits, numbers + i, sizeof bits);
        for (size_t k = 0; k < LANES; k++) any |= (bits[k] & exponent) == exponent;
        if (any) break;
    }
    while (i < count && isfinite(numbers[i])) i++;
    return i;
}
