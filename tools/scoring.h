/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_SCORING_H
#define CXN_TOOLS_SCORING_H

#include <jansson.h>

#include <chexnet/infer.h>

#include "command.h"

/* What infer and predict share: their common options, and what is said of skipped images. */

#define OPT_MODE                                                                                   \
    { .name = "mode", .value = "MODE", .choices = "auto|reference", .initial = "auto",             \
      .help = "how to compute; auto is the fastest that model and CPU allow" }
#define OPT_DEVICE                                                                                 \
    { .name = "device", .value = "DEVICE", .choices = "cpu", .initial = "cpu",                     \
      .help = "what computes" }
#define OPT_CROPS                                                                                  \
    { .name = "crops", .value = "CROPS", .choices = "ten|center", .initial = "ten",                \
      .help = "windows of 224x224 that each image is scored with" }
#define OPT_OUT                                                                                    \
    { .name = "out", .value = "FILE", .help = "write the predictions as CSV" }
#define OPT_ON_BAD                                                                                 \
    { .name = "on-bad", .value = "POLICY", .choices = "fail|skip", .initial = "fail",              \
      .help = "what an unreadable image does: end the run, or be left out and counted" }
#define OPT_JSON { .name = "json", .help = "print one JSON object" }

/* Context and model from the command line; close both whatever is returned. */
enum cxn_status open_model(const struct invocation *inv, cxn_context **ctx, cxn_model **model,
                           struct cxn_error *err);

/* --crops, --on-bad and --out; progress is the caller's. */
void scoring_options(const struct invocation *inv, struct cxn_score_options *options);

/* "2 of 150 images skipped:" and a line for each, on stderr; nothing where none was. */
void print_skipped(const cxn_scores *scores);

/* The sentences of skipped images as a new array. */
json_t *skipped_json(const cxn_scores *scores);

#endif
