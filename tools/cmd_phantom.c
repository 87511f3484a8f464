/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/data.h>

#include "json_out.h"
#include "option_rows.h"
#include "stop.h"

static const struct opt_row options[] = {
    { .name = "out", .value = "DIR", .required = true,
      .help = "folder for the set; it must not exist, or be empty" },
    { .name = "images", .value = "N", .required = true, .help = "how many, 10 to 1000000" },
    { .name = "size", .value = "N", .initial = "1024",
      .help = "side of the square pictures in pixels, 256 to 2048" },
    { .name = "seed", .value = "S", .initial = "0", .help = "the same seed gives the same bytes" },
    { .name = "balanced", .help = "every finding in about a quarter of the images" },
    OPT_JSON,
    { 0 },
};

static int show_progress(void *ctx, size_t done, size_t total)
{
    struct progress *p = ctx;
    progress_show(p, done, total, (double)done / progress_seconds(p), "");
    return stop_asked();
}

static enum cxn_status read_options(const struct invocation *inv, struct cxn_phantom_options *o,
                                    struct cxn_error *err)
{
    uint64_t images = 0, size = 0;
    enum cxn_status status = opt_u64(inv, "images", 10, 1000000, &images, err);
    if (status == CXN_OK) status = opt_u64(inv, "size", 256, 2048, &size, err);
    if (status == CXN_OK) status = opt_u64(inv, "seed", 0, UINT64_MAX, &o->seed, err);
    o->out = opt_text(inv, "out");
    o->images = (size_t)images;
    o->size = (uint32_t)size;
    o->balanced = opt_given(inv, "balanced");
    return status;
}

static enum cxn_status print_result(const struct invocation *inv,
                                    const struct cxn_phantom_options *o, double seconds,
                                    struct cxn_error *err)
{
    if (!opt_given(inv, "json")) {
        print_safe(stdout, o->out);
        printf(": %zu images of %ux%u in %.1f s\n" RESEARCH_USE "\n", o->images, o->size, o->size,
               seconds);
        return CXN_OK;
    }
    json_t *object = json_pack("{s:o, s:I, s:I, s:I, s:b, s:f}", "out", json_text(o->out), "images",
                               (json_int_t)o->images, "size", (json_int_t)o->size, "seed",
                               (json_int_t)o->seed, "balanced", o->balanced, "seconds", seconds);
    return json_print(object, err);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct cxn_phantom_options o = { 0 };
    cxn_context *ctx = NULL;
    struct progress p;
    enum cxn_status status = read_options(inv, &o, err);
    if (status == CXN_OK) status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    stop_watch();
    progress_start(&p);
    o.progress = show_progress;
    o.progress_ctx = &p;
    status = cxn_phantom(ctx, &o, err);
    progress_end(&p);
    if (status == CXN_OK) status = print_result(inv, &o, progress_seconds(&p), err);
    cxn_context_close(&ctx);
    return status;
}

const struct command cmd_phantom = {
    .name = "phantom",
    .summary = "write a synthetic data set in the form of ChestX-ray14",
    .details = "Drawn chests with 14 learnable findings: PNG files in DIR/images, three lists\n"
               "split by patient, Data_Entry_2017_v2020.csv and BBox_List_2017.csv. Findings\n"
               "are as frequent as in ChestX-ray14 unless --balanced is given. Good for trying\n"
               "the whole way from data to a model; what it teaches is not medicine.",
    .example = "chexnet phantom --out phantom --images 400 --balanced",
    .options = options,
    .run = run,
};
