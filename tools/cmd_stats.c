/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/eval.h>
#include <inttypes.h>
#include <math.h>

#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    { .name = "train", .value = "FILE", .help = "list of the images to train on" },
    { .name = "val", .value = "FILE", .help = "list of the images to choose a model with" },
    { .name = "test", .value = "FILE", .help = "list of the images to test on" },
    OPT_ENTRIES,
    { .name = "allow-overlap", .help = "status 0 also where lists share patients" },
    OPT_JSON,
    { 0 },
};

static const char *const split_names[CXN_SPLITS] = { "train", "val", "test" };
static const char *const pair_names[CXN_SPLITS] = { "train-val", "train-test", "val-test" };
/* Splits of each pair, in the order of CXN_PAIR_... */
static const int pair_splits[CXN_SPLITS][2] = {
    [CXN_PAIR_TRAIN_VAL] = { CXN_SPLIT_TRAIN, CXN_SPLIT_VAL },
    [CXN_PAIR_TRAIN_TEST] = { CXN_SPLIT_TRAIN, CXN_SPLIT_TEST },
    [CXN_PAIR_VAL_TEST] = { CXN_SPLIT_VAL, CXN_SPLIT_TEST },
};

static double percent(uint64_t part, uint64_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

static bool pair_given(const struct cxn_stats *stats, int pair)
{
    return stats->split[pair_splits[pair][0]].given && stats->split[pair_splits[pair][1]].given;
}

/* ---- table -------------------------------------------------------------------------------- */

/* Rows of the table; finding f is ROW_FINDINGS + f. */
enum { ROW_IMAGES, ROW_PATIENTS, ROW_NO_FINDING, ROW_FINDINGS };

static uint64_t row_count(const struct cxn_split_stats *split, int row)
{
    if (row == ROW_IMAGES) return split->images;
    if (row == ROW_PATIENTS) return split->patients;
    if (row == ROW_NO_FINDING) return split->no_finding;
    return split->positives[row - ROW_FINDINGS];
}

static void print_row(const struct cxn_stats *stats, const char *name, int row)
{
    printf("%-20s", name);
    for (int i = 0; i < CXN_SPLITS; i++) {
        const struct cxn_split_stats *split = &stats->split[i];
        if (!split->given) continue;
        printf("  %7" PRIu64, row_count(split, row));
        if (row >= ROW_NO_FINDING) printf("  %5.1f", percent(row_count(split, row), split->images));
        else printf("  %5s", "");
    }
    putchar('\n');
}

static void print_table(const struct cxn_stats *stats)
{
    printf("%-20s", "");
    for (int i = 0; i < CXN_SPLITS; i++)
        if (stats->split[i].given) printf("  %7s      %%", split_names[i]);
    putchar('\n');
    print_row(stats, "images", ROW_IMAGES);
    print_row(stats, "patients", ROW_PATIENTS);
    print_row(stats, "No Finding", ROW_NO_FINDING);
    for (int f = 0; f < CXN_FINDINGS; f++) print_row(stats, cxn_finding_name(f), ROW_FINDINGS + f);
    for (int i = 0; i < CXN_SPLITS; i++)
        if (pair_given(stats, i))
            printf("patients in both %s and %s: %" PRIu64 "\n", split_names[pair_splits[i][0]],
                   split_names[pair_splits[i][1]], stats->shared_patients[i]);
    puts(RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *share_json(uint64_t part, uint64_t whole)
{
    return json_pack("{s:I, s:f}", "positives", (json_int_t)part, "percent",
                     round(10 * percent(part, whole)) / 10);
}

static json_t *split_json(const struct cxn_split_stats *split)
{
    json_t *findings = json_object();
    for (int f = 0; f < CXN_FINDINGS; f++)
        json_object_set_new(findings, cxn_finding_name(f),
                            share_json(split->positives[f], split->images));
    return json_pack("{s:I, s:I, s:I, s:o}", "images", (json_int_t)split->images, "patients",
                     (json_int_t)split->patients, "no_finding", (json_int_t)split->no_finding,
                     "findings", findings);
}

static enum cxn_status print_object(const struct cxn_stats *stats, struct cxn_error *err)
{
    json_t *splits = json_object(), *shared = json_object();
    for (int i = 0; i < CXN_SPLITS; i++) {
        if (stats->split[i].given)
            json_object_set_new(splits, split_names[i], split_json(&stats->split[i]));
        if (pair_given(stats, i))
            json_object_set_new(shared, pair_names[i],
                                json_integer((json_int_t)stats->shared_patients[i]));
    }
    return json_print(json_pack("{s:o, s:o}", "splits", splits, "shared_patients", shared), err);
}

/* ---- command ------------------------------------------------------------------------------ */

static enum cxn_status check_overlap(const struct cxn_stats *stats, struct cxn_error *err)
{
    for (int i = 0; i < CXN_SPLITS; i++) {
        if (stats->shared_patients[i] == 0) continue;
        snprintf(err->text, sizeof err->text,
                 "%s and %s share %" PRIu64 " patients, for example that of '%s'; expected none "
                 "(--allow-overlap to go on)",
                 split_names[pair_splits[i][0]], split_names[pair_splits[i][1]],
                 stats->shared_patients[i], stats->shared_image[i]);
        return CXN_E_FORMAT;
    }
    return CXN_OK;
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct cxn_stats_files files = { .entries = opt_text(inv, "entries") };
    struct cxn_stats stats;
    cxn_context *ctx = NULL;
    bool any = false;
    for (int i = 0; i < CXN_SPLITS; i++) {
        files.list[i] = opt_text(inv, split_names[i]);
        any = any || files.list[i];
    }
    if (!any) return usage_error(err, "stats: at least one of --train, --val and --test is needed");
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status == CXN_OK) status = cxn_stats_compute(ctx, &files, &stats, err);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) status = print_object(&stats, err);
    else print_table(&stats);
    if (status == CXN_OK && !opt_given(inv, "allow-overlap")) status = check_overlap(&stats, err);
    return status;
}

const struct command cmd_stats = {
    .name = "stats",
    .summary = "count images, patients and findings of each list of a split",
    .details = "Lists hold \"name.png\" and 14 times 0 or 1 a line, or names alone with their\n"
               "labels in --entries. Where two lists share a patient the table is printed all the\n"
               "same and the exit status is 3, unless --allow-overlap.",
    .example = "chexnet stats --train train_list.txt --val val_list.txt --test test_list.txt",
    .options = options,
    .run = run,
};
