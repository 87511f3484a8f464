/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/probe.h"

#include <math.h>
#include <string.h>

#include "data/phantom.h"
#include "image/image.h"

enum { PIXELS = CXN_PROBE_SIDE * CXN_PROBE_SIDE, GREEN = 1 };

enum cxn_status cxn_probe_open(struct cxn_probe *probe, struct cxn_mem *mem, struct cxn_error *err)
{
    *probe = (struct cxn_probe){ 0 };
    probe->pixels = cxn_alloc(mem, PIXELS, CXN_PROBE_CHANNELS + 1);
    if (!probe->pixels)
        return cxn_fail_nomem(err, mem, PIXELS * (CXN_PROBE_CHANNELS + 1), "the probe picture");
    probe->colour = (struct cxn_picture){ probe->pixels, CXN_PROBE_SIDE, CXN_PROBE_SIDE,
                                          CXN_PROBE_CHANNELS,
                                          CXN_PROBE_SIDE * CXN_PROBE_CHANNELS };
    probe->grey = (struct cxn_picture){ probe->pixels + PIXELS * CXN_PROBE_CHANNELS,
                                        CXN_PROBE_SIDE, CXN_PROBE_SIDE, 1, CXN_PROBE_SIDE };
    const uint32_t side = CXN_CROP_SIDE, end = CXN_PROBE_SIDE - side, middle = end / 2;
    const struct cxn_view views[CXN_PROBE_VIEWS] = {
        { &probe->grey, 0, 0, side, side, false },
        { &probe->grey, end, end, side, side, true },
        { &probe->colour, middle, middle, side, side, false },
        { &probe->colour, middle, middle, side, side, true },
    };
    memcpy(probe->views, views, sizeof views);
    return CXN_OK;
}

void cxn_probe_ready(struct cxn_probe *probe)
{
    for (size_t i = 0; i < PIXELS; i++)
        probe->grey.pixels[i] = probe->pixels[i * CXN_PROBE_CHANNELS + GREEN];
}

void cxn_probe_close(struct cxn_probe *probe)
{
    cxn_free(probe->pixels);
    *probe = (struct cxn_probe){ 0 };
}

/* One chest of the phantom set becomes one channel. */
static enum cxn_status draw_channel(struct cxn_probe *probe, const struct cxn_env *env,
                                    uint32_t channel, struct cxn_error *err)
{
    static const struct cxn_phantom_spec spec = { .images = CXN_PHANTOM_IMAGES_MIN,
                                                  .size = CXN_PROBE_SIDE, .seed = 121 };
    /* Three findings each, no two alike: mass, effusion, pneumothorax, cardiomegaly, ... */
    const struct cxn_phantom_image image = { .patient = channel + 1,
                                             .labels = (uint16_t)(0x0111 << channel), .age = 50,
                                             .female = channel == GREEN };
    struct cxn_phantom_box boxes[CXN_PHANTOM_BOXES_MAX];
    struct cxn_picture chest;
    size_t count;
    const enum cxn_status status =
        cxn_phantom_draw(env, &spec, &image, &chest, boxes, &count, err);
    if (status != CXN_OK) return status;
    for (size_t i = 0; i < PIXELS; i++)
        probe->pixels[i * CXN_PROBE_CHANNELS + channel] = chest.pixels[i];
    cxn_picture_close(&chest);
    return CXN_OK;
}

enum cxn_status cxn_probe_draw(struct cxn_probe *probe, const struct cxn_env *env,
                               struct cxn_error *err)
{
    enum cxn_status status = cxn_probe_open(probe, env->mem, err);
    for (uint32_t c = 0; status == CXN_OK && c < CXN_PROBE_CHANNELS; c++)
        status = draw_channel(probe, env, c, err);
    if (status == CXN_OK) cxn_probe_ready(probe);
    else cxn_probe_close(probe);
    return status;
}

enum cxn_status cxn_probe_ask(const struct cxn_probe *probe, const struct cxn_engine *engine,
                              const struct cxn_engine_source *source, const struct cxn_env *env,
                              float *answers, struct cxn_error *err)
{
    cxn_engine_state *state;
    enum cxn_status status = engine->open(&state, source, env, err);
    if (status != CXN_OK) return status;
    status = engine->run(state, probe->views, CXN_PROBE_VIEWS, answers, err);
    engine->close(&state);
    return status;
}

struct cxn_probe_difference cxn_probe_compare(const float *a, const float *b, size_t classes)
{
    struct cxn_probe_difference d = { 0 };
    for (size_t i = 0; i < CXN_PROBE_VIEWS * classes; i++) {
        const double now = fabs((double)a[i] - (double)b[i]);
        if (now <= d.most) continue;
        d = (struct cxn_probe_difference){ now, i / classes, i % classes };
    }
    return d;
}
