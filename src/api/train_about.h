/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_TRAIN_ABOUT_H
#define CXN_API_TRAIN_ABOUT_H

#include <jansson.h>

#include <chexnet/train.h>

#include "train/comm.h"
#include "train/settings.h"

/*
 * run.json: what a training is of. A new one is told by the caller's options, a resumed one by the
 * file; from there on both are read from this object. docs/formats.md has its members.
 */

/* Paths made absolute, settings as given over the initial ones and finished for that many ranks.
 * *about is the caller's. CXN_E_ARG, CXN_E_IO, CXN_E_NOMEM. */
enum cxn_status cxn_about_make(json_t **about, const struct cxn_train_options *options,
                               unsigned ranks, struct cxn_error *err);

/* The settings of the object, finished. CXN_E_FORMAT, or CXN_E_ARG for another number of ranks than
 * they allow. */
enum cxn_status cxn_about_settings(const json_t *about, unsigned ranks, struct cxn_settings *s,
                                   struct cxn_error *err);

/* A string member, NULL where it is null or missing. */
const char *cxn_about_text(const json_t *about, const char *name);

/* Sets a string member; CXN_E_NOMEM, or CXN_E_ARG for text that is not UTF-8. */
enum cxn_status cxn_about_set(json_t *about, const char *name, const char *text,
                              struct cxn_error *err);

/* Rank 0's object to all; others pass NULL and get one. */
enum cxn_status cxn_about_share(json_t **about, const struct cxn_comm *comm,
                                cxn_comm_state *peers, const struct cxn_env *env,
                                struct cxn_error *err);

#endif
