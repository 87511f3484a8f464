/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/quant.h>
#include <inttypes.h>

#include "auc_table.h"
#include "json_out.h"
#include "option_rows.h"
#include "stop.h"

static const struct opt_row options[] = {
    { .name = "calibration", .value = "FILE", .required = true,
      .help = "what calibrate made of the same weights" },
    { .name = "out", .value = "FILE", .required = true,
      .help = "the model to write (.safetensors)" },
    { .name = "max-auc-drop", .value = "D",
      .help = "what the mean AUC on --list may fall by; layers are put back until it does not" },
    { .name = "images", .value = "PATH", .repeats = true,
      .help = "folder of images, or a cache made by prepare" },
    { .name = "list", .value = "FILE",
      .help = "labelled images to compare on: a validation list" },
    OPT_ENTRIES,
    OPT_JSON,
    { 0 },
};

/* Rows of the table of layers where none of those below was put back. */
enum { LAYERS_SHOWN = 10 };

struct session {
    const struct invocation *inv;
    struct cxn_quantize_options options;
    struct cxn_quantize_result result;
    struct progress progress;
};

static int show_progress(void *ctx, const char *stage, size_t done, size_t total)
{
    struct session *s = ctx;
    progress_line(&s->progress, "%s: %zu of %zu", stage, done, total);
    return stop_asked();
}

