/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_SCORING_H
#define CXN_TOOLS_SCORING_H

#include <jansson.h>

#include <chexnet/infer.h>

#include "command.h"

/* What infer and predict share beside their options. */

/* "auto|reference|...": the choices of --mode, from the library's table. */
void list_modes(char *choices);

/* Context and model from the command line; close both whatever is returned. */
enum cxn_status open_model(const struct invocation *inv, cxn_context **ctx, cxn_model **model,
                           struct cxn_error *err);

/* --crops, --on-bad and --out; progress is the caller's. */
void scoring_options(const struct invocation *inv, struct cxn_score_options *options);

/* The progress line of a run, with what the caller adds. */
void show_scored(struct progress *progress, const cxn_scores *so_far, size_t total,
                 const char *more);

/* "2 of 150 images skipped:" and a line for each, on stderr; nothing where none was. */
void print_skipped(const cxn_scores *scores);

/* The sentences of skipped images as a new array. */
json_t *skipped_json(const cxn_scores *scores);

#endif
