/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_QUANTIZED_FILE_H
#define CXN_QUANT_QUANTIZED_FILE_H

#include "fuse/derived.h"
#include "quant/calibration.h"
#include "quant/quantized.h"

/*
 * Quantised models: the folded graph in 8 bits as a safetensors file, with what it was made of and
 * a probe picture with its answers. docs/int8.md and docs/formats.md are the contract.
 */

/* What the metadata tells beside cxn_derived_about. */
struct cxn_quantized_about {
    char calibration_sha256[CXN_SHA256_HEX_BYTES]; /* of the calibration's file */
    enum cxn_calibration_method method;
    size_t images;                 /* that the calibration saw, at least 1 */
    char auc_drop[CXN_WORD_BYTES]; /* a decimal number where it was measured, else "" */
};

/* ---- reading ------------------------------------------------------------------------------ */

/* A quantised file that was read. Zeroed is a closed one. */
struct cxn_quantized_file {
    struct cxn_derived derived; /* about, and the probe's reference and answers */
    struct cxn_quantized_about about;
    cxn_quantized *quantized; /* layers that were put back have a `low` */
};

/* Whether the list says that it is one. */
bool cxn_quantized_is(const struct cxn_tensors *list);

/*
 * Untrusted input. CXN_OK; CXN_E_FORMAT: metadata, or the first tensor that is missing, unexpected
 * or of another shape or type, or the first number that the engine does not take, or answers of
 * the probe that are not probabilities or further apart than the engine promises; CXN_E_IO;
 * CXN_E_NOMEM. Texts do not name the file. Close in either case. All but file is borrowed.
 * cxn_derived_probe() opens the probe.
 */
enum cxn_status cxn_quantized_read(struct cxn_quantized_file *file, const cxn_fold *fold,
                                   const struct cxn_tensors *list, const struct cxn_source *source,
                                   struct cxn_error *err);
void cxn_quantized_file_close(struct cxn_quantized_file *file);

/* ---- writing ------------------------------------------------------------------------------ */

/* What is to be written; borrowed. Layers are put back where `low` says so. */
struct cxn_quantized_content {
    struct cxn_derived_about derived;
    struct cxn_quantized_about about;
    const cxn_quantized *quantized; /* as the reader takes it */
    const struct cxn_probe *probe;
    const float *reference, *answers; /* [CXN_PROBE_VIEWS][classes] */
};

/* CXN_OK; CXN_E_NOMEM; what cxn_safetensors_write() returns. */
enum cxn_status cxn_quantized_write(const struct cxn_env *env, const char *path,
                                    const struct cxn_quantized_content *content,
                                    struct cxn_error *err);

#endif
