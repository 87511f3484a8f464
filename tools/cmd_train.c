/* SPDX-License-Identifier: Apache-2.0 */
#include <chexnet/train.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "json_out.h"
#include "option_rows.h"
#include "stop.h"

/* The rows behind `weights` up to `json` are settings of the library (docs/training.md), which
 * checks their values; the words here are for the help. */
static const struct opt_row options[] = {
    { .name = "images", .value = "PATH", .repeats = true,
      .help = "folder of images, or a cache made by prepare" },
    { .name = "train", .value = "FILE", .help = "images to learn from: name and 14 labels a line" },
    { .name = "val", .value = "FILE", .help = "images that choose the best weights" },
    OPT_ENTRIES,
    { .name = "out", .value = "RUN", .help = "folder to write; it must be empty or not there yet" },
    { .name = "resume", .value = "RUN",
      .help = "go on with this run, which says all the rest; a deadline may be given anew" },
    { .name = "weights", .value = "FILE",
      .help = "DenseNet-121 weights to start from, not drawn at random; any head" },
    { .name = "epochs", .value = "N", .initial = "10", .help = "passes over the train list" },
    { .name = "max-steps", .value = "N", .initial = "0",
      .help = "end after so many steps; 0: when the epochs end" },
    { .name = "early-stop", .value = "N", .initial = "0",
      .help = "end after so many epochs without a better one; 0: never" },
    { .name = "batch", .value = "B", .initial = "16",
      .help = "images of one forward pass over all ranks; a step takes it times accumulate" },
    { .name = "shards", .value = "S", .initial = "0",
      .help = "parts of a batch with batch statistics of their own; 0: by the batch" },
    { .name = "accumulate", .value = "N", .initial = "1",
      .help = "batches whose gradients are averaged for a step" },
    { .name = "precision", .value = "P", .choices = "fp32|bf16", .initial = "fp32",
      .help = "of feature maps and products" },
    { .name = "loss", .value = "LOSS", .choices = "bce|weighted-bce|focal|seed-ce",
      .initial = "bce", .help = "what is made small" },
    { .name = "focal-gamma", .value = "G", .initial = "2", .help = "exponent of loss focal" },
    { .name = "optimizer", .value = "RULE", .choices = "sgd|adamw", .initial = "adamw",
      .help = "rule of the step" },
    { .name = "lr", .value = "LR", .initial = "0.001", .help = "learning rate" },
    { .name = "weight-decay", .value = "W", .initial = "0", .help = "pull of the weights to 0" },
    { .name = "momentum", .value = "M", .initial = "0.9", .help = "of sgd" },
    { .name = "nesterov", .value = "SWITCH", .choices = "off|on", .initial = "off",
      .help = "Nesterov's form of the momentum" },
    { .name = "beta1", .value = "B", .initial = "0.9", .help = "of adamw" },
    { .name = "beta2", .value = "B", .initial = "0.999", .help = "of adamw" },
    { .name = "clip", .value = "NORM", .initial = "0",
      .help = "largest norm of the gradient; 0: any" },
    { .name = "ema", .value = "DECAY", .initial = "0",
      .help = "validate and keep a moving average of the weights; 0: the weights" },
    { .name = "freeze", .value = "PART", .choices = "none|backbone", .initial = "none",
      .help = "what keeps its weights" },
    { .name = "schedule", .value = "S", .choices = "constant|step|cosine|plateau|one-cycle",
      .initial = "constant", .help = "how the learning rate changes" },
    { .name = "warmup", .value = "N", .initial = "0", .help = "steps of rising learning rate" },
    { .name = "decay-epochs", .value = "N", .initial = "3",
      .help = "epochs between decays (step), or without a better loss before one (plateau)" },
    { .name = "decay", .value = "F", .initial = "0.1", .help = "factor of step and plateau" },
    { .name = "crops", .value = "CROPS", .choices = "random|center|ten", .initial = "random",
      .help = "224x224 windows of an image to learn from; the loss is of their mean output" },
    { .name = "augment", .value = "SWITCH", .choices = "off|on|auto", .initial = "auto",
      .help = "mirror, turn, scale and brighten; auto: with random crops" },
    { .name = "shuffle", .value = "SWITCH", .choices = "off|on", .initial = "on",
      .help = "draw the order of each epoch" },
    { .name = "seed", .value = "N", .initial = "1", .help = "of all that is drawn" },
    { .name = "on-bad", .value = "POLICY", .choices = "fail|skip", .initial = "fail",
      .help = "unreadable images: end the work, or are replaced (train) or left out (val)" },
    { .name = "save-every", .value = "N", .initial = "0",
      .help = "steps between checkpoints within an epoch; 0: none" },
    { .name = "deadline", .value = "SECONDS", .initial = "120",
      .help = "how long a silent rank is waited for; more than saving or a pass takes" },
    OPT_JSON,
    { 0 },
};

