/* SPDX-License-Identifier: Apache-2.0 */
/** What a file of weights holds: format, tensors, hash, metadata, and whether it is a CheXNet; and
 * what the folder of a training holds. */
#ifndef CHEXNET_INSPECT_H
#define CHEXNET_INSPECT_H

#include <chexnet/chexnet.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What was found in one file; it needs neither the file nor the context any more. */
typedef struct cxn_info cxn_info;

/** Dimensions of a tensor, at most. */
#define CXN_INFO_RANK_MAX 8

struct cxn_info_tensor {
    const char *name;       /**< as the file spells it */
    const char *understood; /**< torchvision's name of it in DenseNet-121, in an ONNX model by its
                                 place in the graph; "" for a counter of
                                 batches, which is not used; NULL when it is not part of one; in an
                                 optimised or quantised model its own name */
    const char *dtype;      /**< element type as safetensors names it: "F32", "I64", ... */
    uint32_t rank;          /**< 0..CXN_INFO_RANK_MAX */
    uint64_t dims[CXN_INFO_RANK_MAX];
};

/**
 * Read what a .safetensors, .pth or .onnx file holds; told apart by content, not by name. Nothing
 * in the file is ever executed.
 *
 * @param info  out: close with cxn_info_close(); NULL on error
 * @param ctx   its memory limit holds; NULL: none
 * @return CXN_OK         also for weights of another network: see cxn_info_misfit()
 *         CXN_E_IO       the file cannot be read
 *         CXN_E_FORMAT   not a weights file, or a broken one: the text says what and where
 *         CXN_E_LIMIT    over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM    over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_info_open(cxn_info **info, const cxn_context *ctx, const char *path,
                                      struct cxn_error *err);
CXN_API void cxn_info_close(cxn_info **info);

/* What follows belongs to info and lives as long. An index out of range gives NULL. */

/** "safetensors", "pth (zip)", "pth (legacy)" or "onnx". */
CXN_API const char *cxn_info_format(const cxn_info *info);
CXN_API uint64_t cxn_info_file_bytes(const cxn_info *info);
/** SHA-256 of the file as 64 lower-case hex digits (FIPS 180-4). */
CXN_API const char *cxn_info_sha256(const cxn_info *info);

CXN_API size_t cxn_info_tensor_count(const cxn_info *info);
/** In the order of the file's own list. */
CXN_API const struct cxn_info_tensor *cxn_info_tensor(const cxn_info *info, size_t i);

/** Metadata of a safetensors or ONNX file; .pth has none. */
CXN_API size_t cxn_info_metadata_count(const cxn_info *info);
CXN_API const char *cxn_info_metadata_key(const cxn_info *info, size_t i);
CXN_API const char *cxn_info_metadata_value(const cxn_info *info, size_t i);

/** One line on names that were understood although torchvision spells them otherwise; "" when
 * there are none. */
CXN_API const char *cxn_info_renamed(const cxn_info *info);

/** NULL when the file holds usable weights of DenseNet-121 with 14 outputs, values included, or an
 * optimised or quantised model that can be run; otherwise one line that says what is wrong
 * first. */
CXN_API const char *cxn_info_misfit(const cxn_info *info);

/** Modes that the file allows, "reference, fp32, bf16"; the one of an optimised or quantised
 * model; "" for a misfit. */
CXN_API const char *cxn_info_modes(const cxn_info *info);

/* ---- the folder of a training -------------------------------------------------------------- */

/** What was found in one folder; it needs neither the folder nor the context any more. */
typedef struct cxn_run_info cxn_run_info;

struct cxn_run_file {
    const char *name;    /**< below the folder: "last/weights.safetensors" */
    uint64_t bytes;
    const char *sha256;  /**< of a checkpoint's files as its SHA256SUMS has it; of the others known
                              when verified; NULL: not known */
};

struct cxn_run_checkpoint {
    const char *name;    /**< "last" or "before" */
    uint64_t step, epoch;
    double best_auc;     /**< mean AUC of best.safetensors at that time; NaN: it had none */
    int has_best;        /**< not 0: there was a best.safetensors */
};

/**
 * Read what a folder that chexnet train writes holds. A training may be writing it.
 *
 * @param info    out: close with cxn_run_info_close(); NULL on error
 * @param ctx     its memory limit holds; NULL: none
 * @param verify  not 0: every file is read: hashes, tensors and numbers of both checkpoints, the
 *                best model, every line of the log. 0: only the small files are
 * @return CXN_OK       also where something is wrong: see cxn_run_info_problem()
 *         CXN_E_IO     not such a folder (run.json cannot be read)
 *         CXN_E_NOMEM  over the context's budget, or no memory
 */
CXN_API enum cxn_status cxn_run_info_open(cxn_run_info **info, const cxn_context *ctx,
                                          const char *path, int verify, struct cxn_error *err);
CXN_API void cxn_run_info_close(cxn_run_info **info);

/** run.json as one JSON object; NULL where it is broken. */
CXN_API const char *cxn_run_info_config(const cxn_run_info *info);
/** Checkpoints that are there and can be described; an index out of range gives NULL. */
CXN_API size_t cxn_run_info_checkpoint_count(const cxn_run_info *info);
CXN_API const struct cxn_run_checkpoint *cxn_run_info_checkpoint(const cxn_run_info *info,
                                                                 size_t i);
CXN_API size_t cxn_run_info_file_count(const cxn_run_info *info);
CXN_API const struct cxn_run_file *cxn_run_info_file(const cxn_run_info *info, size_t i);
/** Lines of log.jsonl; the last one may be unfinished. */
CXN_API uint64_t cxn_run_info_log_lines(const cxn_run_info *info);
/** One line that says which file is wrong and how; NULL when i is not below the number of them. */
CXN_API const char *cxn_run_info_problem(const cxn_run_info *info, size_t i);

#ifdef __cplusplus
}
#endif
#endif
