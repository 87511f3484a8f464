/* SPDX-License-Identifier: Apache-2.0 */
#include "train/step.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/agree.h"

/*
 * Gradient slots are a stack: a finished shard lies on top of sums of 1, 2, 4, ... shards, and two
 * sums of the same size are added into the lower one. With a power of two of shards all is one sum
 * in slot 0 at the end, added as a balanced tree. A rank's shards are neighbours: its sum is a
 * subtree of the whole job's.
 */

/* Long enough that the exchange of one hides its latency, short enough that most of the gradient is
 * under way before the last layer's is there. */
enum { PIECE_BYTES = 4 << 20 };

/* Sums of 1, 2, 4, ... shards and the shard on top. */
enum { SUMS_MAX = 7 };
_Static_assert(1 << (SUMS_MAX - 1) >= CXN_SHARDS_MAX, "a sum for every power of two of shards");

struct cxn_train_step {
    struct cxn_worker worker;
    struct cxn_train_step_options options;
    struct cxn_mem *mem;
    struct cxn_layout layout;
    size_t images, views; /* of one pass of a shard; views of an image */
    struct cxn_train_view *inputs; /* [images * views] */
    uint16_t *labels;              /* [images] */
    double *logits, *dlogits;      /* [images * views][classes] */
    /* the sum of the update under way */
    uint64_t number;
    unsigned depth; /* slots of the stack in use */
    double losses[SUMS_MAX]; /* of the sums in the slots, added in the same tree */
    /* the last backward pass */
    struct cxn_span sum;      /* slot 0 */
    size_t first, end, ready; /* of first..end - 1, which wait to be sent, so many are final */
    struct cxn_error *err;
    enum cxn_status status;
};

static size_t own_shards(const struct cxn_settings *s, unsigned ranks)
{
    return s->shards / ranks;
}

unsigned cxn_train_step_slots(const struct cxn_settings *settings, unsigned ranks)
{
    unsigned slots = 1;
    for (size_t n = own_shards(settings, ranks); n > 1; n /= 2) slots++;
    return slots + (settings->accumulate > 1 ? 1 : 0);
}

enum cxn_status cxn_train_step_open(cxn_train_step **out, const struct cxn_worker *worker,
                                    const struct cxn_train_step_options *options,
                                    const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_settings *s = options->settings;
    *out = NULL;
    cxn_train_step *step = cxn_alloc_zero(env->mem, 1, sizeof *step);
    if (!step) return cxn_fail_nomem(err, env->mem, sizeof *step, "a training step");
    step->worker = *worker;
    step->options = *options;
    step->mem = env->mem;
    step->layout = (struct cxn_layout){ .batch = s->batch, .shards = s->shards,
                                        .accumulate = s->accumulate,
                                        .rank = worker->comm->rank(worker->peers),
                                        .ranks = worker->comm->ranks(worker->peers) };
    step->images = cxn_layout_shard_images(&step->layout);
    step->views = cxn_settings_views(s);
    const size_t inputs = step->images * step->views, classes = options->net->config.classes;
    step->inputs = cxn_alloc_zero(env->mem, inputs, sizeof *step->inputs);
    step->labels = cxn_alloc_zero(env->mem, step->images, sizeof *step->labels);
    step->logits = cxn_alloc_zero(env->mem, inputs, classes * sizeof *step->logits);
    step->dlogits = cxn_alloc_zero(env->mem, inputs, classes * sizeof *step->dlogits);
    if (!step->inputs || !step->labels || !step->logits || !step->dlogits) {
        cxn_train_step_close(&step);
        return cxn_fail_nomem(err, env->mem, inputs * sizeof *step->inputs, "a training step");
    }
    *out = step;
    return CXN_OK;
}

void cxn_train_step_close(cxn_train_step **step)
{
    if (!step || !*step) return;
    cxn_free((*step)->dlogits);
    cxn_free((*step)->logits);
    cxn_free((*step)->labels);
    cxn_free((*step)->inputs);
    cxn_free(*step);
    *step = NULL;
}

