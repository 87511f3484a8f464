/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_ENGINES_H
#define CXN_API_ENGINES_H

#include "nn/engine.h"

/* Row i of the engine table, 0 up; NULL past its end. */
const struct cxn_engine *cxn_engine_at(size_t i);

/* The same of those that run weights as trained, which are the first rows. */
const struct cxn_engine *cxn_engine_of_weights(size_t i);

/* The row of the engine table that --mode names; "auto" is the fastest for weights as trained on
 * a CPU with those bits.
 * CXN_E_ARG for an unknown name, with the names there are. */
enum cxn_status cxn_engine_choose(const char *mode, uint32_t cpu, const struct cxn_engine **engine,
                                  struct cxn_error *err);

#endif
