/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that a training view sees, compared with its definition in nn/trainer.h. */
#include "nn/train_view.h"

#include <math.h>

#include "base/status.h"
#include "nn/view.h"
#include "unit/unit.h"

enum { SIDE = 32, WIDTH_MAX = 48, HEIGHT_MAX = 48, CHANNELS_MAX = 3, PADDING = 5 };

struct store {
    struct cxn_picture picture;
    uint8_t pixels[HEIGHT_MAX * (WIDTH_MAX * CHANNELS_MAX + PADDING)];
};

/* The picture of tests/golden/make_train_view.py; equal: all channels as the first. */
static void draw(struct store *s, uint32_t width, uint32_t height, uint32_t channels, bool equal)
{
    s->picture = (struct cxn_picture){ .pixels = s->pixels, .width = width, .height = height,
                                       .channels = channels,
                                       .stride_bytes = (size_t)width * channels + PADDING };
    memset(s->pixels, 0xee, sizeof s->pixels); /* padding that nobody may see */
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < channels; c++)
                s->pixels[y * s->picture.stride_bytes + x * channels + c] =
                    (uint8_t)(5 * x * x + 3 * y * y + 7 * x * y + 11 * (x ^ y) +
                              91 * (equal ? 0 : c));
}

static struct cxn_train_view plain_view(const struct store *s, uint32_t x, uint32_t y)
{
    return (struct cxn_train_view){ .view = { &s->picture, x, y, SIDE, SIDE, false },
                                    .matrix = { { 1, 0 }, { 0, 1 } }, .gain = 1 };
}

/* A cut with exactly the bytes it may use, so that a sanitizer sees more being used. */
struct cut {
    uint8_t *buffer;
    struct cxn_picture picture;
    struct cxn_view view;
};

/* Not to be moved: the view points into it. */
static void make_cut(struct cut *c, const struct cxn_train_view *from)
{
    c->buffer = malloc((size_t)SIDE * SIDE * from->view.picture->channels);
    assert_non_null(c->buffer);
    c->view = cxn_train_view_cut(from, c->buffer, &c->picture);
}

/* Of the upright picture, from the view's corner. */
static uint8_t seen(const struct cxn_view *v, uint32_t x, uint32_t y, uint32_t channel)
{
    const struct cxn_picture *p = v->picture;
    return p->pixels[(v->y + y) * p->stride_bytes + (v->x + x) * p->channels + channel];
}

/* Where place (x, y) of a window of the picture should come from; outside: 0. */
typedef void where_fn(int64_t *x, int64_t *y);

static void expect_places(const struct cxn_train_view *from, where_fn *where)
{
    const struct cxn_picture *p = from->view.picture;
    struct cut c;
    make_cut(&c, from);
    assert_ptr_equal(c.view.picture, &c.picture);
    assert_int_equal(c.picture.channels, p->channels);
    assert_int_equal(c.view.width, SIDE);
    assert_int_equal(c.view.height, SIDE);
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        int64_t x = i % SIDE, y = i / SIDE;
        where(&x, &y);
        x += from->view.x;
        y += from->view.y;
        const bool inside = x >= 0 && x < p->width && y >= 0 && y < p->height;
        for (uint32_t k = 0; k < p->channels; k++)
            assert_int_equal(seen(&c.view, i % SIDE, i / SIDE, k),
                             inside ? p->pixels[(size_t)y * p->stride_bytes +
                                                (size_t)x * p->channels + k] : 0);
    }
    free(c.buffer);
}

static void here(int64_t *x, int64_t *y)
{
    (void)x;
    (void)y;
}

static void shifted(int64_t *x, int64_t *y)
{
    *x += 9;
    *y -= 20;
}

static void turned_90(int64_t *x, int64_t *y)
{
    const int64_t old = *x;
    *x = SIDE - 1 - *y;
    *y = old;
}

static void turned_180(int64_t *x, int64_t *y)
{
    *x = SIDE - 1 - *x;
    *y = SIDE - 1 - *y;
}

static void turned_270(int64_t *x, int64_t *y)
{
    const int64_t old = *x;
    *x = *y;
    *y = SIDE - 1 - old;
}

