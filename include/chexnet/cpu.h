/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What this CPU may execute, and which kernel each operation and mode gets because of it.
 *
 *     struct cxn_cpu_kernel k;
 *     for (size_t i = 0; cxn_cpu_kernel_at(ctx, i, &k) == CXN_OK; i++)
 *         printf("%s: %s %s\n", k.operation, k.level, k.reason);
 *
 * Allocates nothing; any thread may call these functions at any time.
 */
#ifndef CHEXNET_CPU_H
#define CHEXNET_CPU_H

#include <stddef.h>
#include <stdint.h>

#include <chexnet/chexnet.h>
#include <chexnet/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a text in the records below, the final NUL included. */
#define CXN_CPU_TEXT_BYTES 96

/** The processor's name as it gives it, e.g. "AMD EPYC"; "" where it gives none. */
struct cxn_cpu_name {
    char text[CXN_CPU_TEXT_BYTES];
};
CXN_API void cxn_cpu_name(struct cxn_cpu_name *name);

/** One group of instructions above the baseline. */
struct cxn_cpu_feature {
    const char *name;                /**< "AVX2", "AMX INT8", ...; static storage */
    int32_t usable;                  /**< 1: kernels of this context may use it; else 0 */
    char reason[CXN_CPU_TEXT_BYTES]; /**< why, for people */
};

/**
 * Feature i of the list, 0 up.
 *
 * @param ctx  whose level (cxn_options.cpu, CHEXNET_CPU) applies; NULL: no kernel above level c
 * @param out  written on success alone
 * @return CXN_OK; CXN_E_ARG past the end of the list, or for out NULL
 */
CXN_API enum cxn_status cxn_cpu_feature_at(const cxn_context *ctx, size_t i,
                                           struct cxn_cpu_feature *out);

/** One way of computing one operation. */
struct cxn_cpu_kernel {
    const char *operation;           /**< "conv_f32", ...; static storage */
    const char *does;                /**< what the operation is, one phrase; static storage */
    const char *level;               /**< "c", "avx2", ...; static storage */
    int32_t picked;                  /**< 1: the one that this context gets; one an operation */
    char reason[CXN_CPU_TEXT_BYTES]; /**< why it is picked, or why not */
};

/**
 * Row i of all kernels, 0 up: operation after operation, each from its slowest row on. Parameters
 * and results as cxn_cpu_feature_at(). A mode need not use every operation: mode "reference"
 * computes with level c on every CPU, and "bf16" in float32 on one that has nothing faster.
 */
CXN_API enum cxn_status cxn_cpu_kernel_at(const cxn_context *ctx, size_t i,
                                          struct cxn_cpu_kernel *out);

/** One mode of cxn_model_open(). */
struct cxn_cpu_mode {
    const char *mode;  /**< "reference", "fp32", ...; static storage */
    const char *level; /**< of the kernels that do most of its work: "c", "avx2", ...; static */
    int32_t is_auto;   /**< 1: the one that "auto" takes, if the model allows it; else 0 */
};

/** Mode i of the list, 0 up. Parameters and results as cxn_cpu_feature_at(). */
CXN_API enum cxn_status cxn_cpu_mode_at(const cxn_context *ctx, size_t i,
                                        struct cxn_cpu_mode *out);

#ifdef __cplusplus
}
#endif
#endif
