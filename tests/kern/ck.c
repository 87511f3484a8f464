/* SPDX-License-Identifier: Apache-2.0 */
#include "ck.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kern/bf16.h"

enum { GUARD_NUMBERS = 32, HEADER_BYTES = 64 };

/* A NaN that no kernel computes: what a guard, a gap and a number not yet written look like. */
static const uint32_t PAINT = 0xffdeffde;
/* A byte that is not where saturation ends; of integers none is sure not to be computed. */
static const uint32_t BYTE_PAINT = 0xa7a7a7a7;

static void *keep(struct ck *t, size_t bytes)
{
    struct block *b = calloc(1, HEADER_BYTES + bytes);
    if (!b) {
        fputs("checkkern: no memory\n", stderr);
        exit(1);
    }
    b->next = t->blocks;
    t->blocks = b;
    return (char *)b + HEADER_BYTES;
}

void ck_reset(struct ck *t)
{
    while (t->blocks) {
        struct block *b = t->blocks;
        t->blocks = b->next;
        free(b);
    }
}

size_t ck_below(struct ck *t, size_t n)
{
    return cxn_random_below(&t->random, (uint32_t)n);
}

struct cxn_ahead ck_ahead(struct ck *t, const void *first, size_t bytes)
{
    const size_t which = ck_below(t, 3);
    return (struct cxn_ahead){ which > 0 ? first : NULL, which > 1 ? bytes : 0 };
}

static float unit(struct ck *t)
{
    return (float)(2.0 * cxn_random_unit(&t->random) - 1.0);
}

static float extreme(struct ck *t)
{
    static const float values[] = { 0.0f, -0.0f, FLT_TRUE_MIN, -FLT_MIN / 3, 1e15f, -1e15f,
                                    0x1.01p0f, -0x1.03p0f };
    const size_t i = ck_below(t, 2 * CXN_COUNTOF(values));
    return i < CXN_COUNTOF(values) ? values[i] : unit(t);
}

float *ck_f32(struct ck *t, size_t count, enum ck_fill fill)
{
    float *p = (float *)keep(t, (count + 1) * sizeof *p) + 1;
    for (size_t i = 0; i < count;) {
        const size_t left = count - i, run = 1 + ck_below(t, left < 9 ? left : 9);
        const float value = extreme(t); /* drawn for either fill: one stream, one layout */
        for (size_t end = i + run; i < end; i++) p[i] = fill == CK_EXTREMES ? value : unit(t);
    }
    if (fill == CK_NAN) p[ck_below(t, count)] = copysignf(NAN, -1.0f); /* as x86 makes them */
    return p;
}

bool ck_is_bf16(const struct ck *t)
{
    return strstr(t->op->name, "_bf16") != NULL;
}

bool ck_is_bytes(const struct ck *t)
{
    return strstr(t->op->name, "_u8") || strstr(t->op->name, "_i8");
}

bool ck_gives_bf16(const struct ck *t)
{
    const char *end = strrchr(t->op->name, '_');
    return end && strcmp(end, "_bf16") == 0;
}

const void *ck_numbers(struct ck *t, size_t count, enum ck_fill fill)
{
    if (ck_is_bytes(t)) return ck_u8(t, count);
    const float *exact = ck_f32(t, count, fill);
    if (!ck_is_bf16(t)) return exact;
    uint16_t *rounded = (uint16_t *)keep(t, (count + 1) * sizeof *rounded) + 1;
    for (size_t i = 0; i < count; i++)
        rounded[i] = cxn_bf16_round(fabsf(exact[i]) < FLT_MIN ? 0.0f : exact[i]);
    return rounded;
}

double ck_number(const struct ck *t, const void *numbers, size_t i)
{
    if (ck_is_bytes(t)) return ((const uint8_t *)numbers)[i];
    return (double)(ck_is_bf16(t) ? cxn_bf16_value(((const uint16_t *)numbers)[i]) :
                                    ((const float *)numbers)[i]);
}

