/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/quant.h>

#include "json_out.h"
#include "option_rows.h"
#include "stop.h"

static const struct opt_row options[] = {
    { .name = "images", .value = "PATH", .repeats = true, .required = true,
      .help = "folder of images, or a cache made by prepare" },
    { .name = "list", .value = "FILE", .required = true,
      .help = "images to choose from: a train list, never one to evaluate on" },
    { .name = "count", .letter = 'n', .value = "N", .initial = "1000",
      .help = "how many to choose, all of a shorter list" },
    { .name = "seed", .value = "N", .initial = "1", .help = "of the choice" },
    { .name = "method", .value = "METHOD", .choices = "minmax|percentile|entropy|mse",
      .initial = "minmax", .help = "how the ends of a range are found, docs/int8.md" },
    { .name = "percentile", .value = "P", .initial = "99.99",
      .help = "of method percentile: values within each end of a range, in percent" },
    { .name = "out", .value = "FILE", .required = true,
      .help = "the calibration to write (.json)" },
    OPT_JSON,
    { 0 },
};

/* The rate counts from the first batch that was seen now, not from what an earlier call saw. */
struct telling {
    struct progress progress;
    size_t before;
    bool started;
};

static int show_progress(void *ctx, size_t done, size_t total)
{
    struct telling *t = ctx;
    if (t->started)
        progress_show(&t->progress, done, total,
                      (double)(done - t->before) / progress_seconds(&t->progress), "");
    else
        t->before = done;
    t->started = true;
    return stop_asked();
}

static enum cxn_status read_options(const struct invocation *inv, struct cxn_calibrate_options *o,
                                    struct cxn_error *err)
{
    enum cxn_status status = opt_u64(inv, "count", 1, 1000000, &o->count, err);
    if (status == CXN_OK) status = opt_u64(inv, "seed", 0, INT64_MAX, &o->seed, err);
    if (status == CXN_OK) status = opt_double(inv, "percentile", 50, 100, &o->percentile, err);
    o->image_count = opt_all(inv, "images", &o->images);
    o->list = opt_text(inv, "list");
    o->method = opt_text(inv, "method");
    o->out = opt_text(inv, "out");
    return status;
}

static enum cxn_status print_object(const struct cxn_calibrate_options *o,
                                    const struct cxn_calibrate_result *r, struct cxn_error *err)
{
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o}", "calibration", json_text(o->out),
        "model_sha256", r->model_sha256, "list_sha256", r->list_sha256, "method", o->method,
        "seed", (json_int_t)o->seed, "images", (json_int_t)r->images, "resumed",
        (json_int_t)r->resumed, "level", r->level, "seconds", json_number(r->seconds));
    return json_print(object, err);
}

static void print_text(const struct cxn_calibrate_options *o, const struct cxn_calibrate_result *r)
{
    print_safe(stdout, o->out);
    printf(": %llu images", (unsigned long long)r->images);
    if (r->resumed > 0) printf(", %llu of an earlier run", (unsigned long long)r->resumed);
    printf(", method %s, in %.1f s\n" RESEARCH_USE "\n", o->method, r->seconds);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct telling telling = { .before = 0 };
    struct cxn_calibrate_options o = { .progress = show_progress, .progress_ctx = &telling };
    struct cxn_calibrate_result result;
    cxn_context *ctx = NULL;
    enum cxn_status status = read_options(inv, &o, err);
    if (status == CXN_OK) status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    stop_watch();
    progress_start(&telling.progress);
    status = cxn_calibrate(ctx, inv->operands[0], &o, &result, err);
    progress_end(&telling.progress);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) return print_object(&o, &result, err);
    print_text(&o, &result);
    return CXN_OK;
}

const struct command cmd_calibrate = {
    .name = "calibrate",
    .summary = "measure the ranges of weights' activations, for INT8",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "MODEL is weights as trained, neither optimised nor quantised. Mode fp32 computes\n"
               "one crop of each chosen image; FILE gets ranges and means of every channel's\n"
               "activations (docs/formats.md). Interrupted, the command goes on where it was when\n"
               "it is run again: what was seen is in FILE.partial.\n"
               "Images that a model is evaluated on must have no part in making it.",
    .example = "chexnet calibrate weights.pth --images images --list train_list.txt \\\n"
               "      --out calibration.json",
    .options = options,
    .run = run,
};
