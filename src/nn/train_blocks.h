/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAIN_BLOCKS_H
#define CXN_NN_TRAIN_BLOCKS_H

#include "nn/trainer.h"

/* What every row of the table of trainers does alike: its options, its flat blocks in host memory,
 * and logits that are not finite. */

/* CXN_E_ARG for options that no row takes. */
enum cxn_status cxn_train_options_check(const struct cxn_trainer_options *options,
                                        struct cxn_error *err);

/* blocks * count cleared numbers of `size` bytes. CXN_E_NOMEM. */
enum cxn_status cxn_train_take(struct cxn_mem *mem, void *out, size_t blocks, size_t count,
                               size_t size, const char *what, struct cxn_error *err);

struct cxn_train_blocks {
    enum cxn_number number;
    unsigned slot_count, moment_count;
    size_t float_count, param_count;
    void *weights, *average; /* [float_count]; average NULL where there is none */
    void *slots;             /* [slot_count][float_count] */
    void *moments;           /* [moment_count][param_count] */
};

/* Close also after an error. CXN_E_NOMEM. */
enum cxn_status cxn_train_blocks_open(struct cxn_train_blocks *blocks, const cxn_net *net,
                                      enum cxn_number number,
                                      const struct cxn_trainer_options *options,
                                      struct cxn_mem *mem, struct cxn_error *err);
void cxn_train_blocks_close(struct cxn_train_blocks *blocks);

/* What block() of a row returns; data NULL and count 0 where there is none. */
struct cxn_span cxn_train_blocks_span(const struct cxn_train_blocks *blocks,
                                      enum cxn_train_block block, unsigned which);

/* CXN_E_FORMAT that names the first of [count][classes] that is not finite. */
enum cxn_status cxn_train_logits_check(const double *logits, size_t count, size_t classes,
                                       struct cxn_error *err);

#endif
