/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_AUC_TABLE_H
#define CXN_TOOLS_AUC_TABLE_H

#include <stdio.h>

#include <chexnet/eval.h>
#include <jansson.h>

/* A finding a row and the mean, with "n/a" for what is not defined. */
void print_auc_table(FILE *to, const struct cxn_auc_table *table);

/* Sets mean_auc, mean_ci95, mean_of and findings: {NAME: {auc, ci95, positives, threshold}} of an
 * object; null for what is not defined. 0, or -1 where there is no memory. */
int set_auc_json(json_t *object, const struct cxn_auc_table *table);

/* ---- pieces for other tables ---- */

enum { INTERVAL_TEXT_BYTES = 32 };

/* "0.6012 - 0.8106", or "n/a" without an interval. */
void format_interval(char text[INTERVAL_TEXT_BYTES], const struct cxn_estimate *estimate);

/* "0.7059", or "n/a" for NaN. */
void format_value(char text[INTERVAL_TEXT_BYTES], double value);

/* [lo, hi] or null. */
json_t *interval_json(const struct cxn_estimate *estimate);

#endif
