/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "train/mpi/state.h"

static const double flush_seconds = 0.1;

int cxn_mpi_listen(cxn_comm_state *s)
{
    return MPI_Irecv(&s->note_in, sizeof s->note_in, MPI_BYTE, MPI_ANY_SOURCE, CXN_MPI_TAG_NOTE,
                     MPI_COMM_WORLD, &s->requests[CXN_MPI_AT_NOTE_IN]);
}

/* Where all places are taken by notes that do not get through, it is not sent: who gets nothing
 * asks again, or gives up. */
void cxn_mpi_note(cxn_comm_state *s, unsigned to, enum cxn_mpi_word word, unsigned rank)
{
    for (int i = 0; i < CXN_MPI_NOTES; i++) {
        MPI_Request *request = &s->requests[CXN_MPI_AT_NOTES_OUT + i];
        if (*request != MPI_REQUEST_NULL) continue;
        s->notes_out[i] = (struct cxn_mpi_note){ word, rank };
        if (MPI_Isend(&s->notes_out[i], sizeof s->notes_out[i], MPI_BYTE, (int)to, CXN_MPI_TAG_NOTE,
                      MPI_COMM_WORLD, request) != MPI_SUCCESS)
            *request = MPI_REQUEST_NULL;
        return;
    }
}

void cxn_mpi_tell_lost(cxn_comm_state *s, unsigned rank)
{
    for (unsigned level = 0; level < s->levels; level++)
        if ((s->rank ^ 1u << level) != rank)
            cxn_mpi_note(s, s->rank ^ 1u << level, CXN_MPI_LOST, rank);
    const double end = cxn_clock_seconds() + flush_seconds;
    int sent = 0;
    while (!sent && cxn_clock_seconds() < end) {
        if (MPI_Testall(CXN_MPI_NOTES, &s->requests[CXN_MPI_AT_NOTES_OUT], &sent,
                        MPI_STATUSES_IGNORE) != MPI_SUCCESS)
            break;
        sched_yield();
    }
}

enum cxn_status cxn_mpi_give_up(cxn_comm_state *s, unsigned lost, struct cxn_error *err,
                                const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->why.text, sizeof s->why.text, fmt, args);
    va_end(args);
    s->failed = true;
    cxn_mpi_tell_lost(s, lost);
    return cxn_fail(err, CXN_E_PEER, "%s", s->why.text);
}

static enum cxn_status heard_of_loss(cxn_comm_state *s, unsigned lost, unsigned from,
                                     struct cxn_error *err)
{
    if (lost == s->rank)
        return cxn_mpi_give_up(s, lost, err,
                               "the other ranks gave up this one, rank %u, which was silent too "
                               "long", lost);
    if (lost == from) return cxn_mpi_give_up(s, lost, err, "rank %u has left the job", lost);
    return cxn_mpi_give_up(s, lost, err, "rank %u is lost, says rank %u", lost, from);
}

enum cxn_status cxn_mpi_heard(cxn_comm_state *s, unsigned from, struct cxn_error *err)
{
    const struct cxn_mpi_note note = s->note_in;
    const int code = cxn_mpi_listen(s);
    if (code != MPI_SUCCESS) return cxn_mpi_refused(s, code, from, err);
    switch (note.word) {
    case CXN_MPI_ASK:
        cxn_mpi_note(s, from, CXN_MPI_ANSWER, cxn_mpi_waits_for(s));
        return CXN_OK;
    case CXN_MPI_ANSWER:
        s->answer_from = from;
        s->answer_rank = note.rank;
        return CXN_OK;
    default:
        return heard_of_loss(s, note.rank, from, err);
    }
}
