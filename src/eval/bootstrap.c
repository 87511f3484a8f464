/* SPDX-License-Identifier: Apache-2.0 */
/* Percentile intervals of resampled patients. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/size.h"
#include "base/sort.h"
#include "eval/ranking.h"

struct bootstrap {
    const struct cxn_eval_set *set;
    size_t resamples, patient_count;
    uint64_t seed;
    uint32_t *patient; /* [images] 0..patient_count - 1 */
    uint32_t *orders;  /* [findings][images] rankings */
    uint32_t *drawn;   /* [threads][images] how often each patient is drawn; scratch otherwise */
    double *values;    /* [findings + 1][resamples] AUC, then their mean; NaN: undefined */
};

static bool patient_before(const void *ctx, uint32_t a, uint32_t b)
{
    const uint32_t *patients = ctx;
    return patients[a] < patients[b];
}

/* Number the patients 0, 1, ... in rising order of what the set calls them. */
static void number_patients(struct bootstrap *b, uint32_t *order, uint32_t *scratch)
{
    const uint32_t *patients = b->set->patients;
    const size_t n = b->set->images;
    b->patient_count = n;
    for (size_t i = 0; i < n; i++) b->patient[i] = order[i] = (uint32_t)i;
    if (!patients) return;
    cxn_sort_indices(order, scratch, n, patient_before, patients);
    uint32_t number = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && patients[order[i]] != patients[order[i - 1]]) number++;
        b->patient[order[i]] = number;
    }
    b->patient_count = (size_t)number + 1;
}

/* AUC with image i counted as often as its patient was drawn. */
static double weighted_auc(const struct bootstrap *b, size_t finding, const uint32_t *drawn)
{
    const size_t n = b->set->images;
    const uint32_t *order = b->orders + finding * n;
    uint64_t twice = 0, positives = 0, negatives = 0;
    for (size_t at = 0, end; at < n; at = end) {
        uint64_t group_positives = 0, group_negatives = 0;
        end = cxn_rank_group_end(order, n, at);
        for (size_t i = at; i < end; i++) {
            const uint32_t image = cxn_rank_image(order[i]);
            const uint32_t times = drawn[b->patient[image]];
            if (cxn_is_positive(b->set, image, finding)) group_positives += times;
            else group_negatives += times;
        }
        twice += group_positives * (2 * negatives + group_negatives);
        positives += group_positives;
        negatives += group_negatives;
    }
    if (positives == 0 || negatives == 0) return NAN;
    return (double)twice / (2 * (double)positives * (double)negatives);
}

static void run_resample(void *ctx, size_t index, unsigned thread)
{
    struct bootstrap *b = ctx;
    struct cxn_random random = cxn_random_make(b->seed, index);
    uint32_t *drawn = b->drawn + thread * b->set->images;
    memset(drawn, 0, b->patient_count * sizeof *drawn);
    for (size_t i = 0; i < b->patient_count; i++)
        drawn[cxn_random_below(&random, (uint32_t)b->patient_count)]++;
    double sum = 0;
    size_t defined = 0;
    for (size_t f = 0; f < b->set->findings; f++) {
        const double auc = weighted_auc(b, f, drawn);
        b->values[f * b->resamples + index] = auc;
        if (isnan(auc)) continue;
        sum += auc;
        defined++;
    }
    b->values[b->set->findings * b->resamples + index] =
        defined > 0 ? sum / (double)defined : NAN;
}

static bool value_before(const void *ctx, uint32_t a, uint32_t b)
{
    const double *values = ctx;
    return values[a] < values[b];
}

/* The quantile of n sorted values with linear interpolation (Hyndman and Fan 1996, type 7). */
static double quantile(const double *values, const uint32_t *order, size_t n, double p)
{
    const double at = p * (double)(n - 1);
    const size_t low = (size_t)at;
    if (low + 1 >= n) return values[order[n - 1]];
    const double share = at - (double)low;
    return (1 - share) * values[order[low]] + share * values[order[low + 1]];
}

