/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_SCORES_H
#define CXN_API_SCORES_H

#include <stdbool.h>

#include <chexnet/infer.h>

#include "base/file.h"
#include "data/list.h"

/* Room for `total` images from the first; nothing grows while scoring but the skip reasons. */
struct cxn_scores {
    struct cxn_mem *mem;
    size_t total, count;
    const char **names;  /* [total]; point into list or into own_names */
    float *prob;         /* [total][CXN_FINDINGS] */
    uint16_t *labels;    /* [total], or NULL */
    uint32_t *patients;  /* [total], or NULL */
    char **reasons;      /* [skipped_capacity] */
    size_t skipped, skipped_capacity;
    double seconds;
    cxn_list *list; /* owned; NULL for files */
    char *own_names;
};

/* Takes over *list (may be NULL) on success, and then writes NULL there. */
enum cxn_status cxn_scores_open(cxn_scores **scores, const struct cxn_env *env, size_t total,
                                cxn_list **list, struct cxn_error *err);

/* The next scored image; item NULL where there is no list. */
void cxn_scores_add(cxn_scores *scores, const char *name, const struct cxn_item *item,
                    const float *prob);

enum cxn_status cxn_scores_skip(cxn_scores *scores, const char *reason, struct cxn_error *err);

/* The whole of preds.csv. */
void cxn_scores_write(const cxn_scores *scores, cxn_out *out);

#endif
