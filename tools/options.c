/* SPDX-License-Identifier: Apache-2.0 */
/* Command line parsing from the option tables, by getopt_long. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct opt_row common_options[] = {
    { .name = "threads", .value = "N", .initial = "0",
      .help = "threads to use, 0 for every CPU of this process" },
    { .name = "memory-limit", .value = "SIZE",
      .help = "refuse work that needs more memory, e.g. 512M or 2G" },
    { .name = "cpu", .value = "LEVEL",
      .help = "highest instruction level to use (see `chexnet cpu`); also CHEXNET_CPU" },
    { .name = "help", .letter = 'h', .help = "show this help" },
    { 0 },
};

/* All values given, by row: the command's rows first, then the common ones. */
struct opt_values {
    const struct opt_row *rows[OPT_ROWS_MAX];
    const char **given[OPT_ROWS_MAX];
    size_t given_count[OPT_ROWS_MAX];
    size_t row_count;
};

enum cxn_status usage_error(struct cxn_error *err, const char *fmt, ...)
{
    if (!err) return CXN_E_ARG;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return CXN_E_ARG;
}

static void add_rows(struct opt_values *v, const struct opt_row *rows)
{
    for (; rows && rows->name && v->row_count < OPT_ROWS_MAX; rows++)
        v->rows[v->row_count++] = rows;
}

const char *opt_choices(const struct opt_row *row, char room[CHOICES_BYTES])
{
    room[0] = '\0';
    if (row->list_choices) row->list_choices(room);
    return row->choices ? row->choices : room;
}

static bool is_choice(const char *choices, const char *value)
{
    const size_t n = strlen(value);
    for (const char *at = choices; at && n > 0; at = strchr(at, '|'), at = at ? at + 1 : NULL)
        if (strncmp(at, value, n) == 0 && (at[n] == '|' || at[n] == '\0')) return true;
    return false;
}

static enum cxn_status keep_value(struct opt_values *v, size_t row, const char *value,
                                  struct cxn_error *err)
{
    const struct opt_row *r = v->rows[row];
    char room[CHOICES_BYTES];
    const char *choices = opt_choices(r, room);
    if (choices[0] != '\0' && !is_choice(choices, value))
        return usage_error(err, "--%s '%s': expected %s", r->name, value, choices);
    if (v->given_count[row] > 0 && !r->repeats)
        return usage_error(err, "--%s is given twice", r->name);
    const size_t n = v->given_count[row] + 1;
    const char **given = realloc(v->given[row], n * sizeof *given);
    if (!given) return CXN_E_NOMEM;
    given[n - 1] = value;
    v->given[row] = given;
    v->given_count[row] = n;
    return CXN_OK;
}

/* Behind '?' of getopt_long: optopt is the letter of a short one, which may stand within a word. */
static enum cxn_status unknown_option(char **argv, const char *command, struct cxn_error *err)
{
    const char letter[] = { '-', (char)optopt, '\0' };
    return usage_error(err, "%s: unknown option '%s' (see chexnet %s --help)", command,
                       optopt ? letter : argv[optind - 1], command);
}

/* The rows as getopt_long() wants them: long names, and the letters of those that have one. */
static void list_options(const struct opt_values *v, struct option *table, char *letters)
{
    *letters++ = ':';
    for (size_t i = 0; i < v->row_count; i++) {
        const struct opt_row *r = v->rows[i];
        table[i] = (struct option){ .name = r->name,
                                    .has_arg = r->value ? required_argument : no_argument };
        if (r->letter) *letters++ = r->letter;
        if (r->letter && r->value) *letters++ = ':';
    }
    *letters = '\0';
}

static enum cxn_status parse_options(struct opt_values *v, int argc, char **argv,
                                     const char *command, struct cxn_error *err)
{
    struct option table[OPT_ROWS_MAX + 1] = { 0 };
    char letters[2 * OPT_ROWS_MAX + 2];
    list_options(v, table, letters);
    opterr = 0;
    optind = 1;
    for (;;) {
        int row = -1;
        const int c = getopt_long(argc, argv, letters, table, &row);
        if (c == -1) return CXN_OK;
        if (c == ':') return usage_error(err, "%s needs a value", argv[optind - 1]);
        if (c == '?')
            return unknown_option(argv, command, err);
        for (size_t i = 0; c != 0 && i < v->row_count; i++)
            if (v->rows[i]->letter == c) row = (int)i;
        const enum cxn_status status = keep_value(v, (size_t)row, optarg ? optarg : "", err);
        if (status != CXN_OK) return status;
    }
}