/* ---- sums --------------------------------------------------------------------------------- */

/* How many sums the shard that was put on the stack as number `own` closes. */
static unsigned merges_after(size_t own)
{
    unsigned merges = 0;
    for (size_t n = own + 1; n % 2 == 0; n /= 2) merges++;
    return merges;
}

/* Add a range of the top slots downwards as far as the shard on top closes sums. */
static void merge_range(const cxn_train_step *step, unsigned merges, size_t first, size_t count)
{
    const struct cxn_worker *w = &step->worker;
    for (unsigned i = 0; i < merges; i++)
        w->trainer->add(w->state, step->depth - 2 - i, step->depth - 1 - i, first, count);
}

static void merge_losses(cxn_train_step *step, unsigned merges)
{
    for (unsigned i = 0; i < merges; i++, step->depth--)
        step->losses[step->depth - 2] += step->losses[step->depth - 1];
}

/* ---- passes ------------------------------------------------------------------------------- */

static enum cxn_status forward(cxn_train_step *step, unsigned slot, double *loss,
                               struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    const struct cxn_train_step_options *o = &step->options;
    enum cxn_status status = o->source.next(o->source.ctx, step->inputs, step->labels, err);
    if (status != CXN_OK) return status;
    status = w->trainer->forward(w->state, step->inputs, step->images * step->views, slot,
                                 step->logits, err);
    if (status == CXN_E_FORMAT) {
        char where[32];
        snprintf(where, sizeof where, "step %llu", (unsigned long long)step->number);
        return cxn_fail_in(err, status, where);
    }
    if (status == CXN_OK)
        *loss += cxn_loss_of_logits(o->loss, step->logits, step->images, step->views, step->labels,
                                    step->dlogits);
    return status;
}

static int keep_quiet(void *ctx, size_t first, size_t count)
{
    (void)ctx;
    (void)first;
    (void)count;
    return 0;
}

/* One shard but for its last backward pass. The first pass of a shard goes into the slot itself,
 * the others through the one above it. */
static enum cxn_status shard(cxn_train_step *step, unsigned slot, double *loss,
                             struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    const size_t passes = step->layout.accumulate;
    *loss = 0;
    for (size_t pass = 0;; pass++) {
        const unsigned at = pass == 0 ? slot : slot + 1;
        enum cxn_status status = forward(step, at, loss, err);
        if (status != CXN_OK || pass + 1 == passes) return status;
        status = w->trainer->backward(w->state, step->dlogits, at, keep_quiet, NULL, err);
        if (status != CXN_OK) return status;
        if (at != slot)
            w->trainer->add(w->state, slot, at, 0, step->options.net->float_count);
        status = w->comm->progress(w->peers, err);
        if (status != CXN_OK) return status;
    }
}

static enum cxn_status finish_shard(cxn_train_step *step, unsigned slot, size_t own,
                                    struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    const size_t count = step->options.net->float_count;
    const bool several = step->layout.accumulate > 1;
    const enum cxn_status status = w->trainer->backward(w->state, step->dlogits, slot + several,
                                                        keep_quiet, NULL, err);
    if (status != CXN_OK) return status;
    if (several) w->trainer->add(w->state, slot, slot + 1, 0, count);
    merge_range(step, merges_after(own), 0, count);
    merge_losses(step, merges_after(own));
    return CXN_OK;
}

