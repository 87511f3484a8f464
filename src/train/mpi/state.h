/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_MPI_STATE_H
#define CXN_TRAIN_MPI_STATE_H

#include <mpi.h>
#include <sys/types.h>

#include "train/comm.h"
#include "train/mpi/life.h"

/*
 * Inside the module: what one rank has under way. Only standard MPI-3, only non-blocking calls
 * between MPI_Init and MPI_Finalize, and one MPI_Testsome over all requests that moves everything.
 *
 * Spans are cut into pieces, of which the oldest CXN_MPI_WINDOW move at a time. So the memory for
 * what arrives is small and taken once, and even on a slow link some message is complete every few
 * seconds, by which a slow peer is told from a silent one.
 */
enum {
    CXN_MPI_WINDOW = 8,
    CXN_MPI_PIECE_BYTES = 1 << 20,
    CXN_MPI_WHOLE_BYTES = 8 << 10, /* up to here fewer messages count more than fewer bytes */
    CXN_MPI_NOTES = 16,            /* control messages on their way out */

    /* Places in the list of requests. A piece has two: sent, received. */
    CXN_MPI_AT_BYTES = 2 * CXN_MPI_WINDOW, /* of gather and broadcast: sent, received */
    CXN_MPI_AT_NOTE_IN = CXN_MPI_AT_BYTES + 2,
    CXN_MPI_AT_NOTES_OUT,
    CXN_MPI_REQUESTS = CXN_MPI_AT_NOTES_OUT + CXN_MPI_NOTES,

    CXN_MPI_TAG_NOTE = 1,
    CXN_MPI_TAG_BYTES,
    CXN_MPI_TAG_SUM, /* and the numbers behind it */
    CXN_MPI_SUM_TAGS = 16384, /* MPI promises tags up to 32767 */
};

#define CXN_MPI_NOBODY UINT32_MAX

/* Part of a span on its way through the tree. */
struct cxn_mpi_piece {
    unsigned char *data; /* NULL: the place is free */
    size_t count;
    enum cxn_number number;
    unsigned sequence; /* in the order of starts, the same on every rank */
    unsigned step, steps;
    bool whole; /* exchanged as a whole on each level, not in halves */
};

/* What ranks say besides data. */
enum cxn_mpi_word {
    CXN_MPI_ASK,    /* are you there? */
    CXN_MPI_ANSWER, /* yes, and I wait for `rank`, or for nobody where that is myself */
    CXN_MPI_LOST,   /* `rank` is lost: give up */
};
struct cxn_mpi_note {
    uint32_t word, rank;
};

struct cxn_comm_state {
    const struct cxn_env *env;
    bool refused; /* the number of ranks: nothing else is open */
    struct cxn_mpi_life *life;
    double deadline;
    pid_t parent;
    unsigned rank, ranks, levels; /* ranks = 2^levels */

    MPI_Request requests[CXN_MPI_REQUESTS];

    unsigned sums; /* started since finish() */
    struct cxn_span spans[CXN_COMM_SUMS_MAX];
    unsigned span_count, next_span; /* the first that is not yet all in pieces */
    size_t next_number;             /* within it */
    unsigned sequence;              /* of the next piece */
    struct cxn_mpi_piece pieces[CXN_MPI_WINDOW];
    unsigned char *incoming; /* [CXN_MPI_WINDOW][CXN_MPI_PIECE_BYTES] */

    unsigned sent_to, received_from; /* of the bytes under way */
    size_t received_bytes;           /* expected */

    struct cxn_mpi_note note_in, notes_out[CXN_MPI_NOTES];
    unsigned answer_from, answer_rank; /* the last answer; CXN_MPI_NOBODY: none since asking */

    bool failed;
    struct cxn_error why;
};

/* wait.c */

/* Move what has arrived, once. */
enum cxn_status cxn_mpi_pass(cxn_comm_state *state, bool *moved, struct cxn_error *err);
/* Until `done`, at most as long as some peer says something within the deadline. */
enum cxn_status cxn_mpi_wait(cxn_comm_state *state, bool (*done)(const cxn_comm_state *state),
                             struct cxn_error *err);
/* Whose message this rank needs first; its own number where it needs none. */
unsigned cxn_mpi_waits_for(const cxn_comm_state *state);
/* An MPI call about this peer failed. */
enum cxn_status cxn_mpi_refused(cxn_comm_state *state, int code, unsigned peer,
                                struct cxn_error *err);

/* notes.c */

int cxn_mpi_listen(cxn_comm_state *state); /* an MPI code */
void cxn_mpi_note(cxn_comm_state *state, unsigned to, enum cxn_mpi_word word, unsigned rank);
/* A note has come in; CXN_E_PEER when it says that a rank is lost. */
enum cxn_status cxn_mpi_heard(cxn_comm_state *state, unsigned from, struct cxn_error *err);
/* Tell the partners in the tree that `rank` is lost; waits a moment at most. */
void cxn_mpi_tell_lost(cxn_comm_state *state, unsigned rank);
/* From now on every call fails with this text. Tells the partners. */
enum cxn_status cxn_mpi_give_up(cxn_comm_state *state, unsigned lost, struct cxn_error *err,
                                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* sum.c */

enum cxn_status cxn_mpi_start_sum(cxn_comm_state *state, const struct cxn_span *span,
                                  struct cxn_error *err);
bool cxn_mpi_sums_done(const cxn_comm_state *state);
/* Put pieces into free places and send their first messages. */
enum cxn_status cxn_mpi_fill(cxn_comm_state *state, struct cxn_error *err);
/* Both messages of the piece's step are through. */
enum cxn_status cxn_mpi_advance(cxn_comm_state *state, unsigned at, struct cxn_error *err);
/* The other rank of the piece's step, and the bytes that come from it. */
unsigned cxn_mpi_partner(const cxn_comm_state *state, unsigned at);
size_t cxn_mpi_expected(const cxn_comm_state *state, unsigned at);

/* bytes.c */

enum cxn_status cxn_mpi_gather(cxn_comm_state *state, const void *own, void *all, size_t bytes,
                               struct cxn_error *err);
enum cxn_status cxn_mpi_broadcast(cxn_comm_state *state, void *data, size_t bytes,
                                  struct cxn_error *err);

#endif
