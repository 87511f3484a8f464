/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_MATCH_H
#define CXN_MODEL_MATCH_H

#include "base/mem.h"
#include "model/tensors.h"
#include "nn/densenet.h"

enum { CXN_MATCH_NONE = -1, CXN_MATCH_IGNORED = -2, CXN_MATCH_PREFIX_BYTES = 64 };

/* Which tensor of a file is which of a network. Zeroed is an empty one. */
struct cxn_match {
    int32_t *item_of; /* [net->tensor_count]: number in the list, or CXN_MATCH_NONE */
    int32_t *net_of;  /* [list->count]: number in the net, CXN_MATCH_IGNORED for a counter of
                         batches, or CXN_MATCH_NONE */
    size_t prefix_count, spelling_count, head_count; /* tensors that a rule of names.h renamed */
    size_t ignored_count;
    uint64_t head_classes; /* of a head that cxn_match_allow_head() lets differ, else 0 */
    char prefix[CXN_MATCH_PREFIX_BYTES]; /* the first one taken off, perhaps cut */
};

/*
 * Find every tensor of the net in the list. Fails only for memory, or for two tensors that mean the
 * same one (CXN_E_FORMAT); what is missing stays CXN_MATCH_NONE. Close also after an error.
 */
enum cxn_status cxn_match_open(struct cxn_match *match, struct cxn_mem *mem,
                               const struct cxn_tensors *list, const cxn_net *net,
                               struct cxn_error *err);
void cxn_match_close(struct cxn_match *match);

/* Let the list's head have another number of classes than the net's, as for training from weights
 * of another task. Where both its tensors agree on such a number it becomes head_classes, and
 * cxn_match_check() passes over their shapes; where they do not nothing changes. */
void cxn_match_allow_head(struct cxn_match *match, const struct cxn_tensors *list,
                          const cxn_net *net);

/* Whether the net's tensor is one of a head that differs. */
bool cxn_match_leaves(const struct cxn_match *match, const struct cxn_net_tensor *t);

/* CXN_E_FORMAT that names the first tensor that is missing, then the first unexpected one, then the
 * first of another shape or type; CXN_OK when the list is exactly the net. */
enum cxn_status cxn_match_check(const struct cxn_match *match, const struct cxn_tensors *list,
                                const cxn_net *net, struct cxn_error *err);

#endif
