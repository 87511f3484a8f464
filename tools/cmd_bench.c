/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/bench.h>
#include <chexnet/cpu.h>

#include <math.h>
#include <string.h>

#include "json_out.h"
#include "option_rows.h"
#include "scoring.h"
#include "stop.h"

static const struct opt_row options[] = {
    OPT_MODE,
    { .name = "batch", .value = "N", .initial = "10", .help = "crops a call, 1..1024" },
    { .name = "seconds", .value = "S", .help = "how long to measure, 0.1..3600 (default 3)" },
    { .name = "runs", .value = "N", .help = "measure this many rounds instead, 1..100000" },
    { .name = "per-op", .help = "also where the time of a crop goes, in one thread" },
    OPT_JSON, { 0 },
};

/* Times that a crop is computed for the table of operations. */
enum { PROFILE_RUNS = 5 };

struct profile {
    struct cxn_bench_operation rows[CXN_BENCH_OPERATIONS_MAX];
    size_t count; /* 0: not asked for */
    double peak; /* of the kind of number the mode computes with, 1e9 operations a second */
    bool int8;
};

/* What one run of the command works with. */
struct session {
    const struct invocation *inv;
    cxn_context *ctx;
    cxn_model *model;
    struct progress progress;
    struct profile profile;
};

static int show_progress(void *ctx, double done)
{
    progress_share(ctx, "bench", done);
    return stop_asked();
}

static enum cxn_status read_options(const struct invocation *inv, struct cxn_bench_options *o,
                                    struct cxn_error *err)
{
    uint64_t batch = 0, runs = 0;
    if (opt_given(inv, "runs") && opt_given(inv, "seconds"))
        return usage_error(err, "bench: --runs and --seconds exclude each other");
    enum cxn_status status = opt_u64(inv, "batch", 1, CXN_BENCH_BATCH_MAX, &batch, err);
    if (status == CXN_OK) status = opt_u64(inv, "runs", 1, CXN_BENCH_RUNS_MAX, &runs, err);
    if (status == CXN_OK)
        status = opt_double(inv, "seconds", 0.1, CXN_BENCH_SECONDS_MAX, &o->seconds, err);
    o->batch = (uint32_t)batch;
    o->runs = (uint32_t)runs;
    return status;
}

static void set_spread(json_t *o, const char *what, const struct cxn_spread *ms)
{
    const struct { const char *name; double value; } parts[] = {
        { "min", ms->min }, { "median", ms->median }, { "p95", ms->p95 },
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char key[40];
        snprintf(key, sizeof key, "ms_per_%s_%s", what, parts[i].name);
        json_object_set_new(o, key, json_real(parts[i].value));
    }
}

/* 1e9 products and sums a second; NaN where they are not counted. */
static double gflops(const struct cxn_bench_operation *op)
{
    return op->gflop > 0 ? 1e3 * op->gflop / op->ms : NAN;
}

static void set_operations(json_t *o, const struct profile *p)
{
    json_t *array = json_array();
    for (size_t i = 0; i < p->count; i++) {
        const struct cxn_bench_operation *op = &p->rows[i];
        json_t *row = json_object();
        json_object_set_new(row, "name", json_text(op->name));
        json_object_set_new(row, "calls", json_integer((json_int_t)op->calls));
        json_object_set_new(row, "ms", json_real(op->ms));
        json_object_set_new(row, "gflops", json_number(gflops(op)));
        json_array_append_new(array, row);
    }
    json_object_set_new(o, p->int8 ? "peak_int8_gops" : "peak_gflops", json_real(p->peak));
    json_object_set_new(o, "operations", array);
}

static enum cxn_status print_json(const struct session *s, const struct cxn_bench_result *r,
                                  struct cxn_error *err)
{
    struct cxn_cpu_name cpu;
    cxn_cpu_name(&cpu);
    json_t *o = json_object();
    json_object_set_new(o, "model", json_text(s->inv->operands[0]));
    json_object_set_new(o, "cpu", json_text(cpu.text));
    json_object_set_new(o, "mode", json_string(cxn_model_mode(s->model)));
    json_object_set_new(o, "level", json_string(cxn_model_level(s->model)));
    json_object_set_new(o, "threads", json_integer((json_int_t)cxn_context_threads(s->ctx)));
    json_object_set_new(o, "batch", json_integer((json_int_t)r->batch));
    json_object_set_new(o, "runs", json_integer((json_int_t)r->runs));
    json_object_set_new(o, "pictures", json_integer((json_int_t)r->pictures));
    set_spread(o, "crop", &r->crop_ms);
    set_spread(o, "image", &r->image_ms);
    if (s->profile.count > 0) set_operations(o, &s->profile);
    json_object_set_new(o, "peak_rss_bytes", json_integer((json_int_t)cxn_peak_memory_bytes()));
    return json_print(o, err);
}

