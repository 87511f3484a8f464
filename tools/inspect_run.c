/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_run.h"

#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>

#include "json_out.h"

bool inspect_is_run(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- table -------------------------------------------------------------------------------- */

/* Line by line: the ends of lines are ours, what stands in them is not. */
static void print_lines(const char *text)
{
    char line[1024];
    while (*text) {
        size_t n = 0;
        while (text[n] && text[n] != '\n' && n < sizeof line - 1) n++;
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        print_safe(stdout, line);
        text += n;
        if (*text != '\n' && *text) continue;
        putchar('\n');
        if (*text) text++;
    }
}

static void print_checkpoint(const struct cxn_run_checkpoint *c)
{
    printf("%-9s step %" PRIu64 ", epoch %" PRIu64 ", ", c->name, c->step, c->epoch);
    if (!c->has_best) puts("no best model yet");
    else if (isnan(c->best_auc)) puts("best model by its loss, no finding has an AUC");
    else printf("best mean AUC %.4f\n", c->best_auc);
}

static void print_table(const cxn_run_info *info, bool verified)
{
    const struct cxn_run_checkpoint *c;
    const struct cxn_run_file *f;
    const char *config = cxn_run_info_config(info), *problem;
    if (config) print_lines(config);
    puts("\nbytes       SHA-256                                                           file");
    for (size_t i = 0; (f = cxn_run_info_file(info, i)); i++)
        printf("%-11" PRIu64 " %-64s  %s\n", f->bytes, f->sha256 ? f->sha256 : "-", f->name);
    printf("\nlog       %" PRIu64 " lines\n", cxn_run_info_log_lines(info));
    for (size_t i = 0; (c = cxn_run_info_checkpoint(info, i)); i++) print_checkpoint(c);
    if (cxn_run_info_checkpoint_count(info) == 0) puts("last      no checkpoint");
    for (size_t i = 0; (problem = cxn_run_info_problem(info, i)); i++)
        printf("wrong     %s\n", problem);
    if (verified && !cxn_run_info_problem(info, 0)) puts("verified  everything is whole");
    puts(RESEARCH_USE);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *checkpoints_json(const cxn_run_info *info)
{
    const struct cxn_run_checkpoint *c;
    json_t *list = json_array();
    for (size_t i = 0; (c = cxn_run_info_checkpoint(info, i)); i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o}", "name", c->name, "step",
                                              (json_int_t)c->step, "epoch", (json_int_t)c->epoch,
                                              "best_auc", json_number(c->best_auc)));
    return list;
}

static json_t *files_json(const cxn_run_info *info)
{
    const struct cxn_run_file *f;
    json_t *list = json_array();
    for (size_t i = 0; (f = cxn_run_info_file(info, i)); i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "name", f->name, "bytes",
                                              (json_int_t)f->bytes, "sha256",
                                              json_text_or_null(f->sha256)));
    return list;
}

static enum cxn_status print_object(const cxn_run_info *info, const char *path, bool verified,
                                    struct cxn_error *err)
{
    const char *config = cxn_run_info_config(info), *problem;
    json_t *problems = json_array();
    for (size_t i = 0; (problem = cxn_run_info_problem(info, i)); i++)
        json_array_append_new(problems, json_text(problem));
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:b, s:o}", "run", json_text(path),
        "config", config ? json_loads(config, 0, NULL) : json_null(),
        "checkpoints", checkpoints_json(info), "files", files_json(info),
        "log_lines", (json_int_t)cxn_run_info_log_lines(info), "verified", verified,
        "problems", problems);
    return json_print(object, err);
}

enum cxn_status inspect_run(const struct invocation *inv, const cxn_context *ctx,
                            struct cxn_error *err)
{
    const char *path = inv->operands[0];
    const bool verify = opt_given(inv, "verify");
    cxn_run_info *info = NULL;
    enum cxn_status status = cxn_run_info_open(&info, ctx, path, verify, err);
    if (status != CXN_OK) return status;
    if (opt_given(inv, "json")) status = print_object(info, path, verify, err);
    else print_table(info, verify);
    const char *problem = cxn_run_info_problem(info, 0);
    if (status == CXN_OK && verify && problem) {
        snprintf(err->text, sizeof err->text, "%s", problem);
        status = CXN_E_FORMAT;
    }
    cxn_run_info_close(&info);
    return status;
}
