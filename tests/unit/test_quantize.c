/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisation: grids, knots and weights by their definitions; a small network in integers against
 * itself in double; what cannot be quantised. */
#include <float.h>
#include <math.h>

#include "naive_fold.h"
#include "quant/grids.h"
#include "quant/knots.h"
#include "quant/engine.h"
#include "quant/quantize.h"
#include "quant/rounding.h"
#include "quant/sensitivity.h"
#include "small_net.h"
#include "unit/unit.h"

static struct small_net net;
static cxn_fold *fold;
static struct cxn_fold_source source;
static struct naive_stats stats; /* of the grey pictures */

static void assert_near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within)) fail_msg("%.17g, expected %.17g +- %g", got, want, within);
}

/* ---- grids -------------------------------------------------------------------------------- */

static void test_grids(void **state)
{
    (void)state;
    static const struct {
        double lo, hi, want_lo, want_hi;
    } cases[] = {
        { -2.0, 3.0, -2.5, 3.5 }, /* a tenth of 5 */
        { 0.0, 5.0, 0.0, 5.5 },   /* behind a ReLU: not below 0 */
        { 0.2, 10.2, 0.0, 11.2 },
        { 4.0, 5.0, 3.9, 5.1 },
        { -5.0, -4.0, -5.1, -3.9 },
        { 3.0, 3.0, 3.0, 3.0 + 1e-6 }, /* constant */
        { 0.0, 0.0, 0.0, 1e-6 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        const struct cxn_grid g = cxn_grid_map(cases[i].lo, cases[i].hi);
        assert_near(g.lo, cases[i].want_lo, 1e-14);
        assert_near(g.lo + g.step * 255.0, cases[i].want_hi, 1e-14);
        assert_true(g.step > 0.0);
    }
    const struct cxn_grid g = cxn_grid_bottleneck(2.04), zero = cxn_grid_bottleneck(0.0);
    assert_true(g.lo == 0.0 && zero.lo == 0.0 && zero.step > 0.0);
    assert_near(g.step, 0.01, 1e-16);
}

/* ---- knots -------------------------------------------------------------------------------- */

enum { NEVER, INSIDE, ALWAYS };

struct knot_case {
    double scale, shift;
    int cut;
};

/* On the grid -1, -1 + 1/64, .. 2.984375; the knot is -shift / scale. */
static const struct cxn_grid knot_grid = { -1.0, 0.015625 };
static const struct knot_case knot_cases[] = {
    { 2.0, 5.0, NEVER },    { 2.0, 2.0, INSIDE },  { 2.0, 0.013, INSIDE },
    { 2.0, -1.0, INSIDE },  { 2.0, -7.0, ALWAYS }, { 0.3, -0.8953125, ALWAYS },
    { -2.0, 9.0, NEVER },   { -2.0, 0.0, INSIDE }, { -2.0, 1.013, INSIDE },
    { -2.0, -3.0, ALWAYS }, { -1.0, -1.0, ALWAYS }, { 0.0, 3.0, ALWAYS }, { 0.0, -3.0, ALWAYS },
};

static double byte_above(const struct cxn_knot *k, int q)
{
    const int u = (q ^ k->flip) - k->knot;
    return u > 0 ? u : 0.0;
}

/* Never or always cut: exact, but for a handful of roundings in double; a knot inside is at most
 * half a step off. */
static void check_knot(const struct knot_case *c)
{
    const struct cxn_knot k = cxn_knot_make(c->scale, c->shift, &knot_grid);
    const double step = fabs(c->scale) * knot_grid.step, eps = 64.0 * DBL_EPSILON;
    double mean = 0.0, share = 0.0, number = 0.0;
    for (int q = 0; q < 256; q++) {
        const double x = knot_grid.lo + knot_grid.step * q, y = c->scale * x + c->shift;
        const double want = y > 0.0 ? y : 0.0, u = byte_above(&k, q);
        assert_near(k.slope * u + k.constant, want, (c->cut == INSIDE ? 0.5 * step : 0.0) + eps);
        assert_true(c->cut != ALWAYS || u == 0.0);
        mean += want / 256.0;
        share += (want > 0.0) / 256.0;
        number += u / 256.0;
    }
    assert_true(k.flip == 0 || k.flip == 255);
    assert_true((k.knot == 255) == (k.slope == 0.0));
    assert_true(c->cut == INSIDE || k.rounded == 0.0);
    assert_true(c->cut != NEVER || (k.knot == 0 && k.constant > 0.0));
    /* A number within half a step of the knot may count as above it or not. */
    assert_near(cxn_knot_mean(&k, mean, share), number, 0.5 / 256.0 + 1e-10);
}

static void test_knots(void **state)
{
    (void)state;
    for (size_t i = 0; i < CXN_COUNTOF(knot_cases); i++) check_knot(&knot_cases[i]);
    /* A channel that calibration saw as 3 alone. */
    const struct cxn_grid constant = cxn_grid_map(3.0, 3.0);
    for (double scale = -2.0; scale < 3.0; scale += 4.0) {
        const struct cxn_knot k = cxn_knot_make(scale, 7.0, &constant);
        for (int q = 0; q < 256; q += 255)
            assert_near(k.slope * byte_above(&k, q) + k.constant, scale * 3.0 + 7.0, 2.1e-6);
    }
    const struct cxn_knot steep = cxn_knot_make((double)FLT_TRUE_MIN, (double)FLT_MAX, &constant);
    assert_true(isfinite(steep.constant) && steep.knot == 0);
}

/* ---- weights ------------------------------------------------------------------------------ */

enum { TAPS = 9, IN = 8, OUT = 6, TERMS = TAPS * IN };

struct weights {
    float w[TERMS * OUT];
    struct cxn_input inputs[IN];
    int8_t high[TERMS * OUT], low[TERMS * OUT];
    double step[OUT], bias[OUT];
};

/* Deterministic, with rows of zeros (the third) and of one value (the fourth). */
static void make_weights(struct weights *s)
{
    uint32_t random = 12345;
    for (size_t i = 0; i < (size_t)TERMS * OUT; i++) {
        random = random * 1664525u + 1013904223u;
        const size_t o = i % OUT;
        s->w[i] = o == 2 ? 0.0f : o == 3 ? -0.5f : (float)((double)random / 0x1p31 - 1.0);
    }
    for (size_t i = 0; i < IN; i++)
        s->inputs[i] = (struct cxn_input){ .scale = 0.01 * (double)(i + 1), .mean = 0.3,
                                           .number = 0.3 / (0.01 * (double)(i + 1)) };
    s->inputs[3] = (struct cxn_input){ .scale = 0.0, .mean = 0.7 }; /* never seen by a byte */
    for (size_t o = 0; o < OUT; o++) s->bias[o] = (double)o;
}

static void round_them(struct weights *s, bool two_parts)
{
    const struct cxn_rounding r = { .weight = s->w, .inputs = s->inputs, .taps = TAPS, .in = IN,
                                    .out = OUT, .high = s->high, .low = two_parts ? s->low : NULL,
                                    .step = s->step, .bias = s->bias };
    make_weights(s);
    cxn_rounding_run(&r);
}

static int weight_of(const struct weights *s, size_t i, bool two_parts)
{
    return two_parts ? 128 * s->high[i] + s->low[i] : s->high[i];
}

static void check_weights(bool two_parts)
{
    static struct weights s;
    round_them(&s, two_parts);
    const int top = two_parts ? 128 * 127 + 63 : 127;
    for (size_t o = 0; o < OUT; o++) {
        double want = (double)o, got = s.bias[o];
        int largest = 0;
        for (size_t t = 0; t < TERMS; t++) {
            const size_t i = t * OUT + o;
            const struct cxn_input *in = &s.inputs[t % IN];
            const int w = weight_of(&s, i, two_parts);
            assert_near(s.step[o] * w, (double)s.w[i] * in->scale,
                        0.5 * s.step[o] * (1.0 + 1e-12));
            assert_true(s.high[i] >= -127 && (!two_parts || (s.low[i] >= -64 && s.low[i] <= 63)));
            largest = abs(w) > largest ? abs(w) : largest;
            want += (double)s.w[i] * in->mean;
            got += s.step[o] * w * in->number;
        }
        assert_int_equal(largest, o == 2 ? 0 : top);
        assert_true(o != 2 || s.step[o] == 0.0);
        /* With the means that were told, an output's mean is what it should be: sums of TERMS
         * numbers below 2, three times. */
        assert_near(got, want, 3.0 * TERMS * 2.0 * TERMS * DBL_EPSILON);
    }
}

static void test_weights(void **state)
{
    (void)state;
    check_weights(false);
    check_weights(true);
}

/* ---- the small network -------------------------------------------------------------------- */

static cxn_quantized *quantize(const bool *two_parts)
{
    cxn_quantized *q;
    struct cxn_error err = { "" };
    if (cxn_quantized_make(&q, &source, stats.calibration, two_parts, NULL, &err) != CXN_OK)
        fail_msg("%s", err.text);
    return q;
}

static double probability(double logit)
{
    return 1.0 / (1.0 + exp(-logit));
}

struct change {
    double most, rms;
};

/* Of the probabilities of both grey pictures, from double to bytes. */
static struct change compare(const cxn_quantized *q)
{
    struct change change = { 0 };
    for (size_t i = 0; i < 2; i++) {
        double want[NAIVE_CLASSES], got[NAIVE_CLASSES];
        naive_float(&source, net.pictures[i].pixels, NULL, want);
        naive_bytes(q, net.pictures[i].pixels, got);
        for (size_t j = 0; j < NAIVE_CLASSES; j++) {
            const double d = fabs(probability(got[j]) - probability(want[j]));
            change.most = d > change.most ? d : change.most;
            change.rms += d * d / (2.0 * NAIVE_CLASSES);
        }
    }
    change.rms = sqrt(change.rms);
    return change;
}

/* The naive pass in double is the network: PyTorch's answers, but for float32 folded numbers. */
static void test_naive_float(void **state)
{
    (void)state;
    static const size_t views[] = { 0, 2 };
    for (size_t i = 0; i < 2; i++) {
        double logits[NAIVE_CLASSES];
        naive_float(&source, net.pictures[i].pixels, NULL, logits);
        for (size_t j = 0; j < NAIVE_CLASSES; j++)
            assert_near(probability(logits[j]), net.want64[views[i] * SMALL_CLASSES + j], 1e-5);
    }
}

static void check_requantization(const cxn_quantized *q)
{
    for (size_t i = 0; i < fold->count; i++) {
        const struct cxn_quantized_part *p = &q->parts[i];
        for (size_t o = 0; p->m && o < fold->parts[i].out; o++) {
            assert_true(p->m[o] >= 0.0f && p->m[o] < 0x1p121f);
            assert_true(isfinite(p->b[o]));
        }
    }
}

static void test_network(void **state)
{
    (void)state;
    bool all[128], none[128] = { false };
    memset(all, true, sizeof all);
    assert_true(fold->count < CXN_COUNTOF(all));
    cxn_quantized *one = quantize(none), *two = quantize(all);
    check_requantization(one);
    check_requantization(two);
    const struct change rough = compare(one), fine = compare(two);
    printf("largest change %.5f, RMS %.5f; in two parts %.5f, %.5f\n", rough.most, rough.rms,
           fine.most, fine.rms);
    /* Not derived: half as much again as is measured. Knots, weights or means left out of the
     * correction give an RMS from 0.002 up. */
    assert_true(rough.most <= 0.0041 && rough.rms <= 0.0014);
    assert_true(fine.most <= 0.0041 && fine.rms <= 0.0014);
    cxn_quantized_close(&one);
    cxn_quantized_close(&two);
}

/* Of the first transition's norm, by definition: what the bytes of channel c are on average where
 * ties of four go up. */
static double transition_mean(size_t norm, size_t c)
{
    static const size_t writers[] = { 0, 4, 7 }; /* the stem and two 3x3 */
    const size_t stem = fold->parts[0].out, growth = fold->parts[4].out;
    const size_t layer = c < stem ? 0 : 1 + (c - stem) / growth;
    const size_t channel = c < stem ? c : (c - stem) % growth;
    const struct cxn_calibration_part *range = &stats.calibration->parts[writers[layer]];
    const struct cxn_calibration_part *seen = &stats.calibration->parts[norm];
    const struct cxn_grid grid = cxn_grid_map(range->lo[channel], range->hi[channel]);
    float scale[64], shift[64];
    assert_true(fold->parts[norm].out <= CXN_COUNTOF(scale));
    source.read(&source, &fold->parts[norm], scale, shift, NULL);
    const struct cxn_knot k = cxn_knot_make((double)scale[c], (double)shift[c], &grid);
    return cxn_knot_mean(&k, seen->mean[c], seen->share[c]) +
           (k.knot < 255 ? seen->share[c] / 8.0 : 0.0);
}

static void test_transition(void **state)
{
    (void)state;
    const size_t norm = 8, conv = 9; /* behind two stems and two layers of three parts */
    const struct cxn_part *part = &fold->parts[conv];
    const double *mean = stats.calibration->parts[norm].mean;
    static float weight[4096];
    cxn_quantized *q = quantize(NULL);
    assert_string_equal(part->name, "features.transition1.conv");
    assert_true(part->first_count <= CXN_COUNTOF(weight));
    source.read(&source, part, weight, NULL, NULL);
    for (size_t o = 0; o < part->out; o++) {
        const struct cxn_calibration_part *range = &stats.calibration->parts[conv];
        const struct cxn_grid grid = cxn_grid_map(range->lo[o], range->hi[o]);
        double want = -grid.lo / grid.step, size = fabs(want);
        for (size_t c = 0; c < part->in; c++) {
            const size_t i = c * part->out + o;
            const double wanted = (double)weight[i] * mean[c] / grid.step;
            const double given = (double)q->parts[conv].m[o] * q->parts[conv].weight[i] *
                                 transition_mean(norm, c);
            want += wanted - given;
            size += fabs(wanted) + fabs(given);
        }
        /* b is rounded to float, and so was m. */
        assert_near((double)q->parts[conv].b[o], want, size * (double)FLT_EPSILON);
    }
    cxn_quantized_close(&q);
}

/* Twice the same bytes; a put-back layer alone changes nothing before it, and none of its knots. */
static void test_same_numbers(void **state)
{
    (void)state;
    bool last[128] = { false };
    last[fold->count - 3] = true; /* the last 3x3 */
    cxn_quantized *a = quantize(NULL), *b = quantize(NULL), *c = quantize(last);
    for (size_t i = 0; i < fold->count; i++) {
        const struct cxn_part *part = &fold->parts[i];
        const struct cxn_quantized_part *p = &a->parts[i], *q = &b->parts[i], *r = &c->parts[i];
        if (p->weight) assert_memory_equal(p->weight, q->weight, part->first_count);
        if (p->b) assert_memory_equal(p->b, q->b, part->out * sizeof *p->b);
        if (p->knot) assert_memory_equal(p->knot, r->knot, part->out);
        if (p->linear) assert_memory_equal(p->linear, r->linear, part->first_count);
        assert_true((r->low != NULL) == (part->kind == CXN_PART_STEM || last[i]));
    }
    cxn_quantized_close(&a);
    cxn_quantized_close(&b);
    cxn_quantized_close(&c);
}

/* ---- sensitivity -------------------------------------------------------------------------- */

enum { PROBS = SMALL_VIEWS * SMALL_CLASSES };

static double squared_change(const bool *two_parts, const float *wanted)
{
    const struct cxn_env env = { 0 };
    cxn_quantized *q = quantize(two_parts);
    const struct cxn_engine_source bytes = { .net = net.net, .quantized = q };
    cxn_engine_state *state;
    float got[PROBS];
    double sum = 0.0;
    assert_int_equal(cxn_engine_int8.open(&state, &bytes, &env, NULL), CXN_OK);
    assert_int_equal(cxn_engine_int8.run(state, net.views, SMALL_VIEWS, got, NULL), CXN_OK);
    cxn_engine_int8.close(&state);
    cxn_quantized_close(&q);
    for (size_t i = 0; i < PROBS; i++) sum += pow((double)got[i] - (double)wanted[i], 2.0);
    return sum / PROBS;
}

static int stop_at_third(void *ctx, size_t done, size_t total)
{
    *(size_t *)ctx = total;
    return done == 3;
}

static void test_sensitivity(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    struct cxn_sensitivity rows[128];
    bool two_parts[128], seen[128] = { false };
    float wanted[PROBS];
    size_t count, total = 0;
    for (size_t i = 0; i < PROBS; i++) wanted[i] = (float)net.want64[i];
    struct cxn_sensitivity_input input = { .source = &source, .calibration = stats.calibration,
                                           .views = net.views, .count = SMALL_VIEWS,
                                           .wanted = wanted };
    assert_int_equal(cxn_sensitivity_measure(&input, &env, rows, &count, NULL), CXN_OK);
    assert_int_equal(count, 9 * 2 + 3);
    const double whole = squared_change(NULL, wanted);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fold->parts[rows[i].part].kind, CXN_PART_CONV);
        assert_true(i == 0 || rows[i].fall <= rows[i - 1].fall);
        assert_false(seen[rows[i].part]);
        seen[rows[i].part] = true;
        memset(two_parts, false, sizeof two_parts);
        two_parts[rows[i].part] = true;
        assert_true(rows[i].fall == whole - squared_change(two_parts, wanted));
    }
    assert_true(rows[0].fall > 0.0);
    const struct cxn_progress progress = { stop_at_third, &total };
    input.progress = &progress;
    assert_int_equal(cxn_sensitivity_measure(&input, &env, rows, &count, NULL), CXN_E_STOPPED);
    assert_true(count == 3 && total == 21);
}

