/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_MPI_LIFE_H
#define CXN_TRAIN_MPI_LIFE_H

#include <sys/types.h>

#include "base/env.h"

/*
 * MPI_Init and MPI_Finalize wait for every rank, without a deadline, and MPI wants both from one
 * thread. So a thread of their own makes these two calls, and the caller waits for it no longer
 * than the deadline.
 */
typedef struct cxn_mpi_life cxn_mpi_life;

/* CXN_E_PEER when MPI has not started in time, or `parent` is no longer this process's; the thread,
 * still inside MPI_Init, is then left alone. */
enum cxn_status cxn_mpi_life_begin(struct cxn_mpi_life **life, double deadline, pid_t parent,
                                   const struct cxn_env *env, struct cxn_error *err);

/* With MPI_Finalize, unless the others are lost; what takes longer than the deadline is left to end
 * with the process. */
void cxn_mpi_life_end(struct cxn_mpi_life **life, double deadline, bool lost);

#endif
