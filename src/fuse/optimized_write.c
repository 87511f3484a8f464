/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuse/optimized_form.h"
#include "kern/bf16.h"

/* Slots that the file has, as tensors; parts' numbers are folded when their turn comes. */
struct writer {
    const struct cxn_optimized_content *content;
    struct cxn_slot *slots;         /* [cxn_slot_count()] */
    struct cxn_out_tensor *tensors; /* those of them with a name */
    size_t *slot_of;                /* of each tensor */
    size_t tensor_count;
    float *scratch; /* both arrays of the largest part */
};

static const void *find_data(const struct cxn_optimized_content *c, size_t slot)
{
    const size_t behind = 2 * c->source->fold->count;
    if (slot == behind + CXN_SLOT_PICTURE) return c->probe->pixels;
    if (slot == behind + CXN_SLOT_REFERENCE) return c->reference;
    if (slot == behind + CXN_SLOT_ANSWERS) return c->answers;
    return NULL;
}

static void list_tensors(struct writer *w)
{
    const cxn_fold *fold = w->content->source->fold;
    for (size_t k = 0; k < cxn_slot_count(fold); k++) {
        struct cxn_slot *slot = &w->slots[k];
        *slot = cxn_slot_make(fold, w->content->about.precision, k);
        if (slot->name[0] == '\0') continue;
        struct cxn_out_tensor *t = &w->tensors[w->tensor_count];
        w->slot_of[w->tensor_count++] = k;
        *t = (struct cxn_out_tensor){ .name = slot->name, .dtype = slot->dtype,
                                      .rank = slot->rank, .data = find_data(w->content, k) };
        memcpy(t->dims, slot->dims, sizeof slot->dims);
    }
}

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

static enum cxn_status give_tensor(void *ctx, size_t i, void *data, struct cxn_error *err)
{
    const struct writer *w = ctx;
    const struct cxn_fold_source *source = w->content->source;
    const size_t slot = w->slot_of[i];
    const struct cxn_part *part = &source->fold->parts[slot / 2];
    const bool first = slot % 2 == 0;
    const enum cxn_status status =
        source->read(source, part, w->scratch, w->scratch + part->first_count, err);
    if (status != CXN_OK) return status;
    const float *numbers = first ? w->scratch : w->scratch + part->first_count;
    const size_t count = first ? part->first_count : part->second_count;
    const size_t bad = cxn_find_infinite(numbers, count);
    if (bad < count)
        return cxn_fail_infinite(err, w->slots[slot].name, bad, (double)numbers[bad]);
    if (w->slots[slot].dtype == CXN_DTYPE_BF16) {
        round_all(numbers, count, data);
        return check_rounded(w->slots[slot].name, data, count, err);
    }
    memcpy(data, numbers, count * sizeof *numbers);
    return CXN_OK;
}

static enum cxn_status writer_open(struct writer *w, const struct cxn_optimized_content *content,
                                   struct cxn_mem *mem, struct cxn_error *err)
{
    const cxn_fold *fold = content->source->fold;
    const size_t slots = cxn_slot_count(fold);
    size_t most = 0;
    for (size_t i = 0; i < fold->count; i++)
        if (fold->parts[i].first_count + fold->parts[i].second_count > most)
            most = fold->parts[i].first_count + fold->parts[i].second_count;
    *w = (struct writer){ .content = content };
    w->slots = cxn_alloc(mem, slots, sizeof *w->slots);
    w->tensors = cxn_alloc(mem, slots, sizeof *w->tensors);
    w->slot_of = cxn_alloc(mem, slots, sizeof *w->slot_of);
    w->scratch = cxn_alloc(mem, most, sizeof *w->scratch);
    if (!w->slots || !w->tensors || !w->slot_of || !w->scratch)
        return cxn_fail_nomem(err, mem, most * sizeof *w->scratch, "the folded tensors");
    list_tensors(w);
    return CXN_OK;
}

static void writer_close(struct writer *w)
{
    cxn_free(w->slots);
    cxn_free(w->tensors);
    cxn_free(w->slot_of);
    cxn_free(w->scratch);
}

enum cxn_status cxn_optimized_write(const struct cxn_env *env, const char *path,
                                    const struct cxn_optimized_content *content,
                                    struct cxn_error *err)
{
    struct writer w;
    struct cxn_out_pair pairs[CXN_OPTIMIZED_PAIRS];
    char text[CXN_OPTIMIZED_TEXT_BYTES];
    const double difference = cxn_probe_compare(content->answers, content->reference,
                                                content->source->fold->net->config.classes).most;
    cxn_optimized_pairs(&content->about, difference, text, pairs);
    enum cxn_status status = writer_open(&w, content, env->mem, err);
    if (status == CXN_OK) {
        const struct cxn_safetensors_content file = {
            .tensors = w.tensors, .tensor_count = w.tensor_count, .metadata = pairs,
            .metadata_count = CXN_OPTIMIZED_PAIRS, .read = give_tensor, .read_ctx = &w
        };
        status = cxn_safetensors_write(env, path, &file, err);
    }
    writer_close(&w);
    return status;
}
