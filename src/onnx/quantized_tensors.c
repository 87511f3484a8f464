/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/quantized_tensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kern/window_f32.h"

enum { SAMPLES = 3 }; /* planes of the colour stem but for `inside` */

/* ---- what there is ------------------------------------------------------------------------ */

static void name_as(struct cxn_onnx_initializer *t, const char *module, const char *name)
{
    snprintf(t->slot.name, sizeof t->slot.name, "%s.%s", module, name);
}

/* A number for each output channel. */
static struct cxn_onnx_initializer row(const struct cxn_part *part, const char *name,
                                       enum cxn_onnx_array array)
{
    return (struct cxn_onnx_initializer){
        .slot = cxn_slot_of_second(part, name, CXN_DTYPE_F32), .count = part->out, .array = array
    };
}

static struct cxn_onnx_initializer weights(const struct cxn_part *part, const char *name,
                                           enum cxn_onnx_array array)
{
    const uint64_t dims[4] = { part->out, part->in, part->kernel, part->kernel };
    struct cxn_onnx_initializer t = { .count = part->first_count, .array = array };
    t.slot = cxn_slot_of_first(part, name, CXN_DTYPE_I8);
    memcpy(t.slot.dims, dims, sizeof dims);
    return t;
}

static size_t list_conv(const struct cxn_part *part, bool two_parts,
                        struct cxn_onnx_initializer *list)
{
    size_t n = 0;
    list[n++] = weights(part, two_parts ? "weight_hi" : "weight", CXN_ARRAY_WEIGHT);
    if (two_parts) list[n++] = weights(part, "weight_lo", CXN_ARRAY_LOW);
    if (two_parts) list[n++] = row(part, "scale_hi", CXN_ARRAY_SCALE_HIGH);
    list[n++] = row(part, "scale", CXN_ARRAY_SCALE);
    list[n++] = row(part, "bias", CXN_ARRAY_BIAS);
    return n;
}

static size_t list_norm(const struct cxn_part *part, struct cxn_onnx_initializer *list)
{
    list[0] = row(part, "weight", CXN_ARRAY_SLOPE);
    list[1] = row(part, "bias", CXN_ARRAY_SHIFT);
    list[2] = row(part, "running_mean", CXN_ARRAY_KNOT);
    list[3] = row(part, "running_var", CXN_ARRAY_VARIANCE);
    return 4;
}

static size_t list_head(const struct cxn_part *part, struct cxn_onnx_initializer *list)
{
    list[0] = (struct cxn_onnx_initializer){
        .slot = cxn_slot_of_first(part, "weight", CXN_DTYPE_F32), .count = part->first_count,
        .array = CXN_ARRAY_LINEAR
    };
    list[1] = row(part, "bias", CXN_ARRAY_BIAS);
    return 2;
}

/* Of the colour stem, in the place of both. */
static size_t list_stem(const struct cxn_part *part, struct cxn_onnx_initializer *list)
{
    const char *dot = strrchr(part->name, '.');
    char module[CXN_NET_NAME_BYTES];
    if (part->in != SAMPLES + 1) return 0;
    snprintf(module, sizeof module, "%.*s", (int)(dot - part->name), part->name);
    list[0] = weights(part, "", CXN_ARRAY_STEM_WEIGHT);
    list[0].slot.dtype = CXN_DTYPE_F32;
    list[0].slot.dims[1] = SAMPLES;
    list[0].count = part->first_count / part->in * SAMPLES;
    name_as(&list[0], module, "weight");
    list[1] = row(part, "", CXN_ARRAY_STEM_BIAS);
    name_as(&list[1], module, "bias");
    return 2;
}

size_t cxn_onnx_initializers(const struct cxn_part *part, bool two_parts,
                             struct cxn_onnx_initializer list[CXN_INITIALIZERS_MAX])
{
    switch (part->kind) {
    case CXN_PART_STEM: return list_stem(part, list);
    case CXN_PART_NORM: return list_norm(part, list);
    case CXN_PART_CONV: return list_conv(part, two_parts, list);
    case CXN_PART_HEAD: return list_head(part, list);
    }
    return 0;
}

/* ---- convolutions ------------------------------------------------------------------------- */

struct cxn_onnx_weight_walk cxn_onnx_weights_from(const struct cxn_part *part, size_t first)
{
    struct cxn_onnx_weight_walk w = { .in = part->in, .out = part->out,
                                      .taps = (size_t)part->kernel * part->kernel };
    w.tap = first % w.taps;
    w.i = first / w.taps % w.in;
    w.o = first / w.taps / w.in;
    return w;
}

static void fill_weights(const struct cxn_part *part, const int8_t *from, size_t first, size_t n,
                         int8_t *dst)
{
    struct cxn_onnx_weight_walk w = cxn_onnx_weights_from(part, first);
    for (size_t k = 0; k < n; k++) dst[k] = from[cxn_onnx_next_weight(&w)];
}

/* A row of zeros has an m of 0, which is no scale; any other gives the same. Runtimes take the bias
 * in steps of the scale, as 32 bits: small enough for it to stay exact, large enough to fit. */
static float scale_of(const struct cxn_quantized_part *q, size_t o)
{
    return q->m[o] > 0.0f ? q->m[o] : fmaxf(0x1p-16f, fabsf(q->b[o]) * 0x1p-30f);
}

/* ---- the stem ----------------------------------------------------------------------------- */