static void nothing_to_do_is_no_copy(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 48, 40, 3, false);
    struct cxn_train_view from = plain_view(&s, 7, 2);
    from.view.mirror = true;
    from.matrix[0][0] = NAN; /* not looked at */
    uint8_t untouched = 17;
    struct cxn_picture cut = { 0 };
    const struct cxn_view view = cxn_train_view_cut(&from, &untouched, &cut);
    assert_ptr_equal(view.picture, &s.picture);
    assert_true(view.x == 7 && view.y == 2 && view.width == SIDE && view.height == SIDE);
    assert_true(view.mirror);
    assert_null(cut.pixels);
    assert_int_equal(untouched, 17);
}

/* All of the picture, so that all of its border is met, and a window of a larger one. */
static void whole_pixels_are_copied(void **unused)
{
    (void)unused;
    static const struct {
        float matrix[2][2], shift[2];
        where_fn *where;
    } cases[] = {
        { { { 1, 0 }, { 0, 1 } }, { 0, 0 }, here },
        { { { 1, 0 }, { 0, 1 } }, { 9, -20 }, shifted },
        { { { 0, -1 }, { 1, 0 } }, { 0, 0 }, turned_90 },
        { { { -1, 0 }, { 0, -1 } }, { 0, 0 }, turned_180 },
        { { { 0, 1 }, { -1, 0 } }, { 0, 0 }, turned_270 },
    };
    for (size_t i = 0; i < 4 * CXN_COUNTOF(cases); i++) {
        const size_t k = i / 4;
        struct store s;
        draw(&s, i % 2 ? 48 : SIDE, i % 2 ? 41 : SIDE, i % 4 / 2 ? 3 : 1, false);
        struct cxn_train_view from = i % 2 ? plain_view(&s, 11, 6) : plain_view(&s, 0, 0);
        from.resampled = true;
        memcpy(from.matrix, cases[k].matrix, sizeof from.matrix);
        memcpy(from.shift, cases[k].shift, sizeof from.shift);
        expect_places(&from, cases[k].where);
    }
}

static void mirroring_comes_last(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 48, 40, 1, false);
    struct cxn_train_view from = plain_view(&s, 3, 3);
    from.view.mirror = true;
    from.resampled = true;
    from.shift[0] = 9; /* to the right in the upright picture, mirrored or not */
    from.shift[1] = -20;
    expect_places(&from, shifted);
    struct cut c;
    make_cut(&c, &from);
    assert_true(c.view.mirror);
    free(c.buffer);
}

/* gain alone, and the same through resampling. */
static void gain_rounds_ties_to_even(void **unused)
{
    (void)unused;
    static const struct {
        float gain;
        uint8_t sample, expected;
    } cases[] = { { 0.5f, 1, 0 }, { 0.5f, 3, 2 }, { 0.5f, 5, 2 }, { 0.5f, 255, 128 },
                  { 0.5f, 254, 127 }, { 1.5f, 1, 2 }, { 1.5f, 3, 4 }, { 1.5f, 169, 254 },
                  { 1.5f, 170, 255 }, { 1.5f, 171, 255 }, { 2.0f, 127, 254 }, { 2.0f, 128, 255 },
                  { 256.0f, 1, 255 }, { 256.0f, 0, 0 }, { 0.0f, 255, 0 },
                  { 0.9f, 200, 180 }, { 1.1f, 77, 85 } };
    for (size_t i = 0; i < 2 * CXN_COUNTOF(cases); i++) {
        struct store s;
        draw(&s, 40, 40, 1, false);
        memset(s.pixels, cases[i / 2].sample, sizeof s.pixels);
        struct cxn_train_view from = plain_view(&s, 4, 4);
        from.gain = cases[i / 2].gain;
        from.resampled = i % 2;
        struct cut c;
        make_cut(&c, &from);
        for (uint32_t k = 0; k < SIDE * SIDE; k++)
            assert_int_equal(c.buffer[k], cases[i / 2].expected);
        free(c.buffer);
    }
}

