/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/quantize.h"

#include <math.h>

#include "quant/grids.h"
#include "quant/knots.h"
#include "quant/rounding.h"

/* On average over the four ties of a sum of four, what adding 2 before dividing by 4 gives too
 * much, in steps, where a channel is active. */
#define POOL_TIES 0.125

/* Beyond this 128 m may not be finite. */
#define M_END 0x1p121

/* The walk over the parts, and what later ones need of earlier ones. */
struct walk {
    const struct cxn_fold_source *source;
    const cxn_calibration *calibration;
    cxn_quantized *made;
    float *first, *second;    /* folded numbers of the part at work */
    struct cxn_input *inputs; /* of the convolution that comes next */
    struct cxn_grid *map;     /* of the block's channels so far */
    size_t map_count;
    struct cxn_grid *bottleneck;
    double *step, *bias; /* of the outputs of the part at work */
};

/* ---- folded numbers ----------------------------------------------------------------------- */

static enum cxn_status check_finite(const struct cxn_part *part, const char *what,
                                    const float *numbers, size_t count, struct cxn_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(numbers[i]))
            return cxn_fail(err, CXN_E_FORMAT, "folded '%s', %s: element %zu is %g", part->name,
                            what, i, (double)numbers[i]);
    return CXN_OK;
}

static enum cxn_status read_part(struct walk *w, const struct cxn_part *part,
                                 struct cxn_error *err)
{
    const bool norm = part->kind == CXN_PART_NORM;
    enum cxn_status status = w->source->read(w->source, part, w->first, w->second, err);
    if (status == CXN_OK)
        status = check_finite(part, norm ? "scale" : "weight", w->first, part->first_count, err);
    if (status == CXN_OK)
        status = check_finite(part, norm ? "shift" : "bias", w->second, part->second_count, err);
    return status;
}

/* ---- what a convolution reads ------------------------------------------------------------- */

/* Behind a norm: its bytes on the grids of the map. */
static void quantize_norm(struct walk *w, size_t i)
{
    const struct cxn_calibration_part *seen = &w->calibration->parts[i];
    struct cxn_quantized_part *q = &w->made->parts[i];
    for (size_t c = 0; c < w->source->fold->parts[i].out; c++) {
        const struct cxn_knot k =
            cxn_knot_make((double)w->first[c], (double)w->second[c], &w->map[c]);
        q->flip[c] = k.flip;
        q->knot[c] = k.knot;
        w->inputs[c] = (struct cxn_input){ .scale = k.slope, .mean = seen->mean[c],
                                           .number = cxn_knot_mean(&k, seen->mean[c],
                                                                   seen->share[c]) };
    }
}

/* In a transition the 1x1 reads means of four such bytes. */
static void pool_inputs(struct walk *w, size_t norm)
{
    const double *share = w->calibration->parts[norm].share;
    for (size_t c = 0; c < w->source->fold->parts[norm].out; c++)
        if (w->inputs[c].scale > 0.0) w->inputs[c].number += POOL_TIES * share[c];
}

static void read_bottleneck(struct walk *w, size_t i)
{
    const double *mean = w->calibration->parts[i].mean;
    for (size_t c = 0; c < w->source->fold->parts[i].out; c++) {
        const double step = w->bottleneck[c].step;
        w->inputs[c] = (struct cxn_input){ .scale = step, .mean = mean[c],
                                           .number = mean[c] / step };
    }
}

/* Samples are bytes as they are, the plane behind them is 255 for 1. */
static void read_samples(struct walk *w, const struct cxn_part *stem)
{
    for (size_t p = 0; p < stem->in; p++)
        w->inputs[p] = (struct cxn_input){ .scale = p + 1 < stem->in ? 1.0 : 1.0 / 255.0 };
}

/* ---- convolutions ------------------------------------------------------------------------- */

static void make_maps(struct walk *w, size_t i, size_t count)
{
    const struct cxn_calibration_part *seen = &w->calibration->parts[i];
    for (size_t o = 0; o < count; o++)
        w->map[w->map_count + o] = cxn_grid_map(seen->lo[o], seen->hi[o]);
}

static void make_bottleneck(struct walk *w, size_t i, size_t count)
{
    const double *hi = w->calibration->parts[i].hi;
    for (size_t o = 0; o < count; o++) w->bottleneck[o] = cxn_grid_bottleneck(hi[o]);
}

/* Sums of the part's products to the bytes of those grids. */
static enum cxn_status requantize(const struct walk *w, size_t i, const struct cxn_grid *grids,
                                  struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    struct cxn_quantized_part *q = &w->made->parts[i];
    for (size_t o = 0; o < part->out; o++) {
        const double m = w->step[o] / grids[o].step;
        const double b = (w->bias[o] - grids[o].lo) / grids[o].step;
        q->m[o] = (float)m;
        q->b[o] = (float)b;
        if (!(q->m[o] < (float)M_END) || !isfinite(q->b[o]))
            return cxn_fail(err, CXN_E_FORMAT, "'%s', channel %zu: %g times the sum and %g is "
                            "beyond float32", part->name, o, m, b);
    }
    return CXN_OK;
}

static enum cxn_status quantize_conv(struct walk *w, size_t i, const struct cxn_grid *grids,
                                     struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    const struct cxn_quantized_part *q = &w->made->parts[i];
    for (size_t o = 0; o < part->out; o++)
        w->bias[o] = part->second_count > 0 ? (double)w->second[o] : 0.0;
    const struct cxn_rounding rounding = {
        .weight = w->first, .inputs = w->inputs, .taps = (size_t)part->kernel * part->kernel,
        .in = part->in, .out = part->out, .high = q->weight, .low = q->low, .step = w->step,
        .bias = w->bias
    };
    cxn_rounding_run(&rounding);
    return requantize(w, i, grids, err);
}

