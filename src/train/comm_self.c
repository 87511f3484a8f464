/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/comm.h"

/* One process: what is summed is its own, and is the sum already. */
struct cxn_comm_state {
    unsigned sums; /* started and not yet finished */
};

static enum cxn_status self_open(cxn_comm_state **state, const struct cxn_comm_options *options,
                                 const struct cxn_env *env, struct cxn_error *err)
{
    (void)options;
    *state = cxn_alloc_zero(env->mem, 1, sizeof **state);
    return *state ? CXN_OK : cxn_fail_nomem(err, env->mem, sizeof **state, "the one rank");
}

static unsigned self_rank(const cxn_comm_state *state)
{
    (void)state;
    return 0;
}

static unsigned self_ranks(const cxn_comm_state *state)
{
    (void)state;
    return 1;
}

static void self_set_deadline(cxn_comm_state *state, double seconds)
{
    (void)state;
    (void)seconds;
}

/* As strict as a row that sends, so that one process finds the loop's mistakes as well. */
static enum cxn_status self_start_sum(cxn_comm_state *state, const struct cxn_span *span,
                                      struct cxn_error *err)
{
    if (span->memory != CXN_MEMORY_HOST)
        return cxn_fail(err, CXN_E_INTERNAL, "a sum over memory of another device");
    if (state->sums == CXN_COMM_SUMS_MAX)
        return cxn_fail(err, CXN_E_INTERNAL, "more than %d sums at a time", CXN_COMM_SUMS_MAX);
    state->sums++;
    return CXN_OK;
}

static enum cxn_status self_progress(cxn_comm_state *state, struct cxn_error *err)
{
    (void)state;
    (void)err;
    return CXN_OK;
}

static enum cxn_status self_finish(cxn_comm_state *state, struct cxn_error *err)
{
    (void)err;
    state->sums = 0;
    return CXN_OK;
}

static enum cxn_status self_gather(cxn_comm_state *state, const void *own, void *all, size_t bytes,
                                   struct cxn_error *err)
{
    (void)state;
    (void)err;
    if (bytes > 0) memmove(all, own, bytes);
    return CXN_OK;
}

static enum cxn_status self_broadcast(cxn_comm_state *state, void *data, size_t bytes,
                                      struct cxn_error *err)
{
    (void)state;
    (void)data;
    (void)bytes;
    (void)err;
    return CXN_OK;
}

static void self_close(cxn_comm_state **state, bool lost)
{
    (void)lost;
    cxn_free(*state);
    *state = NULL;
}

const struct cxn_comm cxn_comm_self = {
    .name = "self",
    .open = self_open,
    .rank = self_rank,
    .ranks = self_ranks,
    .set_deadline = self_set_deadline,
    .start_sum = self_start_sum,
    .progress = self_progress,
    .finish = self_finish,
    .gather = self_gather,
    .broadcast = self_broadcast,
    .close = self_close,
};
