/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_COMM_H
#define CXN_TRAIN_COMM_H

#include "base/env.h"
#include "nn/trainer.h"

/*
 * What the ranks of a job say to each other. A row of the table is one way: `self` (one process)
 * and `mpi` (a module loaded on demand). Ranks are a power of two.
 *
 * Sums are over a fixed binary tree: neighbours first, then pairs of neighbours, and so on, each
 * number in one addition a level. They come out to the same bits on every rank, and equal what one
 * process gets that adds its shards in the same tree.
 *
 * No call waits for ever: where a peer says nothing for `deadline` seconds, or is known to be gone,
 * CXN_E_PEER with a line that names the rank. After that only close() may be called.
 */

typedef struct cxn_comm_state cxn_comm_state; /* each row has its own */

struct cxn_comm_options {
    double deadline; /* seconds */
};

enum { CXN_COMM_SUMS_MAX = 256 }; /* sums started and not yet finished */

struct cxn_comm {
    const char *name;

    /* Where every rank refuses alike, CXN_E_ARG for their number, *state is for rank() and close()
     * alone, so that one of them tells it; NULL with any other error. */
    enum cxn_status (*open)(cxn_comm_state **state, const struct cxn_comm_options *options,
                            const struct cxn_env *env, struct cxn_error *err);
    unsigned (*rank)(const cxn_comm_state *state);
    unsigned (*ranks)(const cxn_comm_state *state);

    /* From now on; known once the settings are, which may come through the comm itself. */
    void (*set_deadline)(cxn_comm_state *state, double seconds);

    /* Start summing a span over all ranks, in place, each rank its own span of the same size. Every
     * rank starts the same sums in the same order. The span is the comm's until finish(). */
    enum cxn_status (*start_sum)(cxn_comm_state *state, const struct cxn_span *span,
                                 struct cxn_error *err);
    /* Move what has arrived; never waits. Called now and then while computing. */
    enum cxn_status (*progress)(cxn_comm_state *state, struct cxn_error *err);
    /* Wait for all sums started. */
    enum cxn_status (*finish)(cxn_comm_state *state, struct cxn_error *err);

    /* Every rank's `bytes` bytes, in order of ranks: all is [ranks][bytes]. */
    enum cxn_status (*gather)(cxn_comm_state *state, const void *own, void *all, size_t bytes,
                              struct cxn_error *err);
    /* Rank 0's bytes to all. */
    enum cxn_status (*broadcast)(cxn_comm_state *state, void *data, size_t bytes,
                                 struct cxn_error *err);

    /* Orderly end when every rank calls it with `lost` false; else it must not wait for anyone.
     * Frees and writes NULL. */
    void (*close)(cxn_comm_state **state, bool lost);
};

extern const struct cxn_comm cxn_comm_self;

/* The mpi row from its module; CXN_E_IO with a sentence where module or MPI are not installed. */
enum cxn_status cxn_comm_mpi_load(const struct cxn_comm **comm, struct cxn_error *err);

/* The environment's variable by which mpirun, srun or the like tell of more than one rank; NULL:
 * this process is one alone. */
const char *cxn_comm_launcher(void);

#endif