/* All of this rank's shards; the last one's last backward pass is left to be done. */
static enum cxn_status own_passes(cxn_train_step *step, struct cxn_error *err)
{
    const size_t shards = cxn_layout_own_shards(&step->layout);
    step->depth = 0;
    for (size_t own = 0; own < shards; own++) {
        const unsigned slot = step->depth++;
        enum cxn_status status = shard(step, slot, &step->losses[slot], err);
        if (status == CXN_OK && own + 1 < shards) status = finish_shard(step, slot, own, err);
        if (status == CXN_OK)
            status = step->worker.comm->progress(step->worker.peers, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

/* ---- the last backward pass, with the exchange -------------------------------------------- */

static enum cxn_status send_piece(cxn_train_step *step)
{
    const struct cxn_worker *w = &step->worker;
    const size_t size = cxn_number_bytes(step->sum.number);
    struct cxn_span piece = step->sum;
    piece.data = (char *)step->sum.data + step->first * size;
    piece.count = step->end - step->first;
    step->ready = 0;
    return w->comm->start_sum(w->peers, &piece, step->err);
}

/* Add the range into the whole, and send what has become a piece. Ranges fall, but within a layer
 * they may come in any order: a piece is sent when it has no hole. */
static void sum_range(cxn_train_step *step, size_t first, size_t count)
{
    const struct cxn_worker *w = &step->worker;
    const size_t size = cxn_number_bytes(step->sum.number);
    if (step->layout.accumulate > 1)
        w->trainer->add(w->state, step->depth - 1, step->depth, first, count);
    merge_range(step, merges_after(cxn_layout_own_shards(&step->layout) - 1), first, count);
    if (step->ready == 0 || first < step->first) step->first = first;
    if (step->ready == 0 || first + count > step->end) step->end = first + count;
    step->ready += count;
    if (step->ready == step->end - step->first && step->ready * size >= PIECE_BYTES)
        step->status = send_piece(step);
}

/* Statistics may be told along with gradients; they are summed before. */
static int range_is_final(void *ctx, size_t first, size_t count)
{
    cxn_train_step *step = ctx;
    const size_t params = step->options.net->param_count;
    if (first >= params) return 0;
    sum_range(step, first, first + count > params ? params - first : count);
    if (step->status == CXN_OK)
        step->status = step->worker.comm->progress(step->worker.peers, step->err);
    return step->status != CXN_OK;
}

static enum cxn_status last_backward(cxn_train_step *step, struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    const cxn_net *net = step->options.net;
    step->sum = w->trainer->block(w->state, CXN_BLOCK_GRADIENT, 0);
    step->err = err;
    step->status = CXN_OK;
    step->ready = 0;
    /* The statistics stand behind the parameters and are final since the forward pass. */
    sum_range(step, net->param_count, net->float_count - net->param_count);
    if (step->status != CXN_OK) return step->status;
    const unsigned slot = step->depth - 1 + (step->layout.accumulate > 1);
    enum cxn_status status = w->trainer->backward(w->state, step->dlogits, slot, range_is_final,
                                                  step, err);
    if (step->status != CXN_OK) return step->status;
    if (status == CXN_OK && step->ready > 0 && step->ready != step->end - step->first)
        status = cxn_fail(err, CXN_E_INTERNAL, "%s: gradients %zu..%zu told as %zu numbers",
                          w->trainer->name, step->first, step->end, step->ready);
    if (status == CXN_OK && step->ready > 0) status = send_piece(step);
    if (status == CXN_OK) status = w->comm->finish(w->peers, err);
    merge_losses(step, merges_after(cxn_layout_own_shards(&step->layout) - 1));
    return status;
}

/* ---- the step ----------------------------------------------------------------------------- */

/* What each rank tells the others before the sums. */
struct word {
    enum cxn_status status;
    uint32_t stop;
    uint64_t skipped;
    double loss, lr;
};

/* The sum over ranks in the tree that goes on from the one over a rank's shards. */
static double tree_sum(const struct word *words, size_t count)
{
    if (count == 1) return words[0].loss;
    return tree_sum(words, count / 2) + tree_sum(words + count / 2, count / 2);
}

/* Before the last backward pass, so that a rank that cannot go on is known before its numbers are
 * waited for. The rate is rank 0's: a libm on another CPU may round a cosine otherwise. */
static enum cxn_status exchange(cxn_train_step *step, enum cxn_status own,
                                struct cxn_train_step_call *call, struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    const struct cxn_shard_source *source = &step->options.source;
    struct word words[CXN_RANKS_MAX];
    enum cxn_status statuses[CXN_RANKS_MAX];
    double loss = 0;
    for (unsigned i = step->depth; i-- > 0;) loss = step->losses[i] + loss;
    const struct word word = { .status = own, .stop = call->stop,
                               .skipped = source->take_skipped(source->ctx),
                               .loss = own == CXN_OK ? loss : 0, .lr = call->lr };
    const enum cxn_status status = w->comm->gather(w->peers, &word, words, sizeof word, err);
    if (status != CXN_OK) return status;
    call->lr = words[0].lr;
    call->skipped = 0;
    for (size_t r = 0; r < step->layout.ranks; r++) {
        statuses[r] = words[r].status;
        call->stop = call->stop || words[r].stop;
        call->skipped += words[r].skipped;
    }
    call->loss = tree_sum(words, step->layout.ranks) /
                 (double)(step->layout.shards * step->layout.accumulate);
    return cxn_agree_text(w->comm, w->peers, statuses, err);
}

/* What the norms of all passes found; the sum of squares is of the gradients alone. */
static bool are_statistics_finite(const cxn_train_step *step)
{
    const struct cxn_worker *w = &step->worker;
    const struct cxn_span slot = w->trainer->block(w->state, CXN_BLOCK_GRADIENT, 0);
    bool finite = true;
    for (size_t i = step->options.net->param_count; i < slot.count; i++)
        finite = finite && isfinite(slot.number == CXN_NUMBER_F64 ? ((const double *)slot.data)[i]
                                                                  : ((const float *)slot.data)[i]);
    return finite;
}

static void update(cxn_train_step *step, const struct cxn_train_step_call *call, double scale)
{
    const struct cxn_worker *w = &step->worker;
    const struct cxn_settings *s = step->options.settings;
    const double passes = (double)(step->layout.shards * step->layout.accumulate);
    struct cxn_update u = { .rule = (enum cxn_rule)s->optimizer, .step = call->number,
                            .lr = call->lr, .weight_decay = s->weight_decay,
                            .momentum = s->momentum, .nesterov = s->nesterov, .beta1 = s->beta1,
                            .beta2 = s->beta2, .epsilon = 1e-8, .gradient_scale = scale,
                            .statistic_scale = 1 / passes, .average_decay = s->ema };
    /* As torch.nn.utils.clip_grad_norm_(). */
    if (s->clip > 0 && s->clip < call->norm + 1e-6)
        u.gradient_scale *= s->clip / (call->norm + 1e-6);
    w->trainer->update(w->state, 0, &u);
}

enum cxn_status cxn_train_step_run(cxn_train_step *step, struct cxn_train_step_call *call,
                                   struct cxn_error *err)
{
    const struct cxn_worker *w = &step->worker;
    step->number = call->number;
    enum cxn_status status = call->status == CXN_OK ? own_passes(step, err) : call->status;
    if (status == CXN_E_PEER) return status; /* nobody can be told any more */
    status = exchange(step, status, call, err);
    if (status != CXN_OK) return status;
    if (!isfinite(call->loss))
        return cxn_fail(err, CXN_E_FORMAT, "step %llu: the loss is not finite",
                        (unsigned long long)call->number);
    status = last_backward(step, err);
    if (status != CXN_OK) return status;
    const double scale = 1 / (double)(step->layout.shards * step->layout.accumulate);
    call->norm = scale * sqrt(w->trainer->square_sum(w->state, 0));
    if (!isfinite(call->norm))
        return cxn_fail(err, CXN_E_FORMAT, "step %llu: the gradient is not finite",
                        (unsigned long long)call->number);
    if (!are_statistics_finite(step))
        return cxn_fail(err, CXN_E_FORMAT, "step %llu: the statistics of a norm are not finite",
                        (unsigned long long)call->number);
    update(step, call, scale);
    return CXN_OK;
}