static void print_operations(const struct profile *p)
{
    double ms = 0, gflop = 0;
    const char *const unit = p->int8 ? "GOP/s" : "GFLOP/s";
    if (p->count == 0) return;
    printf("one crop in one thread    calls        ms%10s  of peak\n", unit);
    for (size_t i = 0; i < p->count; i++) {
        const struct cxn_bench_operation *op = &p->rows[i];
        printf("%-25s%6u%10.3f", op->name, op->calls, op->ms);
        if (op->gflop > 0) printf("%10.1f%7.0f %%", gflops(op), 100 * gflops(op) / p->peak);
        putchar('\n');
        ms += op->ms;
        gflop += op->gflop;
    }
    printf("%-31s%10.3f%10.1f%7.0f %%\npeak of %s at this level: %.1f %s a core\n"
           "products are counted as the network defines them, however they are computed\n\n",
           "all", ms, 1e3 * gflop / ms, 1e5 * gflop / ms / p->peak, p->int8 ? "INT8" : "float32",
           p->peak, unit);
}

static void print_table(const struct session *s, const struct cxn_bench_result *r)
{
    printf("mode %s, level %s, %u threads, %u crops a call, %u rounds\n\n"
           "ms               minimum    median       p95\n"
           "224x224 crop  %10.3f%10.3f%10.3f\n"
           "ten-crop image%10.2f%10.2f%10.2f\n\n",
           cxn_model_mode(s->model), cxn_model_level(s->model), cxn_context_threads(s->ctx),
           r->batch, r->runs, r->crop_ms.min, r->crop_ms.median, r->crop_ms.p95, r->image_ms.min,
           r->image_ms.median, r->image_ms.p95);
    print_operations(&s->profile);
    printf("peak memory %.0f MiB\n%s\n", (double)cxn_peak_memory_bytes() / (1 << 20),
           RESEARCH_USE);
}

static enum cxn_status profile(struct session *s, struct cxn_error *err)
{
    struct profile *p = &s->profile;
    if (!opt_given(s->inv, "per-op")) return CXN_OK;
    p->int8 = strcmp(cxn_model_mode(s->model), "int8") == 0;
    p->peak = p->int8 ? cxn_bench_peak_int8_gops(s->ctx) : cxn_bench_peak_gflops(s->ctx);
    return cxn_bench_operations(s->model, PROFILE_RUNS, p->rows, &p->count, err);
}

static enum cxn_status bench(struct session *s, struct cxn_bench_options *o, struct cxn_error *err)
{
    struct cxn_bench_result result;
    o->files = (const char *const *)s->inv->operands + 1;
    o->file_count = (size_t)s->inv->operand_count - 1;
    o->progress = show_progress;
    o->progress_ctx = &s->progress;
    stop_watch();
    progress_start(&s->progress);
    enum cxn_status status = profile(s, err);
    if (status == CXN_OK) status = cxn_bench(s->model, o, &result, err);
    progress_end(&s->progress);
    if (status != CXN_OK) return status;
    if (opt_given(s->inv, "json")) return print_json(s, &result, err);
    print_table(s, &result);
    return CXN_OK;
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct session s = { .inv = inv };
    struct cxn_bench_options o = { 0 };
    enum cxn_status status = read_options(inv, &o, err);
    if (status == CXN_OK) status = open_model(inv, &s.ctx, &s.model, err);
    if (status == CXN_OK) status = bench(&s, &o, err);
    cxn_model_close(&s.model);
    cxn_context_close(&s.ctx);
    return status;
}

const struct command cmd_bench = {
    .name = "bench",
    .summary = "time per crop and per ten-crop image, memory",
    .operands = "MODEL [FILE...]",
    .operands_min = 1,
    .operands_max = -1,
    .details = "Crops of 224x224 are cut from the PNG or JPEG FILEs, decoded and resized before\n"
               "the clock starts, or from synthetic pictures where no FILE is named. A round is\n"
               "one call with a batch of crops and one with an image's ten; the first rounds are\n"
               "not counted.",
    .example = "chexnet bench weights.pth --batch 10 --threads 2",
    .options = options,
    .run = run,
};
