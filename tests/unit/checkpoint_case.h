/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_CHECKPOINT_CASE_H
#define CXN_TESTS_CHECKPOINT_CASE_H

#include "train/run.h"

/* Checkpoints of a small network whose every number follows from the step. */

enum { CASE_MOMENTS = 2 };

struct checkpoint_case {
    cxn_net *net;
    enum cxn_number number;
    void *blocks[4]; /* weights, moment 0, moment 1, average */
    json_t *state;
    struct cxn_checkpoint_content content;
};

extern const struct cxn_net_config checkpoint_config;

/* false without memory. Close in either case. */
bool checkpoint_case_open(struct checkpoint_case *c, const struct cxn_net_config *config,
                          enum cxn_number number, uint64_t step);
void checkpoint_case_close(struct checkpoint_case *c);

/* Everything of another step. */
void checkpoint_case_fill(struct checkpoint_case *c, uint64_t step);

/* What is wrong in a checkpoint that should be this case; NULL: nothing, to the bit. */
const char *checkpoint_case_compare(const struct checkpoint_case *want,
                                    struct cxn_checkpoint *found);

#endif
