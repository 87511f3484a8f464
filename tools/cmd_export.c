/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/onnx.h>
#include <inttypes.h>
#include <string.h>

#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    { .name = "out", .value = "FILE", .required = true, .help = "the model to write (.onnx)" },
    { .name = "batch", .value = "N", .initial = "dynamic",
      .help = "pictures a call, 1..1024, or dynamic: any number" },
    { .name = "with-preprocessing",
      .help = "the model takes samples of 0 to 255, grey or colour, not normalised ones" },
    OPT_JSON,
    { 0 },
};

static enum cxn_status read_options(const struct invocation *inv, struct cxn_export_options *o,
                                    struct cxn_error *err)
{
    uint64_t batch = 0;
    o->with_preprocessing = opt_given(inv, "with-preprocessing");
    if (strcmp(opt_text(inv, "batch"), "dynamic") == 0) return CXN_OK;
    const enum cxn_status status = opt_u64(inv, "batch", 1, CXN_EXPORT_BATCH_MAX, &batch, err);
    o->batch = (uint32_t)batch;
    return status;
}

static enum cxn_status print_object(const struct invocation *inv,
                                    const struct cxn_export_options *o,
                                    const struct cxn_export_result *r, struct cxn_error *err)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:I, s:i, s:i, s:b, s:o, s:b}",
        "model", json_text(opt_text(inv, "out")), "source", json_text(inv->operands[0]),
        "source_sha256", r->source_sha256, "bytes", (json_int_t)r->bytes, "nodes", (int)r->nodes,
        "opset", (int)r->opset, "quantized", (int)r->quantized,
        "batch", o->batch > 0 ? json_integer(o->batch) : json_null(),
        "with_preprocessing", (int)o->with_preprocessing);
    return json_print(object, err);
}

static void print_text(const struct invocation *inv, const struct cxn_export_options *o,
                       const struct cxn_export_result *r)
{
    char batch[16] = "batch";
    if (o->batch > 0) snprintf(batch, sizeof batch, "%" PRIu32, o->batch);
    print_safe(stdout, opt_text(inv, "out"));
    printf(": ONNX, %s, opset %" PRIu32 ", %" PRIu32 " nodes, %.1f MiB\nmade from SHA-256 %s\n",
           r->quantized ? "INT8" : "FP32", r->opset, r->nodes, (double)r->bytes / (1 << 20),
           r->source_sha256);
    printf("input %s x %s x 224 x 224, %s; output %s x 14 probabilities\n", batch,
           o->with_preprocessing ? "1 or 3" : "3",
           o->with_preprocessing ? "samples of 0 to 255" : "normalised", batch);
    puts(RESEARCH_USE);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    struct cxn_export_options o = { 0 };
    struct cxn_export_result result;
    enum cxn_status status = read_options(inv, &o, err);
    if (status == CXN_OK) status = open_context(inv, &ctx, err);
    if (status == CXN_OK)
        status = cxn_export_onnx(ctx, inv->operands[0], &o, opt_text(inv, "out"), &result, err);
    cxn_context_close(&ctx);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) return print_object(inv, &o, &result, err);
    print_text(inv, &o, &result);
    return CXN_OK;
}

const struct command cmd_export = {
    .name = "export",
    .summary = "write weights or a quantised model as an ONNX model for other runtimes",
    .operands = "MODEL",
    .operands_min = 1,
    .operands_max = 1,
    .details = "Opset 17; float32, or of a quantised model 8 bits with QuantizeLinear and\n"
               "DequantizeLinear. Input `input`: N x 3 x 224 x 224, each sample divided by\n"
               "255, less mean, divided by deviation; --with-preprocessing puts that into the\n"
               "graph. Output `probabilities`: N x 14, the findings in the usual order. The\n"
               "file tells what it was made from, its findings and what it takes as metadata;\n"
               "in 8 bits it takes the quantised model's place, in mode int8 and to the bit.",
    .example = "chexnet export weights.pth --out chexnet.onnx",
    .options = options,
    .run = run,
};
