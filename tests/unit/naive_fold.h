/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_NAIVE_FOLD_H
#define CXN_TESTS_NAIVE_FOLD_H

#include "quant/calibration.h"
#include "quant/quantized.h"

/*
 * The folded graph place by place, in double and in integers, written from docs/int8.md and for
 * clearness: what quantisation is compared with. For grey pictures of one side.
 */

enum { NAIVE_SIDE = 64, NAIVE_CLASSES = 14 };

/* In double; what calibration collects is kept for each picture seen. */
struct naive_stats {
    cxn_calibration *calibration; /* opened by the caller; its numbers are ready after finish */
    size_t *counts;               /* [fold->count]: numbers of each channel so far */
};
void naive_stats_open(struct naive_stats *s, const cxn_fold *fold);
void naive_stats_finish(struct naive_stats *s);
void naive_stats_close(struct naive_stats *s);

/* pixels: [NAIVE_SIDE][NAIVE_SIDE]. logits: [NAIVE_CLASSES]. stats may be NULL. */
void naive_float(const struct cxn_fold_source *source, const uint8_t *pixels,
                 struct naive_stats *stats, double *logits);
void naive_bytes(const cxn_quantized *quantized, const uint8_t *pixels, double *logits);

#endif
