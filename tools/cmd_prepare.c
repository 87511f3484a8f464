/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/data.h>
#include <string.h>

#include "json_out.h"
#include "option_rows.h"
#include "stop.h"

static const struct opt_row options[] = {
    { .name = "images", .value = "DIR", .repeats = true, .required = true,
      .help = "folder of images; several are searched in order" },
    { .name = "list", .value = "FILE", .repeats = true, .required = true,
      .help = "image list; the cache holds the images of all lists given" },
    { .name = "out", .value = "CACHE", .required = true, .help = "the cache to write" },
    OPT_ON_BAD,
    OPT_JSON,
    { 0 },
};

/* The rate counts from the first image that was decoded now, not from what was kept. */
struct telling {
    struct progress progress;
    size_t kept;
    bool started;
};

static int show_progress(void *ctx, size_t done, size_t total)
{
    struct telling *t = ctx;
    if (!t->started) t->kept = done - 1;
    t->started = true;
    const double decoded = (double)(done - t->kept);
    progress_show(&t->progress, done, total, decoded / progress_seconds(&t->progress), "");
    return stop_asked();
}

static enum cxn_status print_result(const struct invocation *inv, const char *out,
                                    const struct cxn_prepare_result *r, double seconds,
                                    struct cxn_error *err)
{
    if (!opt_given(inv, "json")) {
        print_safe(stdout, out);
        printf(": %zu images, %.1f MiB (%zu decoded, %zu kept; of these %zu bad) in %.1f s\n"
               RESEARCH_USE "\n", r->images, (double)r->cache_bytes / (1 << 20), r->decoded,
               r->kept, r->bad, seconds);
        return CXN_OK;
    }
    json_t *object = json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:I, s:f}", "out", json_text(out), "images",
        (json_int_t)r->images, "decoded", (json_int_t)r->decoded, "kept", (json_int_t)r->kept,
        "bad", (json_int_t)r->bad, "bytes", (json_int_t)r->cache_bytes, "seconds", seconds);
    return json_print(object, err);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct telling telling = { .kept = 0 };
    struct cxn_prepare_result result;
    struct cxn_prepare_options o = { .out = opt_text(inv, "out"),
                                     .skip_bad = strcmp(opt_text(inv, "on-bad"), "skip") == 0,
                                     .progress = show_progress,
                                     .progress_ctx = &telling };
    o.folder_count = opt_all(inv, "images", &o.folders);
    o.list_count = opt_all(inv, "list", &o.lists);
    cxn_context *ctx = NULL;
    enum cxn_status status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    stop_watch();
    progress_start(&telling.progress);
    status = cxn_prepare(ctx, &o, &result, err);
    progress_end(&telling.progress);
    if (status == CXN_OK)
        status = print_result(inv, o.out, &result, progress_seconds(&telling.progress), err);
    cxn_context_close(&ctx);
    return status;
}

const struct command cmd_prepare = {
    .name = "prepare",
    .summary = "decode and resize images once into one cache",
    .details = "Every command takes the cache instead of folders through --images.\n"
               "Interrupted, it goes on where it was when it is run again; an image whose file\n"
               "has not changed is not decoded twice. Images skipped as bad stay noted in\n"
               "the cache.",
    .example = "chexnet prepare --images images --list train_list.txt --list val_list.txt"
               " --out train.cache",
    .options = options,
    .run = run,
};
