/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/checkpoint_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct cxn_net_config checkpoint_config = {
    .growth = 4, .layers = { 2, 3, 2, 2 }, .stem = 8, .bottleneck = 2, .classes = 14
};

static size_t block_count(const struct checkpoint_case *c, int block)
{
    return block == 0 || block == 3 ? c->net->float_count : c->net->param_count;
}

static size_t number_bytes(const struct checkpoint_case *c)
{
    return c->number == CXN_NUMBER_F64 ? sizeof(double) : sizeof(float);
}

/* Every significant bit of the type varies; never negative, as variances must not be. */
static void fill_block(struct checkpoint_case *c, int block, uint64_t step)
{
    for (size_t i = 0; i < block_count(c, block); i++) {
        const uint64_t mixed = (i * 4 + (uint64_t)block + step * 977) * 0x9e3779b97f4a7c15u;
        const double value = (double)(mixed >> 11) * 0x1p-53 + 0x1p-60;
        if (c->number == CXN_NUMBER_F64) ((double *)c->blocks[block])[i] = value;
        else ((float *)c->blocks[block])[i] = (float)value;
    }
}

static struct cxn_span span_of(const struct checkpoint_case *c, int block)
{
    return (struct cxn_span){ .data = c->blocks[block], .count = block_count(c, block),
                              .number = c->number, .memory = CXN_MEMORY_HOST };
}

void checkpoint_case_fill(struct checkpoint_case *c, uint64_t step)
{
    for (int i = 0; i < 4; i++) fill_block(c, i, step);
    json_decref(c->state);
    c->state = json_pack("{s:I, s:f, s:s, s:[f, f]}", "order_at", (json_int_t)step * 8, "lr",
                         0.1 / (double)(step + 1), "seed", "18446744073709551615", "history",
                         1.0 / 3.0, 5e-324);
    c->content = (struct cxn_checkpoint_content){
        .net = c->net, .state = c->state, .weights = span_of(c, 0),
        .place = { .step = step, .epoch = step / 10, .best_auc = 1.0 / (double)(step + 3) },
        .moment_count = CASE_MOMENTS, .moments = { span_of(c, 1), span_of(c, 2) },
        .average = span_of(c, 3)
    };
}

bool checkpoint_case_open(struct checkpoint_case *c, const struct cxn_net_config *config,
                          enum cxn_number number, uint64_t step)
{
    *c = (struct checkpoint_case){ .number = number };
    if (cxn_net_open(&c->net, config, NULL, NULL) != CXN_OK) return false;
    for (int i = 0; i < 4; i++) {
        c->blocks[i] = malloc(c->net->float_count * sizeof(double));
        if (!c->blocks[i]) return false;
    }
    checkpoint_case_fill(c, step);
    return c->state != NULL;
}

void checkpoint_case_close(struct checkpoint_case *c)
{
    for (int i = 0; i < 4; i++) free(c->blocks[i]);
    json_decref(c->state);
    cxn_net_close(&c->net);
}

static const char *compare_block(const struct checkpoint_case *want, struct cxn_checkpoint *found,
                                 int block, enum cxn_train_block kind, unsigned which)
{
    struct cxn_span to = span_of(want, block);
    const size_t bytes = to.count * number_bytes(want);
    to.data = malloc(bytes);
    if (!to.data) return "no memory";
    const char *bad = NULL;
    if (cxn_checkpoint_read(found, kind, which, &to, NULL) != CXN_OK) bad = "a block is not read";
    else if (memcmp(to.data, want->blocks[block], bytes) != 0) bad = "a block has other bits";
    free(to.data);
    return bad;
}

const char *checkpoint_case_compare(const struct checkpoint_case *want,
                                    struct cxn_checkpoint *found)
{
    const struct cxn_place *a = &want->content.place, *b = &found->place;
    if (a->step != b->step || a->epoch != b->epoch) return "another step or epoch";
    if (memcmp(&a->best_auc, &b->best_auc, sizeof a->best_auc) != 0 &&
        !(isnan(a->best_auc) && isnan(b->best_auc)))
        return "another best AUC";
    if (!json_equal(want->state, found->state.root)) return "another state";
    if (found->number != want->number) return "numbers of another type";
    if (found->moment_count != want->content.moment_count) return "other moments";
    if (found->has_average != (want->content.average.data != NULL)) return "another average";
    const char *bad = compare_block(want, found, 0, CXN_BLOCK_WEIGHTS, 0);
    for (unsigned i = 0; i < found->moment_count && !bad; i++)
        bad = compare_block(want, found, 1 + (int)i, CXN_BLOCK_MOMENT, i);
    if (!bad && found->has_average) bad = compare_block(want, found, 3, CXN_BLOCK_AVERAGE, 0);
    return bad;
}
