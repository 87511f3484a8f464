/* SPDX-License-Identifier: Apache-2.0 */
#include "auc_table.h"

#include <inttypes.h>
#include <math.h>

#include "json_out.h"

void format_interval(char text[INTERVAL_TEXT_BYTES], const struct cxn_estimate *estimate)
{
    if (estimate->bounded)
        snprintf(text, INTERVAL_TEXT_BYTES, "%.4f - %.4f", estimate->lo, estimate->hi);
    else
        snprintf(text, INTERVAL_TEXT_BYTES, "n/a");
}

void format_value(char text[INTERVAL_TEXT_BYTES], double value)
{
    snprintf(text, INTERVAL_TEXT_BYTES, isnan(value) ? "n/a" : "%.4f", value);
}

static void print_row(FILE *to, const char *name, const struct cxn_estimate *auc)
{
    char value[INTERVAL_TEXT_BYTES], interval[INTERVAL_TEXT_BYTES];
    format_value(value, auc->value);
    format_interval(interval, auc);
    fprintf(to, "%-20s  %6s  %-15s", name, value, interval);
}

void print_auc_table(FILE *to, const struct cxn_auc_table *table)
{
    char mean[32];
    fprintf(to, "%-20s  %6s  %-15s  %s\n", "finding", "AUC", "95 % interval", "positives");
    for (int f = 0; f < CXN_FINDINGS; f++) {
        print_row(to, cxn_finding_name(f), &table->finding[f].auc);
        fprintf(to, "  %9" PRIu64 "\n", table->finding[f].positives);
    }
    snprintf(mean, sizeof mean, "mean of %d findings", table->mean_of);
    print_row(to, mean, &table->mean);
    fprintf(to, "  of %" PRIu64 " images\n", table->images);
    if (table->mean.defined && !table->mean.bounded)
        fputs("The mean has no interval, for one of its findings has none.\n", to);
}

json_t *interval_json(const struct cxn_estimate *estimate)
{
    return estimate->bounded ? json_pack("[f, f]", estimate->lo, estimate->hi) : json_null();
}

static json_t *finding_json(const struct cxn_finding_auc *finding)
{
    return json_pack("{s:o, s:o, s:I, s:o}", "auc", json_number(finding->auc.value), "ci95",
                     interval_json(&finding->auc), "positives", (json_int_t)finding->positives,
                     "threshold", json_number(finding->threshold));
}

int set_auc_json(json_t *object, const struct cxn_auc_table *table)
{
    json_t *findings = json_object();
    int status = 0;
    for (int f = 0; f < CXN_FINDINGS; f++)
        status |= json_object_set_new(findings, cxn_finding_name(f),
                                      finding_json(&table->finding[f]));
    status |= json_object_set_new(object, "mean_auc", json_number(table->mean.value));
    status |= json_object_set_new(object, "mean_ci95", interval_json(&table->mean));
    status |= json_object_set_new(object, "mean_of", json_integer(table->mean_of));
    status |= json_object_set_new(object, "findings", findings);
    return status;
}
