/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "kern/conv_bordered_i8.h"

enum { TWO_PARTS_HIGH = 128 };

/* Of the output; a window of kernel x kernel, or x columns where that is not 0, places `stride`
 * apart. */
struct shape {
    size_t height, width, in, out, kernel, stride;
    bool two_parts;
    size_t columns;
};

/* What samples and weights are, and how a sum goes to a byte. */
enum fill {
    ANY,       /* any, to the range of bytes and a little beyond */
    CLOSE,     /* any; of each channel one place's sum is near the middle, in steps of 1/4 to 1 */
    TIES,      /* any; of each channel one place's value is half-way between two bytes */
    CORNERS,   /* 0 and 255 times -128 and 127, close */
    ALL_MOST,  /* 255 times 127 but for two of each, 1 and 3 less, so that some sums beyond 2^24
                  are odd, and of these float32 has some rounded down, some up; close */
    ALL_LEAST, /* 255 times -128 likewise */
    NEAR,      /* as ALL_MOST; values beyond 2^29, which are still bounded */
    BEYOND,    /* as ALL_MOST; some values beyond int32, so none are bounded */
    BELL,      /* weights as trained ones are spread, close */
    EDGES,     /* 255 times weights of which two or four are just below or beyond what 16 bits
                  hold; close */
    FAR,       /* numbers of m and b beyond int32, infinite products among them */
    FILLS
};

struct inputs {
    struct cxn_conv_bordered conv;
    struct cxn_conv_i8_weights weights;
};

static const struct cxn_conv_bordered_i8_kernel *row_of(const struct ck *t)
{
    return (const void *)cxn_kern_row(t->op, t->row);
}

static void run(const struct ck *t, const void *args, float *dst)
{
    struct cxn_conv_bordered conv = *(const struct cxn_conv_bordered *)args;
    conv.dst = dst;
    row_of(t)->run(&conv);
}

static bool is_most(enum fill fill)
{
    return fill == ALL_MOST || fill == NEAR || fill == BEYOND;
}

static uint8_t *make_samples(struct ck *t, size_t count, enum fill fill)
{
    uint8_t *p = ck_u8(t, count);
    for (size_t i = 0; i < count; i++) {
        if (fill == CORNERS) p[i] = p[i] < 128 ? 0 : 255;
        if (is_most(fill) || fill == ALL_LEAST || fill == EDGES) p[i] = 255;
    }
    for (uint8_t less = 1; less <= 3 && (is_most(fill) || fill == ALL_LEAST); less += 2)
        p[ck_below(t, count)] -= less;
    return p;
}

/* Of four neighbouring terms each a half or a quarter of 128, or one less or more; a channel has
 * one sign. */
static void make_edges(struct ck *t, int8_t *w, size_t terms, size_t out, int sign)
{
    for (size_t i = 0; i < terms; i++) {
        const int size = (i / 4 % 3 == 0 ? 63 : 31) + (int)ck_below(t, 3);
        for (size_t o = 0; o < out; o++)
            w[i * out + o] = (int8_t)(o % 3 == 0 ? -sign * size : sign * size);
    }
}

static int8_t *make_weights(struct ck *t, size_t terms, size_t out, enum fill fill, int least,
                            int most)
{
    const size_t count = terms * out;
    int8_t *w = fill == BELL ? ck_s8_bell(t, count, least, most) : ck_s8(t, count, least, most);
    if (fill == EDGES) make_edges(t, w, terms, out, most == 127 ? 1 : -1);
    for (size_t i = 0; i < count; i++) {
        if (fill == CORNERS) w[i] = (int8_t)(w[i] < 0 ? least : most);
        if (is_most(fill)) w[i] = (int8_t)most;
        if (fill == ALL_LEAST) w[i] = (int8_t)least;
    }
    for (int8_t less = 1; less <= 3 && is_most(fill); less += 2) w[ck_below(t, count)] -= less;
    for (int8_t more = 1; more <= 3 && fill == ALL_LEAST; more += 2) w[ck_below(t, count)] += more;
    return w;
}

/* The first part of weights, or all there is. Where ties are looked for in two parts, every other
 * channel has none of it, so that the second part's products are not lost beside it. */
static int8_t *make_first(struct ck *t, const struct shape *s, size_t terms, enum fill fill)
{
    int8_t *w = make_weights(t, terms, s->out, fill, -128, 127);
    for (size_t i = 0; i < terms * s->out && s->two_parts && fill == TIES; i++)
        if (i % s->out % 2 != 0) w[i] = 0;
    return w;
}

/* The sum by one part of the weights, of channel o of a place. */
static int32_t sum_of(const struct cxn_conv_bordered *c, const int8_t *w, size_t place, size_t o)
{
    const uint8_t *src = (const uint8_t *)c->src + place / c->width * c->row_step +
                         place % c->width * c->place_step;
    int32_t sum = 0;
    for (size_t i = 0; i < c->tap_rows * c->run; i++)
        sum += src[i / c->run * c->tap_row_step + i % c->run] * w[i * c->out + o];
    return sum;
}

