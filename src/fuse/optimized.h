/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_OPTIMIZED_H
#define CXN_FUSE_OPTIMIZED_H

#include "fuse/derived.h"
#include "nn/precision.h"

/*
 * Optimised models: the folded graph as a safetensors file, with what it was made of and a probe
 * picture with its answers. docs/formats.md is the contract.
 */

/* The row of the engine table whose numbers those are; its name is the precision's. */
const struct cxn_engine *cxn_precision_engine(enum cxn_precision precision);

/* CXN_E_ARG for another word, with those there are. */
enum cxn_status cxn_precision_parse(const char *word, enum cxn_precision *precision,
                                    struct cxn_error *err);

/* ---- reading ------------------------------------------------------------------------------ */

/* An optimised file that is open. Zeroed is a closed one. */
struct cxn_optimized {
    struct cxn_derived derived;
    enum cxn_precision precision; /* of the convolutions' weights; the stem is float32 too */
};

/*
 * Untrusted input. CXN_OK; CXN_E_FORMAT: metadata, or the first tensor that is missing, unexpected
 * or of another shape or type, or answers of the probe that are not probabilities or further apart
 * than the engine promises; CXN_E_IO; CXN_E_NOMEM. Texts do not name the file. Close in either
 * case. All but o is borrowed. Not to be moved while open.
 */
enum cxn_status cxn_optimized_open(struct cxn_optimized *o, const cxn_fold *fold,
                                   const struct cxn_tensors *list, const struct cxn_source *source,
                                   struct cxn_error *err);
void cxn_optimized_close(struct cxn_optimized *o);

/* Its numbers, read as they are asked for. read() returns CXN_E_FORMAT that names the first value
 * that is not finite, or CXN_E_IO. Borrows the optimised file. */
struct cxn_fold_source cxn_optimized_source(const struct cxn_optimized *o);

/* Reads all numbers; what the source's read() returns. */
enum cxn_status cxn_optimized_check(const struct cxn_optimized *o, struct cxn_error *err);

/* ---- writing ------------------------------------------------------------------------------ */

/* What is to be written; borrowed. */
struct cxn_optimized_content {
    struct cxn_derived_about about;
    enum cxn_precision precision;
    const struct cxn_fold_source *source;
    const struct cxn_probe *probe;
    const float *reference, *answers; /* [CXN_PROBE_VIEWS][classes] */
};

/* CXN_OK; CXN_E_FORMAT that names the first folded number that is not finite in that precision;
 * what cxn_safetensors_write() returns. */
enum cxn_status cxn_optimized_write(const struct cxn_env *env, const char *path,
                                    const struct cxn_optimized_content *content,
                                    struct cxn_error *err);

#endif
