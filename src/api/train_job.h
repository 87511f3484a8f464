/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_TRAIN_JOB_H
#define CXN_API_TRAIN_JOB_H

#include "api/train_about.h"
#include "base/hash.h"
#include "data/loader.h"
#include "train/loop.h"

/* cxn_train() with a network of this form; a shrunken one is for tests. */
enum cxn_status cxn_train_network(cxn_context *ctx, const struct cxn_net_config *config,
                                  const struct cxn_train_options *options,
                                  struct cxn_train_result *result, struct cxn_error *err);

/* One training in the making: what cxn_train() opens, in the order in which it needs it. Zeroed but
 * for env, config and options is a closed one. */
struct cxn_train_job {
    const struct cxn_train_options *options;
    const struct cxn_net_config *config;
    struct cxn_env env; /* the context's, with what all ranks can do */
    struct cxn_log silence;
    const struct cxn_log *own_log; /* the context's, on every rank */
    struct cxn_log own_notes;      /* to it, with the rank's number */
    struct cxn_worker worker;
    unsigned rank, ranks;
    json_t *about;
    struct cxn_settings settings;
    cxn_net *net;
    cxn_list *train, *val;
    cxn_images *images;
    struct cxn_loss loss;
    float *block; /* the first weights, until the trainer has them */
    const struct cxn_engine *engine;
    cxn_run *run; /* rank 0's */
    struct cxn_checkpoint checkpoint;
    bool going_on; /* from a checkpoint */
    struct cxn_train_state state;
    bool agreed; /* an error is known to, and told by, every rank */
};

/* ---- train_inputs.c: what the training is of ---------------------------------------------- */

/* The SHA-256 of the file that this code is in. */
enum cxn_status cxn_build_sha256(char hex[CXN_SHA256_HEX_BYTES], struct cxn_error *err);

/* net, lists and images, checked against each other and against the settings. On a resume the lists
 * are the ones that the run began with. */
enum cxn_status cxn_job_open_inputs(struct cxn_train_job *job, struct cxn_error *err);

/* The first weights, from the file that `about` names or drawn. Unless the training goes on from a
 * checkpoint their hash goes into `about`, or is compared with what is there. */
enum cxn_status cxn_job_open_weights(struct cxn_train_job *job, struct cxn_error *err);

/* All ranks have the same build, settings, lists and weights, and use the lowest common level. Sets
 * `agreed`. */
enum cxn_status cxn_job_compare(struct cxn_train_job *job, struct cxn_error *err);

void cxn_job_close_inputs(struct cxn_train_job *job);

#endif
