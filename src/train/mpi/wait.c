/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "train/mpi/state.h"

/*
 * Who waits does not know who is missing: rank 0 may wait for 2, which waits for 3, which is dead.
 * So after most of the deadline a rank asks whom it waits for; who is alive answers with whom it
 * waits for itself, which is asked next. Who does not answer in the rest of the deadline is lost,
 * and all others are told so.
 */
static const double ask_after = 0.75; /* of the deadline */
static const double talk_at_most = 4; /* deadlines in which all answer and nothing arrives */

struct watch {
    double silent_since, ask_at, give_up_at;
    unsigned suspect; /* CXN_MPI_NOBODY: has not asked */
    unsigned asked;
};

unsigned cxn_mpi_waits_for(const cxn_comm_state *s)
{
    if (s->requests[CXN_MPI_AT_BYTES + 1] != MPI_REQUEST_NULL) return s->received_from;
    if (s->requests[CXN_MPI_AT_BYTES] != MPI_REQUEST_NULL) return s->sent_to;
    unsigned oldest = CXN_MPI_NOBODY, age = 0;
    for (unsigned at = 0; at < CXN_MPI_WINDOW; at++) {
        if (!s->pieces[at].data || s->sequence - s->pieces[at].sequence < age) continue;
        age = s->sequence - s->pieces[at].sequence;
        oldest = at;
    }
    return oldest == CXN_MPI_NOBODY ? s->rank : cxn_mpi_partner(s, oldest);
}

enum cxn_status cxn_mpi_refused(cxn_comm_state *s, int code, unsigned peer, struct cxn_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return cxn_mpi_give_up(s, peer, err, "exchange with rank %u failed: %s", peer, text);
}

/* A message that should have had another length. */
static enum cxn_status check_length(cxn_comm_state *s, const MPI_Status *mpi, size_t expected,
                                    unsigned peer, struct cxn_error *err)
{
    int bytes = 0;
    MPI_Get_count(mpi, MPI_BYTE, &bytes);
    if ((size_t)bytes == expected) return CXN_OK;
    return cxn_mpi_give_up(s, peer, err, "rank %u sent %d bytes, expected %zu: it is elsewhere",
                           peer, bytes, expected);
}

/* Request number i is through: was it what was expected? */
static enum cxn_status check_request(cxn_comm_state *s, int i, const MPI_Status *mpi, int code,
                                     struct cxn_error *err)
{
    if (i >= CXN_MPI_AT_NOTES_OUT) return CXN_OK; /* who gets no note is asked, or finds out */
    if (i == CXN_MPI_AT_NOTE_IN) {
        if (code != MPI_SUCCESS) return cxn_mpi_refused(s, code, (unsigned)mpi->MPI_SOURCE, err);
        return cxn_mpi_heard(s, (unsigned)mpi->MPI_SOURCE, err);
    }
    const bool received = i % 2 == 1, is_sum = i < CXN_MPI_AT_BYTES;
    const unsigned at = (unsigned)i / 2;
    const unsigned other = received ? s->received_from : s->sent_to;
    const unsigned peer = is_sum ? cxn_mpi_partner(s, at) : other;
    if (code != MPI_SUCCESS) return cxn_mpi_refused(s, code, peer, err);
    if (!received) return CXN_OK;
    return check_length(s, mpi, is_sum ? cxn_mpi_expected(s, at) : s->received_bytes, peer, err);
}

static enum cxn_status look_for_parent(cxn_comm_state *s, struct cxn_error *err)
{
    if (getppid() == s->parent) return CXN_OK;
    return cxn_mpi_give_up(s, s->rank, err, "what started this rank is gone");
}

/* Only now: it starts requests anew in places that the list of those that are through may name. */
static enum cxn_status advance_all(cxn_comm_state *s, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (unsigned at = 0; status == CXN_OK && at < CXN_MPI_WINDOW; at++)
        if (s->pieces[at].data && s->requests[2 * at] == MPI_REQUEST_NULL &&
            s->requests[2 * at + 1] == MPI_REQUEST_NULL)
            status = cxn_mpi_advance(s, at, err);
    return status;
}

