/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_WEIGHTS_H
#define CXN_MODEL_WEIGHTS_H

#include "base/env.h"
#include "model/match.h"
#include "model/tensors.h"
#include "nn/densenet.h"

/* What was found in a file of weights. */
struct cxn_weights_report {
    const char *format;  /* "safetensors", "pth (zip)", "pth (legacy)", "onnx"; static storage */
    size_t tensor_count; /* in the file, counters of batches included */
    size_t prefix_count, spelling_count, head_count; /* names changed by each rule of names.h */
    char prefix[CXN_MATCH_PREFIX_BYTES];             /* the prefix, "" when there was none */
    uint64_t head_classes; /* of a head that was left out, else 0; cxn_weights_load_start() */
};

/* A file of weights that is open, and the list of its tensors. Zeroed is a closed one. Not to be
 * moved while open. */
struct cxn_weights_file {
    const char *path; /* borrowed */
    struct cxn_file file;
    struct cxn_source source;
    struct cxn_tensors list;
    bool open;
};

/* CXN_OK, or what cxn_weights_load() returns; texts name the file. Close it in either case. */
enum cxn_status cxn_weights_file_open(struct cxn_weights_file *f, struct cxn_mem *mem,
                                      const char *path, struct cxn_error *err);
void cxn_weights_file_close(struct cxn_weights_file *f);

/*
 * Read the weights of exactly this network from a safetensors or .pth file, told apart by content,
 * and convert them to float32. Untrusted input: limits in docs/untrusted-files.md.
 *
 * block   out: net->float_count floats in the net's order, to be freed with cxn_free(); NULL on
 *         error
 * report  out, may be NULL
 *
 * Returns CXN_OK; CXN_E_IO; CXN_E_LIMIT; CXN_E_NOMEM; CXN_E_FORMAT: not such a file, or the first
 * tensor that is missing, unexpected, of another shape or type, not finite, or a negative variance.
 * Renamed tensors are told to env->log as one note. Peak memory: the block and one tensor.
 */
enum cxn_status cxn_weights_load(const struct cxn_env *env, const char *path, const cxn_net *net,
                                 float **block, struct cxn_weights_report *report,
                                 struct cxn_error *err);

/*
 * The same to begin training with, perhaps from weights of another task: a head with another number
 * of classes is left out, which report (here not NULL) and a note in env->log tell. Its numbers in
 * the block are then 0, and the caller's to make. Everything else must be as above.
 */
enum cxn_status cxn_weights_load_start(const struct cxn_env *env, const char *path,
                                       const cxn_net *net, float **block,
                                       struct cxn_weights_report *report, struct cxn_error *err);

/* The same as cxn_weights_load() from a file that is open. */
enum cxn_status cxn_weights_file_load(const struct cxn_env *env, struct cxn_weights_file *file,
                                      const cxn_net *net, float **block,
                                      struct cxn_weights_report *report, struct cxn_error *err);

/* The same from a source; texts do not name the file, nothing is logged. */
enum cxn_status cxn_weights_load_source(const struct cxn_env *env, const struct cxn_source *source,
                                        const cxn_net *net, float **block,
                                        struct cxn_weights_report *report, struct cxn_error *err);

/* The same from a list and a match that were read before. The match decides whether a head may be
 * left out. */
enum cxn_status cxn_weights_fill(struct cxn_tensors *list, const struct cxn_source *source,
                                 const struct cxn_match *match, const cxn_net *net, float **block,
                                 struct cxn_error *err);

/* CXN_E_FORMAT that names the first value of a tensor of the net which is not finite, or is a
 * negative variance. name: the file's of it. */
enum cxn_status cxn_weights_check_values(const struct cxn_net_tensor *t, const char *name,
                                         const float *values, struct cxn_error *err);

/* Notes to env->log on renamed tensors and a head that was left out. */
void cxn_weights_report_tell(const struct cxn_env *env, const char *path, const cxn_net *net,
                             const struct cxn_weights_report *report);

/* One line about renamed tensors; "" when there are none. Returns text. */
const char *cxn_weights_renamed(const struct cxn_weights_report *report, char *text, size_t size);

/* What a list and its match tell. */
struct cxn_weights_report cxn_weights_report_make(const struct cxn_tensors *list,
                                                  const struct cxn_match *match);

#endif
