/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chexnet: 14 findings on a frontal chest radiograph, with DenseNet-121 (CheXNet).
 * For research use. Not a medical device.
 *
 * A complete program:
 *
 *     #include <chexnet/chexnet.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct cxn_error err = { "" };
 *         cxn_context *ctx = NULL;
 *         cxn_model *model = NULL;
 *         float prob[CXN_FINDINGS];
 *         if (argc != 3) return 2;
 *         enum cxn_status status = cxn_context_open(&ctx, NULL, &err);
 *         if (!status) status = cxn_model_open(&model, ctx, argv[1], "auto", &err);
 *         if (!status) status = cxn_predict_file(model, argv[2], "ten", prob, &err);
 *         for (int i = 0; !status && i < CXN_FINDINGS; i++)
 *             printf("%-20s %.4f\n", cxn_finding_name(i), prob[i]);
 *         if (status) fprintf(stderr, "%s\n", err.text);
 *         cxn_model_close(&model);
 *         cxn_context_close(&ctx);
 *         return cxn_status_exit(status);
 *     }
 *
 * Objects are opaque and opened with cxn_..._open(), closed with cxn_..._close(), which frees and
 * writes NULL; closing NULL does nothing. Errors are the caller's: a code, and one line of text in
 * a cxn_error, which may be NULL. Nothing is global, nothing is printed, no call ends the process.
 */
#ifndef CHEXNET_CHEXNET_H
#define CHEXNET_CHEXNET_H

#include <stddef.h>
#include <stdint.h>

#include <chexnet/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** "0.1.0". Static storage. */
CXN_API const char *cxn_version(void);

/** Findings, and floats in every prob array. */
#define CXN_FINDINGS 14

/** Name of finding i, 0..CXN_FINDINGS - 1, as ChestX-ray14 spells it; NULL for another i. */
CXN_API const char *cxn_finding_name(int i);

/* ---- context: what the work may use ------------------------------------------------------- */

/** Threads, memory budget, instruction level and log of everything opened with it. */
typedef struct cxn_context cxn_context;

/** Zeroed means defaults. */
struct cxn_options {
    uint32_t threads;            /**< 1..256; 0: every CPU this process may run on */
    uint64_t memory_limit_bytes; /**< budget of the library's allocations; 0: none */
    const char *cpu;             /**< highest level of kernels: c, avx2, ...; NULL: the variable
                                      CHEXNET_CPU, or else the best this CPU has */
    void (*log)(void *log_ctx, const char *text); /**< notes for the user, one line each; may be
                                      called from any thread; NULL: dropped */
    void *log_ctx;
};

/**
 * @param ctx      out: the context, NULL on error
 * @param options  borrowed for the call; NULL for defaults
 * @return CXN_OK; CXN_E_ARG for an unknown level or too many threads; CXN_E_NOMEM
 *
 * A context and everything opened with it serve one thread at a time; open one for each thread
 * that works independently. Calls that compute do so in the default floating-point mode, whatever
 * the caller's is (fesetround(), FTZ), and give the caller's back.
 */
CXN_API enum cxn_status cxn_context_open(cxn_context **ctx, const struct cxn_options *options,
                                         struct cxn_error *err);
CXN_API void cxn_context_close(cxn_context **ctx);

/** Threads that really work, 1..256. */
CXN_API uint32_t cxn_context_threads(const cxn_context *ctx);

/** Name of the instruction level in use: "c", "avx2", ... Static storage. */
CXN_API const char *cxn_context_level(const cxn_context *ctx);

/** Largest resident memory of this process so far, in bytes; 0 where the system does not say. */
CXN_API uint64_t cxn_peak_memory_bytes(void);

/* ---- model and prediction ----------------------------------------------------------------- */

/** Trained weights, ready to compute in one mode. */
typedef struct cxn_model cxn_model;

/**
 * Read weights (.safetensors, .pth in either form of torch.save, or an ONNX model; told apart by
 * content) of a DenseNet-121 with 14 outputs, or a model derived from such: optimised or quantised.
 *
 * @param path  the file; read, not mapped, so that it may be replaced afterwards
 * @param mode  "auto" (the fastest that file and CPU allow), "reference", "fp32", "bf16" or "int8"
 * @return CXN_OK
 *         CXN_E_ARG     an unknown mode, or not the one that an optimised or quantised model
 *                       is for; "int8" is for quantised ones alone
 *         CXN_E_IO      the file cannot be read
 *         CXN_E_FORMAT  not a weights file, or weights of another network: the text names the
 *                       first tensor that is missing, unexpected, of another shape, not finite, or
 *                       a negative variance, or the first node of a graph that does not fit
 *         CXN_E_LIMIT   over a limit of docs/untrusted-files.md
 *         CXN_E_NOMEM   over the context's budget, or no memory
 *
 * Notes about renamed keys go to the context's log. The context must outlive the model.
 */
CXN_API enum cxn_status cxn_model_open(cxn_model **model, cxn_context *ctx, const char *path,
                                       const char *mode, struct cxn_error *err);
CXN_API void cxn_model_close(cxn_model **model);

/** The mode that "auto" came to, e.g. "reference". Static storage. */
CXN_API const char *cxn_model_mode(const cxn_model *model);

/** Instruction level of the kernels that do most of its work: "c", "avx2", ... Static storage. */
CXN_API const char *cxn_model_level(const cxn_model *model);

/**
 * Score one PNG or JPEG file of any size.
 *
 * @param crops  "ten": mean of the ten crops of the reference; "center": the centre crop alone;
 *               "full": mean of the whole picture, shorter side 256, and its mirror image, which
 *               needs more memory from the first such call on
 * @param prob   out: CXN_FINDINGS floats in 0..1, not calibrated; not written on error
 * @return CXN_OK; CXN_E_ARG; CXN_E_IO; CXN_E_FORMAT or CXN_E_LIMIT for the picture, the latter also
 *         for "full" where one side is more than twice the other; CXN_E_NOMEM
 *
 * The same input gives the same bits for any number of threads.
 */
CXN_API enum cxn_status cxn_predict_file(cxn_model *model, const char *path, const char *crops,
                                         float prob[CXN_FINDINGS], struct cxn_error *err);

/** 8-bit samples in memory, borrowed: rows from the top, channels interleaved. */
struct cxn_pixels {
    const uint8_t *data;
    uint32_t width, height; /**< 1..32768 */
    uint32_t channels;      /**< 1 grey, 3 RGB */
    size_t stride_bytes;    /**< from one row to the next, at least width * channels */
};

/** As cxn_predict_file(), of pixels in memory of any size. */
CXN_API enum cxn_status cxn_predict_pixels(cxn_model *model, const struct cxn_pixels *pixels,
                                           const char *crops, float prob[CXN_FINDINGS],
                                           struct cxn_error *err);

#ifdef __cplusplus
}
#endif
#endif