static float value_of(const struct inputs *in, size_t place, size_t o)
{
    const struct cxn_conv_i8_weights *w = &in->weights;
    const int32_t sum = sum_of(&in->conv, w->w, place, o);
    const int32_t low = w->low ? sum_of(&in->conv, w->low, place, o) : 0;
    return ck_requantized(sum, w->low ? &low : NULL, w->m[o], w->b[o]);
}

/* The b by which the channel's value at a place is k + 1/2, if nothing is rounded but as the
 * contract says: a fused product, or sums in another order, leave it by a little. */
static float tie(const struct inputs *in, size_t place, size_t o, float k)
{
    const struct cxn_conv_i8_weights *w = &in->weights;
    const int32_t sum = sum_of(&in->conv, w->w, place, o), none = 0;
    const float without = k + 0.5f - ck_requantized(sum, w->low ? &none : NULL, w->m[o], 0.0f);
    if (!w->low) return without;
    return without - ck_requantized(sum_of(&in->conv, w->low, place, o), NULL, w->m[o], 0.0f);
}

/* m and b, of which b is 0 while what it adds to is looked for. */
static void make_scales(struct ck *t, const struct inputs *in, float *m, float *b, enum fill fill)
{
    static const float close[] = { 1.0f, 0.5f, 0.25f };
    const float spread = sqrtf((float)(in->conv.tap_rows * in->conv.run)) * 74.0f * 100.0f;
    const float parts = in->weights.low ? TWO_PARTS_HIGH : 1.0f;
    const float most = 255.0f * 127.0f * parts * (float)(in->conv.tap_rows * in->conv.run);
    for (size_t o = 0; o < in->conv.out; o++) {
        const size_t place = ck_below(t, in->conv.height * in->conv.width);
        const float any = 0.5f + (float)ck_below(t, 1000) / 1000;
        const float k = 100.0f + (float)ck_below(t, 40);
        m[o] = close[o % CXN_COUNTOF(close)];
        b[o] = 0.0f;
        if (fill == ANY) {
            m[o] = 64.0f * any / spread / parts;
            b[o] = (float)ck_below(t, 256000) / 1000;
        } else if (fill == TIES) {
            m[o] = o % 2 == 0 ? any / parts : any; /* so that a product's last bit counts halves */
            b[o] = tie(in, place, o, k);
        } else if (fill == NEAR) {
            m[o] = 0x1p28f / most;
            b[o] = o % 2 == 0 ? 0x1p29f : -0x1p29f;
        } else if (fill == BEYOND) {
            m[o] = 0x1.2p31f / most;
        } else if (fill != FAR) {
            b[o] = k - value_of(in, place, o);
        } else if (o % 3 == 0) {
            m[o] = 0x1p120f;
        } else {
            b[o] = o % 3 == 1 ? 3e38f : (float)ck_below(t, 256);
        }
    }
}

/* Knots of a 1x1 whose samples are the greatest that these allow. */
static const uint8_t *make_knots(struct ck *t, uint8_t *src, size_t count, size_t pitch, size_t in)
{
    uint8_t *knot = ck_u8(t, in);
    for (size_t i = 0; i < in; i++) knot[i] %= 4;
    for (size_t i = 0; i < count; i++) src[i] = 255 - knot[i % pitch % in];
    return knot;
}

static struct inputs make(struct ck *t, const struct shape *s, enum fill fill)
{
    const size_t columns = s->columns ? s->columns : s->kernel;
    const size_t width = (s->width - 1) * s->stride + columns;
    const size_t height = (s->height - 1) * s->stride + s->kernel;
    const size_t terms = s->kernel * columns * s->in, dst_step = s->out + ck_below(t, 4);
    const size_t pitch = width * s->in + ck_below(t, 3) * (ck_below(t, 2) > 0 ? s->in : 1);
    const size_t count = (height - 1) * pitch + width * s->in;
    uint8_t *src = make_samples(t, count, fill);
    const bool hinged = fill == EDGES && terms == s->in;
    float *m = ck_f32(t, s->out, CK_UNIT), *b = ck_f32(t, s->out, CK_UNIT);
    struct inputs in = {
        .conv = { .src = src,
                  .place_step = s->in * s->stride, .row_step = pitch * s->stride,
                  .tap_row_step = pitch, .tap_rows = s->kernel, .run = columns * s->in,
                  .height = s->height, .width = s->width, .out = s->out,
                  .dst_place_step = dst_step,
                  .dst_row_step = s->width * dst_step + ck_below(t, 2 * dst_step),
                  .two_parts = s->two_parts },
        .weights = { .w = make_first(t, s, terms, fill), .m = m, .b = b,
                     .low = s->two_parts ? make_weights(t, terms, s->out, fill, -64, 63) : NULL,
                     .out = s->out, .terms = terms, .run = columns * s->in,
                     .place_step = s->in * s->stride,
                     .knot = hinged ? make_knots(t, src, count, pitch, s->in) : NULL }
    };
    make_scales(t, &in, m, b, fill);
    const size_t bytes = cxn_conv_bordered_i8_packed_bytes(row_of(t), &in.weights);
    void *packed = ck_aligned(t, bytes / sizeof(float));
    cxn_conv_bordered_i8_pack(row_of(t), packed, &in.weights);
    in.conv.w = packed;
    in.conv.bounded = cxn_conv_bordered_i8_is_bounded(&in.weights);
    in.conv.ahead = ck_ahead(t, packed, bytes);
    return in;
}

