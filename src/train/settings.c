/* SPDX-License-Identifier: Apache-2.0 */
#include "train/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define COUNT(name_, member, initial_, lo_, hi_)                                                   \
    { .name = name_, .kind = CXN_SETTING_COUNT, .offset = offsetof(struct cxn_settings, member),  \
      .initial = initial_, .lo = lo_, .hi = hi_ }
#define NUMBER(name_, member, initial_, lo_, hi_)                                                  \
    { .name = name_, .kind = CXN_SETTING_NUMBER, .offset = offsetof(struct cxn_settings, member), \
      .initial = initial_, .lo = lo_, .hi = hi_ }
#define WORD(name_, member, words_, initial_)                                                      \
    { .name = name_, .kind = CXN_SETTING_WORD, .offset = offsetof(struct cxn_settings, member),   \
      .words = words_, .initial = initial_ }
#define FLAG(name_, member, words_, initial_)                                                      \
    { .name = name_, .kind = CXN_SETTING_FLAG, .offset = offsetof(struct cxn_settings, member),   \
      .words = words_, .initial = initial_ }

/* A checkpoint's state tells of each epoch and has a limit (json_text.h): hence 4000 of them. */
const struct cxn_setting_row cxn_setting_rows[] = {
    COUNT("epochs", epochs, "10", 1, 4000),
    COUNT("max-steps", max_steps, "0", 0, 1e12),
    COUNT("early-stop", early_stop, "0", 0, 4000),
    COUNT("batch", batch, "16", 1, 1 << 20),
    COUNT("shards", shards, "0", 0, CXN_SHARDS_MAX),
    COUNT("accumulate", accumulate, "1", 1, 1024),
    WORD("precision", precision, "fp32|bf16", "fp32"),
    WORD("loss", loss, "bce|weighted-bce|focal|seed-ce", "bce"),
    NUMBER("focal-gamma", focal_gamma, "2", 0, 10),
    WORD("optimizer", optimizer, "sgd|adamw", "adamw"),
    NUMBER("lr", lr, "0.001", 0, 1e30),
    NUMBER("weight-decay", weight_decay, "0", 0, 1e3),
    NUMBER("momentum", momentum, "0.9", 0, 0.9999),
    FLAG("nesterov", nesterov, "off|on", "off"),
    NUMBER("beta1", beta1, "0.9", 0, 0.9999),
    NUMBER("beta2", beta2, "0.999", 0, 0.999999),
    NUMBER("clip", clip, "0", 0, 1e9),
    NUMBER("ema", ema, "0", 0, 0.999999),
    WORD("freeze", freeze, "none|backbone", "none"),
    WORD("schedule", schedule, "constant|step|cosine|plateau|one-cycle", "constant"),
    COUNT("warmup", warmup, "0", 0, 1e9),
    COUNT("decay-epochs", decay_epochs, "3", 1, 4000),
    NUMBER("decay", decay, "0.1", 1e-6, 1),
    WORD("crops", crops, "random|center|ten", "random"),
    WORD("augment", augment, "off|on|auto", "auto"),
    FLAG("shuffle", shuffle, "off|on", "on"),
    COUNT("seed", seed, "1", 0, 9e15),
    FLAG("on-bad", skip_bad, "fail|skip", "fail"),
    COUNT("save-every", save_every, "0", 0, 1e12),
    NUMBER("deadline", deadline, "120", 1, 1e6),
};
const size_t cxn_setting_count = CXN_COUNTOF(cxn_setting_rows);

/* ---- text and back ------------------------------------------------------------------------ */

/* Number of the word in "a|b|c", or -1. */
static int word_number(const char *words, const char *word)
{
    const size_t n = strlen(word);
    int number = 0;
    for (const char *at = words; at; number++) {
        const size_t size = strcspn(at, "|");
        if (size == n && memcmp(at, word, n) == 0) return number;
        at = at[size] ? at + size + 1 : NULL;
    }
    return -1;
}

static void word_text(const char *words, int number, char text[CXN_SETTING_TEXT_BYTES])
{
    const char *at = words;
    for (int i = 0; i < number; i++) at += strcspn(at, "|") + 1;
    snprintf(text, CXN_SETTING_TEXT_BYTES, "%.*s", (int)strcspn(at, "|"), at);
}

static enum cxn_status set_word(const struct cxn_setting_row *row, void *member, const char *value,
                                struct cxn_error *err)
{
    const int number = word_number(row->words, value);
    if (number < 0)
        return cxn_fail(err, CXN_E_ARG, "--%s '%s': expected %s", row->name, value, row->words);
    if (row->kind == CXN_SETTING_FLAG) *(bool *)member = number == 1;
    else *(int *)member = number;
    return CXN_OK;
}

static enum cxn_status set_number(const struct cxn_setting_row *row, void *member,
                                  const char *value, struct cxn_error *err)
{
    const bool whole = row->kind == CXN_SETTING_COUNT;
    double v;
    bool good = cxn_double_parse(value, &v) && v >= row->lo && v <= row->hi;
    if (whole) good = good && value[strspn(value, "0123456789")] == '\0';
    if (!good)
        return cxn_fail(err, CXN_E_ARG, "--%s '%s': expected a %snumber %.15g..%.15g", row->name,
                        value, whole ? "whole " : "", row->lo, row->hi);
    if (whole) *(uint64_t *)member = (uint64_t)v; /* limits are below 2^53: exact */
    else *(double *)member = v;
    return CXN_OK;
}

