/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"
#include "option_rows.h"
#include "scoring.h"
#include "stop.h"

static const struct opt_row options[] = {
    OPT_MODE, OPT_DEVICE, OPT_CROPS, OPT_OUT_PREDICTIONS, OPT_ON_BAD, OPT_JSON, { 0 },
};

static int show_progress(void *ctx, const cxn_scores *so_far, size_t total)
{
    show_scored(ctx, so_far, total, "");
    return stop_asked();
}

static json_t *file_json(const cxn_scores *scores, size_t i)
{
    const float *prob = cxn_scores_prob(scores) + i * CXN_FINDINGS;
    json_t *findings = json_object();
    for (int f = 0; f < CXN_FINDINGS; f++)
        json_object_set_new(findings, cxn_finding_name(f), json_real((double)prob[f]));
    json_t *file = json_object();
    json_object_set_new(file, "image", json_text(cxn_scores_name(scores, i)));
    json_object_set_new(file, "findings", findings);
    return file;
}

static enum cxn_status print_scores_json(const struct invocation *inv, const cxn_model *model,
                                         const cxn_scores *scores, struct cxn_error *err)
{
    json_t *predictions = json_array();
    for (size_t i = 0; i < cxn_scores_count(scores); i++)
        json_array_append_new(predictions, file_json(scores, i));
    json_t *object = json_object();
    json_object_set_new(object, "model", json_text(inv->operands[0]));
    json_object_set_new(object, "mode", json_string(cxn_model_mode(model)));
    json_object_set_new(object, "crops", json_string(opt_text(inv, "crops")));
    json_object_set_new(object, "seconds", json_real(cxn_scores_seconds(scores)));
    json_object_set_new(object, "peak_rss_bytes",
                        json_integer((json_int_t)cxn_peak_memory_bytes()));
    json_object_set_new(object, "predictions", predictions);
    json_object_set_new(object, "skipped", skipped_json(scores));
    return json_print(object, err);
}

static void print_scores(const struct invocation *inv, const cxn_model *model,
                         const cxn_scores *scores)
{
    for (size_t i = 0; i < cxn_scores_count(scores); i++) {
        const float *prob = cxn_scores_prob(scores) + i * CXN_FINDINGS;
        print_safe(stdout, cxn_scores_name(scores, i));
        putchar('\n');
        for (int f = 0; f < CXN_FINDINGS; f++)
            printf("  %-20s %.4f\n", cxn_finding_name(f), (double)prob[f]);
    }
    printf("\nmode %s, %s crops, %.2f s\n" RESEARCH_USE "\n", cxn_model_mode(model),
           opt_text(inv, "crops"), cxn_scores_seconds(scores));
}

static enum cxn_status predict(const struct invocation *inv, cxn_model *model,
                               struct cxn_error *err)
{
    struct cxn_score_options scoring;
    struct progress progress;
    cxn_scores *scores = NULL;
    scoring_options(inv, &scoring);
    stop_watch();
    progress_start(&progress);
    scoring.progress = show_progress;
    scoring.progress_ctx = &progress;
    enum cxn_status status =
        cxn_predict_files(model, (const char *const *)(inv->operands + 1),
                          (size_t)inv->operand_count - 1, &scoring, &scores, err);
    progress_end(&progress);
    if (status != CXN_OK) return status;
    print_skipped(scores);
    if (opt_given(inv, "json")) status = print_scores_json(inv, model, scores, err);
    else print_scores(inv, model, scores);
    cxn_scores_close(&scores);
    return status;
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    cxn_model *model = NULL;
    enum cxn_status status = open_model(inv, &ctx, &model, err);
    if (status == CXN_OK) status = predict(inv, model, err);
    cxn_model_close(&model);
    cxn_context_close(&ctx);
    return status;
}

const struct command cmd_predict = {
    .name = "predict",
    .summary = "14 probabilities of PNG or JPEG files",
    .operands = "MODEL FILE...",
    .operands_min = 2,
    .operands_max = -1,
    .details = "Files may have any size; they are resized and cropped as in training.\n"
               "The probabilities are not calibrated.",
    .example = "chexnet predict weights.pth chest.png",
    .options = options,
    .run = run,
};
