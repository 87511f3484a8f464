/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/counts.h"

#include <pthread.h>

/* Of a map so many places are counted, channel by channel, before the next: they stay in cache. */
enum { PLACES_AT_ONCE = 32 };

/* The channels of one part. */
struct counted {
    size_t first, channels; /* none: a part without a range */
    bool from_zero;
    pthread_mutex_t lock;
};

struct cxn_counts {
    const cxn_fold *fold;
    struct counted *parts; /* [fold->count] */
    struct cxn_counts_state state;
};

static void list_parts(cxn_counts *c)
{
    for (size_t i = 0; i < c->fold->count; i++) {
        const struct cxn_part *part = &c->fold->parts[i];
        struct counted *p = &c->parts[i];
        pthread_mutex_init(&p->lock, NULL);
        p->first = c->state.channels;
        p->from_zero = part->kind == CXN_PART_CONV && part->norm;
        if (part->kind == CXN_PART_CONV || i == 0) p->channels = part->out;
        c->state.channels += p->channels;
    }
}

enum cxn_status cxn_counts_open(cxn_counts **out, const cxn_fold *fold, struct cxn_mem *mem,
                                struct cxn_error *err)
{
    *out = NULL;
    cxn_counts *c = cxn_alloc_zero(mem, 1, sizeof *c);
    if (!c) return cxn_fail_nomem(err, mem, sizeof *c, "histograms");
    c->fold = fold;
    c->parts = cxn_alloc_zero(mem, fold->count, sizeof *c->parts);
    if (c->parts) {
        list_parts(c);
        c->state.exponents = cxn_alloc(mem, c->state.channels, sizeof *c->state.exponents);
        c->state.counts = cxn_alloc_zero(mem, c->state.channels,
                                         CXN_HISTOGRAM_BINS * sizeof *c->state.counts);
    }
    if (!c->state.exponents || !c->state.counts) {
        const size_t bytes = c->state.channels * CXN_HISTOGRAM_BINS * sizeof *c->state.counts;
        cxn_counts_close(&c);
        return cxn_fail_nomem(err, mem, bytes, "histograms");
    }
    for (size_t k = 0; k < c->state.channels; k++)
        c->state.exponents[k] = CXN_HISTOGRAM_EXPONENT_MIN;
    *out = c;
    return CXN_OK;
}

void cxn_counts_close(cxn_counts **counts)
{
    if (!counts || !*counts) return;
    cxn_counts *c = *counts;
    for (size_t i = 0; c->parts && i < c->fold->count; i++)
        pthread_mutex_destroy(&c->parts[i].lock);
    cxn_free(c->parts);
    cxn_free(c->state.exponents);
    cxn_free(c->state.counts);
    cxn_free(c);
    *counts = NULL;
}

static struct cxn_histogram histogram_of(const cxn_counts *c, const struct counted *p, size_t k)
{
    return (struct cxn_histogram){
        .exponent = c->state.exponents[p->first + k],
        .first = p->from_zero ? 0 : -CXN_HISTOGRAM_BINS / 2,
        .counts = c->state.counts + (p->first + k) * CXN_HISTOGRAM_BINS
    };
}

void cxn_counts_see(cxn_counts *c, size_t i, const float *numbers, size_t places, size_t step)
{
    struct counted *p = &c->parts[i];
    pthread_mutex_lock(&p->lock);
    for (size_t at = 0, n; at < places; at += n) {
        n = places - at < PLACES_AT_ONCE ? places - at : PLACES_AT_ONCE;
        for (size_t k = 0; k < p->channels; k++) {
            struct cxn_histogram h = histogram_of(c, p, k);
            cxn_histogram_count(&h, numbers + at * step + k, n, step);
            c->state.exponents[p->first + k] = h.exponent;
        }
    }
    pthread_mutex_unlock(&p->lock);
}

struct narrowing {
    const cxn_counts *counts;
    const struct cxn_range_rule *rule;
    cxn_calibration *calibration;
    double *scratch; /* [threads][CXN_RANGE_SCRATCH] */
};

static void narrow_part(void *ctx, size_t i, unsigned thread)
{
    const struct narrowing *n = ctx;
    const struct counted *p = &n->counts->parts[i];
    const struct cxn_calibration_part *part = &n->calibration->parts[i];
    double *scratch = n->scratch + (size_t)thread * CXN_RANGE_SCRATCH;
    for (size_t k = 0; k < p->channels; k++) {
        const struct cxn_histogram h = histogram_of(n->counts, p, k);
        struct cxn_range range = { .lo = p->from_zero ? 0 : part->lo[k], .hi = part->hi[k],
                                   .from_zero = p->from_zero };
        cxn_range_narrow(&range, n->rule, &h, scratch);
        if (!p->from_zero) part->lo[k] = range.lo;
        part->hi[k] = range.hi;
    }
}

enum cxn_status cxn_counts_narrow(const cxn_counts *c, const struct cxn_range_rule *rule,
                                  cxn_calibration *calibration, const struct cxn_env *env,
                                  struct cxn_error *err)
{
    const size_t threads = cxn_pool_threads(env->pool);
    double *scratch = cxn_alloc(env->mem, threads, CXN_RANGE_SCRATCH * sizeof *scratch);
    if (!scratch)
        return cxn_fail_nomem(err, env->mem, threads * CXN_RANGE_SCRATCH * sizeof *scratch,
                              "the search for ranges");
    cxn_pool_run(env->pool, c->fold->count, narrow_part,
                 &(struct narrowing){ c, rule, calibration, scratch });
    cxn_free(scratch);
    return CXN_OK;
}

struct cxn_counts_state cxn_counts_state(const cxn_counts *c)
{
    return c->state;
}