static void grey_in_three_channels_stays_grey(void **unused)
{
    (void)unused;
    struct store one, three, colour;
    draw(&one, 44, 40, 1, true);
    draw(&three, 44, 40, 3, true);
    draw(&colour, 44, 40, 3, false);
    struct cxn_train_view from = plain_view(&one, 5, 6);
    from.resampled = true;
    from.matrix[0][1] = 0.3f;
    from.matrix[1][0] = -0.2f;
    from.gain = 1.07f;
    struct cut grey;
    make_cut(&grey, &from);
    from.view.picture = &three.picture;
    struct cut equal;
    make_cut(&equal, &from);
    from.view.picture = &colour.picture;
    struct cut other;
    make_cut(&other, &from);
    assert_int_equal(grey.picture.channels, 1);
    assert_true(cxn_view_is_grey(&grey.view));
    assert_true(cxn_view_is_grey(&equal.view));
    assert_false(cxn_view_is_grey(&other.view));
    for (size_t i = 0; i < SIDE * SIDE; i++)
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(equal.buffer[3 * i + c], grey.buffer[i]);
    free(grey.buffer);
    free(equal.buffer);
    free(other.buffer);
}

/* The script says why these are equal and not only near. */
static void equal_to_exact_fractions(void **unused)
{
    (void)unused;
    FILE *text = fopen("tests/golden/train_view.txt", "r");
    FILE *samples = fopen("tests/golden/train_view.u8", "rb");
    assert_non_null(text);
    assert_non_null(samples);
    uint32_t width, height, channels, x, y;
    int resampled;
    size_t views = 0;
    while (fscanf(text, "%u %u %u %u %u %d", &width, &height, &channels, &x, &y, &resampled) == 6) {
        struct store s;
        draw(&s, width, height, channels, false);
        struct cxn_train_view from = plain_view(&s, x, y);
        from.resampled = resampled;
        assert_int_equal(fscanf(text, "%f %f %f %f %f %f %f", &from.matrix[0][0],
                                &from.matrix[0][1], &from.matrix[1][0], &from.matrix[1][1],
                                &from.shift[0], &from.shift[1], &from.gain), 7);
        struct cut c;
        make_cut(&c, &from);
        uint8_t expected[SIDE * SIDE * CHANNELS_MAX];
        const size_t count = (size_t)SIDE * SIDE * channels;
        assert_int_equal(fread(expected, 1, count, samples), count);
        for (size_t i = 0; i < count; i++)
            if (c.buffer[i] != expected[i])
                fail_msg("view %zu, sample %zu: %u, expected %u", views, i, c.buffer[i],
                         expected[i]);
        free(c.buffer);
        views++;
    }
    assert_int_equal(views, 7);
    assert_int_equal(fgetc(samples), EOF);
    fclose(samples);
    fclose(text);
}

/* ---- checks ------------------------------------------------------------------------------- */

static void expect_refused(const struct cxn_train_view *views, size_t count, const char *sentence)
{
    const struct cxn_trainer_options options = { .views_max = 2, .side = SIDE };
    struct cxn_error err = { "" };
    assert_int_equal(cxn_train_views_check(views, count, &options, &err), CXN_E_ARG);
    if (!strstr(err.text, sentence)) fail_msg("'%s', expected '%s'", err.text, sentence);
}

static void bad_views_are_refused(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 40, 40, 1, false);
    const struct cxn_train_view good = plain_view(&s, 8, 8);
    struct cxn_train_view views[3] = { good, good, good };
    const struct cxn_trainer_options options = { .views_max = 2, .side = SIDE };
    assert_int_equal(cxn_train_views_check(views, 2, &options, NULL), CXN_OK);
    expect_refused(views, 0, "0 views, expected 1..2");
    expect_refused(views, 3, "3 views, expected 1..2");
    views[1].view.width = 33;
    expect_refused(views, 2, "view 1: 33x32, expected 32x32");
    views[1] = good;
    views[1].view.x = 9;
    expect_refused(views, 2, "view 1: 32x32 at 9,8 leaves the picture of 40x40");
    views[1] = good;
    struct cxn_picture large = s.picture; /* nothing is read from it */
    views[1].view.picture = &large;
    large.height = 65537;
    expect_refused(views, 2, "view 1: a picture of 40x65537, expected sides up to 65536");
}

