/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/optimize.h>
#include <math.h>

#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    OPT_JSON,
    { 0 },
};

/* ---- table -------------------------------------------------------------------------------- */

static void print_row(const struct cxn_selftest_row *row)
{
    printf("%-10s %-8s ", row->mode, row->level);
    if (!row->kernels) {
        printf("skipped: %s\n", row->skipped);
        return;
    }
    printf("%-8s %10.2g ", row->kernels, row->difference);
    if (isnan(row->stored_difference)) printf("%10s", "-");
    else printf("%10.2g", row->stored_difference);
    printf(" %8g  %s", row->bound, row->passed ? "passed" : "FAILED");
    if (!row->passed) printf(" in %s", row->finding);
    putchar('\n');
}

static void print_table(const struct cxn_selftest_result *r)
{
    const bool derived = r->optimized || r->quantized;
    if (derived) {
        printf("%s from ", r->quantized ? "quantised" : "optimised");
        print_safe(stdout, r->source_name);
        printf(", SHA-256 %s\n", r->source_sha256);
    }
    if (r->quantized) printf("every level must give the stored answers to the bit\n");
    printf("%u views of the %s probe picture; largest difference of a probability from\n\n",
           r->views, derived ? "stored" : "drawn");
    printf("%-10s %-8s %-8s %10s %10s %8s\n", "mode", "level", "kernels", "reference", "stored",
           "at most");
    for (uint32_t i = 0; i < r->row_count; i++) print_row(&r->rows[i]);
    printf("\n%u passed, %u failed, %u skipped\n" RESEARCH_USE "\n", r->passed, r->failed,
           r->skipped);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *row_json(const struct cxn_selftest_row *row)
{
    const char *result = !row->kernels ? "skipped" : row->passed ? "passed" : "failed";
    json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "mode", row->mode, "level", row->level,
                               "result", result, "skipped", json_text_or_null(row->skipped));
    json_object_set_new(object, "kernels", json_text_or_null(row->kernels));
    json_object_set_new(object, "difference", json_number(row->difference));
    json_object_set_new(object, "stored_difference", json_number(row->stored_difference));
    json_object_set_new(object, "bound", json_number(row->bound));
    json_object_set_new(object, "stored_bound", json_number(row->stored_bound));
    json_object_set_new(object, "finding", json_text_or_null(row->finding));
    json_object_set_new(object, "seconds", row->kernels ? json_real(row->seconds) : json_null());
    return object;
}

static enum cxn_status print_object(const struct invocation *inv,
                                    const struct cxn_selftest_result *r, struct cxn_error *err)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < r->row_count; i++) json_array_append_new(rows, row_json(&r->rows[i]));
    json_t *object = json_pack(
        "{s:o, s:b, s:b, s:o, s:o, s:i, s:i, s:i, s:i, s:o}", "model",
        json_text(inv->operands[0]), "optimized", r->optimized, "quantized", r->quantized,
        "source", json_text_or_null(r->source_name),
        "source_sha256", json_text_or_null(r->source_sha256), "views", (int)r->views,
        "passed", (int)r->passed, "failed", (int)r->failed, "skipped", (int)r->skipped,
        "rows", rows);
    return json_print(object, err);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    struct cxn_selftest_result result;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status == CXN_OK) status = cxn_selftest(ctx, inv->operands[0], &result, err);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) status = print_object(inv, &result, err);
    else print_table(&result);
    if (status != CXN_OK || result.failed == 0) return status;
    snprintf(err->text, sizeof err->text, "%s: %u of %u answers to the probe picture are out of "
             "bounds", inv->operands[0], result.failed, result.passed + result.failed);
    return CXN_E_FORMAT;
}

const struct command cmd_selftest = {
    .name = "selftest",
    .summary = "a model's answers to its probe picture, at every level of this CPU",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "An optimised or quantised model has a probe picture and the answers it gave when\n"
               "it was made; each level of kernels that this CPU has must give them again: a\n"
               "quantised one to the bit, an optimised one within the mode's bound. For other\n"
               "weights the picture is drawn, mode reference answers first, and all modes are\n"
               "compared with it. Levels that the CPU lacks are named as skipped; --cpu LEVEL\n"
               "leaves out those above. Status 3 when an answer is out of bounds.",
    .example = "chexnet selftest bf16.safetensors",
    .options = options,
    .run = run,
};