/* Bounds from the resamples in which the figure is defined; index: room for 2 * resamples. */
static void set_bounds(const struct bootstrap *b, size_t row, uint32_t *index,
                       struct cxn_eval_figure *estimate)
{
    const double *values = b->values + row * b->resamples;
    size_t n = 0;
    for (size_t r = 0; r < b->resamples; r++)
        if (!isnan(values[r])) index[n++] = (uint32_t)r;
    if (n == 0) return;
    cxn_sort_indices(index, index + b->resamples, n, value_before, values);
    estimate->lo = quantile(values, index, n, 0.025);
    estimate->hi = quantile(values, index, n, 0.975);
    estimate->bounded = true;
}

/* Do both classes come from two patients or more? seen: [patient_count] scratch. */
static bool has_spread(const struct bootstrap *b, size_t finding, uint32_t *seen)
{
    enum { POSITIVE = 1, NEGATIVE = 2 };
    size_t patients[3] = { 0 };
    memset(seen, 0, b->patient_count * sizeof *seen);
    for (size_t i = 0; i < b->set->images; i++) {
        const bool positive = cxn_is_positive(b->set, (uint32_t)i, finding);
        const uint32_t kind = positive ? POSITIVE : NEGATIVE;
        if (seen[b->patient[i]] & kind) continue;
        seen[b->patient[i]] |= kind;
        patients[kind]++;
    }
    return patients[POSITIVE] >= 2 && patients[NEGATIVE] >= 2;
}

static void set_intervals(const struct bootstrap *b, uint32_t *index, struct cxn_eval_table *aucs)
{
    bool any = false;
    for (size_t f = 0; f < b->set->findings; f++) {
        struct cxn_eval_figure *auc = &aucs->finding[f].auc;
        *auc = cxn_figure_bare(auc->value);
        if (!auc->defined || !has_spread(b, f, b->drawn)) continue;
        set_bounds(b, f, index, auc);
        any = any || auc->bounded;
    }
    aucs->mean = cxn_figure_bare(aucs->mean.value);
    if (any) set_bounds(b, b->set->findings, index, &aucs->mean);
}

/* Sizes in uint32_t of the parts of one block; false when they do not fit. */
static bool measure_block(const struct cxn_eval_set *set, size_t resamples, size_t threads,
                          size_t *words, size_t *value_count)
{
    size_t per_image, images_words, index_words;
    return cxn_size_add(set->findings + 2, threads, &per_image) &&
           cxn_size_mul(per_image, set->images, &images_words) &&
           cxn_size_mul(resamples, 2, &index_words) &&
           cxn_size_add(images_words, index_words, words) &&
           cxn_size_mul(set->findings + 1, resamples, value_count);
}

enum cxn_status cxn_auc_bootstrap(const struct cxn_env *env, const struct cxn_eval_set *set,
                                  size_t resamples, uint64_t seed, struct cxn_eval_table *aucs,
                                  struct cxn_error *err)
{
    size_t words = 0, value_count = 0;
    enum cxn_status status = cxn_eval_check(set, err);
    if (status != CXN_OK) return status;
    if (resamples < 1 || resamples > CXN_RESAMPLES_MAX)
        return cxn_fail(err, CXN_E_ARG, "%zu resamples, expected 1..%d", resamples,
                        CXN_RESAMPLES_MAX);
    const bool fits =
        measure_block(set, resamples, cxn_pool_threads(env->pool), &words, &value_count);
    uint32_t *block = fits ? cxn_alloc(env->mem, words, sizeof *block) : NULL;
    double *values = block ? cxn_alloc(env->mem, value_count, sizeof *values) : NULL;
    if (!values) {
        cxn_free(block);
        return cxn_fail_nomem(err, env->mem, words * sizeof *block, "the bootstrap");
    }
    const size_t n = set->images;
    struct bootstrap b = { .set = set, .resamples = resamples, .seed = seed, .values = values };
    uint32_t *scratch = block, *index = block + n;
    b.patient = index + 2 * resamples;
    b.orders = b.patient + n;
    b.drawn = b.orders + set->findings * n;
    number_patients(&b, b.drawn, scratch);
    for (size_t f = 0; f < set->findings; f++)
        cxn_ranking_make(set, f, b.orders + f * n, scratch);
    cxn_pool_run(env->pool, resamples, run_resample, &b);
    set_intervals(&b, index, aucs);
    cxn_free(values);
    cxn_free(block);
    return CXN_OK;
}
