/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_TRAIN_REPLAY_H
#define CXN_TESTS_TRAIN_REPLAY_H

#include "train_case.h"

/*
 * Take the steps of those runs of tests/golden/make_train.py that are of this network, the shrunken
 * or the full one: losses and, tensor by tensor, the change of the weights must be PyTorch's, as
 * near as the row promises.
 */
void train_replay(const struct train_setup *setup, bool full);

#endif
