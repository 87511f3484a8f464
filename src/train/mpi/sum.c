/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/mpi/state.h"

/*
 * The tree: on level l, rank r's partner is r with bit l turned, and both then hold the sum of the
 * 2^(l+1) ranks around them. Small pieces are exchanged as a whole on each level. In large ones the
 * two share the work: each takes the other's numbers for one half of the range, adds that half
 * alone, and goes up with it; when all levels are done, the halves go back on the same ways. Either
 * way each number is added in the tree's own order, the lower rank's on the left.
 */
struct range {
    size_t begin, end;
};

struct step {
    unsigned level;
    struct range send, receive;
    bool adds; /* else what is received is final */
};

static size_t length(struct range r)
{
    return r.end - r.begin;
}

static struct range half(struct range r, bool upper)
{
    const size_t middle = r.begin + length(r) / 2;
    return upper ? (struct range){ middle, r.end } : (struct range){ r.begin, middle };
}

static bool is_upper(const cxn_comm_state *s, unsigned level)
{
    return (s->rank >> level & 1) != 0;
}

static struct step step_of(const cxn_comm_state *s, const struct cxn_mpi_piece *piece)
{
    struct range r = { 0, piece->count };
    if (piece->whole) return (struct step){ piece->step, r, r, true };
    const bool adds = piece->step < s->levels;
    const unsigned level = adds ? piece->step : piece->steps - 1 - piece->step;
    for (unsigned l = 0; l < level; l++) r = half(r, is_upper(s, l));
    const struct range own = half(r, is_upper(s, level)), other = half(r, !is_upper(s, level));
    if (adds) return (struct step){ level, other, own, true };
    return (struct step){ level, own, other, false };
}

static unsigned char *incoming(const cxn_comm_state *s, unsigned at)
{
    return s->incoming + (size_t)at * CXN_MPI_PIECE_BYTES;
}

unsigned cxn_mpi_partner(const cxn_comm_state *s, unsigned at)
{
    return s->rank ^ 1u << step_of(s, &s->pieces[at]).level;
}

size_t cxn_mpi_expected(const cxn_comm_state *s, unsigned at)
{
    const struct cxn_mpi_piece *piece = &s->pieces[at];
    return length(step_of(s, piece).receive) * cxn_number_bytes(piece->number);
}

/* The receive first: what finds its place waiting is not copied twice. */
static enum cxn_status post(cxn_comm_state *s, unsigned at, struct cxn_error *err)
{
    const struct cxn_mpi_piece *piece = &s->pieces[at];
    const struct step step = step_of(s, piece);
    const size_t bytes = cxn_number_bytes(piece->number);
    const int tag = CXN_MPI_TAG_SUM + (int)(piece->sequence % CXN_MPI_SUM_TAGS);
    const int partner = (int)cxn_mpi_partner(s, at);
    unsigned char *to = step.adds ? incoming(s, at) : piece->data + step.receive.begin * bytes;
    int code = MPI_Irecv(to, (int)(length(step.receive) * bytes), MPI_BYTE, partner, tag,
                         MPI_COMM_WORLD, &s->requests[2 * at + 1]);
    if (code == MPI_SUCCESS)
        code = MPI_Isend(piece->data + step.send.begin * bytes, (int)(length(step.send) * bytes),
                         MPI_BYTE, partner, tag, MPI_COMM_WORLD, &s->requests[2 * at]);
    return code == MPI_SUCCESS ? CXN_OK : cxn_mpi_refused(s, code, (unsigned)partner, err);
}

static void add_f32(float *own, const float *other, size_t count, bool own_is_upper)
{
    if (own_is_upper)
        for (size_t i = 0; i < count; i++) own[i] = other[i] + own[i];
    else
        for (size_t i = 0; i < count; i++) own[i] = own[i] + other[i];
}

static void add_f64(double *own, const double *other, size_t count, bool own_is_upper)
{
    if (own_is_upper)
        for (size_t i = 0; i < count; i++) own[i] = other[i] + own[i];
    else
        for (size_t i = 0; i < count; i++) own[i] = own[i] + other[i];
}

enum cxn_status cxn_mpi_advance(cxn_comm_state *s, unsigned at, struct cxn_error *err)
{
    struct cxn_mpi_piece *piece = &s->pieces[at];
    const struct step step = step_of(s, piece);
    void *own = piece->data + step.receive.begin * cxn_number_bytes(piece->number);
    const void *other = incoming(s, at);
    const bool own_is_upper = is_upper(s, step.level);
    if (step.adds && piece->number == CXN_NUMBER_F64)
        add_f64(own, other, length(step.receive), own_is_upper);
    else if (step.adds)
        add_f32(own, other, length(step.receive), own_is_upper);
    piece->step++;
    if (piece->step < piece->steps) return post(s, at, err);
    piece->data = NULL;
    return cxn_mpi_fill(s, err);
}

/* The next piece of the oldest span that is not all in pieces. */
static void cut(cxn_comm_state *s, struct cxn_mpi_piece *piece)
{
    const struct cxn_span *span = &s->spans[s->next_span];
    const size_t bytes = cxn_number_bytes(span->number), most = CXN_MPI_PIECE_BYTES / bytes;
    const size_t left = span->count - s->next_number;
    piece->data = (unsigned char *)span->data + s->next_number * bytes;
    piece->count = left < most ? left : most;
    piece->number = span->number;
    piece->sequence = s->sequence++;
    piece->whole = piece->count * bytes <= CXN_MPI_WHOLE_BYTES;
    piece->step = 0;
    piece->steps = piece->whole ? s->levels : 2 * s->levels;
    s->next_number += piece->count;
    if (s->next_number == span->count) {
        s->next_span++;
        s->next_number = 0;
    }
}

enum cxn_status cxn_mpi_fill(cxn_comm_state *s, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (unsigned at = 0; status == CXN_OK && at < CXN_MPI_WINDOW; at++) {
        if (s->next_span == s->span_count) break;
        if (s->pieces[at].data) continue;
        cut(s, &s->pieces[at]);
        status = post(s, at, err);
    }
    return status;
}

enum cxn_status cxn_mpi_start_sum(cxn_comm_state *s, const struct cxn_span *span,
                                  struct cxn_error *err)
{
    if (s->failed) return cxn_fail(err, CXN_E_PEER, "%s", s->why.text);
    if (span->memory != CXN_MEMORY_HOST)
        return cxn_fail(err, CXN_E_INTERNAL, "a sum over memory of another device");
    if (s->sums == CXN_COMM_SUMS_MAX)
        return cxn_fail(err, CXN_E_INTERNAL, "more than %d sums at a time", CXN_COMM_SUMS_MAX);
    s->sums++;
    if (s->levels == 0 || span->count == 0) return CXN_OK;
    s->spans[s->span_count++] = *span;
    return cxn_mpi_fill(s, err);
}

bool cxn_mpi_sums_done(const cxn_comm_state *s)
{
    if (s->next_span < s->span_count) return false;
    for (unsigned at = 0; at < CXN_MPI_WINDOW; at++)
        if (s->pieces[at].data) return false;
    return true;
}