/* Room for every option, though not each is a setting. */
enum { SETTINGS_MAX = sizeof options / sizeof options[0] };

struct session {
    const struct invocation *inv;
    struct progress progress;
    struct cxn_train_result result;
    struct cxn_train_setting settings[SETTINGS_MAX];
    size_t setting_count;
};

/* ---- what is asked for -------------------------------------------------------------------- */

static enum cxn_status refuse_beside_resume(const struct invocation *inv, struct cxn_error *err)
{
    for (const struct opt_row *r = options; r->name; r++)
        if (opt_given(inv, r->name) && strcmp(r->name, "resume") != 0 &&
            strcmp(r->name, "deadline") != 0 && strcmp(r->name, "json") != 0)
            return usage_error(err, "train: --resume takes everything from RUN, unexpected --%s",
                               r->name);
    return CXN_OK;
}

static enum cxn_status demand(const struct invocation *inv, struct cxn_error *err)
{
    static const char *const needed[] = { "images", "train", "val", "out" };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!opt_given(inv, needed[i]))
            return usage_error(err, "train: --%s is needed, or --resume RUN (see chexnet train "
                               "--help)", needed[i]);
    return CXN_OK;
}

static enum cxn_status read_options(struct session *s, struct cxn_train_options *o,
                                    struct cxn_error *err)
{
    const struct invocation *inv = s->inv;
    o->image_count = opt_all(inv, "images", &o->images);
    o->train = opt_text(inv, "train");
    o->val = opt_text(inv, "val");
    o->entries = opt_text(inv, "entries");
    o->out = opt_text(inv, "out");
    o->weights = opt_text(inv, "weights");
    const struct opt_row *r = options;
    while (strcmp(r->name, "epochs") != 0) r++;
    for (; strcmp(r->name, "json") != 0; r++)
        if (opt_given(inv, r->name))
            s->settings[s->setting_count++] =
                (struct cxn_train_setting){ r->name, opt_text(inv, r->name) };
    o->settings = s->settings;
    o->setting_count = s->setting_count;
    o->resume = opt_text(inv, "resume");
    return o->resume ? refuse_beside_resume(inv, err) : demand(inv, err);
}

/* ---- live --------------------------------------------------------------------------------- */

static void show_epoch(struct session *s, const struct cxn_train_news *n)
{
    progress_end(&s->progress);
    fprintf(stderr, "epoch %" PRIu64 " of %" PRIu64 ": val loss %.5f, mean AUC ", n->epoch,
            n->epochs, n->val_loss);
    fprintf(stderr, isnan(n->val_mean_auc) ? "n/a\n" : "%.4f\n", n->val_mean_auc);
}

static int show(void *ctx, const struct cxn_train_news *n)
{
    struct session *s = ctx;
    if (stop_asked()) return 1;
    if (n->rank > 0 || n->validating || !s->progress.on) return 0;
    if (n->validated) {
        show_epoch(s, n);
        return 0;
    }
    progress_line(&s->progress, "step %" PRIu64 " of %" PRIu64 ", epoch %" PRIu64 ", loss %.5f, "
                  "%.1f images/s, %.0f:%02d left", n->step, n->steps, n->epoch, n->loss,
                  n->images_per_second, floor(n->seconds_left / 60),
                  (int)fmod(n->seconds_left, 60));
    return 0;
}

/* ---- at the end --------------------------------------------------------------------------- */

/* The reference trains on all ten crops of 15,000 images an epoch; its figures are for that. */
#define REFERENCE_IMAGES 15000.0
#define REFERENCE_V100_SECONDS 1045.0
#define REFERENCE_GAUDI_SECONDS 860.0

static const char *end_word(int end)
{
    return end == CXN_TRAIN_DONE ? "done" : end == CXN_TRAIN_STOPPED ? "stopped" : "early stop";
}

static double reference_seconds(const struct cxn_train_result *r)
{
    return REFERENCE_IMAGES / fmax(r->images_per_second, 1e-9);
}

static bool has_reference(const struct cxn_train_result *r)
{
    return r->views_per_image == 10 && r->images_per_second > 0;
}