enum cxn_status cxn_mpi_pass(cxn_comm_state *s, bool *moved, struct cxn_error *err)
{
    int through[CXN_MPI_REQUESTS], count = 0;
    MPI_Status statuses[CXN_MPI_REQUESTS];
    *moved = false;
    if (s->failed) return cxn_fail(err, CXN_E_PEER, "%s", s->why.text);
    enum cxn_status status = look_for_parent(s, err);
    if (status != CXN_OK) return status;
    const int code = MPI_Testsome(CXN_MPI_REQUESTS, s->requests, &count, through, statuses);
    if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS)
        return cxn_mpi_refused(s, code, cxn_mpi_waits_for(s), err);
    if (count == MPI_UNDEFINED) count = 0;
    for (int i = 0; status == CXN_OK && i < count; i++) {
        if (through[i] < CXN_MPI_AT_NOTE_IN) *moved = true;
        status = check_request(s, through[i], &statuses[i],
                               code == MPI_SUCCESS ? MPI_SUCCESS : statuses[i].MPI_ERROR, err);
    }
    return status == CXN_OK && *moved ? advance_all(s, err) : status;
}

static void watch_begin(struct watch *w, const cxn_comm_state *s, double now)
{
    *w = (struct watch){ now, now + ask_after * s->deadline, 0, CXN_MPI_NOBODY, 0 };
}

static void ask(struct watch *w, cxn_comm_state *s, unsigned suspect, double now)
{
    w->suspect = suspect;
    w->asked++;
    w->give_up_at = now + (1 - ask_after) * s->deadline;
    s->answer_from = CXN_MPI_NOBODY;
    cxn_mpi_note(s, suspect, CXN_MPI_ASK, s->rank);
}

/* Nothing has moved. */
static enum cxn_status watch_silence(struct watch *w, cxn_comm_state *s, double now,
                                     struct cxn_error *err)
{
    if (w->suspect == CXN_MPI_NOBODY) {
        if (now >= w->ask_at) ask(w, s, cxn_mpi_waits_for(s), now);
        return CXN_OK;
    }
    if (s->answer_from != w->suspect) {
        if (now < w->give_up_at) return CXN_OK;
        return cxn_mpi_give_up(s, w->suspect, err, "rank %u has said nothing for %g s", w->suspect,
                               s->deadline);
    }
    if (now - w->silent_since >= talk_at_most * s->deadline)
        return cxn_mpi_give_up(s, w->suspect, err,
                               "rank %u answers, but has sent nothing for %g s", w->suspect,
                               talk_at_most * s->deadline);
    const unsigned next = s->answer_rank;
    if (next < s->ranks && next != s->rank && next != w->suspect && w->asked <= s->levels) {
        ask(w, s, next, now);
    } else { /* it is slow, not silent */
        w->suspect = CXN_MPI_NOBODY;
        w->asked = 0;
        w->ask_at = now + ask_after * s->deadline;
    }
    return CXN_OK;
}

/* Ranks may share a core: the longer nothing moves, the longer the others have it. */
static void rest(double silent)
{
    if (silent < 50e-6) return;
    if (silent < 1e-3) {
        sched_yield();
        return;
    }
    const struct timespec nap = { 0, silent < 0.05 ? 50 * 1000 : 1000 * 1000 };
    nanosleep(&nap, NULL);
}

enum cxn_status cxn_mpi_wait(cxn_comm_state *s, bool (*done)(const cxn_comm_state *s),
                             struct cxn_error *err)
{
    struct watch watch;
    watch_begin(&watch, s, cxn_clock_seconds());
    enum cxn_status status = s->failed ? cxn_fail(err, CXN_E_PEER, "%s", s->why.text) : CXN_OK;
    while (status == CXN_OK && !done(s)) {
        bool moved;
        status = cxn_mpi_pass(s, &moved, err);
        if (status != CXN_OK) break;
        const double now = cxn_clock_seconds();
        if (moved) {
            watch_begin(&watch, s, now);
        } else {
            status = watch_silence(&watch, s, now, err);
            rest(now - watch.silent_since);
        }
    }
    return status;
}