/* Weight of plane i as the sums of the two parts are multiplied with it. */
static double stem_weight(const struct cxn_part *part, const struct cxn_quantized_part *q,
                          size_t tap, size_t i, size_t o)
{
    const size_t at = (tap * part->in + i) * part->out + o;
    return (double)(128 * q->weight[at] + q->low[at]) * (double)q->m[o];
}

/* Of normalised samples: sample = 255 (deviation x + mean), and 255 inside. */
static void fill_stem(const struct cxn_part *part, const struct cxn_quantized_part *q, size_t first,
                      size_t n, float *dst)
{
    const size_t taps = (size_t)part->kernel * part->kernel;
    for (size_t k = 0; k < n; k++) {
        const size_t at = first + k, i = at / taps % SAMPLES;
        dst[k] = (float)(stem_weight(part, q, at % taps, i, at / taps / SAMPLES) * 255.0 *
                         (double)cxn_window_deviation[i]);
    }
}

/* What the weights of `inside` and of the means do not cancel, rounded as they are, joins b. Where
 * the border takes taps away they cancel to less than that. */
static void fill_stem_bias(const struct cxn_part *part, const struct cxn_quantized_part *q,
                           size_t first, size_t n, float *dst)
{
    const size_t taps = (size_t)part->kernel * part->kernel;
    for (size_t k = 0; k < n; k++) {
        double sum = 0.0;
        for (size_t tap = 0; tap < taps; tap++) {
            sum += stem_weight(part, q, tap, SAMPLES, first + k);
            for (size_t i = 0; i < SAMPLES; i++)
                sum += stem_weight(part, q, tap, i, first + k) * (double)cxn_window_mean[i];
        }
        dst[k] = (float)((double)q->b[first + k] + 255.0 * sum);
    }
}

/* ---- numbers ------------------------------------------------------------------------------ */

static float number_of(enum cxn_onnx_array array, const struct cxn_quantized_part *q, size_t i)
{
    switch (array) {
    case CXN_ARRAY_SCALE_HIGH: return 128.0f * scale_of(q, i);
    case CXN_ARRAY_SCALE: return scale_of(q, i);
    case CXN_ARRAY_BIAS: return q->b[i];
    case CXN_ARRAY_SLOPE: return q->flip[i] ? -1.0f : 1.0f;
    case CXN_ARRAY_SHIFT: return 0.0f;
    case CXN_ARRAY_KNOT: return (float)(q->knot[i] ^ q->flip[i]);
    case CXN_ARRAY_VARIANCE: return 1.0f;
    case CXN_ARRAY_LINEAR: return q->linear[i];
    default: return 0.0f; /* not a row of floats */
    }
}

void cxn_onnx_initializer_fill(const struct cxn_onnx_initializer *t, const cxn_quantized *quantized,
                               size_t part, size_t first, size_t n, void *dst)
{
    const struct cxn_part *p = &quantized->fold->parts[part];
    const struct cxn_quantized_part *q = &quantized->parts[part];
    float *floats = dst;
    switch (t->array) {
    case CXN_ARRAY_WEIGHT: fill_weights(p, q->weight, first, n, dst); return;
    case CXN_ARRAY_LOW: fill_weights(p, q->low, first, n, dst); return;
    case CXN_ARRAY_STEM_WEIGHT: fill_stem(p, q, first, n, floats); return;
    case CXN_ARRAY_STEM_BIAS: fill_stem_bias(p, q, first, n, floats); return;
    default: break;
    }
    for (size_t k = 0; k < n; k++) floats[k] = number_of(t->array, q, first + k);
}

/* ---- what cannot be written --------------------------------------------------------------- */

static enum cxn_status fail_array(const struct cxn_part *part, const char *array, size_t o,
                                  float value, const char *expected, struct cxn_error *err)
{
    char name[CXN_SLOT_NAME_BYTES];
    snprintf(name, sizeof name, "%s.%s", part->name, array);
    return cxn_fail_number(err, name, o, (double)value, expected);
}

static bool has_weights(const struct cxn_part *part, const struct cxn_quantized_part *q, size_t o)
{
    for (size_t k = o; k < part->first_count; k += part->out)
        if (q->weight[k] != 0 || (q->low && q->low[k] != 0)) return true;
    return false;
}

/* So that weights and bias of the graph, which are sums of many, are finite. */
static enum cxn_status check_stem(const struct cxn_part *part, const struct cxn_quantized_part *q,
                                  struct cxn_error *err)
{
    static const char expected[] = "less than 2^96 in size";
    for (size_t o = 0; o < part->out; o++) {
        if (!(fabsf(q->m[o]) < 0x1p96f)) return fail_array(part, "m", o, q->m[o], expected, err);
        if (!(fabsf(q->b[o]) < 0x1p96f)) return fail_array(part, "b", o, q->b[o], expected, err);
    }
    return CXN_OK;
}

static enum cxn_status check_conv(const struct cxn_part *part, const struct cxn_quantized_part *q,
                                  struct cxn_error *err)
{
    for (size_t o = 0; o < part->out; o++)
        if (!(q->m[o] > 0.0f) && (q->m[o] < 0.0f || has_weights(part, q, o)))
            return fail_array(part, "m", o, q->m[o], "above 0", err);
    return CXN_OK;
}

enum cxn_status cxn_onnx_check_quantized(const cxn_quantized *quantized, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < quantized->fold->count; i++) {
        const struct cxn_part *part = &quantized->fold->parts[i];
        if (part->kind == CXN_PART_STEM) status = check_stem(part, &quantized->parts[i], err);
        if (part->kind == CXN_PART_CONV) status = check_conv(part, &quantized->parts[i], err);
    }
    return status;
}
