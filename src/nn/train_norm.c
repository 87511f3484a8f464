/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of maps, and what norms make of them there and back. */
#include <math.h>
#include <string.h>

#include "nn/train_cpu.h"

/* Sum i of the chunks, in their order. */
static double sum_chunks(const cxn_trainer_state *s, size_t which, size_t i)
{
    double sum = 0.0;
    for (size_t k = 0; k < s->chunks; k++) sum += s->sums[(k * 2 + which) * s->widest + i];
    return sum;
}

static double count_places(const cxn_trainer_state *s, const struct cxn_train_map *map)
{
    return (double)s->count * (double)map->side * (double)map->side;
}

void cxn_train_statistics(cxn_trainer_state *s, struct cxn_train_map *map, size_t first,
                          size_t count)
{
    const double places = count_places(s, map);
    for (size_t i = first; i < first + count; i++) {
        const double mean = sum_chunks(s, 0, i - first) / places;
        const double variance = sum_chunks(s, 1, i - first) / places - mean * mean;
        map->mean[i] = mean;
        map->mean_f32[i] = (float)mean;
        map->variance[i] = variance < 0.0 ? 0.0 : variance; /* in this order a NaN stays one */
    }
}

static double deviation_of(double variance)
{
    return sqrt(variance + CXN_NET_EPSILON);
}

void cxn_train_norm_set(cxn_trainer_state *s, const struct cxn_train_norm *norm, float *slot)
{
    const struct cxn_net_tensor *t = norm->tensor;
    const struct cxn_train_map *of = norm->of;
    const double places = count_places(s, of);
    for (size_t i = 0; i < norm->channels; i++) {
        double mean = (double)s->weights[t[2].offset + i];
        double variance = (double)s->weights[t[3].offset + i];
        if (!s->options.head_only) {
            mean = of->mean[i];
            variance = of->variance[i];
            slot[t[2].offset + i] = (float)mean;
            slot[t[3].offset + i] = (float)(variance * places / (places - 1.0));
        }
        const double scale = (double)s->weights[t[0].offset + i] / deviation_of(variance);
        norm->scale[i] = (float)scale;
        norm->shift[i] = (float)((double)s->weights[t[1].offset + i] - mean * scale);
    }
}

void cxn_train_norm_gather(cxn_trainer_state *s, const struct cxn_train_norm *norm, double share,
                           float *slot)
{
    const struct cxn_net_tensor *t = norm->tensor;
    const struct cxn_train_map *of = norm->of;
    for (size_t i = 0; i < norm->channels; i++) {
        const double sum = share * sum_chunks(s, 0, i);
        const double product = share * sum_chunks(s, 1, i);
        const double weight = (double)s->weights[t[0].offset + i];
        const double dweight = (product - of->mean[i] * sum) / deviation_of(of->variance[i]);
        slot[t[0].offset + i] = (float)dweight;
        slot[t[1].offset + i] = (float)sum;
        of->through_mean[i] += weight * sum;
        of->through_deviation[i] += weight * dweight;
    }
}

/* What norm_center subtracts is (through_mean + through_deviation * (x - mean) / deviation) /
 * (deviation * places); the mean's rounding to float goes into the offset. */
void cxn_train_center(cxn_trainer_state *s, const struct cxn_train_map *map, size_t first,
                      size_t count)
{
    const double places = count_places(s, map);
    for (size_t i = first; i < first + count; i++) {
        const double deviation = deviation_of(map->variance[i]);
        const double slope = -map->through_deviation[i] / (deviation * deviation * places);
        const double offset = -map->through_mean[i] / (deviation * places);
        s->slope[i] = (float)slope;
        s->offset[i] = (float)(offset + ((double)map->mean_f32[i] - map->mean[i]) * slope);
    }
}

void cxn_train_forget(struct cxn_train_map *map)
{
    memset(map->through_mean, 0, map->channels * sizeof *map->through_mean);
    memset(map->through_deviation, 0, map->channels * sizeof *map->through_deviation);
}
