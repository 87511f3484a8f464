/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/eval.h>

#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/lists.h"
#include "base/sort.h"
#include "data/names.h"

_Static_assert(CXN_NAME_BYTES == CXN_NAME_MAX_BYTES + 1, "one limit on names");

/* A list, and its images with those of one patient side by side. */
struct split {
    cxn_list *list;
    uint32_t *order; /* [count], then as much scratch */
};

/* Below 0, 0, above 0. Known patients come first, by number. An unknown one is told by the image's
 * name, which alone means something in another list. */
static int compare_patients(const struct cxn_item *a, const struct cxn_item *b)
{
    const bool known = !(a->patient & CXN_PATIENT_UNKNOWN);
    if (known != !(b->patient & CXN_PATIENT_UNKNOWN)) return known ? -1 : 1;
    if (!known) return strcmp(a->name, b->name);
    return (a->patient > b->patient) - (a->patient < b->patient);
}

static bool patient_before(const void *ctx, uint32_t a, uint32_t b)
{
    const struct cxn_item *items = ctx;
    return compare_patients(&items[a], &items[b]) < 0;
}

static const struct cxn_item *item_at(const struct split *s, size_t i)
{
    return &s->list->items[s->order[i]];
}

/* The first place behind i with another patient. */
static size_t patient_end(const struct split *s, size_t i)
{
    size_t end = i + 1;
    while (end < s->list->count && compare_patients(item_at(s, i), item_at(s, end)) == 0) end++;
    return end;
}

static enum cxn_status open_split(struct split *s, const struct cxn_env *env, const char *path,
                                  const cxn_entries *entries, struct cxn_error *err)
{
    const enum cxn_status status = cxn_labelled_list_open(&s->list, env, path, entries, err);
    if (status != CXN_OK) return status;
    const size_t n = s->list->count;
    s->order = cxn_alloc(env->mem, n, 2 * sizeof *s->order);
    if (!s->order)
        return cxn_fail_nomem(err, env->mem, n * 2 * sizeof *s->order, "an index of patients");
    for (size_t i = 0; i < n; i++) s->order[i] = (uint32_t)i;
    cxn_sort_indices(s->order, s->order + n, n, patient_before, s->list->items);
    return CXN_OK;
}

static void close_split(struct split *s)
{
    cxn_free(s->order);
    cxn_list_close(&s->list);
}

static void count_split(const struct split *s, struct cxn_split_stats *out)
{
    const size_t n = s->list->count;
    out->given = 1;
    out->images = n;
    for (size_t i = 0; i < n; i = patient_end(s, i)) out->patients++;
    for (size_t i = 0; i < n; i++) {
        const uint16_t labels = s->list->items[i].labels;
        if (labels == 0) out->no_finding++;
        for (int f = 0; f < CXN_FINDINGS; f++) out->positives[f] += labels >> f & 1;
    }
}

static void count_shared(const struct split *a, const struct split *b, uint64_t *shared,
                         char image[CXN_NAME_BYTES])
{
    size_t i = 0, j = 0;
    while (i < a->list->count && j < b->list->count) {
        const struct cxn_item *in_b = item_at(b, j);
        const int sign = compare_patients(item_at(a, i), in_b);
        if (sign == 0 && (*shared)++ == 0) snprintf(image, CXN_NAME_BYTES, "%s", in_b->name);
        if (sign <= 0) i = patient_end(a, i);
        if (sign >= 0) j = patient_end(b, j);
    }
}

static enum cxn_status fill_stats(struct split split[CXN_SPLITS], const struct cxn_env *env,
                                  const struct cxn_stats_files *files, const cxn_entries *entries,
                                  struct cxn_stats *stats, struct cxn_error *err)
{
    static const struct { int pair, first, second; } pairs[CXN_SPLITS] = {
        { CXN_PAIR_TRAIN_VAL, CXN_SPLIT_TRAIN, CXN_SPLIT_VAL },
        { CXN_PAIR_TRAIN_TEST, CXN_SPLIT_TRAIN, CXN_SPLIT_TEST },
        { CXN_PAIR_VAL_TEST, CXN_SPLIT_VAL, CXN_SPLIT_TEST },
    };
    for (int i = 0; i < CXN_SPLITS; i++) {
        if (!files->list[i]) continue;
        const enum cxn_status status = open_split(&split[i], env, files->list[i], entries, err);
        if (status != CXN_OK) return status;
        count_split(&split[i], &stats->split[i]);
    }
    for (int i = 0; i < CXN_SPLITS; i++) {
        const struct split *first = &split[pairs[i].first], *second = &split[pairs[i].second];
        if (!first->list || !second->list) continue;
        const int pair = pairs[i].pair;
        count_shared(first, second, &stats->shared_patients[pair], stats->shared_image[pair]);
    }
    return CXN_OK;
}

enum cxn_status cxn_stats_compute(cxn_context *ctx, const struct cxn_stats_files *files,
                                  struct cxn_stats *stats, struct cxn_error *err)
{
    const struct cxn_env *env = cxn_context_env(ctx);
    if (!files || !stats || (!files->list[0] && !files->list[1] && !files->list[2]))
        return cxn_fail(err, CXN_E_ARG, "cxn_stats_compute: at least one list is needed");
    memset(stats, 0, sizeof *stats);
    struct split split[CXN_SPLITS] = { { 0 } };
    cxn_entries *entries = NULL;
    enum cxn_status status = CXN_OK;
    if (files->entries) status = cxn_entries_open(&entries, env, files->entries, err);
    if (status == CXN_OK) status = fill_stats(split, env, files, entries, stats, err);
    for (int i = 0; i < CXN_SPLITS; i++) close_split(&split[i]);
    cxn_entries_close(&entries);
    return status;
}
