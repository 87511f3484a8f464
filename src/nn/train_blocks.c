/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/train_blocks.h"

#include <math.h>
#include <string.h>

#include "base/size.h"

enum cxn_status cxn_train_options_check(const struct cxn_trainer_options *o, struct cxn_error *err)
{
    if (o->views_max == 0 || o->slots == 0)
        return cxn_fail(err, CXN_E_ARG, "a trainer without room for a view or a gradient");
    if (o->side < CXN_VIEW_SIDE_MIN)
        return cxn_fail(err, CXN_E_ARG, "views of side %u, expected at least %d", o->side,
                        CXN_VIEW_SIDE_MIN);
    if (o->moments > 2)
        return cxn_fail(err, CXN_E_ARG, "%u blocks of moments, expected at most 2", o->moments);
    return CXN_OK;
}

enum cxn_status cxn_train_take(struct cxn_mem *mem, void *out, size_t blocks, size_t count,
                               size_t size, const char *what, struct cxn_error *err)
{
    size_t numbers = SIZE_MAX, bytes = SIZE_MAX;
    void *p = NULL;
    if (cxn_size_mul(blocks, count, &numbers)) {
        p = cxn_alloc_zero(mem, numbers, size);
        (void)cxn_size_mul(numbers, size, &bytes);
    }
    memcpy(out, &p, sizeof p); /* a pointer to any type of number */
    return p ? CXN_OK : cxn_fail_nomem(err, mem, bytes, what);
}

enum cxn_status cxn_train_blocks_open(struct cxn_train_blocks *b, const cxn_net *net,
                                      enum cxn_number number,
                                      const struct cxn_trainer_options *options,
                                      struct cxn_mem *mem, struct cxn_error *err)
{
    const size_t size = cxn_number_bytes(number), all = net->float_count;
    *b = (struct cxn_train_blocks){ .number = number, .slot_count = options->slots,
                                    .moment_count = options->moments, .float_count = all,
                                    .param_count = net->param_count };
    enum cxn_status status = cxn_train_take(mem, &b->weights, 1, all, size, "weights", err);
    if (status == CXN_OK && options->keeps_average)
        status = cxn_train_take(mem, &b->average, 1, all, size, "averages of the weights", err);
    if (status == CXN_OK)
        status = cxn_train_take(mem, &b->slots, b->slot_count, all, size, "gradients", err);
    if (status == CXN_OK)
        status = cxn_train_take(mem, &b->moments, b->moment_count, b->param_count, size, "moments",
                                err);
    return status;
}

void cxn_train_blocks_close(struct cxn_train_blocks *b)
{
    cxn_free(b->weights);
    cxn_free(b->average);
    cxn_free(b->slots);
    cxn_free(b->moments);
    *b = (struct cxn_train_blocks){ 0 };
}

/* Number `which` of arrays that stand one behind the other. */
static void *one_of(const struct cxn_train_blocks *b, void *arrays, size_t count, unsigned which)
{
    return (char *)arrays + which * count * cxn_number_bytes(b->number);
}

struct cxn_span cxn_train_blocks_span(const struct cxn_train_blocks *b, enum cxn_train_block block,
                                      unsigned which)
{
    struct cxn_span span = { .number = b->number, .memory = CXN_MEMORY_HOST };
    switch (block) {
    case CXN_BLOCK_WEIGHTS: span.data = b->weights; break;
    case CXN_BLOCK_GRADIENT:
        if (which < b->slot_count) span.data = one_of(b, b->slots, b->float_count, which);
        break;
    case CXN_BLOCK_MOMENT:
        if (which < b->moment_count) span.data = one_of(b, b->moments, b->param_count, which);
        break;
    case CXN_BLOCK_AVERAGE: span.data = b->average; break;
    }
    if (span.data) span.count = block == CXN_BLOCK_MOMENT ? b->param_count : b->float_count;
    return span;
}

enum cxn_status cxn_train_logits_check(const double *logits, size_t count, size_t classes,
                                       struct cxn_error *err)
{
    for (size_t i = 0; i < count * classes; i++)
        if (!isfinite(logits[i]))
            return cxn_fail(err, CXN_E_FORMAT, "view %zu: output %zu is not finite: the weights "
                            "overflow the arithmetic", i / classes, i % classes);
    return CXN_OK;
}