static void bad_numbers_are_refused(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 40, 40, 1, false);
    const struct cxn_trainer_options options = { .views_max = 2, .side = SIDE };
    static const float bad[] = { NAN, INFINITY, -INFINITY, 65537, -65537 };
    for (size_t i = 0; i < 7 * CXN_COUNTOF(bad); i++) {
        struct cxn_train_view views[2] = { plain_view(&s, 8, 8), plain_view(&s, 0, 0) };
        float *const numbers[] = { &views[1].matrix[0][0], &views[1].matrix[0][1],
                                   &views[1].matrix[1][0], &views[1].matrix[1][1],
                                   &views[1].shift[0],     &views[1].shift[1],
                                   &views[1].gain };
        static const char *const what[] = { "matrix", "matrix", "matrix", "matrix",
                                            "shift",  "shift",  "gain" };
        *numbers[i / CXN_COUNTOF(bad)] = bad[i % CXN_COUNTOF(bad)];
        if (i < 6 * CXN_COUNTOF(bad)) /* unused so far */
            assert_int_equal(cxn_train_views_check(views, 2, &options, NULL), CXN_OK);
        views[1].resampled = true;
        expect_refused(views, 2, what[i / CXN_COUNTOF(bad)]);
    }
}

/* A channel's variance needs two places at least, unless running statistics are used. */
static void one_place_has_no_variance(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 64, 64, 1, false);
    struct cxn_train_view views[2] = { plain_view(&s, 0, 0), plain_view(&s, 0, 0) };
    struct cxn_trainer_options options = { .views_max = 2, .side = 63 };
    struct cxn_error err = { "" };
    for (size_t i = 0; i < 2; i++) views[i].view.width = views[i].view.height = 63;
    assert_int_equal(cxn_train_views_check(views, 1, &options, &err), CXN_E_ARG);
    assert_non_null(strstr(err.text, "variance"));
    assert_int_equal(cxn_train_views_check(views, 2, &options, NULL), CXN_OK);
    options.head_only = true;
    assert_int_equal(cxn_train_views_check(views, 1, &options, NULL), CXN_OK);
    options = (struct cxn_trainer_options){ .views_max = 2, .side = 64 };
    views[0].view.width = views[0].view.height = 64;
    assert_int_equal(cxn_train_views_check(views, 1, &options, NULL), CXN_OK);
}

/* The most that is allowed reaches far outside, and nothing but zeros. */
static void limits_are_safe(void **unused)
{
    (void)unused;
    struct store s;
    draw(&s, 40, 40, 3, false);
    const struct cxn_trainer_options options = { .views_max = 1, .side = SIDE,
                                                 .head_only = true };
    for (int sign = -1; sign <= 1; sign += 2) {
        struct cxn_train_view from = plain_view(&s, 8, 8);
        from.resampled = true;
        for (size_t k = 0; k < 4; k++)
            from.matrix[k / 2][k % 2] = (float)sign * CXN_TRAIN_MATRIX_MAX;
        for (size_t k = 0; k < 2; k++) from.shift[k] = (float)-sign * CXN_TRAIN_SHIFT_MAX;
        from.gain = CXN_TRAIN_GAIN_MAX;
        assert_int_equal(cxn_train_views_check(&from, 1, &options, NULL), CXN_OK);
        struct cut c;
        make_cut(&c, &from);
        for (size_t i = 0; i < SIDE * SIDE * 3; i++) assert_int_equal(c.buffer[i], 0);
        free(c.buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_is_no_copy),
        cmocka_unit_test(whole_pixels_are_copied),
        cmocka_unit_test(mirroring_comes_last),
        cmocka_unit_test(gain_rounds_ties_to_even),
        cmocka_unit_test(grey_in_three_channels_stays_grey),
        cmocka_unit_test(equal_to_exact_fractions),
        cmocka_unit_test(bad_views_are_refused),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(one_place_has_no_variance),
        cmocka_unit_test(limits_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
