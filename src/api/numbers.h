/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_NUMBERS_H
#define CXN_API_NUMBERS_H

#include "fuse/optimized.h"
#include "model/weights.h"
#include "nn/engine.h"

/* The numbers of a model file, whichever kind it is: weights as trained, or an optimised file,
 * which is read as an engine asks for it. */
struct cxn_numbers {
    struct cxn_engine_source source; /* for engines to be opened with while this is open */
    struct cxn_weights_file file;
    float *block;                    /* NULL for an optimised file */
    cxn_fold *fold;                  /* NULL for weights as trained, and nothing in the next two */
    struct cxn_optimized optimized;
    struct cxn_fold_source folded;
};

/* net outlives it. Texts name the file. Close in either case; not to be moved while open. */
enum cxn_status cxn_numbers_open(struct cxn_numbers *n, const struct cxn_env *env,
                                 const cxn_net *net, const char *path, struct cxn_error *err);
void cxn_numbers_close(struct cxn_numbers *n);

/* *engine: the row that the mode names on this CPU, as cxn_engine_choose() left it; an optimised
 * file has its own for "auto" and CXN_E_ARG for any other mode. */
enum cxn_status cxn_numbers_choose(const struct cxn_numbers *n, const char *mode,
                                   const struct cxn_engine **engine, struct cxn_error *err);

#endif
