/* SPDX-License-Identifier: Apache-2.0 */
#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

/* OneCycleLR's defaults. */
#define RISE_SHARE 0.3
#define FIRST_DIVISOR 25.0
#define LAST_DIVISOR 1e4
/* ReduceLROnPlateau's: a loss must be better by this share. */
#define PLATEAU_THRESHOLD 1e-4

struct cxn_schedule cxn_schedule_make(const struct cxn_settings *settings, size_t images)
{
    const uint64_t epoch_steps = cxn_settings_epoch_steps(settings, images);
    uint64_t total = settings->epochs * epoch_steps;
    if (settings->max_steps > 0 && settings->max_steps < total) total = settings->max_steps;
    return (struct cxn_schedule){ .settings = settings, .epoch_steps = epoch_steps,
                                  .total = total };
}

static double cosine(double from, double to, double share)
{
    return to + (from - to) * (1 + cos(PI * share)) / 2;
}

/* 0.3 T - 1 updates up, the rest down, as OneCycleLR counts them. */
static double one_cycle(double most, uint64_t step, uint64_t total)
{
    const double first = most / FIRST_DIVISOR, last = first / LAST_DIVISOR;
    const double turn = RISE_SHARE * (double)total - 1, end = (double)total - 1;
    const double at = (double)step;
    if (turn > 0 && at <= turn) return cosine(first, most, at / turn);
    return end > turn ? cosine(most, last, (at - turn) / (end - turn)) : most;
}

static double plateau(const struct cxn_settings *s, const struct cxn_epoch_result *epochs,
                      size_t count)
{
    double factor = 1, least = INFINITY;
    uint64_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        if (epochs[i].val_loss < least * (1 - PLATEAU_THRESHOLD) || isinf(least)) {
            least = epochs[i].val_loss;
            bad = 0;
        } else if (++bad > s->decay_epochs) {
            factor *= s->decay;
            bad = 0;
        }
    }
    return factor;
}

double cxn_schedule_lr(const struct cxn_schedule *schedule, uint64_t step,
                       const struct cxn_epoch_result *epochs, size_t epoch_count)
{
    const struct cxn_settings *s = schedule->settings;
    const uint64_t total = schedule->total, warmup = s->warmup;
    double factor = 1;
    switch (s->schedule) {
    case CXN_SCHEDULE_CONSTANT: break;
    case CXN_SCHEDULE_STEP:
        factor = pow(s->decay, (double)(step / schedule->epoch_steps / s->decay_epochs));
        break;
    case CXN_SCHEDULE_COSINE:
        if (step > warmup && total > warmup)
            factor = cosine(1, 0, (double)(step - warmup) / (double)(total - warmup));
        break;
    case CXN_SCHEDULE_PLATEAU: factor = plateau(s, epochs, epoch_count); break;
    case CXN_SCHEDULE_ONE_CYCLE: return one_cycle(s->lr, step, total);
    }
    if (step < warmup) factor *= (double)(step + 1) / (double)warmup;
    return s->lr * factor;
}
