/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_CK_H
#define CXN_TESTS_CK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"
#include "kern/conv_bordered.h"
#include "kern/kern.h"

/*
 * The kernel test bench. A check says what an operation must give (in double, as the definition
 * reads) and how a row computes it; the bench runs the row between guards, twice, and compares.
 */
struct ck {
    const struct cxn_kern_op *op;
    size_t row;
    uint64_t seed;
    double peak; /* for ck_time(): ck_machine_peak() */
    struct cxn_random random;
    size_t failures; /* of this row, as the next two */
    size_t numbers, zeros; /* compared, and how many of them should be 0 */
    struct block { struct block *next; } *blocks;
};

/* A check of one operation: tests, or measures, row t->row of t->op. */
struct ck_check {
    const struct cxn_kern_op *op;
    void (*check)(struct ck *t);
    void (*bench)(struct ck *t);
};

extern const struct ck_check ck_window, ck_conv, ck_norm_relu, ck_max_pool, ck_avg_pool, ck_mean,
    ck_linear, ck_sigmoid, ck_conv_bordered, ck_samples, ck_max_pool_row, ck_norm_relu_pool,
    ck_conv_bordered_bf16, ck_norm_relu_bf16, ck_norm_relu_pool_bf16, ck_round_bf16,
    ck_max_pool_row_bf16, ck_samples_bf16, ck_norm_relu_bf16_f32, ck_norm_relu_pool_bf16_f32,
    ck_winograd_data, ck_winograd_inverse, ck_wgrad, ck_channel_sums, ck_norm_relu_grad,
    ck_norm_center, ck_max_pool_grad_row, ck_wgrad_bf16, ck_pairs_bf16, ck_transpose_bf16,
    ck_norm_relu_grad_bf16, ck_norm_center_bf16, ck_channel_sums_bf16,
    ck_max_pool_grad_row_bf16, ck_hinge_conv, ck_conv_bordered_i8,
    ck_hinge_conv_i8, ck_hinge_pool_i8, ck_sums_u8, ck_max_pool_row_u8, ck_samples_u8;

/* ---- the machine: this CPU, or in checkkern_emulated one with AVX-512 and all above it ----- */

/* Whether rows like this are checked on it, or elsewhere. */
bool ck_machine_concerns(const struct cxn_kern_row *row);
/* Of the features that the row needs and the machine lacks the last, or NULL. */
const char *ck_machine_lacks(const struct cxn_kern_row *row);
/* Products and sums a second of float32 that a core can do with the row's features; 0: unknown. */
double ck_machine_peak(const struct cxn_kern_row *row);
/* What the row that ran should have given back, or NULL. */
const char *ck_machine_left(void);

/* ---- inputs: owned by the bench until ck_reset() ------------------------------------------ */

enum ck_fill {
    CK_UNIT,     /* -1..1 */
    CK_EXTREMES, /* runs of 0, -0, denormals, halfway between two bfloat16, and numbers as large as
                    sums of squares allow */
    CK_NAN,      /* -1..1, and one NaN */
    CK_FILLS
};

/* Exactly as long as asked, so that ASan sees a read past the end, and at an address that is a
 * multiple of 4 but not of 16, since maps begin at any channel. */
float *ck_f32(struct ck *t, size_t count, enum ck_fill fill);
/* Inputs of an operation on float32 or, where its name says so, bytes, whatever the fill, or
 * bfloat16; there without denormals, which a row may take for 0. ck_number() reads number i of
 * them. */
bool ck_is_bf16(const struct ck *t);
bool ck_is_bytes(const struct ck *t);
bool ck_gives_bf16(const struct ck *t); /* its name ends so; _bf16_f32 goes from one to the other */
const void *ck_numbers(struct ck *t, size_t count, enum ck_fill fill);
double ck_number(const struct ck *t, const void *numbers, size_t i);
double ck_max(double a, double b); /* a NaN wins */
/* What conv_bordered_i8.h makes of a sum, each operation rounded on its own; low: the sum by the
 * second part of weights, or NULL. Then the byte it is. */
float ck_requantized(int32_t sum, const int32_t *low, float m, float b);
double ck_byte(float value);
uint8_t *ck_u8(struct ck *t, size_t count); /* runs of 0 and 255, then anything */
int8_t *ck_s8(struct ck *t, size_t count, int least, int most);
/* The mean of eight such: its deviation is a tenth of the range, as of trained weights. */
int8_t *ck_s8_bell(struct ck *t, size_t count, int least, int most);
double *ck_f64(struct ck *t, size_t count); /* zeros */
float *ck_aligned(struct ck *t, size_t count); /* on 64 bytes, as packed weights are; zeros */
size_t ck_below(struct ck *t, size_t n);

/* What is read next: unknown, nothing, or these bytes. */
struct cxn_ahead ck_ahead(struct ck *t, const void *first, size_t bytes);
void ck_reset(struct ck *t); /* frees all */

/* ---- verdict ------------------------------------------------------------------------------ */

typedef void ck_run_fn(const struct ck *t, const void *args, float *dst);

enum ck_output { CK_FLOATS, CK_BYTES, CK_INTS }; /* CK_FLOATS: or bfloat16 */

/* dst has `count` places, `step` numbers apart, of which the first `width` are written; unless
 * `row` is 0, every `row` places begin row_step numbers behind those before. What run() gets as
 * floats are bfloat16 numbers where bf16 is set, and u8 or int32 where `output` says so. */
struct ck_case {
    ck_run_fn *run;
    const void *args;
    size_t count, step, width, row, row_step;
    bool bf16;
    enum ck_output output;
    const double *want;      /* [count][width] */
    const double *magnitude; /* [count][width]: sum of the absolute terms of want */
    size_t terms;            /* roundings on the way to a number; 0: exact */
};

/* Says so, with the one line that repeats it, where the row is wrong; `shape` is printf's. */
void ck_verify(struct ck *t, const struct ck_case *c, const char *shape, ...)
    __attribute__((format(printf, 3, 4)));

/* A row that compared mostly zeros has failed: it proves nothing. After all ck_verify() calls. */
void ck_mistrust(struct ck *t);

/* Print the best rate over a few tenths of a second, and the share of the peak. One of flops and
 * bytes a run is not 0. */
void ck_time(const struct ck *t, ck_run_fn *run, const void *args, float *dst, double flops,
             double bytes, const char *shape, ...) __attribute__((format(printf, 7, 8)));

#endif
