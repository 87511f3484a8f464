/* SPDX-License-Identifier: Apache-2.0 */
/* The pure functions of training: settings, loss, schedule, order, views, first weights. */
#include <math.h>
#include <stdlib.h>

#include "image/image.h"
#include "train/augment.h"
#include "train/init.h"
#include "train/loss.h"
#include "train/order.h"
#include "train/schedule.h"
#include "unit/unit.h"

static void assert_near(double got, double want, double most)
{
    if (!(fabs(got - want) <= most)) fail_msg("%.17g, expected %.17g", got, want);
}

/* ---- settings ----------------------------------------------------------------------------- */

static void refused(const char *name, const char *value, const char *sentence)
{
    struct cxn_settings s;
    struct cxn_error err = { "" };
    cxn_settings_init(&s);
    assert_int_equal(cxn_settings_set(&s, name, value, &err), CXN_E_ARG);
    if (!strstr(err.text, sentence)) fail_msg("%s %s: '%s'", name, value, err.text);
}

static void settings_are_read_and_told(void **state)
{
    (void)state;
    struct cxn_settings s, t;
    char text[CXN_SETTING_TEXT_BYTES];
    cxn_settings_init(&s);
    assert_int_equal(s.batch, 16);
    assert_true(s.shuffle);
    for (size_t i = 0; i < cxn_setting_count; i++)
        assert_string_equal(cxn_setting_text(&s, &cxn_setting_rows[i], text),
                            cxn_setting_rows[i].initial);
    assert_int_equal(cxn_settings_set(&s, "lr", "0.30000000000000004", NULL), CXN_OK);
    assert_int_equal(cxn_settings_set(&s, "schedule", "one-cycle", NULL), CXN_OK);
    assert_int_equal(cxn_settings_set(&s, "on-bad", "skip", NULL), CXN_OK);
    assert_int_equal(s.schedule, CXN_SCHEDULE_ONE_CYCLE);
    cxn_settings_init(&t);
    for (size_t i = 0; i < cxn_setting_count; i++)
        assert_int_equal(cxn_settings_set(&t, cxn_setting_rows[i].name,
                                          cxn_setting_text(&s, &cxn_setting_rows[i], text), NULL),
                         CXN_OK);
    assert_memory_equal(&s, &t, sizeof s);
    refused("fly", "1", "unknown setting 'fly'");
    refused("lr", "x", "--lr 'x': expected a number 0..1e+30");
    refused("lr", "nan", "expected a number");
    refused("epochs", "1.5", "expected a whole number 1..4000");
    refused("epochs", "0", "expected a whole number");
    refused("epochs", "-1", "expected a whole number");
    refused("schedule", "step|cosine", "expected constant|step|cosine|plateau|one-cycle");
    refused("nesterov", "", "expected off|on");
}

static void hash_tells_settings_apart(void **state)
{
    (void)state;
    char a[CXN_SHA256_HEX_BYTES], b[CXN_SHA256_HEX_BYTES];
    struct cxn_settings s;
    cxn_settings_init(&s);
    cxn_settings_hash(&s, a);
    s.deadline = 121; /* the last row: all are in */
    cxn_settings_hash(&s, b);
    assert_string_not_equal(a, b);
}

static uint64_t usual_shards(uint64_t batch)
{
    struct cxn_settings s;
    cxn_settings_init(&s);
    s.batch = batch;
    assert_int_equal(cxn_settings_finish(&s, 1, NULL), CXN_OK);
    return s.shards;
}

static void unfit(uint64_t batch, uint64_t shards, unsigned ranks, const char *sentence)
{
    struct cxn_settings s;
    struct cxn_error err = { "" };
    cxn_settings_init(&s);
    s.batch = batch;
    s.shards = shards;
    assert_int_equal(cxn_settings_finish(&s, ranks, &err), CXN_E_ARG);
    if (!strstr(err.text, sentence)) fail_msg("'%s'", err.text);
}

static void shards_fit_batch_and_ranks(void **state)
{
    (void)state;
    assert_int_equal(usual_shards(4), 1);
    assert_int_equal(usual_shards(16), 2);
    assert_int_equal(usual_shards(64), 8);
    assert_int_equal(usual_shards(1024), 64);
    unfit(12, 8, 1, "expected --shards 4 or --batch 16");
    unfit(12, 3, 1, "--shards 3: expected a power of two");
    unfit(20, 0, 4, "4 ranks cannot share 2 shards, expected 2 ranks");
    unfit(24, 8, 3, "3 ranks cannot share 8 shards, expected 2 ranks");
    struct cxn_settings s;
    cxn_settings_init(&s);
    s.crops = CXN_TRAIN_CROPS_TEN;
    assert_int_equal(cxn_settings_finish(&s, 2, NULL), CXN_OK);
    assert_int_equal(s.augment, CXN_SWITCH_OFF);
    s.nesterov = true;
    assert_int_equal(cxn_settings_finish(&s, 2, NULL), CXN_E_ARG);
}

