/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_COMM_MODULE_H
#define CXN_TRAIN_COMM_MODULE_H

#include "train/comm.h"

/* The one symbol of libchexnet-mpi.so. A module of another version may have another struct
 * cxn_comm: the version is compared before the row is touched. */
struct cxn_comm_module {
    const char *version;
    const struct cxn_comm *row;
};

#define CXN_COMM_MPI_FILE "libchexnet-mpi.so"
#define CXN_COMM_MPI_SYMBOL "cxn_comm_mpi_module"

#endif
