/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_TRAINERS_H
#define CXN_API_TRAINERS_H

#include "nn/trainer.h"

/* What trains and what validates in one precision. ref64 is not here: it is for tests alone. */
struct cxn_trainer_row {
    const struct cxn_trainer *trainer;
    const struct cxn_engine *engine;
};

struct cxn_trainer_row cxn_trainer_choose(enum cxn_precision precision);

#endif
