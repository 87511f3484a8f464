/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "auc_table.h"
#include "json_out.h"
#include "option_rows.h"
#include "scoring.h"
#include "stop.h"

static const struct opt_row options[] = {
    { .name = "images", .value = "PATH", .repeats = true, .required = true,
      .help = "folder of images, or a cache made by prepare" },
    { .name = "list", .value = "FILE", .required = true,
      .help = "images to score: name and 14 labels a line, or NIH's name-only lines" },
    OPT_ENTRIES,
    OPT_MODE, OPT_DEVICE, OPT_CROPS,
    { .name = "ci", .value = "METHOD", .choices = "delong|patient-bootstrap", .initial = "delong",
      .help = "how the 95 % intervals are computed" },
    OPT_OUT_PREDICTIONS, OPT_ON_BAD, OPT_JSON, { 0 },
};

/* What one run of the command works with. */
struct session {
    const struct invocation *inv;
    cxn_context *ctx;
    cxn_model *model;
    struct progress progress;
    double mean_at;  /* seconds at which the mean below was computed */
    double mean_auc; /* NaN before there is one */
};

static struct cxn_auc_input auc_input(const cxn_scores *scores)
{
    return (struct cxn_auc_input){ .images = cxn_scores_count(scores),
                                   .scores = cxn_scores_prob(scores),
                                   .labels = cxn_scores_labels(scores),
                                   .patients = cxn_scores_patients(scores) };
}

/* The mean is sorted anew from all scores so far, so only every other second. */
static void update_mean(struct session *s, const cxn_scores *so_far)
{
    struct cxn_auc_table table;
    const double now = progress_seconds(&s->progress);
    if (!cxn_scores_labels(so_far) || now - s->mean_at < 2.0) return;
    s->mean_at = now;
    const struct cxn_auc_input input = auc_input(so_far);
    if (input.images > 0 && cxn_auc_compute(s->ctx, &input, NULL, &table, NULL) == CXN_OK)
        s->mean_auc = table.mean.value;
}

static int show_progress(void *ctx, const cxn_scores *so_far, size_t total)
{
    struct session *s = ctx;
    char mean[40] = "";
    if (stop_asked()) return 1;
    if (!s->progress.on) return 0;
    update_mean(s, so_far);
    if (isfinite(s->mean_auc)) snprintf(mean, sizeof mean, ", mean AUC so far %.4f", s->mean_auc);
    show_scored(&s->progress, so_far, total, mean);
    return 0;
}

static double images_per_second(const cxn_scores *scores)
{
    return (double)cxn_scores_count(scores) / fmax(cxn_scores_seconds(scores), 1e-9);
}

static enum cxn_status print_run_json(const struct session *s, const cxn_scores *scores,
                                      const struct cxn_auc_table *table, struct cxn_error *err)
{
    json_t *o = json_object();
    json_object_set_new(o, "model", json_text(s->inv->operands[0]));
    json_object_set_new(o, "mode", json_string(cxn_model_mode(s->model)));
    json_object_set_new(o, "level", json_string(cxn_model_level(s->model)));
    json_object_set_new(o, "threads", json_integer((json_int_t)cxn_context_threads(s->ctx)));
    json_object_set_new(o, "crops", json_string(opt_text(s->inv, "crops")));
    json_object_set_new(o, "ci", json_string(opt_text(s->inv, "ci")));
    json_object_set_new(o, "images", json_integer((json_int_t)cxn_scores_count(scores)));
    json_object_set_new(o, "seconds", json_real(cxn_scores_seconds(scores)));
    json_object_set_new(o, "images_per_second", json_real(images_per_second(scores)));
    json_object_set_new(o, "peak_rss_bytes", json_integer((json_int_t)cxn_peak_memory_bytes()));
    json_object_set_new(o, "skipped", skipped_json(scores));
    if (table) {
        set_auc_json(o, table);
    } else {
        json_object_set_new(o, "mean_auc", json_null());
        json_object_set_new(o, "findings", json_object());
    }
    return json_print(o, err);
}

static void print_run(const struct session *s, const cxn_scores *scores,
                      const struct cxn_auc_table *table)
{
    if (table) print_auc_table(stdout, table);
    else puts("no labels in the list: no AUC");
    printf("\n%zu images, mode %s, %s crops, %u threads: %.1f s, %.2f images/s, "
           "peak memory %.0f MiB\n" RESEARCH_USE "\n",
           cxn_scores_count(scores), cxn_model_mode(s->model), opt_text(s->inv, "crops"),
           cxn_context_threads(s->ctx), cxn_scores_seconds(scores), images_per_second(scores),
           (double)cxn_peak_memory_bytes() / (1 << 20));
}

static enum cxn_status report(const struct session *s, const cxn_scores *scores,
                              struct cxn_error *err)
{
    struct cxn_auc_table table;
    const struct cxn_auc_table *known = NULL;
    const struct cxn_auc_options how = { .ci = opt_text(s->inv, "ci") };
    const struct cxn_auc_input input = auc_input(scores);
    if (input.labels) {
        const enum cxn_status status = cxn_auc_compute(s->ctx, &input, &how, &table, err);
        if (status != CXN_OK) return status;
        known = &table;
    }
    if (opt_given(s->inv, "json")) return print_run_json(s, scores, known, err);
    print_run(s, scores, known);
    return CXN_OK;
}

static enum cxn_status infer(struct session *s, struct cxn_error *err)
{
    struct cxn_infer_source source = { .list = opt_text(s->inv, "list"),
                                       .entries = opt_text(s->inv, "entries") };
    struct cxn_score_options scoring;
    cxn_scores *scores = NULL;
    source.image_count = opt_all(s->inv, "images", &source.images);
    scoring_options(s->inv, &scoring);
    scoring.progress = show_progress;
    scoring.progress_ctx = s;
    stop_watch();
    progress_start(&s->progress);
    enum cxn_status status = cxn_infer(s->model, &source, &scoring, &scores, err);
    progress_end(&s->progress);
    if (status != CXN_OK) return status;
    print_skipped(scores);
    status = report(s, scores, err);
    cxn_scores_close(&scores);
    return status;
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct session s = { .inv = inv, .mean_auc = NAN };
    enum cxn_status status = open_model(inv, &s.ctx, &s.model, err);
    if (status == CXN_OK) status = infer(&s, err);
    cxn_model_close(&s.model);
    cxn_context_close(&s.ctx);
    return status;
}

const struct command cmd_infer = {
    .name = "infer",
    .summary = "predictions and AUC table of a list of images",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "MODEL is a .safetensors, .pth or .onnx file with DenseNet-121 weights and 14\n"
               "outputs, or an optimised or quantised model.\n"
               "Lists without labels give predictions (--out) and no table.",
    .example = "chexnet infer weights.pth --images images --list test_list.txt --out preds.csv",
    .options = options,
    .run = run,
};
