/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/optimize.h>
#include <inttypes.h>

#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    { .name = "precision", .value = "PRECISION", .choices = "fp32|bf16", .required = true,
      .help = "the mode that the model is for, and its only one" },
    { .name = "out", .value = "FILE", .required = true,
      .help = "the model to write (.safetensors)" },
    OPT_JSON,
    { 0 },
};

static enum cxn_status print_object(const struct invocation *inv,
                                    const struct cxn_optimize_result *r, struct cxn_error *err)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:I, s:s, s:s, s:o, s:o}", "model", json_text(opt_text(inv, "out")),
        "source", json_text(inv->operands[0]), "source_sha256", r->source_sha256,
        "bytes", (json_int_t)r->bytes, "precision", opt_text(inv, "precision"),
        "level", r->level, "difference", json_number(r->difference),
        "bound", json_number(r->bound));
    return json_print(object, err);
}

static void print_text(const struct invocation *inv, const struct cxn_optimize_result *r)
{
    print_safe(stdout, opt_text(inv, "out"));
    printf(": mode %s, %.1f MiB\nmade from SHA-256 %s\n", opt_text(inv, "precision"),
           (double)r->bytes / (1 << 20), r->source_sha256);
    printf("largest difference from mode reference on the probe: %.2g at level %s, at most %g\n",
           r->difference, r->level, r->bound);
    puts(RESEARCH_USE);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    struct cxn_optimize_result result;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status == CXN_OK)
        status = cxn_optimize(ctx, inv->operands[0], opt_text(inv, "precision"),
                              opt_text(inv, "out"), &result, err);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) return print_object(inv, &result, err);
    print_text(inv, &result);
    return CXN_OK;
}

const struct command cmd_optimize = {
    .name = "optimize",
    .summary = "fold weights once into a model for one mode",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "Every command takes the new file in place of the weights; it allows the mode of\n"
               "its precision and gives the same bits as the weights in that mode. It opens\n"
               "faster, bf16 has half the size, and it tells what it was made from. A probe\n"
               "picture is asked in mode reference and in the new one, and both answers are\n"
               "kept for `selftest`; nothing is written when they are too far apart.",
    .example = "chexnet optimize weights.pth --precision bf16 --out bf16.safetensors",
    .options = options,
    .run = run,
};
