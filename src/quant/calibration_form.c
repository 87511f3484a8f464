/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/calibration_form.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const char *const words[CXN_CALIBRATION_METHODS] = {
    [CXN_CALIBRATION_MINMAX] = "minmax",
    [CXN_CALIBRATION_PERCENTILE] = "percentile",
    [CXN_CALIBRATION_ENTROPY] = "entropy",
    [CXN_CALIBRATION_MSE] = "mse",
};

const char *cxn_calibration_method_name(enum cxn_calibration_method method)
{
    return words[method];
}

enum cxn_status cxn_calibration_method_parse(const char *word, enum cxn_calibration_method *method,
                                             struct cxn_error *err)
{
    for (size_t i = 0; i < CXN_CALIBRATION_METHODS; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *method = (enum cxn_calibration_method)i;
        return CXN_OK;
    }
    return cxn_fail(err, CXN_E_ARG, "unknown method '%.100s', expected minmax, percentile, entropy "
                                    "or mse", word);
}

size_t cxn_calibration_arrays(const cxn_calibration *c, size_t i,
                              struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX])
{
    const struct cxn_calibration_part *part = &c->parts[i];
    const struct cxn_calibration_array all[] = {
        { "lo", part->lo },
        { part->lo ? "hi" : "max", part->hi },
        { "mean", part->mean },
        { "share", part->share },
    };
    size_t count = 0;
    for (size_t k = 0; k < CXN_COUNTOF(all); k++)
        if (all[k].numbers) arrays[count++] = all[k];
    return count;
}

static enum cxn_status fail_number(const cxn_calibration *c, size_t i, const char *key, size_t k,
                                   const char *what, struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_FORMAT, "'%s': '%s' of channel %zu is %s", c->fold->parts[i].name,
                    key, k, what);
}

static enum cxn_status check_channel(const cxn_calibration *c, size_t i, size_t k, double views,
                                     struct cxn_error *err)
{
    const struct cxn_calibration_part *p = &c->parts[i];
    struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
    const size_t count = cxn_calibration_arrays(c, i, arrays);
    for (size_t a = 0; a < count; a++) {
        if (!isfinite(arrays[a].numbers[k]))
            return fail_number(c, i, arrays[a].key, k, "not finite", err);
        if (fabs(arrays[a].numbers[k]) > FLT_MAX * views) /* activations are float32 */
            return fail_number(c, i, arrays[a].key, k, "beyond float32", err);
    }
    if (p->lo && p->lo[k] > p->hi[k]) return fail_number(c, i, "lo", k, "above 'hi'", err);
    if (p->hi && !p->lo && p->hi[k] < 0) return fail_number(c, i, "max", k, "negative", err);
    if (p->mean && p->mean[k] < 0) return fail_number(c, i, "mean", k, "negative", err);
    if (p->share && !(p->share[k] >= 0 && p->share[k] <= views))
        return fail_number(c, i, "share", k, views > 1 ? "not a sum of shares" : "not in 0..1",
                           err);
    return CXN_OK;
}

enum cxn_status cxn_calibration_check_sums(const cxn_calibration *c, size_t views,
                                           struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; i < c->fold->count; i++) {
        struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
        if (cxn_calibration_arrays(c, i, arrays) == 0) continue;
        for (size_t k = 0; k < c->fold->parts[i].out && status == CXN_OK; k++)
            status = check_channel(c, i, k, (double)views, err);
    }
    return status;
}

enum cxn_status cxn_calibration_check(const cxn_calibration *c, struct cxn_error *err)
{
    return cxn_calibration_check_sums(c, 1, err);
}
