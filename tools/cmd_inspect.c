/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/inspect.h>
#include <inttypes.h>
#include <string.h>

#include "inspect_run.h"
#include "json_out.h"
#include "option_rows.h"

static const struct opt_row options[] = {
    { .name = "verify", .help = "read every number and hash; status 3 where something is wrong" },
    OPT_JSON,
    { 0 },
};

/* ---- table -------------------------------------------------------------------------------- */

static void print_tensor(const struct cxn_info_tensor *t)
{
    print_safe(stdout, t->name);
    printf("  %s ", t->dtype);
    for (uint32_t i = 0; i < t->rank; i++) printf("[%" PRIu64 "]", t->dims[i]);
    if (!t->understood) printf("  not part of DenseNet-121");
    else if (t->understood[0] == '\0') printf("  not used");
    else if (strcmp(t->name, t->understood) != 0) printf("  = %s", t->understood);
    putchar('\n');
}

static void print_table(const cxn_info *info)
{
    const char *misfit = cxn_info_misfit(info), *renamed = cxn_info_renamed(info);
    for (size_t i = 0; i < cxn_info_tensor_count(info); i++) print_tensor(cxn_info_tensor(info, i));
    printf("\nformat    %s\nbytes     %" PRIu64 "\nSHA-256   %s\ntensors   %zu\n",
           cxn_info_format(info), cxn_info_file_bytes(info), cxn_info_sha256(info),
           cxn_info_tensor_count(info));
    for (size_t i = 0; i < cxn_info_metadata_count(info); i++) {
        printf("metadata  ");
        print_safe(stdout, cxn_info_metadata_key(info, i));
        printf(" = ");
        print_safe(stdout, cxn_info_metadata_value(info, i));
        putchar('\n');
    }
    if (renamed[0]) printf("names     %s\n", renamed);
    if (misfit) printf("fits      no: %s\n", misfit);
    else printf("fits      DenseNet-121 with %d findings\nmodes     %s\n", CXN_FINDINGS,
                cxn_info_modes(info));
    puts(RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *tensors_json(const cxn_info *info)
{
    json_t *tensors = json_array();
    for (size_t i = 0; i < cxn_info_tensor_count(info); i++) {
        const struct cxn_info_tensor *t = cxn_info_tensor(info, i);
        json_t *shape = json_array();
        for (uint32_t d = 0; d < t->rank; d++)
            json_array_append_new(shape, json_integer((json_int_t)t->dims[d]));
        json_array_append_new(tensors,
                              json_pack("{s:s, s:o, s:s, s:o}", "name", t->name, "understood",
                                        json_text_or_null(t->understood), "dtype", t->dtype,
                                        "shape", shape));
    }
    return tensors;
}

static json_t *metadata_json(const cxn_info *info)
{
    json_t *metadata = json_object();
    for (size_t i = 0; i < cxn_info_metadata_count(info); i++)
        json_object_set_new(metadata, cxn_info_metadata_key(info, i),
                            json_string(cxn_info_metadata_value(info, i)));
    return metadata;
}

static enum cxn_status print_object(const cxn_info *info, const char *path, struct cxn_error *err)
{
    const char *misfit = cxn_info_misfit(info);
    json_t *object = json_pack(
        "{s:o, s:s, s:I, s:s, s:o, s:o, s:b, s:o, s:s, s:o}", "file", json_text(path),
        "format", cxn_info_format(info), "bytes", (json_int_t)cxn_info_file_bytes(info),
        "sha256", cxn_info_sha256(info), "metadata", metadata_json(info),
        "renamed", json_text_or_null(cxn_info_renamed(info)), "fits", !misfit,
        "misfit", json_text_or_null(misfit), "modes", cxn_info_modes(info),
        "tensors", tensors_json(info));
    return json_print(object, err);
}

static enum cxn_status inspect_file(const struct invocation *inv, const cxn_context *ctx,
                                    struct cxn_error *err)
{
    const char *path = inv->operands[0];
    cxn_info *info = NULL;
    enum cxn_status status = cxn_info_open(&info, ctx, path, err);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) status = print_object(info, path, err);
    else print_table(info);
    const char *misfit = cxn_info_misfit(info);
    if (status == CXN_OK && opt_given(inv, "verify") && misfit) {
        snprintf(err->text, sizeof err->text, "%.400s: %s", path, misfit);
        status = CXN_E_FORMAT;
    }
    cxn_info_close(&info);
    return status;
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    cxn_context *ctx = NULL;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status == CXN_OK)
        status = inspect_is_run(inv->operands[0]) ? inspect_run(inv, ctx, err)
                                                  : inspect_file(inv, ctx, err);
    cxn_context_close(&ctx);
    return status;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .summary = "what a file of weights or the folder of a training holds",
    .operands = "FILE|RUN",
    .operands_min = 1,
    .operands_max = 1,
    .details = "Reads .safetensors, optimised and quantised models among them, and PyTorch's\n"
               ".pth in both forms, and .onnx, told apart by content.\n"
               "Nothing in the file is executed. Weights of another network are described\n"
               "as well; `fits` says what is wrong first.\n"
               "Of a folder that train writes: settings, checkpoints and files. A training\n"
               "may be writing it.",
    .example = "chexnet inspect weights.pth\n  chexnet inspect RUN --verify",
    .options = options,
    .run = run,
};
