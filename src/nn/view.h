/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_VIEW_H
#define CXN_NN_VIEW_H

#include "nn/engine.h"
#include "nn/steps.h"

/* What every engine of device cpu checks before and after it computes. */

/* CXN_E_ARG for a view that breaks the rules of nn/engine.h or needs more room; i is its number. */
enum cxn_status cxn_view_check(const struct cxn_view *v, size_t i, const struct cxn_room *room,
                               struct cxn_error *err);

/* The same for the first of several. */
enum cxn_status cxn_views_check(const struct cxn_view *views, size_t count,
                                const struct cxn_room *room, struct cxn_error *err);

/* The least room for these views and all that there is room for already. */
struct cxn_room cxn_room_with(const struct cxn_room *room, const struct cxn_view *views,
                              size_t count);

/* Whether the window is of one channel, or of three equal samples everywhere, which must give the
 * bits of one. */
bool cxn_view_is_grey(const struct cxn_view *v);

/* CXN_E_FORMAT where a probability is not in 0..1: the weights are to blame. */
enum cxn_status cxn_prob_check(double p, size_t view, size_t output, struct cxn_error *err);

#endif
