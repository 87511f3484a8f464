/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_AGREE_H
#define CXN_TRAIN_AGREE_H

#include "train/comm.h"
#include "train/settings.h"

/* Each has a shard at least; so few that what is gathered needs no memory of its own. */
enum { CXN_RANKS_MAX = CXN_SHARDS_MAX };

/*
 * Errors of one rank become errors of all, with one text, so that every rank ends alike and one of
 * them tells why.
 *
 * own: what this rank's work came to, with its text in err. Returns the status of the first rank
 * where it is not CXN_OK, and its text on every rank ("rank 2: ..." where there are several).
 */
enum cxn_status cxn_agree(const struct cxn_comm *comm, cxn_comm_state *peers, enum cxn_status own,
                          struct cxn_error *err);

/* The same where the ranks' statuses are known already: [ranks]. */
enum cxn_status cxn_agree_text(const struct cxn_comm *comm, cxn_comm_state *peers,
                               const enum cxn_status *statuses, struct cxn_error *err);

/* Something that all ranks must have alike. */
struct cxn_alike {
    const char *what; /* "the train list" */
    const char *text; /* a hash or a word, at most 127 bytes */
};

/* CXN_E_ARG that names the first rank which differs from rank 0, and in what. */
enum cxn_status cxn_agree_alike(const struct cxn_comm *comm, cxn_comm_state *peers,
                                const struct cxn_alike *items, size_t count,
                                struct cxn_error *err);

#endif