/* All of the gate's options or none. */
static enum cxn_status read_options(struct session *s, struct cxn_error *err)
{
    struct cxn_quantize_options *o = &s->options;
    const struct invocation *inv = s->inv;
    o->calibration = opt_text(inv, "calibration");
    o->out = opt_text(inv, "out");
    o->list = opt_text(inv, "list");
    o->entries = opt_text(inv, "entries");
    o->image_count = opt_all(inv, "images", &o->images);
    o->progress = show_progress;
    o->progress_ctx = s;
    const bool gate = opt_given(inv, "max-auc-drop");
    if (gate != (o->list != NULL) || gate != (o->image_count > 0) || (o->entries && !gate))
        return usage_error(err, "--max-auc-drop, --images and --list go together");
    return opt_double(inv, "max-auc-drop", -1, 1, &o->max_auc_drop, err);
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_rounds(const struct cxn_quantize_result *r)
{
    printf("gate on %" PRIu64 " images, mean AUC of %d findings, mode fp32 %.4f:\n"
           "%-9s  %8s  %7s  %s\n", r->gate_images, r->mean_of, r->reference_auc, "put back",
           "mean AUC", "drop", "95 % interval");
    for (uint32_t i = 0; i < r->round_count; i++) {
        const struct cxn_quantize_round *round = &r->rounds[i];
        printf("%-9u  %8.4f  %+7.4f  ", round->put_back, round->mean_auc, round->drop);
        if (round->drop_lo <= round->drop_hi)
            printf("%+.4f .. %+.4f\n", round->drop_lo, round->drop_hi);
        else
            puts("n/a");
    }
}

static void print_layers(const struct cxn_quantize_result *r)
{
    if (r->layer_count == 0) return;
    printf("%-40s  %11s  %s\n", "layer", "sensitivity", "put back");
    for (uint32_t i = 0; i < r->layer_count; i++) {
        const struct cxn_quantize_layer *layer = &r->layers[i];
        if (i >= LAYERS_SHOWN && layer->put_back == 0) break;
        printf("%-40s  %11.2e  ", layer->name, layer->sensitivity);
        if (layer->put_back > 0) printf("for evaluation %u\n", layer->put_back);
        else puts("no");
    }
}

static void print_text(const struct session *s)
{
    const struct cxn_quantize_result *r = &s->result;
    print_safe(stdout, s->options.out);
    printf(": mode int8, %.1f MiB\nmade from SHA-256 %s\n", (double)r->bytes / (1 << 20),
           r->source_sha256);
    printf("calibrated on %" PRIu64 " images, method %s\n", r->calibrated, r->method);
    printf("largest difference from mode reference on the probe: %.2g at level %s, at most %g; "
           "RMS %.2g\n", r->difference, r->level, r->bound, r->rms);
    if (r->gate_images > 0) {
        print_rounds(r);
        print_layers(r);
    }
    puts(RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *rounds_json(const struct cxn_quantize_result *r)
{
    json_t *rounds = json_array();
    for (uint32_t i = 0; i < r->round_count; i++) {
        const struct cxn_quantize_round *round = &r->rounds[i];
        const struct cxn_estimate drop = { .value = round->drop, .lo = round->drop_lo,
                                           .hi = round->drop_hi, .defined = 1,
                                           .bounded = round->drop_lo <= round->drop_hi };
        json_array_append_new(rounds, json_pack(
            "{s:i, s:o, s:o, s:o}", "put_back", (int)round->put_back, "mean_auc",
            json_number(round->mean_auc), "drop", json_number(round->drop), "ci95",
            interval_json(&drop)));
    }
    return rounds;
}

static json_t *layers_json(const struct cxn_quantize_result *r)
{
    json_t *layers = json_array();
    for (uint32_t i = 0; i < r->layer_count; i++) {
        const struct cxn_quantize_layer *layer = &r->layers[i];
        json_array_append_new(layers, json_pack(
            "{s:s, s:o, s:i}", "layer", layer->name, "sensitivity",
            json_number(layer->sensitivity), "put_back", (int)layer->put_back));
    }
    return layers;
}

static json_t *gate_json(const struct session *s)
{
    const struct cxn_quantize_result *r = &s->result;
    if (r->gate_images == 0) return json_null();
    return json_pack("{s:o, s:I, s:i, s:o, s:o, s:o, s:o}", "list", json_text(s->options.list),
                     "images", (json_int_t)r->gate_images, "mean_of", (int)r->mean_of,
                     "max_auc_drop", json_number(s->options.max_auc_drop), "reference_auc",
                     json_number(r->reference_auc), "rounds", rounds_json(r), "layers",
                     layers_json(r));
}

static enum cxn_status print_object(const struct session *s, struct cxn_error *err)
{
    const struct cxn_quantize_result *r = &s->result;
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:o}", "model",
        json_text(s->options.out), "source", json_text(s->inv->operands[0]), "source_sha256",
        r->source_sha256, "calibration_sha256", r->calibration_sha256, "bytes",
        (json_int_t)r->bytes, "precision", "int8", "method", r->method, "images",
        (json_int_t)r->calibrated, "level", r->level, "difference", json_number(r->difference),
        "rms", json_number(r->rms), "bound", json_number(r->bound), "gate", gate_json(s));
    return json_print(object, err);
}

/* ---- command ------------------------------------------------------------------------------ */

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct session s = { .inv = inv };
    cxn_context *ctx = NULL;
    enum cxn_status status = read_options(&s, err);
    if (status == CXN_OK) status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    stop_watch();
    progress_start(&s.progress);
    status = cxn_quantize(ctx, inv->operands[0], &s.options, &s.result, err);
    progress_end(&s.progress);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) return print_object(&s, err);
    print_text(&s);
    return CXN_OK;
}

const struct command cmd_quantize = {
    .name = "quantize",
    .summary = "make an INT8 model of weights and their calibration",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "MODEL is weights as trained. Every command takes the new file in place of them;\n"
               "it allows mode int8 alone and gives the same bits at every level. A probe picture\n"
               "is asked in mode reference and in the new one, and both answers are kept for\n"
               "`selftest`; nothing is written when they are too far apart.\n"
               "With --max-auc-drop, modes fp32 and int8 score the list, ten crops an image.\n"
               "While the mean AUC falls by more, layers are put back to weights in two exact\n"
               "parts, the most sensitive first; nothing is written when that is not enough.\n"
               "Use a validation list: neither the calibration's nor the test list.",
    .example = "chexnet quantize weights.pth --calibration calibration.json \\\n"
               "      --out int8.safetensors\n"
               "  chexnet quantize weights.pth --calibration calibration.json \\\n"
               "      --out int8.safetensors --max-auc-drop 0.001 --images images \\\n"
               "      --list val_list.txt",
    .options = options,
    .run = run,
};
