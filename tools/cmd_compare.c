/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/eval.h>
#include <inttypes.h>

#include "auc_table.h"
#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    { .name = "list", .value = "FILE", .required = true, .help = "the images and their labels" },
    OPT_ENTRIES,
    OPT_JSON,
    { 0 },
};

/* ---- table -------------------------------------------------------------------------------- */

static void print_row(const char *name, const struct cxn_auc_difference *d)
{
    char a[INTERVAL_TEXT_BYTES], b[INTERVAL_TEXT_BYTES], change[INTERVAL_TEXT_BYTES] = "n/a";
    char interval[INTERVAL_TEXT_BYTES] = "n/a", p[INTERVAL_TEXT_BYTES] = "n/a";
    format_value(a, d->a);
    format_value(b, d->b);
    if (d->difference.defined) snprintf(change, sizeof change, "%+.4f", d->difference.value);
    if (d->difference.bounded) {
        snprintf(interval, sizeof interval, "%+.4f .. %+.4f", d->difference.lo, d->difference.hi);
        snprintf(p, sizeof p, "%.3g", d->p);
    }
    printf("%-20s  %6s  %6s  %7s  %-18s  %8s", name, a, b, change, interval, p);
}

static void print_table(const struct cxn_auc_comparison *c)
{
    char mean[32];
    printf("%-20s  %6s  %6s  %7s  %-18s  %8s  %s\n", "finding", "AUC A", "AUC B", "B - A",
           "95 % interval", "p", "positives");
    for (int f = 0; f < CXN_FINDINGS; f++) {
        print_row(cxn_finding_name(f), &c->finding[f]);
        printf("  %9" PRIu64 "\n", c->finding[f].positives);
    }
    snprintf(mean, sizeof mean, "mean of %d findings", c->mean_of);
    print_row(mean, &c->mean);
    printf("  of %" PRIu64 " images\n", c->images);
    if (c->mean.difference.defined && !c->mean.difference.bounded)
        puts("The mean is not tested, for one of its findings cannot be.");
    if (c->left_out > 0)
        printf("left out, not on the list: %" PRIu64 " images of both files\n", c->left_out);
    puts(RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *difference_json(const struct cxn_auc_difference *d)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "auc_a", json_number(d->a), "auc_b",
                     json_number(d->b), "difference", json_number(d->difference.value), "ci95",
                     interval_json(&d->difference), "z", json_number(d->z), "p",
                     json_number(d->p));
}

static json_t *finding_json(const struct cxn_auc_difference *d)
{
    json_t *object = difference_json(d);
    if (object) json_object_set_new(object, "positives", json_integer((json_int_t)d->positives));
    return object;
}

static enum cxn_status print_object(const struct cxn_auc_comparison *c, struct cxn_error *err)
{
    json_t *findings = json_object();
    for (int f = 0; f < CXN_FINDINGS; f++)
        json_object_set_new(findings, cxn_finding_name(f), finding_json(&c->finding[f]));
    json_t *object = json_pack(
        "{s:I, s:I, s:i, s:o, s:o}", "images", (json_int_t)c->images, "left_out",
        (json_int_t)c->left_out, "mean_of", c->mean_of, "mean", difference_json(&c->mean),
        "findings", findings);
    return json_print(object, err);
}

/* ---- command ------------------------------------------------------------------------------ */

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    const struct cxn_compare_files files = { .a = inv->operands[0],
                                             .b = inv->operands[1],
                                             .list = opt_text(inv, "list"),
                                             .entries = opt_text(inv, "entries") };
    struct cxn_auc_comparison comparison;
    cxn_context *ctx = NULL;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status == CXN_OK) status = cxn_compare(ctx, &files, &comparison, err);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) return print_object(&comparison, err);
    print_table(&comparison);
    return CXN_OK;
}

const struct command cmd_compare = {
    .name = "compare",
    .summary = "test whether two prediction files differ in AUC (DeLong, paired)",
    .operands = "A.csv B.csv",
    .operands_min = 2,
    .operands_max = 2,
    .details = "Both files must hold the same images, in any order, and all those of the list.\n"
               "p is two-sided, of no difference; n/a with fewer than two positives.",
    .example = "chexnet compare reference.csv int8.csv --list test_list.txt",
    .options = options,
    .run = run,
};