/* ---- what cannot be quantised ------------------------------------------------------------- */

static void refuse(const char *text)
{
    struct cxn_error err = { "" };
    struct cxn_mem mem;
    cxn_quantized *q;
    cxn_mem_init(&mem, 0);
    assert_int_equal(cxn_quantized_make(&q, &source, stats.calibration, NULL, &mem, &err),
                     CXN_E_FORMAT);
    assert_null(q);
    assert_int_equal(mem.blocks, 0);
    if (!strstr(err.text, text)) fail_msg("'%s', expected '%s'", err.text, text);
}

static void refuse_weight(const char *tensor, float value, const char *text)
{
    float *weight = &net.block[cxn_net_find(net.net, tensor)->offset], saved = *weight;
    *weight = value;
    refuse(text);
    *weight = saved;
}

static void test_refused(void **state)
{
    (void)state;
    stats.calibration->images = 0;
    refuse("a calibration of no images, expected at least 1");
    stats.calibration->images = 1;
    refuse_weight("features.denseblock1.denselayer2.norm1.weight", INFINITY,
                  "folded 'features.denseblock1.denselayer2.norm1', scale: element 0 is inf");
    refuse_weight("features.transition1.conv.weight", NAN,
                  "folded 'features.transition1.conv', weight: element 0 is");
    refuse_weight("classifier.bias", -INFINITY, "folded 'classifier', bias: element 0 is -inf");
    refuse_weight("features.denseblock1.denselayer1.conv2.weight", FLT_MAX,
                  "'features.denseblock1.denselayer1.conv2', channel 0: ");
}