static const char *run_of(const struct session *s)
{
    return opt_given(s->inv, "resume") ? opt_text(s->inv, "resume") : opt_text(s->inv, "out");
}

static enum cxn_status print_json(const struct session *s, struct cxn_error *err)
{
    const struct cxn_train_result *r = &s->result;
    json_t *o = json_object();
    json_object_set_new(o, "run", json_text(run_of(s)));
    json_object_set_new(o, "end", json_string(end_word(r->end)));
    json_object_set_new(o, "steps", json_integer((json_int_t)r->steps));
    json_object_set_new(o, "epochs", json_integer((json_int_t)r->epochs));
    json_object_set_new(o, "best_epoch",
                        r->best_epoch ? json_integer((json_int_t)r->best_epoch) : json_null());
    json_object_set_new(o, "best_mean_auc", json_number(r->best_auc));
    json_object_set_new(o, "best_val_loss", json_number(r->best_loss));
    json_object_set_new(o, "ranks", json_integer(r->ranks));
    json_object_set_new(o, "skipped", json_integer((json_int_t)r->skipped));
    json_object_set_new(o, "seconds", json_real(r->seconds));
    json_object_set_new(o, "images_per_second", json_number(r->images_per_second));
    if (has_reference(r))
        json_object_set_new(o, "seconds_15000_images", json_number(reference_seconds(r)));
    json_object_set_new(o, "peak_rss_bytes", json_integer((json_int_t)cxn_peak_memory_bytes()));
    return json_print(o, err);
}

static void print_text(const struct session *s)
{
    const struct cxn_train_result *r = &s->result;
    printf("%s: %s after %" PRIu64 " steps, %" PRIu64 " epochs validated\n", run_of(s),
           end_word(r->end), r->steps, r->epochs);
    if (r->best_epoch > 0) {
        printf("best: epoch %" PRIu64 ", val loss %.5f, mean AUC ", r->best_epoch, r->best_loss);
        printf(isnan(r->best_auc) ? "n/a\n" : "%.4f\n", r->best_auc);
    }
    if (r->skipped > 0) printf("%" PRIu64 " times an unreadable image was replaced\n", r->skipped);
    printf("%.1f s, %.2f images/s, %u rank%s, peak memory %.0f MiB\n", r->seconds,
           r->images_per_second, r->ranks, r->ranks == 1 ? "" : "s",
           (double)cxn_peak_memory_bytes() / (1 << 20));
    if (has_reference(r))
        printf("15,000 images of ten crops would take %.0f s here (reference: V100 %.0f s, eight "
               "Gaudi %.0f s)\n", reference_seconds(r), REFERENCE_V100_SECONDS,
               REFERENCE_GAUDI_SECONDS);
    puts(RESEARCH_USE);
}

static enum cxn_status run(const struct invocation *inv, struct cxn_error *err)
{
    struct session s = { .inv = inv };
    struct cxn_train_options o = { .progress = show, .progress_ctx = &s };
    cxn_context *ctx = NULL;
    enum cxn_status status = read_options(&s, &o, err);
    if (status == CXN_OK) status = open_context(inv, &ctx, err);
    if (status != CXN_OK) return status;
    stop_watch_job();
    progress_start(&s.progress);
    status = cxn_train(ctx, &o, &s.result, err);
    progress_end(&s.progress);
    cxn_context_close(&ctx);
    if (status != CXN_OK) {
        if (s.result.told_by_first) {
            leave_error_to_others();
            /* mpirun ends all ranks when the first fails: rank 0 is to have its say. */
            nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
        }
        return status;
    }
    if (s.result.rank > 0) return CXN_OK;
    if (opt_given(inv, "json")) return print_json(&s, err);
    print_text(&s);
    return CXN_OK;
}

const struct command cmd_train = {
    .name = "train",
    .summary = "train from images and lists to a model; data-parallel under mpirun or srun",
    .operands_max = 0,
    .details = "RUN gets log.jsonl (a line a step and an epoch), run.json (what it is of), last/\n"
               "(the checkpoint) and best.safetensors (the model with the best validation).\n"
               "SIGTERM, SIGINT, SIGHUP and SIGUSR1 end it after the next step, or in a\n"
               "validation, with a checkpoint and status 0; --resume goes on from there to the\n"
               "same bits.",
    .example = "chexnet train --images images --train train_list.txt --val val_list.txt \\\n"
               "      --out run --epochs 20 --precision bf16",
    .options = options,
    .run = run,
};
