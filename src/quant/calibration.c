/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/calibration.h"

/* Called twice: with numbers NULL to count, then to place. */
struct layout {
    double *numbers;
    size_t used;
};

static double *take(struct layout *l, size_t count)
{
    double *p = l->numbers ? l->numbers + l->used : NULL;
    l->used += count;
    return p;
}

static void place_part(struct layout *l, const cxn_fold *fold, size_t i,
                       struct cxn_calibration_part *c)
{
    const struct cxn_part *part = &fold->parts[i];
    *c = (struct cxn_calibration_part){ 0 };
    if (part->kind == CXN_PART_NORM) {
        c->mean = take(l, part->out);
        c->share = take(l, part->out);
    } else if (part->kind == CXN_PART_CONV && part->norm) {
        c->hi = take(l, part->out);
        c->mean = take(l, part->out);
    } else if (part->kind == CXN_PART_CONV || i == 0) {
        c->lo = take(l, part->out);
        c->hi = take(l, part->out);
    }
}

static void place_all(struct layout *l, const cxn_fold *fold, struct cxn_calibration_part *parts)
{
    for (size_t i = 0; i < fold->count; i++) place_part(l, fold, i, &parts[i]);
}

enum cxn_status cxn_calibration_open(cxn_calibration **out, const cxn_fold *fold,
                                     struct cxn_mem *mem, struct cxn_error *err)
{
    struct layout count = { 0 };
    *out = NULL;
    cxn_calibration *c = cxn_alloc_zero(mem, 1, sizeof *c);
    if (!c) return cxn_fail_nomem(err, mem, sizeof *c, "a calibration");
    c->fold = fold;
    c->parts = cxn_alloc_zero(mem, fold->count, sizeof *c->parts);
    if (c->parts) {
        place_all(&count, fold, c->parts);
        c->numbers = cxn_alloc_zero(mem, count.used, sizeof *c->numbers);
    }
    if (!c->numbers) {
        cxn_calibration_close(&c);
        return cxn_fail_nomem(err, mem, count.used * sizeof(double), "a calibration's ranges");
    }
    c->number_count = count.used;
    struct layout place = { .numbers = c->numbers };
    place_all(&place, fold, c->parts);
    *out = c;
    return CXN_OK;
}

void cxn_calibration_close(cxn_calibration **calibration)
{
    if (!calibration || !*calibration) return;
    cxn_free((*calibration)->parts);
    cxn_free((*calibration)->numbers);
    cxn_free(*calibration);
    *calibration = NULL;
}