/* ---- loss --------------------------------------------------------------------------------- */

enum { IMAGES = 3, CLASSES = 14, VIEWS = 10 };

struct losses {
    cxn_list list;
    struct cxn_item items[IMAGES];
    uint16_t labels[IMAGES];
};

static void read_labels(FILE *f, struct losses *l)
{
    for (size_t i = 0; i < IMAGES; i++) {
        unsigned mask;
        assert_int_equal(fscanf(f, "%u", &mask), 1);
        l->labels[i] = l->items[i].labels = (uint16_t)mask;
    }
    l->list = (cxn_list){ .count = IMAGES, .labelled = true, .items = l->items };
}

static void read_numbers(FILE *f, double *to, size_t count)
{
    for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(f, "%lf", &to[i]), 1);
}

static enum cxn_loss_kind kind_of(const char *name)
{
    struct cxn_settings s;
    cxn_settings_init(&s);
    assert_int_equal(cxn_settings_set(&s, "loss", name, NULL), CXN_OK);
    return (enum cxn_loss_kind)s.loss;
}

/* PyTorch takes the logarithm of a rounded 1 - p. With |logit| < 12 that is at least 6e-6, so that
 * half a unit of p's last place is 2e-11 of it. */
#define LOSS_TOLERANCE 1e-10

static void losses_are_pytorchs(void **state)
{
    (void)state;
    static double logits[IMAGES * VIEWS * CLASSES], want[IMAGES * VIEWS * CLASSES],
        got[IMAGES * VIEWS * CLASSES];
    struct losses l;
    FILE *f = fopen("tests/golden/train_loss.txt", "r");
    assert_non_null(f);
    read_labels(f, &l);
    char name[32];
    size_t views, rows = 0;
    for (; fscanf(f, "%31s %zu", name, &views) == 2; rows++) {
        const size_t n = IMAGES * views * CLASSES;
        struct cxn_loss loss;
        double value;
        read_numbers(f, &value, 1);
        read_numbers(f, logits, n);
        read_numbers(f, want, n);
        cxn_loss_init(&loss, kind_of(name), 2, CLASSES, &l.list);
        const double mine = cxn_loss_of_logits(&loss, logits, IMAGES, views, l.labels, got);
        if (!(fabs(mine - value) <= LOSS_TOLERANCE * value))
            fail_msg("%s, %zu views: %.17g, expected %.17g", name, views, mine, value);
        for (size_t i = 0; i < n; i++)
            if (!(fabs(got[i] - want[i]) <= LOSS_TOLERANCE))
                fail_msg("%s, %zu views, derivative %zu: %.17g, expected %.17g", name, views, i,
                         got[i], want[i]);
    }
    fclose(f);
    assert_int_equal(rows, 8);
}

/* (f(x + h) - f(x - h)) / 2h is off by h^2/6 of the third derivative, below 1 here, and by the
 * rounding of f over h: 2e-11 + 1e-11 for h = 1e-5. */
static void derivatives_are_differences(void **state)
{
    (void)state;
    const double h = 1e-5, tolerance = 1e-9;
    double logits[4 * CLASSES], d[4 * CLASSES];
    struct cxn_item items[2] = { { .labels = 0x1234 }, { .labels = 0x0001 } };
    const cxn_list list = { .count = 2, .items = items };
    const uint16_t labels[2] = { 0x1234, 0x0001 };
    for (size_t i = 0; i < CXN_COUNTOF(logits); i++) logits[i] = 3 * sin((double)(7 * i + 1));
    for (int kind = CXN_LOSS_BCE; kind <= CXN_LOSS_SEED_CE; kind++) {
        struct cxn_loss loss;
        cxn_loss_init(&loss, (enum cxn_loss_kind)kind, 1.5, CLASSES, &list);
        cxn_loss_of_logits(&loss, logits, 2, 2, labels, d);
        for (size_t i = 0; i < CXN_COUNTOF(logits); i++) {
            const double at = logits[i];
            logits[i] = at + h;
            const double up = cxn_loss_of_logits(&loss, logits, 2, 2, labels, NULL);
            logits[i] = at - h;
            const double down = cxn_loss_of_logits(&loss, logits, 2, 2, labels, NULL);
            logits[i] = at;
            if (!(fabs((up - down) / (2 * h) - d[i]) < tolerance))
                fail_msg("loss %d, logit %zu: %g, expected %g", kind, i, d[i],
                         (up - down) / (2 * h));
        }
    }
}