/* Channels that were always 0: their weights are 0, the others' numbers stay. */
static void test_dead_channels(void **state)
{
    (void)state;
    const size_t conv1 = 3; /* of the first layer; behind it stands its 3x3 */
    struct cxn_calibration_part *seen = &stats.calibration->parts[conv1];
    const double hi = seen->hi[1], mean = seen->mean[1];
    cxn_quantized *before = quantize(NULL);
    seen->hi[1] = seen->mean[1] = 0.0;
    cxn_quantized *dead = quantize(NULL);
    seen->hi[1] = hi;
    seen->mean[1] = mean;
    check_requantization(dead);
    const struct cxn_part *conv2 = &fold->parts[conv1 + 1];
    for (size_t i = 0; i < conv2->first_count; i++)
        if (i / conv2->out % conv2->in == 1)
            assert_int_equal(dead->parts[conv1 + 1].weight[i], 0);
    assert_true(before->parts[conv1].m[0] == dead->parts[conv1].m[0]);
    assert_true(before->parts[conv1].b[2] == dead->parts[conv1].b[2]);
    cxn_quantized_close(&before);
    cxn_quantized_close(&dead);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    enum cxn_status status = CXN_E_NOMEM;
    for (size_t n = 1; status == CXN_E_NOMEM; n++) {
        struct cxn_mem mem;
        struct cxn_error err = { "" };
        cxn_quantized *q;
        cxn_mem_init(&mem, 0);
        mem.fail_at = n;
        status = cxn_quantized_make(&q, &source, stats.calibration, NULL, &mem, &err);
        assert_true(status == CXN_OK ? n > 9 : strstr(err.text, "no memory for") != NULL);
        cxn_quantized_close(&q);
        assert_int_equal(mem.blocks, 0);
    }
    assert_int_equal(status, CXN_OK);
}

static int open_all(void **state)
{
    (void)state;
    small_net_open(&net);
    if (cxn_fold_open(&fold, net.net, NULL, NULL) != CXN_OK) return -1;
    source = cxn_fold_source_block(fold, net.block);
    naive_stats_open(&stats, fold);
    double logits[NAIVE_CLASSES];
    for (size_t i = 0; i < 2; i++) naive_float(&source, net.pictures[i].pixels, &stats, logits);
    naive_stats_finish(&stats);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    naive_stats_close(&stats);
    cxn_fold_close(&fold);
    small_net_close(&net);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grids),
        cmocka_unit_test(test_knots),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_naive_float),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_transition),
        cmocka_unit_test(test_same_numbers),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_dead_channels),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
