/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_VALIDATE_H
#define CXN_TRAIN_VALIDATE_H

#include "data/loader.h"
#include "eval/auc.h"
#include "nn/engine.h"
#include "train/comm.h"
#include "train/loss.h"

/* How good some weights are on the validation list: every image of it, on its centre crop, each
 * rank a part. */
struct cxn_validation {
    const struct cxn_engine *engine;
    const cxn_net *net;
    const cxn_images *images;
    const cxn_list *list;
    const struct cxn_loss *loss;
    bool skip_bad;
    bool (*is_stop_asked)(void *ctx); /* between two batches, on every rank */
    void *stop_ctx;
    const struct cxn_log *notes; /* gets the first image that this rank leaves out; may be NULL */
    const struct cxn_comm *comm;
    cxn_comm_state *peers;
};

struct cxn_validation_result {
    double loss;
    double mean_auc; /* NaN where no finding has one */
    int mean_of;
    double auc[CXN_FINDING_COUNT]; /* NaN where there is none */
    size_t images, skipped;
};

/*
 * The same result, to the bit, and the same status on every rank. weights: net->float_count
 * numbers.
 * CXN_E_IO, CXN_E_FORMAT, CXN_E_LIMIT for an image unless those are skipped; CXN_E_FORMAT also
 * where the weights drive the numbers out of range or no image can be read; CXN_E_NOMEM;
 * CXN_E_STOPPED where some rank is asked to stop, CXN_E_PEER.
 */
enum cxn_status cxn_validate(const struct cxn_validation *v, const struct cxn_span *weights,
                             const struct cxn_env *env, struct cxn_validation_result *result,
                             struct cxn_error *err);

#endif
