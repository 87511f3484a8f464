/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_CHECKPOINT_H
#define CXN_TRAIN_CHECKPOINT_H

#include "base/hash.h"
#include "model/safetensors.h"
#include "nn/trainer.h"
#include "train/json_text.h"

/*
 * A checkpoint is a folder with everything that a resume needs: weights.safetensors (a model as any
 * other), moments.safetensors and average.safetensors where there are such blocks, state.json, and
 * SHA256SUMS, which names the others with their hashes. docs/formats.md has the form. Numbers are
 * stored as they are, F32 or F64, to the bit.
 *
 * These functions know one folder. Which folder, and how it takes the place of the one before, is
 * run.h's.
 */

enum { CXN_MOMENTS_MAX = 2 };

/* Where training stands. */
struct cxn_place {
    uint64_t step, epoch; /* done; at most 2^53 */
    double best_auc;      /* mean AUC of best.safetensors; NaN: no finding has one, or no best */
};

/* What is saved. Everything is borrowed for the call. */
struct cxn_checkpoint_content {
    const cxn_net *net;
    struct cxn_place place;
    const json_t *state;     /* an object: all else the loop needs; 64-bit numbers that may be
                                over 2^63 - 1 as strings */
    struct cxn_span weights; /* float_count numbers, all spans of one type */
    unsigned moment_count;   /* 0..CXN_MOMENTS_MAX */
    struct cxn_span moments[CXN_MOMENTS_MAX]; /* param_count numbers each */
    struct cxn_span average; /* float_count numbers; data NULL: none */
    /* cxn_run_save() fills these in */
    uint64_t log_bytes;      /* of log.jsonl that belong to it */
    char best_sha256[CXN_SHA256_HEX_BYTES]; /* of best.safetensors; "": there is none */
};

/*
 * Write the files of a checkpoint into `folder`, which exists and is empty; each is synced, and the
 * folder too. CXN_E_ARG: spans of a wrong size or unlike types, a state that is not an object;
 * CXN_E_FORMAT: a number that is not finite, or a negative variance, by its tensor's name;
 * CXN_E_LIMIT: a state of more than the reader would take back; CXN_E_IO; CXN_E_NOMEM.
 */
enum cxn_status cxn_checkpoint_write(const struct cxn_env *env, const char *folder,
                                     const struct cxn_checkpoint_content *content,
                                     struct cxn_error *err);

/* Write a block of weights as a model, complete or not at all. metadata: what the file says of
 * itself. Errors as above. */
enum cxn_status cxn_checkpoint_write_model(const struct cxn_env *env, const char *path,
                                           const cxn_net *net, const struct cxn_span *weights,
                                           const struct cxn_out_pair *metadata,
                                           size_t metadata_count, struct cxn_error *err);

/* ---- reading ------------------------------------------------------------------------------ */

/* The files of blocks. */
enum { CXN_STORED_WEIGHTS, CXN_STORED_MOMENTS, CXN_STORED_AVERAGE, CXN_STORED_COUNT };

/* One of them, open. */
struct cxn_stored {
    char *path; /* NULL: there is none */
    bool open;
    struct cxn_file file;
    struct cxn_source source;
    struct cxn_tensors list;
};

/* A checkpoint that is open and was found whole. Zeroed is a closed one. Not to be moved while
 * open. */
struct cxn_checkpoint {
    const cxn_net *net; /* borrowed */
    struct cxn_place place;
    struct cxn_json state;
    enum cxn_number number;
    unsigned moment_count;
    bool has_average;
    uint64_t log_bytes;
    char best_sha256[CXN_SHA256_HEX_BYTES]; /* "": there was no best.safetensors */
    struct cxn_stored stored[CXN_STORED_COUNT];
};

/*
 * Untrusted input: names, sizes and hashes of all files are checked, then the shape of every tensor
 * against net. Texts name the file. CXN_E_FORMAT, CXN_E_LIMIT, CXN_E_IO, CXN_E_NOMEM; the
 * checkpoint is closed then.
 */
enum cxn_status cxn_checkpoint_open(struct cxn_checkpoint *c, const struct cxn_env *env,
                                    const cxn_net *net, const char *folder,
                                    struct cxn_error *err);

/* One block into memory of its size and type: CXN_BLOCK_WEIGHTS, _MOMENT (which: 0 or 1),
 * _AVERAGE. CXN_E_ARG where the checkpoint has no such block or it is of another size or type,
 * CXN_E_FORMAT for a number that is not finite, CXN_E_IO. */
enum cxn_status cxn_checkpoint_read(struct cxn_checkpoint *c, enum cxn_train_block block,
                                    unsigned which, const struct cxn_span *to,
                                    struct cxn_error *err);
void cxn_checkpoint_close(struct cxn_checkpoint *c);

#endif