double ck_max(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

float ck_requantized(int32_t sum, const int32_t *low, float m, float b)
{
    const volatile float factor = low ? 128.0f * m : m, product = (float)sum * factor;
    if (!low) return product + b;
    const volatile float low_product = (float)*low * m, added = low_product + b;
    return product + added;
}

double ck_byte(float value)
{
    return value > 0.0f ? rint(fmin((double)value, 255.0)) : 0.0;
}

uint8_t *ck_u8(struct ck *t, size_t count)
{
    uint8_t *p = keep(t, count);
    for (size_t i = 0; i < count; i++)
        p[i] = i < 8 ? (uint8_t)(i < 4 ? 0 : 255) : (uint8_t)ck_below(t, 256);
    return p;
}

int8_t *ck_s8(struct ck *t, size_t count, int least, int most)
{
    int8_t *p = keep(t, count);
    for (size_t i = 0; i < count; i++)
        p[i] = (int8_t)(least + (int)ck_below(t, (size_t)(most - least + 1)));
    return p;
}

int8_t *ck_s8_bell(struct ck *t, size_t count, int least, int most)
{
    int8_t *p = keep(t, count);
    for (size_t i = 0; i < count; i++) {
        int sum = 0;
        for (int k = 0; k < 8; k++) sum += least + (int)ck_below(t, (size_t)(most - least + 1));
        p[i] = (int8_t)(sum / 8);
    }
    return p;
}

double *ck_f64(struct ck *t, size_t count)
{
    return keep(t, count * sizeof(double));
}

float *ck_aligned(struct ck *t, size_t count)
{
    char *p = keep(t, count * sizeof(float) + 64);
    return (float *)(void *)(p + (64 - (uintptr_t)p % 64) % 64);
}

/* ---- verdict ------------------------------------------------------------------------------ */

static void fail(struct ck *t, const char *shape, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct ck *t, const char *shape, const char *fmt, ...)
{
    const char *level = cxn_kern_row(t->op, t->row)->name;
    va_list ap;
    printf("FAILED %s_%s %s: ", t->op->name, level, shape);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("; repeat: %s -t %s -c %s --seed %llu\n", program_invocation_short_name, t->op->name,
           level, (unsigned long long)t->seed);
    t->failures++;
}

/* Number i of an output, and whether it is still as painted. */
static double read_number(const struct ck_case *c, const void *numbers, size_t i)
{
    switch (c->output) {
    case CK_BYTES: return ((const uint8_t *)numbers)[i];
    case CK_INTS: return ((const int32_t *)numbers)[i];
    case CK_FLOATS: break;
    }
    return (double)(c->bf16 ? cxn_bf16_value(((const uint16_t *)numbers)[i]) :
                              ((const float *)numbers)[i]);
}

static uint32_t paint_of(const struct ck_case *c)
{
    return c->output == CK_BYTES ? BYTE_PAINT : PAINT;
}

static size_t number_bytes(const struct ck_case *c)
{
    if (c->output == CK_BYTES) return sizeof(uint8_t);
    return c->bf16 ? sizeof(uint16_t) : sizeof(float);
}

static bool is_paint(const struct ck_case *c, const void *numbers, size_t i)
{
    const uint32_t paint = paint_of(c);
    const size_t each = number_bytes(c);
    return memcmp((const char *)numbers + i * each, &paint, each) == 0;
}

/*
 * The largest error that `terms` roundings can make in whatever order the terms are added:
 * n u / (1 - n u) times the sum of their absolute values (Higham, Accuracy and Stability of
 * Numerical Algorithms, 2002, 3.1), u = 2^-24; and half a denormal for each result that underflows.
 * One more rounding stands for the double that the reference is computed in.
 */
static double tolerance(size_t terms, double magnitude)
{
    if (terms == 0) return 0.0;
    const double nu = (double)(terms + 1) * (FLT_EPSILON / 2);
    return nu / (1.0 - nu) * magnitude + (double)terms * (double)FLT_TRUE_MIN;
}

/* And half a unit in the last of bfloat16's 8 bits, unless there is nothing but that rounding; and
 * what is lost when a row takes denormal products and sums for 0. */
static double bf16_tolerance(size_t terms, double want)
{
    return (terms > 0 ? fabs(want) / 256 : 0.0) + (double)(terms + 1) * (double)FLT_MIN;
}

/* Number of an output at which a place begins. */
static size_t begin_of(const struct ck_case *c, size_t place)
{
    if (c->row == 0) return place * c->step;
    return place / c->row * c->row_step + place % c->row * c->step;
}

/* Whether the run is to write number `at` of its output, which has `last` of them. */
static bool is_written(const struct ck_case *c, size_t at, size_t last)
{
    const size_t in_row = c->row == 0 ? at : at % c->row_step;
    return at < last && in_row % c->step < c->width && (c->row == 0 || in_row / c->step < c->row);
}

/* One run into a fresh, painted output with guards on both sides; NULL after a failure. */
static void *run_guarded(struct ck *t, const struct ck_case *c, const char *shape)
{
    const size_t last = begin_of(c, c->count - 1) + c->width; /* nothing may follow this number */
    const size_t total = last + 2 * GUARD_NUMBERS, each = number_bytes(c);
    uint32_t *bits = keep(t, total * each + sizeof *bits);
    for (size_t i = 0; i <= total * each / sizeof *bits; i++) bits[i] = paint_of(c);
    char *dst = (char *)bits + GUARD_NUMBERS * each;
    c->run(t, c->args, (float *)(void *)dst);
    for (size_t i = 0; i < total; i++) {
        const size_t at = i - GUARD_NUMBERS; /* wraps in the guard before */
        if (is_written(c, at, last) || is_paint(c, bits, i)) continue;
        fail(t, shape, "wrote outside its output, %td numbers from its begin",
             (ptrdiff_t)i - GUARD_NUMBERS);
        return NULL;
    }
    return dst;
}

/* Says where the first difference is. */
static void compare(struct ck *t, const struct ck_case *c, const void *got, const char *shape)
{
    for (size_t i = 0; i < c->count * c->width; i++) {
        const size_t place = i / c->width, channel = i % c->width;
        const double value = read_number(c, got, begin_of(c, place) + channel);
        double allowed = tolerance(c->terms, c->magnitude ? c->magnitude[i] : 0.0);
        const double want = c->want[i];
        if (c->bf16) allowed += bf16_tolerance(c->terms, want);
        t->numbers++;
        if (want == 0.0) t->zeros++;
        if (fabs(value - want) <= allowed) continue; /* false for a NaN */
        if (isnan(want) && isnan(value)) continue;
        fail(t, shape, "place %zu channel %zu is %.9g, expected %.9g within %.3g", place, channel,
             value, want, allowed);
        return;
    }
}

void ck_mistrust(struct ck *t)
{
    if (t->failures > 0 || t->zeros < t->numbers - t->numbers / 4) return;
    fail(t, "mistrusted", "%zu of %zu numbers compared should be 0, which proves little", t->zeros,
         t->numbers);
}

void ck_verify(struct ck *t, const struct ck_case *c, const char *shape, ...)
{
    char text[128];
    va_list ap;
    if (t->failures > 0) return; /* the first line of a row is enough */
    va_start(ap, shape);
    vsnprintf(text, sizeof text, shape, ap);
    va_end(ap);
    const void *got = run_guarded(t, c, text);
    const void *again = got ? run_guarded(t, c, text) : NULL;
    if (!got || !again) return;
    if (ck_machine_left()) fail(t, text, "%s", ck_machine_left());
    compare(t, c, got, text);
    const size_t bytes = (begin_of(c, c->count - 1) + c->width) * number_bytes(c);
    if (t->failures == 0 && memcmp(got, again, bytes) != 0)
        fail(t, text, "a second run gives other bits");
}

void ck_time(const struct ck *t, ck_run_fn *run, const void *args, float *dst, double flops,
             double bytes, const char *shape, ...)
{
    char text[64];
    va_list ap;
    va_start(ap, shape);
    vsnprintf(text, sizeof text, shape, ap);
    va_end(ap);
    double best = INFINITY;
    const double begin = cxn_clock_seconds();
    for (double now = begin; now - begin < 0.25;) {
        run(t, args, dst);
        const double end = cxn_clock_seconds();
        best = end - now < best ? end - now : best;
        now = end;
    }
    printf("%-22s %-7s %-26s %9.1f us %7.2f %s", t->op->name, cxn_kern_row(t->op, t->row)->name,
           text, best * 1e6, (flops > 0 ? flops : bytes) / best * 1e-9,
           flops > 0 ? "GFLOP/s" : "GB/s");
    if (flops > 0 && t->peak > 0) printf(" %4.0f %%", 100.0 * flops / best / t->peak);
    putchar('\n');
}
