/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/size.h"
#include "train/mpi/state.h"

static bool bytes_done(const cxn_comm_state *s)
{
    return s->requests[CXN_MPI_AT_BYTES] == MPI_REQUEST_NULL &&
           s->requests[CXN_MPI_AT_BYTES + 1] == MPI_REQUEST_NULL;
}

/* At most a piece each way. NULL: nothing to send, or to receive. */
static enum cxn_status exchange(cxn_comm_state *s, unsigned peer, const void *send, void *receive,
                                size_t bytes, struct cxn_error *err)
{
    int code = MPI_SUCCESS;
    if (s->failed) return cxn_fail(err, CXN_E_PEER, "%s", s->why.text);
    s->sent_to = s->received_from = peer;
    s->received_bytes = bytes;
    if (receive)
        code = MPI_Irecv(receive, (int)bytes, MPI_BYTE, (int)peer, CXN_MPI_TAG_BYTES,
                         MPI_COMM_WORLD, &s->requests[CXN_MPI_AT_BYTES + 1]);
    if (send && code == MPI_SUCCESS)
        code = MPI_Isend(send, (int)bytes, MPI_BYTE, (int)peer, CXN_MPI_TAG_BYTES, MPI_COMM_WORLD,
                         &s->requests[CXN_MPI_AT_BYTES]);
    if (code != MPI_SUCCESS) return cxn_mpi_refused(s, code, peer, err);
    return cxn_mpi_wait(s, bytes_done, err);
}

static size_t piece_at(size_t bytes, size_t done)
{
    return bytes - done < CXN_MPI_PIECE_BYTES ? bytes - done : CXN_MPI_PIECE_BYTES;
}

/* On level l, blocks of 2^l ranks change places between partners, so that each has both. */
enum cxn_status cxn_mpi_gather(cxn_comm_state *s, const void *own, void *all, size_t bytes,
                               struct cxn_error *err)
{
    size_t total;
    if (!cxn_size_mul(bytes, s->ranks, &total))
        return cxn_fail(err, CXN_E_LIMIT, "%zu bytes of each of %u ranks are too many", bytes,
                        s->ranks);
    unsigned char *to = all;
    enum cxn_status status = CXN_OK;
    if (bytes > 0) memmove(to + s->rank * bytes, own, bytes);
    for (unsigned level = 0; level < s->levels; level++) {
        const unsigned partner = s->rank ^ 1u << level;
        const size_t block = bytes << level;
        unsigned char *mine = to + (size_t)(s->rank >> level) * block;
        unsigned char *theirs = to + (size_t)(partner >> level) * block;
        for (size_t done = 0; status == CXN_OK && done < block; done += CXN_MPI_PIECE_BYTES)
            status = exchange(s, partner, mine + done, theirs + done, piece_at(block, done), err);
    }
    return status;
}

/* Rank r has each piece from r without its lowest bit, and hands it to those who have it from r. */
enum cxn_status cxn_mpi_broadcast(cxn_comm_state *s, void *data, size_t bytes,
                                  struct cxn_error *err)
{
    unsigned below = 0; /* levels below the lowest bit: those who have it from this rank */
    enum cxn_status status = CXN_OK;
    while (below < s->levels && (s->rank >> below & 1) == 0) below++;
    for (size_t done = 0; status == CXN_OK && done < bytes; done += CXN_MPI_PIECE_BYTES) {
        unsigned char *piece = (unsigned char *)data + done;
        const size_t size = piece_at(bytes, done);
        if (s->rank != 0) status = exchange(s, s->rank & (s->rank - 1), NULL, piece, size, err);
        for (unsigned l = below; status == CXN_OK && l-- > 0;)
            status = exchange(s, s->rank | 1u << l, piece, NULL, size, err);
    }
    return status;
}