static void check_shape(struct ck *t, const struct shape *s, enum fill fill)
{
    const struct inputs in = make(t, s, fill);
    const size_t count = s->height * s->width;
    double *want = ck_f64(t, count * s->out);
    for (size_t i = 0; i < count * s->out; i++) {
        want[i] = ck_byte(value_of(&in, i / s->out, i % s->out));
    }
    const struct ck_case c = { .run = run, .args = &in.conv, .count = count,
                               .step = in.conv.dst_place_step, .width = s->out, .row = s->width,
                               .row_step = in.conv.dst_row_step, .want = want,
                               .output = CK_BYTES };
    ck_verify(t, &c, "h=%zu w=%zu in=%zu out=%zu kernel=%zu stride=%zu parts=%d fill=%d",
              s->height, s->width, s->in, s->out, s->kernel, s->stride, 1 + s->two_parts,
              (int)fill);
    ck_reset(t);
}

/* Among them, for AMX: terms in units, of one piece of a row and of several, and terms gathered in
 * pieces of 4 and of 16. */
static void check(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 1, 4, 1, 1, 1, false, 0 },     { 1, 1, 8, 3, 3, 1, true, 0 },
        { 5, 7, 4, 17, 3, 1, false, 0 },    { 1, 117, 36, 8, 1, 1, true, 0 },
        { 3, 2, 260, 9, 1, 1, false, 0 },   { 6, 11, 32, 33, 3, 1, true, 0 },
        { 6, 16, 2, 64, 7, 2, true, 8 },    { 5, 3, 4, 5, 7, 2, false, 0 },
        { 2, 7, 128, 32, 3, 1, false, 0 },  { 3, 14, 96, 128, 1, 1, false, 0 },
        { 2, 33, 4, 47, 3, 1, false, 0 },   { 3, 10, 12, 31, 1, 1, true, 0 },
        { 2, 6, 8, 16, 3, 1, true, 0 },     { 1, 5, 1024, 65, 1, 1, false, 0 },
        { 9, 7, 64, 40, 3, 1, true, 0 },    { 5, 14, 64, 33, 3, 1, false, 0 },
        { 3, 16, 128, 70, 1, 1, true, 0 },  { 4, 20, 64, 31, 1, 1, false, 0 },
        { 2, 9, 64, 32, 1, 1, true, 0 },    { 1, 37, 64, 64, 7, 2, false, 0 },
        { 1, 34, 128, 16, 3, 1, true, 0 },  { 3, 9, 4, 64, 7, 2, true, 8 },
        { 4, 19, 36, 33, 3, 1, false, 0 },  { 4, 19, 36, 33, 3, 1, true, 0 },
        { 3, 9, 48, 40, 3, 1, false, 0 },   { 3, 9, 32, 33, 2, 1, false, 5 },
        { 2, 117, 2, 33, 7, 2, true, 8 },   { 1, 240, 4, 17, 3, 1, false, 0 },
        { 2, 9, 4, 20, 3, 1, false, 8 },    { 3, 5, 4, 20, 2, 2, false, 4 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++)
        for (enum fill fill = 0; fill < FILLS; fill++) check_shape(t, &shapes[i], fill);
}

/* DenseNet-121 on 224 x 224: the stem on grey and *inside*, its window 8 columns wide, and of each
 * block its widest 1x1 and its 3x3. */
static void bench(struct ck *t)
{
    static const struct shape shapes[] = {
        { 1, 56, 224, 128, 1, 1, false, 0 },  { 56, 56, 128, 32, 3, 1, false, 0 },
        { 2, 28, 480, 128, 1, 1, false, 0 },  { 28, 28, 128, 32, 3, 1, false, 0 },
        { 4, 14, 992, 128, 1, 1, false, 0 },  { 14, 14, 128, 32, 3, 1, false, 0 },
        { 7, 7, 992, 128, 1, 1, false, 0 },   { 7, 7, 128, 32, 3, 1, false, 0 },
        { 56, 56, 128, 32, 3, 1, true, 0 },   { 112, 112, 2, 64, 7, 2, true, 8 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(shapes); i++) {
        const struct shape *s = &shapes[i];
        const struct inputs in = make(t, s, BELL);
        const double products = (double)(s->height * s->width * s->out) *
                                (double)(in.conv.tap_rows * in.conv.run);
        float *dst = ck_aligned(t, s->height * in.conv.dst_row_step / sizeof(float) + 1);
        ck_time(t, run, &in.conv, dst, 2.0 * products, 0.0, "%zux%zux%zu -> %zu, %zux%zu%s",
                s->height, s->width, s->in, s->out, s->kernel, s->kernel,
                s->two_parts ? ", 2 parts" : "");
        ck_reset(t);
    }
}

const struct ck_check ck_conv_bordered_i8 = { &cxn_conv_bordered_i8_op, check, bench };
