/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_CHECKPOINT_FORM_H
#define CXN_TRAIN_CHECKPOINT_FORM_H

#include "base/hash.h"
#include "model/dtype.h"
#include "train/checkpoint.h"

/* What writer and reader of checkpoints share: names of files, order and names of tensors, the list
 * of hashes. */

/* The files of blocks come first, as CXN_STORED_ counts them. */
enum { CXN_CHECKPOINT_STATE = CXN_STORED_COUNT, CXN_CHECKPOINT_FILES };
extern const char *const cxn_checkpoint_files[CXN_CHECKPOINT_FILES];
#define CXN_CHECKPOINT_SUMS "SHA256SUMS"

/* "folder/name", to be freed with cxn_free(); NULL without memory. */
char *cxn_path_join(struct cxn_mem *mem, const char *folder, const char *name);

enum cxn_status cxn_path_sha256(const char *path, char hex[CXN_SHA256_HEX_BYTES],
                                struct cxn_error *err);

/* best.safetensors is what the checkpoint tells of: its hash in `found`, "" where there is none.
 * CXN_E_FORMAT. */
enum cxn_status cxn_best_compare(const struct cxn_checkpoint *c, const char *path,
                                 const char *found, struct cxn_error *err);

/* ---- blocks ------------------------------------------------------------------------------- */

enum { CXN_STORED_NAME_BYTES = CXN_NET_NAME_BYTES + 16 };

/* Tensor of a file of blocks. */
struct cxn_stored_tensor {
    char name[CXN_STORED_NAME_BYTES];
    unsigned which; /* block of moments, else 0 */
    const struct cxn_net_tensor *tensor;
};

/* Room for that many: tensors in the largest file. */
size_t cxn_stored_max(const cxn_net *net);

/* All tensors of file `stored`, in the order in which they stand in it; returns their number. */
size_t cxn_stored_list(const cxn_net *net, int stored, unsigned moment_count,
                       struct cxn_stored_tensor *tensors);

/* No file of a checkpoint, nor a model, is larger. */
uint64_t cxn_stored_bytes_max(const cxn_net *net);

enum cxn_dtype cxn_number_dtype(enum cxn_number number);

/* Where a tensor's numbers lie in a block. */
void *cxn_stored_at(const struct cxn_span *block, const struct cxn_net_tensor *tensor);

/* CXN_E_FORMAT with name and element of a number that is not finite or, in weights, a variance that
 * is negative. */
enum cxn_status cxn_stored_check(const struct cxn_stored_tensor *t, int stored,
                                 const struct cxn_span *block, struct cxn_error *err);

/* ---- the list of hashes, in the form of sha256sum(1) --------------------------------------- */

enum { CXN_SUMS_MAX_BYTES = 512 };

struct cxn_sums {
    bool has[CXN_CHECKPOINT_FILES]; /* weights and state always */
    char sha256[CXN_CHECKPOINT_FILES][CXN_SHA256_HEX_BYTES];
};

/* Returns the bytes of text. */
size_t cxn_sums_print(const struct cxn_sums *sums, char text[CXN_SUMS_MAX_BYTES]);

/* Exactly what cxn_sums_print() writes. CXN_E_FORMAT with the line. */
enum cxn_status cxn_sums_parse(struct cxn_sums *sums, const void *text, size_t size,
                               struct cxn_error *err);

/* SHA256SUMS and state.json of a checkpoint, which tell what the others are: place, state and
 * counts of blocks in *c. As cxn_checkpoint_open(); close in either case. */
enum cxn_status cxn_checkpoint_peek(struct cxn_checkpoint *c, struct cxn_sums *sums,
                                    struct cxn_mem *mem, const char *folder,
                                    struct cxn_error *err);

/* ---- state.json --------------------------------------------------------------------------- */

/* What state.json holds, all but the files. Takes the root over from json, whose place it takes in
 * c->state; *json is closed. CXN_E_FORMAT. */
enum cxn_status cxn_state_take(struct cxn_json *json, struct cxn_checkpoint *c,
                               struct cxn_error *err);

/* A new object, or NULL without memory. */
json_t *cxn_state_make(const struct cxn_checkpoint_content *content);

#endif
