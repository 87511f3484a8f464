/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper of the scripts on checkpoints; exit status and text as the command's.
 *   create RUN            begins a run of a small network
 *   save RUN STEP [full]  resumes it, saves one more checkpoint; full: of DenseNet-121
 *   check RUN             resumes it and tells which step it goes on from
 *   hold RUN              keeps it locked until stdin ends
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/checkpoint_case.h"

static void print_note(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "note: %s\n", text);
}

static const struct cxn_log notes = { .write = print_note };
static const struct cxn_env env = { .log = &notes };

struct work {
    cxn_run *run;
    struct cxn_json about;
    struct cxn_checkpoint checkpoint;
    struct checkpoint_case want;
    bool found;
};

static enum cxn_status create(struct work *w, const char *path, struct cxn_error *err)
{
    json_t *about = json_pack("{s:s}", "model", "small");
    const enum cxn_status status = cxn_run_create(&w->run, &env, path, about, err);
    json_decref(about);
    return status;
}

static enum cxn_status resume(struct work *w, const char *path,
                              const struct cxn_net_config *config, struct cxn_error *err)
{
    enum cxn_status status = cxn_run_resume(&w->run, &env, path, &w->about, err);
    if (!checkpoint_case_open(&w->want, config, CXN_NUMBER_F32, 0)) return CXN_E_NOMEM;
    if (status == CXN_OK)
        status = cxn_run_load(w->run, w->want.net, &w->checkpoint, &w->found, err);
    return status;
}

static enum cxn_status check(struct work *w, const char *path, struct cxn_error *err)
{
    enum cxn_status status = resume(w, path, &checkpoint_config, err);
    if (status != CXN_OK) return status;
    if (!w->found) {
        puts("no checkpoint");
        return CXN_OK;
    }
    checkpoint_case_fill(&w->want, w->checkpoint.place.step);
    const char *bad = checkpoint_case_compare(&w->want, &w->checkpoint);
    if (bad) return cxn_fail(err, CXN_E_INTERNAL, "%s", bad);
    printf("step %llu\n", (unsigned long long)w->checkpoint.place.step);
    return CXN_OK;
}

static enum cxn_status save(struct work *w, const char *path, uint64_t step,
                            const struct cxn_net_config *config, struct cxn_error *err)
{
    enum cxn_status status = resume(w, path, config, err);
    if (status != CXN_OK) return status;
    cxn_checkpoint_close(&w->checkpoint);
    checkpoint_case_fill(&w->want, step);
    json_t *line = json_pack("{s:I, s:f}", "step", (json_int_t)step, "loss", 0.5);
    status = cxn_run_log(w->run, line, err);
    json_decref(line);
    if (status == CXN_OK)
        status = cxn_run_save_best(w->run, w->want.net, &w->want.content.weights, NULL, 0, err);
    if (status == CXN_OK) status = cxn_run_save(w->run, &w->want.content, err);
    return status;
}

static enum cxn_status hold(struct work *w, const char *path, struct cxn_error *err)
{
    const enum cxn_status status = cxn_run_resume(&w->run, &env, path, &w->about, err);
    if (status != CXN_OK) return status;
    puts("held");
    fflush(stdout);
    while (getchar() != EOF) {}
    return status;
}

int main(int argc, char **argv)
{
    struct cxn_error err = { "expected create, save, check or hold" };
    enum cxn_status status = CXN_E_ARG;
    struct work w = { 0 };
    const char *verb = argc > 2 ? argv[1] : "";
    const bool full = argc == 5 && strcmp(argv[4], "full") == 0;
    if (strcmp(verb, "create") == 0) status = create(&w, argv[2], &err);
    else if (strcmp(verb, "check") == 0) status = check(&w, argv[2], &err);
    else if (strcmp(verb, "hold") == 0) status = hold(&w, argv[2], &err);
    else if (strcmp(verb, "save") == 0 && argc >= 4)
        status = save(&w, argv[2], strtoull(argv[3], NULL, 10),
                      full ? &cxn_densenet121 : &checkpoint_config, &err);
    cxn_checkpoint_close(&w.checkpoint);
    cxn_json_close(&w.about);
    cxn_run_close(&w.run);
    checkpoint_case_close(&w.want);
    if (status != CXN_OK) fprintf(stderr, "%s\n", err.text);
    return cxn_status_exit(status);
}
