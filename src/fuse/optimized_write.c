/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuse/optimized_form.h"
#include "kern/bf16.h"

/* Parts' numbers are folded when their turn comes. */
struct folding {
    const struct cxn_fold_source *source;
    float *scratch; /* both arrays of the largest part */
};

static void round_all(const float *numbers, size_t count, uint16_t *rounded)
{
    for (size_t i = 0; i < count; i++) rounded[i] = cxn_bf16_round(numbers[i]);
}

/* Rounding can carry a number to infinity: what is written is what is checked. */
static enum cxn_status check_rounded(const char *name, const uint16_t *rounded, size_t count,
                                     struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if ((rounded[i] & 0x7f80) == 0x7f80)
            return cxn_fail_infinite(err, name, i, (double)cxn_bf16_value(rounded[i]));
    return CXN_OK;
}

static enum cxn_status give_array(const void *from, const struct cxn_slot *slot, size_t i,
                                  size_t array, void *data, struct cxn_error *err)
{
    const struct folding *f = from;
    const struct cxn_part *part = &f->source->fold->parts[i];
    float *first = f->scratch, *second = first + part->first_count;
    const enum cxn_status status = f->source->read(f->source, part, first, second, err);
    if (status != CXN_OK) return status;
    const float *numbers = array == 0 ? first : second;
    const size_t count = array == 0 ? part->first_count : part->second_count;
    const size_t bad = cxn_find_infinite(numbers, count);
    if (bad < count) return cxn_fail_infinite(err, slot->name, bad, (double)numbers[bad]);
    if (slot->dtype == CXN_DTYPE_BF16) {
        round_all(numbers, count, data);
        return check_rounded(slot->name, data, count, err);
    }
    memcpy(data, numbers, count * sizeof *numbers);
    return CXN_OK;
}

enum cxn_status cxn_optimized_write(const struct cxn_env *env, const char *path,
                                    const struct cxn_optimized_content *content,
                                    struct cxn_error *err)
{
    const cxn_fold *fold = content->source->fold;
    const struct cxn_derived_kind kind = cxn_optimized_kind(content->precision);
    const double difference = cxn_probe_compare(content->answers, content->reference,
                                                fold->net->config.classes).most;
    const size_t most = cxn_optimized_scratch(fold);
    struct folding f = { content->source, cxn_alloc(env->mem, most, sizeof *f.scratch) };
    struct cxn_out_pair pairs[CXN_DERIVED_PAIRS];
    char text[CXN_DERIVED_TEXT_BYTES];
    if (!f.scratch)
        return cxn_fail_nomem(err, env->mem, most * sizeof *f.scratch, "the folded tensors");
    cxn_derived_pairs(&kind, &content->about, difference, text, pairs);
    const struct cxn_derived_content file = {
        .slots = cxn_optimized_slots(fold, &content->precision), .pairs = pairs,
        .pair_count = CXN_COUNTOF(pairs), .probe = content->probe,
        .reference = content->reference, .answers = content->answers,
        .from = &f, .read = give_array
    };
    const enum cxn_status status = cxn_derived_write(env, path, &file, err);
    cxn_free(f.scratch);
    return status;
}