/* A sigmoid of -800 is 0 in double; its logarithm is not infinite here. */
static void far_logits_keep_their_loss(void **state)
{
    (void)state;
    double logits[CLASSES], d[CLASSES];
    const uint16_t label = 1;
    struct cxn_item item = { .labels = 1 };
    const cxn_list list = { .count = 1, .items = &item };
    struct cxn_loss loss;
    for (size_t c = 0; c < CLASSES; c++) logits[c] = -800;
    cxn_loss_init(&loss, CXN_LOSS_BCE, 0, CLASSES, &list);
    assert_near(cxn_loss_of_logits(&loss, logits, 1, 1, &label, d), 800.0 / CLASSES, 1e-12);
    assert_near(d[0], -1.0 / CLASSES, 1e-15);
    assert_near(d[1], 0, 1e-300);
    const float prob[CLASSES] = { 0 };
    assert_near(cxn_loss_of_probabilities(&loss, prob, label), 100.0 / CLASSES, 1e-12);
}

/* ---- schedule ----------------------------------------------------------------------------- */

enum { STEPS = 60, EPOCH_STEPS = 5 };

static struct cxn_settings settings_of(const char *name)
{
    struct cxn_settings s;
    cxn_settings_init(&s);
    s.lr = 0.1;
    s.epochs = STEPS / EPOCH_STEPS;
    s.decay_epochs = 3;
    if (strcmp(name, "plateau") == 0) s.decay_epochs = 2;
    if (strcmp(name, "warm-cosine") == 0) {
        s.warmup = 8;
        name = "cosine";
    }
    assert_int_equal(cxn_settings_set(&s, "schedule", name, NULL), CXN_OK);
    return s;
}

/* torch's cosine is a recurrence of 60 steps, each of a few roundings. */
#define RATE_TOLERANCE (60 * 8 * 2.3e-16)

static void schedules_are_pytorchs(void **state)
{
    (void)state;
    struct cxn_epoch_result epochs[STEPS / EPOCH_STEPS];
    char name[32];
    size_t rows = 0;
    FILE *f = fopen("tests/golden/train_schedule.txt", "r");
    assert_non_null(f);
    for (size_t i = 0; i < CXN_COUNTOF(epochs); i++)
        assert_int_equal(fscanf(f, "%lf", &epochs[i].val_loss), 1);
    for (; fscanf(f, "%31s", name) == 1; rows++) {
        const struct cxn_settings s = settings_of(name);
        const struct cxn_schedule schedule =
            cxn_schedule_make(&s, EPOCH_STEPS * cxn_settings_images(&s) + 3);
        assert_int_equal(schedule.total, STEPS);
        for (uint64_t step = 0; step < STEPS; step++) {
            double want;
            read_numbers(f, &want, 1);
            const double got = cxn_schedule_lr(&schedule, step, epochs, step / EPOCH_STEPS);
            if (!(fabs(got - want) <= RATE_TOLERANCE * 0.1))
                fail_msg("%s, step %d: %.17g, expected %.17g", name, (int)step, got, want);
        }
    }
    fclose(f);
    assert_int_equal(rows, 5);
}

static void constant_rate_and_warmup(void **state)
{
    (void)state;
    struct cxn_settings s = settings_of("constant");
    s.warmup = 4;
    s.max_steps = 7;
    const struct cxn_schedule schedule = cxn_schedule_make(&s, 1000);
    assert_int_equal(schedule.total, 7);
    assert_near(cxn_schedule_lr(&schedule, 0, NULL, 0), 0.025, 1e-15);
    assert_near(cxn_schedule_lr(&schedule, 3, NULL, 0), 0.1, 1e-15);
    assert_near(cxn_schedule_lr(&schedule, 6, NULL, 0), 0.1, 1e-15);
}

static void best_validation_is_found(void **state)
{
    (void)state;
    const struct cxn_epoch_result none[] = { { 0.5, NAN }, { 0.4, NAN }, { 0.4, NAN } };
    const struct cxn_epoch_result some[] = { { 0.1, NAN }, { 0.9, 0.6 }, { 0.8, 0.7 },
                                             { 0.7, 0.7 }, { 0.1, 0.65 } };
    assert_int_equal(cxn_state_best(none, 3), 1);
    assert_int_equal(cxn_state_best(some, 5), 2);
}

/* ---- order and views ---------------------------------------------------------------------- */