static enum cxn_status check_operands(const struct invocation *inv, struct cxn_error *err)
{
    const struct command *c = inv->command;
    if (inv->operand_count < c->operands_min)
        return usage_error(err, "%s: %s expected (see chexnet %s --help)", c->name, c->operands,
                           c->name);
    if (c->operands_max >= 0 && inv->operand_count > c->operands_max)
        return usage_error(err, "%s: unexpected '%s' (see chexnet %s --help)", c->name,
                           inv->operands[c->operands_max], c->name);
    for (size_t i = 0; i < inv->values->row_count; i++)
        if (inv->values->rows[i]->required && inv->values->given_count[i] == 0)
            return usage_error(err, "%s: --%s %s is needed (see chexnet %s --help)", c->name,
                               inv->values->rows[i]->name, inv->values->rows[i]->value, c->name);
    return CXN_OK;
}

enum cxn_status invocation_open(struct invocation *inv, const struct command *command, int argc,
                                char **argv, struct cxn_error *err)
{
    *inv = (struct invocation){ .command = command };
    inv->values = calloc(1, sizeof *inv->values);
    if (!inv->values) return CXN_E_NOMEM;
    add_rows(inv->values, command->options);
    add_rows(inv->values, common_options);
    const enum cxn_status status = parse_options(inv->values, argc, argv, command->name, err);
    if (status != CXN_OK) return status;
    inv->operands = argv + optind;
    inv->operand_count = argc - optind;
    return opt_given(inv, "help") ? CXN_OK : check_operands(inv, err);
}

void invocation_close(struct invocation *inv)
{
    if (!inv->values) return;
    for (size_t i = 0; i < inv->values->row_count; i++) free(inv->values->given[i]);
    free(inv->values);
    inv->values = NULL;
}

static size_t row_of(const struct invocation *inv, const char *name)
{
    size_t i = 0;
    while (i < inv->values->row_count && strcmp(inv->values->rows[i]->name, name) != 0) i++;
    return i;
}

const char *opt_text(const struct invocation *inv, const char *name)
{
    const struct opt_values *v = inv->values;
    const size_t i = row_of(inv, name);
    if (i == v->row_count) return NULL;
    return v->given_count[i] > 0 ? v->given[i][v->given_count[i] - 1] : v->rows[i]->initial;
}

bool opt_given(const struct invocation *inv, const char *name)
{
    const size_t i = row_of(inv, name);
    return i < inv->values->row_count && inv->values->given_count[i] > 0;
}

size_t opt_all(const struct invocation *inv, const char *name, const char *const **values)
{
    const size_t i = row_of(inv, name);
    if (i == inv->values->row_count) return 0;
    *values = inv->values->given[i];
    return inv->values->given_count[i];
}

enum cxn_status opt_u64(const struct invocation *inv, const char *name, uint64_t lo, uint64_t hi,
                        uint64_t *out, struct cxn_error *err)
{
    const char *text = opt_text(inv, name);
    if (!text) return CXN_OK;
    char *end = NULL;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    const bool digits = text[0] >= '0' && text[0] <= '9'; /* strtoull would take "-1" and " 1" */
    if (!digits || *end != '\0' || errno != 0 || v < lo || v > hi)
        return usage_error(err, "--%s '%s': expected a whole number %llu..%llu", name, text,
                           (unsigned long long)lo, (unsigned long long)hi);
    *out = v;
    return CXN_OK;
}

enum cxn_status opt_double(const struct invocation *inv, const char *name, double lo, double hi,
                           double *out, struct cxn_error *err)
{
    const char *text = opt_text(inv, name);
    if (!text) return CXN_OK;
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v) || v < lo || v > hi)
        return usage_error(err, "--%s '%s': expected a number %g..%g", name, text, lo, hi);
    *out = v;
    return CXN_OK;
}

/* "512M": digits and at most one of K, M, G, T, powers of 1024. */
static enum cxn_status parse_size(const char *text, uint64_t *bytes, struct cxn_error *err)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    bool good = text[0] >= '0' && text[0] <= '9' && errno == 0 && v > 0;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        const unsigned shift = 10 * (unsigned)(unit - units + 1);
        good = good && v <= (UINT64_MAX >> shift);
        v <<= shift;
        end++;
    }
    if (!good || *end != '\0')
        return usage_error(err, "--memory-limit '%s': expected a size such as 512M or 2G", text);
    *bytes = v;
    return CXN_OK;
}

static void print_note(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "note: %s\n", text);
}

enum cxn_status open_context(const struct invocation *inv, cxn_context **ctx,
                             struct cxn_error *err)
{
    struct cxn_options options = { .cpu = opt_text(inv, "cpu"), .log = print_note };
    uint64_t threads = 0;
    enum cxn_status status = opt_u64(inv, "threads", 0, 256, &threads, err);
    const char *limit = opt_text(inv, "memory-limit");
    if (status == CXN_OK && limit) status = parse_size(limit, &options.memory_limit_bytes, err);
    if (status != CXN_OK) return status;
    options.threads = (uint32_t)threads;
    return cxn_context_open(ctx, &options, err);
}
