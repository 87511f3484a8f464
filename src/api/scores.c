/* SPDX-License-Identifier: Apache-2.0 */
#include "api/scores.h"

#include <string.h>

#include "base/grow.h"
#include "data/predictions.h"

static bool open_columns(cxn_scores *s, size_t total, bool labelled)
{
    s->names = cxn_alloc(s->mem, total, sizeof *s->names);
    s->prob = cxn_alloc(s->mem, total, CXN_FINDINGS * sizeof *s->prob);
    if (!s->names || !s->prob) return false;
    if (!labelled) return true;
    s->labels = cxn_alloc(s->mem, total, sizeof *s->labels);
    s->patients = cxn_alloc(s->mem, total, sizeof *s->patients);
    return s->labels && s->patients;
}

enum cxn_status cxn_scores_open(cxn_scores **out, const struct cxn_env *env, size_t total,
                                cxn_list **list, struct cxn_error *err)
{
    *out = NULL;
    const size_t bytes = total * (CXN_FINDINGS * sizeof(float) + sizeof(char *));
    cxn_scores *s = cxn_alloc_zero(env->mem, 1, sizeof *s);
    if (!s) return cxn_fail_nomem(err, env->mem, bytes, "the scores");
    s->mem = env->mem;
    s->total = total;
    if (!open_columns(s, total, list && *list && (*list)->labelled)) {
        cxn_scores_close(&s);
        return cxn_fail_nomem(err, env->mem, bytes, "the scores");
    }
    if (list) {
        s->list = *list;
        *list = NULL;
    }
    *out = s;
    return CXN_OK;
}

void cxn_scores_close(cxn_scores **scores)
{
    if (!scores || !*scores) return;
    cxn_scores *s = *scores;
    for (size_t i = 0; i < s->skipped; i++) cxn_free(s->reasons[i]);
    cxn_free(s->reasons);
    cxn_free(s->patients);
    cxn_free(s->labels);
    cxn_free(s->prob);
    cxn_free(s->names);
    cxn_free(s->own_names);
    cxn_list_close(&s->list);
    cxn_free(s);
    *scores = NULL;
}

void cxn_scores_add(cxn_scores *s, const char *name, const struct cxn_item *item,
                    const float *prob)
{
    const size_t i = s->count++;
    s->names[i] = name;
    memcpy(s->prob + i * CXN_FINDINGS, prob, CXN_FINDINGS * sizeof *prob);
    if (s->labels) s->labels[i] = item->labels;
    if (s->patients) s->patients[i] = item->patient;
}

enum cxn_status cxn_scores_skip(cxn_scores *s, const char *reason, struct cxn_error *err)
{
    char **reasons = cxn_grow(s->mem, s->reasons, &s->skipped_capacity, s->skipped + 1, s->total,
                              sizeof *reasons);
    if (!reasons)
        return cxn_fail_nomem(err, s->mem, 2 * s->skipped * sizeof *reasons, "skipped names");
    s->reasons = reasons;
    char *copy = cxn_strndup(s->mem, reason, strlen(reason));
    if (!copy) return cxn_fail_nomem(err, s->mem, strlen(reason), "a skipped name");
    s->reasons[s->skipped++] = copy;
    return CXN_OK;
}

size_t cxn_scores_count(const cxn_scores *s)
{
    return s->count;
}

const char *cxn_scores_name(const cxn_scores *s, size_t i)
{
    return i < s->count ? s->names[i] : NULL;
}

const float *cxn_scores_prob(const cxn_scores *s)
{
    return s->prob;
}

const uint16_t *cxn_scores_labels(const cxn_scores *s)
{
    return s->labels;
}

const uint32_t *cxn_scores_patients(const cxn_scores *s)
{
    return s->patients;
}

size_t cxn_scores_skipped(const cxn_scores *s)
{
    return s->skipped;
}

const char *cxn_scores_skip_reason(const cxn_scores *s, size_t i)
{
    return i < s->skipped ? s->reasons[i] : NULL;
}

double cxn_scores_seconds(const cxn_scores *s)
{
    return s->seconds;
}

void cxn_scores_write(const cxn_scores *s, cxn_out *out)
{
    cxn_predictions_write_header(out);
    for (size_t i = 0; i < s->count; i++)
        cxn_predictions_write_row(out, s->names[i], s->prob + i * CXN_FINDINGS);
}
