/* SPDX-License-Identifier: Apache-2.0 */
#include "api/model.h"

#include <string.h>

#include "api/engines.h"
#include "api/numbers.h"
#include "base/fpmode.h"
#include "nn/view.h"

static enum cxn_status open_engine(cxn_model *model, const char *path, const char *mode,
                                   struct cxn_error *err)
{
    struct cxn_numbers numbers;
    enum cxn_status status = cxn_net_open(&model->net, &cxn_densenet121, model->env->mem, err);
    if (status != CXN_OK) return status;
    status = cxn_numbers_open(&numbers, model->env, model->net, path, err);
    if (status == CXN_OK) status = cxn_numbers_choose(&numbers, mode, &model->engine, err);
    if (status == CXN_OK) {
        status = model->engine->open(&model->state, &numbers.source, model->env, err);
        model->room = cxn_room_usual;
        if (status == CXN_E_FORMAT) cxn_fail_in(err, status, path);
    }
    cxn_numbers_close(&numbers);
    return status;
}

enum cxn_status cxn_model_open(cxn_model **out, cxn_context *ctx, const char *path,
                               const char *mode, struct cxn_error *err)
{
    if (!out || !path || !mode)
        return cxn_fail(err, CXN_E_ARG, "cxn_model_open: a model, a path and a mode are needed");
    *out = NULL;
    const struct cxn_env *env = cxn_context_env(ctx);
    const struct cxn_engine *engine;
    enum cxn_status status = cxn_engine_choose(mode, env->cpu, &engine, err);
    if (status != CXN_OK) return status;
    cxn_model *model = cxn_alloc_zero(env->mem, 1, sizeof *model);
    if (!model) return cxn_fail_nomem(err, env->mem, sizeof *model, "a model");
    model->env = env;
    model->engine = engine;
    fenv_t host;
    cxn_fpmode_enter(&host);
    status = open_engine(model, path, mode, err);
    cxn_fpmode_leave(&host);
    if (status != CXN_OK) {
        cxn_model_close(&model);
        return status;
    }
    *out = model;
    return CXN_OK;
}

void cxn_model_close(cxn_model **model)
{
    if (!model || !*model) return;
    (*model)->engine->close(&(*model)->state);
    cxn_net_close(&(*model)->net);
    cxn_free(*model);
    *model = NULL;
}

const char *cxn_model_mode(const cxn_model *model)
{
    return model->engine->name;
}

const char *cxn_model_level(const cxn_model *model)
{
    return model->engine->level(model->env->cpu);
}

enum cxn_status cxn_crops_parse(const char *word, enum cxn_crops *crops, struct cxn_error *err)
{
    static const char *const words[] = {
        [CXN_CROPS_TEN] = "ten", [CXN_CROPS_CENTER] = "center", [CXN_CROPS_FULL] = "full"
    };
    for (size_t i = 0; word && i < CXN_COUNTOF(words); i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *crops = (enum cxn_crops)i;
        return CXN_OK;
    }
    return cxn_fail(err, CXN_E_ARG, "unknown crops '%s', expected ten, center or full",
                    word ? word : "");
}

/* Mean over views as PyTorch's mean(1) of a float32 tensor. */
static void average_views(const float *view_prob, size_t views, float *prob)
{
    for (size_t c = 0; c < CXN_FINDINGS; c++) {
        float sum = 0.0f;
        for (size_t v = 0; v < views; v++) sum += view_prob[v * CXN_FINDINGS + c];
        prob[c] = sum / (float)views;
    }
}

struct scratch {
    struct cxn_view *views;
    float *prob; /* [views][CXN_FINDINGS] */
};

static enum cxn_status scratch_open(struct scratch *s, struct cxn_mem *mem, size_t views,
                                    struct cxn_error *err)
{
    s->views = cxn_alloc(mem, views, sizeof *s->views);
    s->prob = cxn_alloc(mem, views, CXN_FINDINGS * sizeof *s->prob);
    if (s->views && s->prob) return CXN_OK;
    return cxn_fail_nomem(err, mem, views * sizeof *s->views, "the views of a batch");
}

static void scratch_close(struct scratch *s)
{
    cxn_free(s->views);
    cxn_free(s->prob);
}

/* Usual views have room from the start; whole pictures get theirs when the first comes. */
static enum cxn_status make_room(cxn_model *model, const struct cxn_view *views, size_t count,
                                 struct cxn_error *err)
{
    const struct cxn_room room = cxn_room_with(&model->room, views, count);
    if (room.shorter == model->room.shorter && room.longer == model->room.longer) return CXN_OK;
    const enum cxn_status status = model->engine->fit(model->state, &room, err);
    if (status == CXN_OK) model->room = room;
    return status;
}

enum cxn_status cxn_model_score(cxn_model *model, const struct cxn_picture *const *pictures,
                                size_t count, enum cxn_crops crops, float *prob,
                                struct cxn_error *err)
{
    const size_t each = cxn_crops_count(crops);
    struct scratch s = { 0 };
    enum cxn_status status = scratch_open(&s, model->env->mem, count * each, err);
    if (status == CXN_OK) {
        for (size_t i = 0; i < count; i++)
            cxn_crops_views(crops, pictures[i], s.views + i * each);
        status = make_room(model, s.views, count * each, err);
    }
    if (status == CXN_OK)
        status = model->engine->run(model->state, s.views, count * each, s.prob, err);
    for (size_t i = 0; status == CXN_OK && i < count; i++)
        average_views(s.prob + i * each * CXN_FINDINGS, each, prob + i * CXN_FINDINGS);
    scratch_close(&s);
    return status;
}