/* Both stems write one map; calibration saw the grey one, part 0. */
static enum cxn_status quantize_stem(struct walk *w, size_t i, struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    w->map_count = 0;
    make_maps(w, 0, part->out);
    w->map_count = part->out;
    read_samples(w, part);
    return quantize_conv(w, i, w->map, err);
}

/* Behind a norm stands a dense layer's 1x1 or a transition's, which begins the next map. */
static enum cxn_status quantize_1x1(struct walk *w, size_t i, struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    if (part->norm) {
        make_bottleneck(w, i, part->out);
        return quantize_conv(w, i, w->bottleneck, err);
    }
    pool_inputs(w, i - 1);
    w->map_count = 0;
    make_maps(w, i, part->out);
    w->map_count = part->out;
    return quantize_conv(w, i, w->map, err);
}

static enum cxn_status quantize_3x3(struct walk *w, size_t i, struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    read_bottleneck(w, i - 1);
    make_maps(w, i, part->out);
    const struct cxn_grid *grids = w->map + w->map_count;
    w->map_count += part->out;
    return quantize_conv(w, i, grids, err);
}

/* ---- head --------------------------------------------------------------------------------- */

static enum cxn_status quantize_head(struct walk *w, size_t i, struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    struct cxn_quantized_part *q = &w->made->parts[i];
    for (size_t j = 0; j < part->out; j++) {
        double bias = (double)w->second[j];
        for (size_t c = 0; c < part->in; c++) {
            const struct cxn_input *input = &w->inputs[c];
            const size_t at = j * part->in + c;
            q->linear[at] = (float)((double)w->first[at] * input->scale);
            bias += (double)w->first[at] * input->mean - (double)q->linear[at] * input->number;
        }
        q->b[j] = (float)bias;
    }
    enum cxn_status status = check_finite(part, "weight times step", q->linear, part->first_count,
                                          err);
    if (status == CXN_OK) status = check_finite(part, "corrected bias", q->b, part->out, err);
    return status;
}

/* ---- walk --------------------------------------------------------------------------------- */

static enum cxn_status quantize_part(struct walk *w, size_t i, struct cxn_error *err)
{
    const struct cxn_part *part = &w->source->fold->parts[i];
    const enum cxn_status status = read_part(w, part, err);
    if (status != CXN_OK) return status;
    switch (part->kind) {
    case CXN_PART_STEM: return quantize_stem(w, i, err);
    case CXN_PART_NORM: quantize_norm(w, i); break;
    case CXN_PART_CONV:
        return part->kernel == 1 ? quantize_1x1(w, i, err) : quantize_3x3(w, i, err);
    case CXN_PART_HEAD: return quantize_head(w, i, err);
    }
    return CXN_OK;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum cxn_status walk_open(struct walk *w, struct cxn_mem *mem, struct cxn_error *err)
{
    const cxn_fold *fold = w->source->fold;
    size_t first = 0, second = 0, channels = 0;
    for (size_t i = 0; i < fold->count; i++) {
        first = larger(first, fold->parts[i].first_count);
        second = larger(second, fold->parts[i].second_count);
        channels = larger(channels, larger(fold->parts[i].in, fold->parts[i].out));
    }
    w->first = cxn_alloc(mem, first, sizeof *w->first);
    w->second = cxn_alloc(mem, second, sizeof *w->second);
    w->inputs = cxn_alloc(mem, channels, sizeof *w->inputs);
    w->map = cxn_alloc(mem, channels, sizeof *w->map);
    w->bottleneck = cxn_alloc(mem, channels, sizeof *w->bottleneck);
    w->step = cxn_alloc(mem, channels, sizeof *w->step);
    w->bias = cxn_alloc(mem, channels, sizeof *w->bias);
    if (w->first && w->second && w->inputs && w->map && w->bottleneck && w->step && w->bias)
        return CXN_OK;
    return cxn_fail_nomem(err, mem, first * sizeof *w->first, "the layer that is quantised");
}

static void walk_close(struct walk *w)
{
    cxn_free(w->first);
    cxn_free(w->second);
    cxn_free(w->inputs);
    cxn_free(w->map);
    cxn_free(w->bottleneck);
    cxn_free(w->step);
    cxn_free(w->bias);
}

enum cxn_status cxn_quantized_make(cxn_quantized **quantized, const struct cxn_fold_source *source,
                                   const cxn_calibration *calibration, const bool *two_parts,
                                   struct cxn_mem *mem, struct cxn_error *err)
{
    *quantized = NULL;
    if (calibration->images == 0)
        return cxn_fail(err, CXN_E_FORMAT, "a calibration of no images, expected at least 1");
    struct walk w = { .source = source, .calibration = calibration };
    enum cxn_status status = cxn_quantized_open(&w.made, source->fold, two_parts, mem, err);
    if (status == CXN_OK) status = walk_open(&w, mem, err);
    for (size_t i = 0; status == CXN_OK && i < source->fold->count; i++)
        status = quantize_part(&w, i, err);
    walk_close(&w);
    if (status == CXN_OK) *quantized = w.made;
    else cxn_quantized_close(&w.made);
    return status;
}
