/* SPDX-License-Identifier: Apache-2.0 */
#include "train/agree.h"

#include <stdio.h>
#include <string.h>

enum { ALIKE_BYTES = 128 };

static enum cxn_status check_ranks(unsigned ranks, struct cxn_error *err)
{
    if (ranks <= CXN_RANKS_MAX) return CXN_OK;
    return cxn_fail(err, CXN_E_ARG, "%u ranks, expected at most %d", ranks, CXN_RANKS_MAX);
}

enum cxn_status cxn_agree_text(const struct cxn_comm *comm, cxn_comm_state *peers,
                               const enum cxn_status *statuses, struct cxn_error *err)
{
    const unsigned ranks = comm->ranks(peers), rank = comm->rank(peers);
    unsigned first = 0;
    while (first < ranks && statuses[first] == CXN_OK) first++;
    if (first == ranks) return CXN_OK;
    if (ranks == 1) return statuses[0];
    struct cxn_error own = { "" }, all[CXN_RANKS_MAX];
    if (rank == first && err) own = *err;
    const enum cxn_status status = comm->gather(peers, &own, all, sizeof own, err);
    if (status != CXN_OK) return status;
    return cxn_fail(err, statuses[first], "rank %u: %.*s", first, (int)sizeof own.text - 16,
                    all[first].text);
}

enum cxn_status cxn_agree(const struct cxn_comm *comm, cxn_comm_state *peers, enum cxn_status own,
                          struct cxn_error *err)
{
    enum cxn_status all[CXN_RANKS_MAX];
    const unsigned ranks = comm->ranks(peers);
    if (own == CXN_E_PEER) return own; /* nobody can be asked any more */
    enum cxn_status status = check_ranks(ranks, err);
    if (status == CXN_OK && ranks > 1) status = comm->gather(peers, &own, all, sizeof own, err);
    if (status != CXN_OK) return status;
    return ranks == 1 ? own : cxn_agree_text(comm, peers, all, err);
}

enum cxn_status cxn_agree_alike(const struct cxn_comm *comm, cxn_comm_state *peers,
                                const struct cxn_alike *items, size_t count,
                                struct cxn_error *err)
{
    const unsigned ranks = comm->ranks(peers);
    enum cxn_status status = check_ranks(ranks, err);
    for (size_t i = 0; status == CXN_OK && i < count; i++) {
        char own[ALIKE_BYTES] = "", all[CXN_RANKS_MAX][ALIKE_BYTES];
        snprintf(own, sizeof own, "%s", items[i].text);
        status = comm->gather(peers, own, all, sizeof own, err);
        for (unsigned r = 1; status == CXN_OK && r < ranks; r++)
            if (memcmp(all[r], all[0], sizeof own) != 0)
                status = cxn_fail(err, CXN_E_ARG, "rank %u and rank 0 differ in %s ('%.40s' and "
                                  "'%.40s'), expected the same on all ranks", r, items[i].what,
                                  all[r], all[0]);
    }
    return status;
}
