/* SPDX-License-Identifier: Apache-2.0 */
/* One picture in, fourteen probabilities out. */
#include <string.h>

#include "api/model.h"
#include "base/fpmode.h"

/* Resize a decoded picture of any size and score it. prob is written only on success. */
static enum cxn_status score_picture(cxn_model *model, const struct cxn_picture *picture,
                                     enum cxn_crops crops, float *prob, struct cxn_error *err)
{
    struct cxn_picture small = { 0 };
    float result[CXN_FINDINGS];
    fenv_t host;
    cxn_fpmode_enter(&host);
    enum cxn_status status =
        cxn_picture_resize(model->env, picture, CXN_RESIZE_SIDE, &small, err);
    const struct cxn_picture *one = &small;
    if (status == CXN_OK) status = cxn_crops_check(crops, &small, err);
    if (status == CXN_OK) status = cxn_model_score(model, &one, 1, crops, result, err);
    if (status == CXN_OK) memcpy(prob, result, sizeof result);
    cxn_picture_close(&small);
    cxn_fpmode_leave(&host);
    return status;
}

enum cxn_status cxn_predict_file(cxn_model *model, const char *path, const char *crops_word,
                                 float prob[CXN_FINDINGS], struct cxn_error *err)
{
    enum cxn_crops crops;
    if (!model || !path || !prob)
        return cxn_fail(err, CXN_E_ARG, "cxn_predict_file: a model, a path and prob are needed");
    enum cxn_status status = cxn_crops_parse(crops_word, &crops, err);
    if (status != CXN_OK) return status;
    struct cxn_picture picture = { 0 };
    status = cxn_image_load(model->env, path, &picture, NULL, err);
    if (status != CXN_OK) return status;
    status = cxn_fail_in(err, score_picture(model, &picture, crops, prob, err), path);
    cxn_picture_close(&picture);
    return status;
}

static enum cxn_status check_pixels(const struct cxn_pixels *p, struct cxn_error *err)
{
    if (!p->data) return cxn_fail(err, CXN_E_ARG, "pixels: no data");
    if (p->channels != 1 && p->channels != 3)
        return cxn_fail(err, CXN_E_ARG, "pixels: %u channels, expected 1 or 3", p->channels);
    if (p->width == 0 || p->height == 0 || p->width > CXN_IMAGE_SIDE_MAX ||
        p->height > CXN_IMAGE_SIDE_MAX)
        return cxn_fail(err, CXN_E_ARG, "pixels: %ux%u, expected sides of 1..%u", p->width,
                        p->height, CXN_IMAGE_SIDE_MAX);
    if (p->stride_bytes < (size_t)p->width * p->channels)
        return cxn_fail(err, CXN_E_ARG, "pixels: a row of %zu bytes is shorter than %u x %u",
                        p->stride_bytes, p->width, p->channels);
    return CXN_OK;
}

enum cxn_status cxn_predict_pixels(cxn_model *model, const struct cxn_pixels *pixels,
                                   const char *crops_word, float prob[CXN_FINDINGS],
                                   struct cxn_error *err)
{
    enum cxn_crops crops;
    if (!model || !pixels || !prob)
        return cxn_fail(err, CXN_E_ARG, "cxn_predict_pixels: a model, pixels and prob are needed");
    enum cxn_status status = cxn_crops_parse(crops_word, &crops, err);
    if (status == CXN_OK) status = check_pixels(pixels, err);
    if (status != CXN_OK) return status;
    /* The record has no const form; nothing below writes through it. */
    union {
        const uint8_t *in;
        uint8_t *out;
    } data = { .in = pixels->data };
    const struct cxn_picture picture = { .pixels = data.out,
                                         .width = pixels->width,
                                         .height = pixels->height,
                                         .channels = pixels->channels,
                                         .stride_bytes = pixels->stride_bytes };
    return score_picture(model, &picture, crops, prob, err);
}