enum { LIST = 50 };

static void epochs_are_permutations(void **state)
{
    (void)state;
    uint32_t a[LIST], b[LIST];
    int seen[LIST] = { 0 };
    cxn_order_epoch(a, LIST, 5, 0, true);
    for (size_t i = 0; i < LIST; i++) seen[a[i]]++;
    for (size_t i = 0; i < LIST; i++) assert_int_equal(seen[i], 1);
    cxn_order_epoch(b, LIST, 5, 0, true);
    assert_memory_equal(a, b, sizeof a);
    cxn_order_epoch(b, LIST, 5, 1, true);
    assert_memory_not_equal(a, b, sizeof a);
    cxn_order_epoch(b, LIST, 6, 0, true);
    assert_memory_not_equal(a, b, sizeof a);
    cxn_order_epoch(b, LIST, 5, 0, false);
    for (uint32_t i = 0; i < LIST; i++) assert_int_equal(b[i], i);
}

/* All ranks together have each place once, and shard s the same places whoever computes it. */
static void layouts_share_the_same_places(void **state)
{
    (void)state;
    for (size_t ranks = 1; ranks <= 4; ranks *= 2) {
        int seen[48] = { 0 };
        for (size_t rank = 0; rank < ranks; rank++) {
            const struct cxn_layout l = { .batch = 8, .shards = 4, .accumulate = 3, .rank = rank,
                                          .ranks = ranks };
            for (size_t own = 0; own < cxn_layout_own_shards(&l); own++)
                for (size_t pass = 0; pass < 3; pass++)
                    for (uint64_t step = 0; step < 2; step++) {
                        const size_t shard = rank * (4 / ranks) + own;
                        const size_t at = cxn_layout_place(&l, step, own, pass);
                        assert_int_equal(at, step * 24 + pass * 8 + shard * 2);
                        seen[at]++;
                        seen[at + 1]++;
                    }
        }
        for (size_t i = 0; i < 48; i++) assert_int_equal(seen[i], 1);
    }
}

static const struct cxn_picture picture = { .width = 300, .height = 256, .channels = 1,
                                            .stride_bytes = 300 };

static struct cxn_train_view view_of(struct cxn_augment a, uint64_t epoch, size_t image)
{
    struct cxn_train_view v;
    assert_int_equal(cxn_augment_views(&a, epoch, image, &picture, &v), 1);
    assert_true(v.view.x + v.view.width <= picture.width);
    assert_true(v.view.y + v.view.height <= picture.height);
    return v;
}

static void assert_same_view(const struct cxn_view *a, const struct cxn_view *b)
{
    assert_int_equal(a->x, b->x);
    assert_int_equal(a->y, b->y);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->mirror, b->mirror);
    assert_ptr_equal(a->picture, b->picture);
}

static void views_are_of_image_and_epoch(void **state)
{
    (void)state;
    const struct cxn_augment a = { CXN_TRAIN_CROPS_RANDOM, true, 9 };
    struct cxn_augment plain = a, other = a;
    plain.on = false;
    other.seed = 10;
    const struct cxn_train_view v = view_of(a, 2, 7), again = view_of(a, 2, 7);
    assert_same_view(&v.view, &again.view);
    assert_memory_equal(v.matrix, again.matrix, sizeof v.matrix);
    assert_true(v.gain == again.gain);
    const struct cxn_train_view next = view_of(a, 3, 7), image = view_of(a, 2, 8),
                                seed = view_of(other, 2, 7), off = view_of(plain, 2, 7);
    assert_true(v.matrix[0][1] != next.matrix[0][1] && v.gain != next.gain);
    assert_true(v.matrix[0][1] != image.matrix[0][1]);
    assert_true(v.matrix[0][1] != seed.matrix[0][1]);
    assert_true(off.view.x == v.view.x && off.view.y == v.view.y);
    assert_true(!off.resampled && off.gain == 1 && !off.view.mirror);
}

