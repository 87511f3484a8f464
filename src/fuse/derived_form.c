/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "data/list.h"
#include "fuse/derived.h"

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

size_t cxn_slots_count(const struct cxn_slots *slots)
{
    return slots->each_count * slots->fold->count + CXN_SLOTS_PROBE;
}

struct cxn_slot cxn_slots_at(const struct cxn_slots *slots, size_t i)
{
    const size_t each = slots->each_count, behind = each * slots->fold->count;
    if (i >= behind) return make_probe_slot(i - behind, slots->fold->net->config.classes);
    return slots->make(slots, i / each, i % each);
}

struct cxn_slot cxn_slot_of_second(const struct cxn_part *part, const char *name,
                                   enum cxn_dtype dtype)
{
    struct cxn_slot slot = { .dtype = dtype, .rank = 1, .dims = { part->out } };
    snprintf(slot.name, sizeof slot.name, "%s.%s", part->name, name);
    return slot;
}

struct cxn_slot cxn_slot_of_first(const struct cxn_part *part, const char *name,
                                  enum cxn_dtype dtype)
{
    struct cxn_slot slot = cxn_slot_of_second(part, name, dtype);
    if (part->kind == CXN_PART_NORM) return slot;
    const bool head = part->kind == CXN_PART_HEAD;
    const uint64_t dims[4] = { part->kernel, part->kernel, part->in, part->out };
    slot.rank = head ? 2 : 4;
    memcpy(slot.dims, dims, sizeof dims);
    if (!head) return slot;
    slot.dims[0] = part->out;
    slot.dims[1] = part->in;
    return slot;
}

/* ---- metadata ----------------------------------------------------------------------------- */

const char cxn_derived_preprocessing[] =
    "8-bit samples; shorter side resized to 256, bilinear with antialias; crops of 224x224; "
    "(sample / 255 - mean) / deviation, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225";

void cxn_derived_pairs(const struct cxn_derived_kind *kind, const struct cxn_derived_about *about,
                       double difference, char text[CXN_DERIVED_TEXT_BYTES],
                       struct cxn_out_pair pairs[CXN_DERIVED_PAIRS])
{
    char *classes = text + CXN_FLOAT_TEXT_BYTES;
    size_t at = 0;
    cxn_float_print(text, (float)difference);
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        at += (size_t)snprintf(classes + at, CXN_DERIVED_TEXT_BYTES - CXN_FLOAT_TEXT_BYTES - at,
                               "%s%s", i > 0 ? "," : "", cxn_finding_names[i]);
    const struct cxn_out_pair all[CXN_DERIVED_PAIRS] = {
        { "chexnet_format", kind->format },
        { "chexnet_format_version", "1" },
        { "chexnet_version", about->version },
        { "precision", kind->engine->name },
        { "source_name", about->source_name },
        { "source_sha256", about->source_sha256 },
        { "preprocessing", cxn_derived_preprocessing },
        { "folded", kind->folded },
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

enum cxn_status cxn_fail_number(struct cxn_error *err, const char *tensor, size_t i, double value,
                                const char *expected)
{
    return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu is %g, expected %s", tensor, i,
                    value, expected);
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
