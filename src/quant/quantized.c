/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/quantized.h"

enum { LINE_BYTES = 64 };

/* Called twice: with numbers NULL to count, then to place. */
struct layout {
    uint8_t *numbers;
    size_t used;
};

static void *take(struct layout *l, size_t count, size_t each_bytes)
{
    uint8_t *p = l->numbers ? l->numbers + l->used : NULL;
    l->used += (count * each_bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    return p;
}

static void place_part(struct layout *l, const struct cxn_part *part, bool two_parts,
                       struct cxn_quantized_part *q)
{
    *q = (struct cxn_quantized_part){ 0 };
    if (part->kind == CXN_PART_NORM) {
        q->flip = take(l, part->out, 1);
        q->knot = take(l, part->out, 1);
        return;
    }
    q->b = take(l, part->out, sizeof *q->b);
    if (part->kind == CXN_PART_HEAD) {
        q->linear = take(l, part->first_count, sizeof *q->linear);
        return;
    }
    q->m = take(l, part->out, sizeof *q->m);
    q->weight = take(l, part->first_count, 1);
    if (two_parts || part->kind == CXN_PART_STEM) q->low = take(l, part->first_count, 1);
}

static void place_all(struct layout *l, const cxn_fold *fold, const bool *two_parts,
                      struct cxn_quantized_part *parts)
{
    for (size_t i = 0; i < fold->count; i++)
        place_part(l, &fold->parts[i], two_parts && two_parts[i], &parts[i]);
}

enum cxn_status cxn_quantized_open(cxn_quantized **out, const cxn_fold *fold,
                                   const bool *two_parts, struct cxn_mem *mem,
                                   struct cxn_error *err)
{
    struct layout count = { 0 };
    *out = NULL;
    cxn_quantized *q = cxn_alloc_zero(mem, 1, sizeof *q);
    if (!q) return cxn_fail_nomem(err, mem, sizeof *q, "a quantised network");
    q->fold = fold;
    q->parts = cxn_alloc_zero(mem, fold->count, sizeof *q->parts);
    if (q->parts) {
        place_all(&count, fold, two_parts, q->parts);
        q->numbers = cxn_alloc_zero(mem, count.used, 1);
    }
    if (!q->numbers) {
        cxn_quantized_close(&q);
        return cxn_fail_nomem(err, mem, count.used, "the quantised weights");
    }
    struct layout place = { .numbers = q->numbers };
    place_all(&place, fold, two_parts, q->parts);
    *out = q;
    return CXN_OK;
}

void cxn_quantized_close(cxn_quantized **quantized)
{
    if (!quantized || !*quantized) return;
    cxn_free((*quantized)->parts);
    cxn_free((*quantized)->numbers);
    cxn_free(*quantized);
    *quantized = NULL;
}
