/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "train/comm_module.h"
#include "train/mpi/state.h"

static enum cxn_status look_around(cxn_comm_state *s, struct cxn_error *err)
{
    int rank, ranks;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    s->rank = (unsigned)rank;
    s->ranks = (unsigned)ranks;
    while ((1u << s->levels) < s->ranks) s->levels++;
    if (s->ranks != 1u << s->levels)
        return cxn_fail(err, CXN_E_ARG,
                        "%u ranks: their number must be a power of two, so %u or %u", s->ranks,
                        1u << (s->levels - 1), 1u << s->levels);
    return CXN_OK;
}

/* What every rank finds alike ends with MPI_Finalize; what one finds alone must not wait. */
static enum cxn_status open_world(cxn_comm_state *s, struct cxn_error *err)
{
    enum cxn_status status = cxn_mpi_life_begin(&s->life, s->deadline, s->parent, s->env, err);
    if (status != CXN_OK) return status;
    status = look_around(s, err);
    if (status != CXN_OK) {
        cxn_mpi_life_end(&s->life, s->deadline, false);
        return status;
    }
    s->incoming = cxn_alloc(s->env->mem, CXN_MPI_WINDOW, CXN_MPI_PIECE_BYTES);
    if (!s->incoming)
        status = cxn_fail_nomem(err, s->env->mem, (size_t)CXN_MPI_WINDOW * CXN_MPI_PIECE_BYTES,
                                "what other ranks send");
    else if (cxn_mpi_listen(s) != MPI_SUCCESS)
        status = cxn_fail(err, CXN_E_IO, "MPI cannot receive");
    if (status != CXN_OK) cxn_mpi_life_end(&s->life, s->deadline, true);
    return status;
}

static enum cxn_status mpi_open(cxn_comm_state **state, const struct cxn_comm_options *options,
                                const struct cxn_env *env, struct cxn_error *err)
{
    *state = NULL;
    if (!(options->deadline > 0 && options->deadline <= 1e6))
        return cxn_fail(err, CXN_E_ARG, "a deadline of %g s, expected more than 0 and at most 1e6",
                        options->deadline);
    cxn_comm_state *s = cxn_alloc_zero(env->mem, 1, sizeof *s);
    if (!s) return cxn_fail_nomem(err, env->mem, sizeof *s, "the ranks");
    s->env = env;
    s->deadline = options->deadline;
    s->parent = getppid();
    s->answer_from = CXN_MPI_NOBODY;
    for (int i = 0; i < CXN_MPI_REQUESTS; i++) s->requests[i] = MPI_REQUEST_NULL;
    const enum cxn_status status = open_world(s, err);
    s->refused = status == CXN_E_ARG;
    if (status == CXN_OK || s->refused) {
        *state = s;
        return status;
    }
    cxn_free(s->incoming);
    cxn_free(s);
    return status;
}

static unsigned mpi_rank(const cxn_comm_state *state)
{
    return state->rank;
}

static unsigned mpi_ranks(const cxn_comm_state *state)
{
    return state->ranks;
}

static void mpi_set_deadline(cxn_comm_state *state, double seconds)
{
    state->deadline = seconds;
}

static enum cxn_status mpi_progress(cxn_comm_state *state, struct cxn_error *err)
{
    bool moved;
    return cxn_mpi_pass(state, &moved, err);
}

static enum cxn_status mpi_finish(cxn_comm_state *state, struct cxn_error *err)
{
    const enum cxn_status status = cxn_mpi_wait(state, cxn_mpi_sums_done, err);
    state->sums = state->span_count = state->next_span = 0;
    return status;
}

/*
 * Without MPI_Finalize the process must end with a status other than 0, which makes mpirun end the
 * job. Where nothing looks at that status, a last note tells the partners, and they theirs.
 */
static void mpi_close(cxn_comm_state **state, bool lost)
{
    cxn_comm_state *s = *state;
    *state = NULL;
    if (!s) return;
    if (s->refused) { /* MPI has ended */
        cxn_free(s);
        return;
    }
    lost = lost || s->failed;
    if (lost) {
        if (!s->failed) cxn_mpi_tell_lost(s, s->rank);
    } else {
        MPI_Request *note = &s->requests[CXN_MPI_AT_NOTE_IN];
        MPI_Cancel(note);
        MPI_Wait(note, MPI_STATUS_IGNORE); /* a cancelled receive does not wait */
    }
    cxn_mpi_life_end(&s->life, s->deadline, lost);
    cxn_free(s->incoming);
    cxn_free(s);
}

static const struct cxn_comm mpi = {
    .name = "mpi",
    .open = mpi_open,
    .rank = mpi_rank,
    .ranks = mpi_ranks,
    .set_deadline = mpi_set_deadline,
    .start_sum = cxn_mpi_start_sum,
    .progress = mpi_progress,
    .finish = mpi_finish,
    .gather = cxn_mpi_gather,
    .broadcast = cxn_mpi_broadcast,
    .close = mpi_close,
};

CXN_API extern const struct cxn_comm_module cxn_comm_mpi_module;
const struct cxn_comm_module cxn_comm_mpi_module = { .version = CXN_VERSION, .row = &mpi };
