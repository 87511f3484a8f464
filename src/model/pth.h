/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_PTH_H
#define CXN_MODEL_PTH_H

#include "model/pickle.h"

/* Where the bytes of one storage of a pickle lie. */
struct cxn_pth_place {
    uint64_t offset_bytes;
    int32_t record; /* as in struct cxn_tensor */
    bool found;
};

/*
 * Add the tensors of the state_dict in a pickle to list: the root itself, or what is under
 * state_dict or model in it. places has one for each storage of the pickle, all found.
 */
enum cxn_status cxn_pth_list(struct cxn_tensors *list, const struct cxn_pickle *p,
                             const struct cxn_pth_place *places, struct cxn_error *err);

#endif
