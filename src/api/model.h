/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_MODEL_H
#define CXN_API_MODEL_H

#include <chexnet/chexnet.h>

#include "api/context.h"
#include "image/image.h"
#include "nn/engine.h"

struct cxn_model {
    const struct cxn_env *env; /* the context's */
    const struct cxn_engine *engine;
    cxn_engine_state *state;
    struct cxn_room room; /* that the state has */
    cxn_net *net;
};

/* "ten", "center" or "full"; CXN_E_ARG for another word. */
enum cxn_status cxn_crops_parse(const char *word, enum cxn_crops *crops, struct cxn_error *err);

/*
 * Probabilities of pictures that cxn_picture_resize() made: the mean over each one's views.
 * pictures: count pointers, borrowed, that cxn_crops_check() let pass. prob: [count][CXN_FINDINGS].
 * Views larger than any before make the engine take memory for them.
 */
enum cxn_status cxn_model_score(cxn_model *model, const struct cxn_picture *const *pictures,
                                size_t count, enum cxn_crops crops, float *prob,
                                struct cxn_error *err);

#endif