static enum cxn_status set_row(struct cxn_settings *s, const struct cxn_setting_row *row,
                               const char *value, struct cxn_error *err)
{
    void *member = (char *)s + row->offset;
    return row->words ? set_word(row, member, value, err) : set_number(row, member, value, err);
}

enum cxn_status cxn_settings_set(struct cxn_settings *s, const char *name, const char *value,
                                 struct cxn_error *err)
{
    for (size_t i = 0; i < cxn_setting_count; i++)
        if (strcmp(cxn_setting_rows[i].name, name) == 0)
            return set_row(s, &cxn_setting_rows[i], value, err);
    return cxn_fail(err, CXN_E_ARG, "unknown setting '%s'", name);
}

void cxn_settings_init(struct cxn_settings *s)
{
    *s = (struct cxn_settings){ 0 };
    for (size_t i = 0; i < cxn_setting_count; i++)
        set_row(s, &cxn_setting_rows[i], cxn_setting_rows[i].initial, NULL);
}

const char *cxn_setting_text(const struct cxn_settings *s, const struct cxn_setting_row *row,
                             char text[CXN_SETTING_TEXT_BYTES])
{
    const void *member = (const char *)s + row->offset;
    switch (row->kind) {
    case CXN_SETTING_COUNT:
        snprintf(text, CXN_SETTING_TEXT_BYTES, "%llu",
                 (unsigned long long)*(const uint64_t *)member);
        break;
    case CXN_SETTING_NUMBER: cxn_double_print(text, *(const double *)member); break;
    case CXN_SETTING_WORD: word_text(row->words, *(const int *)member, text); break;
    case CXN_SETTING_FLAG: word_text(row->words, *(const bool *)member, text); break;
    }
    return text;
}

_Static_assert((int)CXN_SETTING_TEXT_BYTES >= (int)CXN_DOUBLE_TEXT_BYTES, "room for a number");

void cxn_settings_hash(const struct cxn_settings *s, char hex[CXN_SHA256_HEX_BYTES])
{
    char all[4096], text[CXN_SETTING_TEXT_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < cxn_setting_count && n < sizeof all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s=%s\n", cxn_setting_rows[i].name,
                              cxn_setting_text(s, &cxn_setting_rows[i], text));
    cxn_sha256_hex(all, n < sizeof all ? n : sizeof all, hex);
}

/* ---- what settings mean together ---------------------------------------------------------- */

static bool is_power_of_two(uint64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

/* The largest power of two that divides the batch and is at most `most`. */
static uint64_t shards_within(uint64_t batch, uint64_t most)
{
    uint64_t shards = 1;
    while (shards < CXN_SHARDS_MAX && 2 * shards <= most && batch % (2 * shards) == 0) shards *= 2;
    return shards;
}

static enum cxn_status finish_shards(struct cxn_settings *s, unsigned ranks, struct cxn_error *err)
{
    uint64_t usual = 1; /* by the batch alone, so that any number of ranks gets the same */
    while (usual < CXN_SHARDS_MAX && 2 * usual <= s->batch / 8) usual *= 2;
    if (s->shards == 0) s->shards = usual;
    if (!is_power_of_two(s->shards))
        return cxn_fail(err, CXN_E_ARG, "--shards %llu: expected a power of two up to %d",
                        (unsigned long long)s->shards, CXN_SHARDS_MAX);
    if (s->batch % s->shards != 0)
        return cxn_fail(err, CXN_E_ARG, "a batch of %llu cannot be cut in %llu shards, expected "
                        "--shards %llu or --batch %llu", (unsigned long long)s->batch,
                        (unsigned long long)s->shards,
                        (unsigned long long)shards_within(s->batch, s->shards),
                        (unsigned long long)((s->batch / s->shards + 1) * s->shards));
    if (!is_power_of_two(ranks) || s->shards % ranks != 0) {
        unsigned fewer = 1;
        while (2 * fewer <= ranks && 2 * fewer <= s->shards) fewer *= 2;
        return cxn_fail(err, CXN_E_ARG, "%u ranks cannot share %llu shards, expected %u rank%s, or "
                        "--shards with a power of two that %u divides", ranks,
                        (unsigned long long)s->shards, fewer, fewer == 1 ? "" : "s", ranks);
    }
    return CXN_OK;
}

/* A switch that would do nothing is a mistake of whoever gave it. Numbers of a rule, a loss or a
 * schedule that is not the chosen one are not looked at. */
static enum cxn_status refuse_idle(const struct cxn_settings *s, struct cxn_error *err)
{
    if (s->nesterov && (s->optimizer != CXN_RULE_SGD || s->momentum == 0))
        return cxn_fail(err, CXN_E_ARG, "--nesterov needs --optimizer sgd and a momentum over 0");
    if (s->warmup > 0 && s->schedule == CXN_SCHEDULE_ONE_CYCLE)
        return cxn_fail(err, CXN_E_ARG, "--schedule one-cycle rises by itself, expected no "
                                       "--warmup");
    return CXN_OK;
}

enum cxn_status cxn_settings_finish(struct cxn_settings *s, unsigned ranks, struct cxn_error *err)
{
    if (s->augment == CXN_SWITCH_AUTO)
        s->augment = s->crops == CXN_TRAIN_CROPS_RANDOM ? CXN_SWITCH_ON : CXN_SWITCH_OFF;
    enum cxn_status status = refuse_idle(s, err);
    if (status == CXN_OK) status = finish_shards(s, ranks, err);
    return status;
}