/* Ranges over 2000 images: what is promised is never left, and nearly filled. */
static void distortions_fill_their_ranges(void **state)
{
    (void)state;
    const struct cxn_augment a = { CXN_TRAIN_CROPS_RANDOM, true, 1 };
    double angle = 0, scale_lo = 2, scale_hi = 0, gain_lo = 2, gain_hi = 0;
    uint32_t x = 0, y = 0;
    int mirrored = 0;
    for (size_t i = 0; i < 2000; i++) {
        const struct cxn_train_view v = view_of(a, 0, i);
        const double c = (double)v.matrix[0][0], s = (double)v.matrix[0][1];
        const double scale = 1 / hypot(c, s), gain = (double)v.gain;
        assert_true(v.matrix[1][0] == -v.matrix[0][1] && v.matrix[1][1] == v.matrix[0][0]);
        angle = fmax(angle, fabs(atan2(s, c)));
        scale_lo = fmin(scale_lo, scale);
        scale_hi = fmax(scale_hi, scale);
        gain_lo = fmin(gain_lo, gain);
        gain_hi = fmax(gain_hi, gain);
        mirrored += v.view.mirror;
        x = v.view.x > x ? v.view.x : x;
        y = v.view.y > y ? v.view.y : y;
    }
    assert_near(angle * 57.29577951308232, CXN_AUGMENT_DEGREES, 0.05);
    assert_near(scale_lo, 0.9, 0.002);
    assert_near(scale_hi, 1.1, 0.002);
    assert_near(gain_lo, 0.9, 0.002);
    assert_near(gain_hi, 1.1, 0.002);
    assert_true(mirrored > 900 && mirrored < 1100);
    assert_int_equal(x, 76);
    assert_int_equal(y, 32);
}

static void ten_crops_are_the_reference_s(void **state)
{
    (void)state;
    struct cxn_view want[CXN_VIEWS_MAX];
    struct cxn_train_view got[CXN_VIEWS_MAX];
    struct cxn_augment a = { CXN_TRAIN_CROPS_TEN, false, 1 };
    assert_int_equal(cxn_augment_views(&a, 0, 0, &picture, got), 10);
    cxn_crops_views(CXN_CROPS_TEN, &picture, want);
    for (size_t i = 0; i < 10; i++) assert_same_view(&got[i].view, &want[i]);
    a.crops = CXN_TRAIN_CROPS_CENTER;
    assert_int_equal(cxn_augment_views(&a, 0, 0, &picture, got), 1);
    assert_same_view(&got[0].view, &want[4]);
}

/* ---- first weights ------------------------------------------------------------------------ */

static void first_weights_are_torchvisions(void **state)
{
    (void)state;
    cxn_net *net;
    assert_int_equal(cxn_net_open(&net, &cxn_densenet121, NULL, NULL), CXN_OK);
    float *a = calloc(net->float_count, sizeof *a), *b = calloc(net->float_count, sizeof *b);
    assert_true(a && b);
    cxn_weights_draw(net, 4, a);
    const struct cxn_net_tensor *t =
        cxn_net_find(net, "features.denseblock1.denselayer1.conv2.weight");
    double sum = 0, square = 0;
    for (size_t i = 0; i < t->count; i++) {
        sum += (double)a[t->offset + i];
        square += (double)a[t->offset + i] * (double)a[t->offset + i];
    }
    const double n = (double)t->count, want = 2.0 / (128 * 9);
    assert_true(fabs(sum / n) < 5 * sqrt(want / n));
    assert_true(fabs(square / n - want) < 5 * want * sqrt(2 / n));
    t = cxn_net_find(net, "classifier.weight");
    double most = 0;
    for (size_t i = 0; i < t->count; i++) most = fmax(most, fabs((double)a[t->offset + i]));
    assert_true(most <= 1 / 32.0 && most > 0.99 / 32);
    assert_true(a[cxn_net_find(net, "features.norm0.weight")->offset] == 1);
    assert_true(a[cxn_net_find(net, "features.norm5.running_var")->offset + 5] == 1);
    assert_true(a[cxn_net_find(net, "classifier.bias")->offset] == 0);
    cxn_weights_draw_head(net, 4, b);
    assert_memory_equal(a + t->offset, b + t->offset, t->count * sizeof *a);
    assert_true(b[0] == 0);
    cxn_weights_draw(net, 5, b);
    assert_true(a[0] != b[0]);
    free(a);
    free(b);
    cxn_net_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read_and_told),
        cmocka_unit_test(hash_tells_settings_apart),
        cmocka_unit_test(shards_fit_batch_and_ranks),
        cmocka_unit_test(losses_are_pytorchs),
        cmocka_unit_test(derivatives_are_differences),
        cmocka_unit_test(far_logits_keep_their_loss),
        cmocka_unit_test(schedules_are_pytorchs),
        cmocka_unit_test(constant_rate_and_warmup),
        cmocka_unit_test(best_validation_is_found),
        cmocka_unit_test(epochs_are_permutations),
        cmocka_unit_test(layouts_share_the_same_places),
        cmocka_unit_test(views_are_of_image_and_epoch),
        cmocka_unit_test(distortions_fill_their_ranges),
        cmocka_unit_test(ten_crops_are_the_reference_s),
        cmocka_unit_test(first_weights_are_torchvisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
