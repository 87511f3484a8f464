/* SPDX-License-Identifier: Apache-2.0 */
/* From a drawn chest to the pixels of a picture: turning, noise, tones. */
#include "data/phantom.h"

#include <math.h>
#include <string.h>

#include "image/image.h"

enum {
    LEVELS = 1 << 16,  /* of brightness, while it is matched to the tones */
    STREAM_IMAGE = 2,  /* high byte of the streams of random numbers */
    STREAM_NOISE = 3,
    TONE_KNOTS = 7,
};

static uint64_t image_stream(const struct cxn_phantom_image *image, unsigned kind)
{
    return (uint64_t)kind << 56 | (uint64_t)image->patient << 16 | image->follow_up;
}

/* ---- the scene ---------------------------------------------------------------------------- */

static enum cxn_status open_scene(struct cxn_scene *s, const struct cxn_env *env,
                                  const struct cxn_phantom_spec *spec,
                                  const struct cxn_phantom_image *image, struct cxn_error *err)
{
    memset(s, 0, sizeof *s);
    /* Nothing in a chest is sharper than two units; smaller pictures need fewer points still. */
    const uint32_t inner = spec->size < 512 ? spec->size : 512;
    s->step = (float)CXN_PHANTOM_UNITS / (float)inner;
    s->side = inner + 2 * CXN_PHANTOM_MARGIN * inner / CXN_PHANTOM_UNITS;
    s->random = cxn_random_make(spec->seed, image_stream(image, STREAM_IMAGE));
    s->chest.female = image->female;
    s->chest.supine = image->supine;
    const size_t points = (size_t)s->side * s->side;
    const size_t texture = (size_t)CXN_PHANTOM_LATTICE * CXN_PHANTOM_LATTICE;
    s->body = cxn_alloc(env->mem, 2 * points + texture, sizeof *s->body);
    if (!s->body)
        return cxn_fail_nomem(err, env->mem, (2 * points + texture) * sizeof *s->body, "a phantom");
    s->air = s->body + points;
    s->lattice = s->air + points;
    for (size_t i = 0; i < texture; i++) s->lattice[i] = cxn_scene_draw(s, -1, 1);
    return CXN_OK;
}

/* Brightness in one plane; body is reused for it. */
static void join_layers(struct cxn_scene *s)
{
    const size_t points = (size_t)s->side * s->side;
    for (size_t i = 0; i < points; i++) s->body[i] -= s->chest.air * s->air[i];
}

/* ---- sampling ----------------------------------------------------------------------------- */

static float sample_plane(const struct cxn_scene *s, float x, float y)
{
    const float last = (float)(s->side - 2);
    x = x < 0 ? 0 : x > last ? last : x;
    y = y < 0 ? 0 : y > last ? last : y;
    const uint32_t i = (uint32_t)x, j = (uint32_t)y;
    const float a = x - (float)i, b = y - (float)j;
    const float *p = s->body + (size_t)j * s->side + i;
    const float top = p[0] + a * (p[1] - p[0]);
    const float low = p[s->side] + a * (p[s->side + 1] - p[s->side]);
    return top + b * (low - top);
}

/* The picture's points in the scene's grid: inverse of turn, with the grid's step and margin. */
struct grid_map {
    float x0, xx, xy, y0, yx, yy;
};

static struct grid_map map_to_grid(const struct cxn_scene *s, uint32_t size)
{
    const float *t = s->turn, unit = (float)CXN_PHANTOM_UNITS / (float)size;
    const float det = t[0] * t[4] - t[1] * t[3], k = 1 / (det * s->step);
    struct grid_map m = { .xx = t[4] * unit * k, .xy = -t[1] * unit * k,
                          .yx = -t[3] * unit * k, .yy = t[0] * unit * k };
    const float margin = CXN_PHANTOM_MARGIN / s->step;
    m.x0 = margin - (t[4] * t[2] - t[1] * t[5]) * k + 0.5f * (m.xx + m.xy);
    m.y0 = margin - (t[0] * t[5] - t[3] * t[2]) * k + 0.5f * (m.yx + m.yy);
    return m;
}

/* Four numbers of a bell shape, deviation 1: sums of four bytes of one random word each. */
static void draw_noise(uint64_t seed, uint64_t stream, uint64_t block, float noise[4])
{
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    const uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                  (uint32_t)(stream >> 32) };
    uint32_t word[4];
    cxn_philox4x32(counter, key, word);
    for (int i = 0; i < 4; i++) {
        const uint32_t pairs = (word[i] & 0x00ff00ffu) + (word[i] >> 8 & 0x00ff00ffu);
        noise[i] = (float)((int)((pairs & 0xffff) + (pairs >> 16)) - 510) * (1.0f / 147.8f);
    }
}

/* Brightness as a level 0..LEVELS - 1, with noise; -0.5..1.5 is the widest that can happen. */
static void sample_levels(const struct cxn_scene *s, const struct cxn_phantom_spec *spec,
                          uint64_t stream, float grain, uint16_t *levels)
{
    const struct grid_map m = map_to_grid(s, spec->size);
    float noise[4];
    for (uint32_t j = 0; j < spec->size; j++) {
        for (uint32_t i = 0; i < spec->size; i++) {
            const uint64_t at = (uint64_t)j * spec->size + i;
            if (at % 4 == 0) draw_noise(spec->seed, stream, at / 4, noise);
            const float x = m.x0 + m.xx * (float)i + m.xy * (float)j;
            const float y = m.y0 + m.yx * (float)i + m.yy * (float)j;
            const float v = sample_plane(s, x, y) + grain * noise[at % 4];
            const float level = (v + 0.5f) * (LEVELS / 2);
            levels[at] = level <= 0 ? 0 : level >= LEVELS - 1 ? LEVELS - 1 : (uint16_t)level;
        }
    }
}

/* ---- tones -------------------------------------------------------------------------------- */

/*
 * Every picture gets tones of its own, drawn without regard to the findings, by rank: the darkest
 * tenth of the pixels gets the darkest tenth of the tones and so on. So the histogram of a picture
 * says nothing about its findings; only shapes do.
 */
static void draw_tones(struct cxn_scene *s, float tones[TONE_KNOTS])
{
    static const float middle[TONE_KNOTS] = { 4, 34, 76, 118, 158, 196, 236 };
    static const float spread[TONE_KNOTS] = { 4, 16, 22, 24, 22, 20, 16 };
    const float shift = cxn_scene_draw(s, -14, 14);
    for (int i = 0; i < TONE_KNOTS; i++) {
        tones[i] = middle[i] + cxn_scene_draw(s, -spread[i], spread[i]) + (i > 0 ? shift : 0);
        if (tones[i] > 255) tones[i] = 255;
        if (i > 0 && tones[i] < tones[i - 1] + 2) tones[i] = tones[i - 1] + 2;
    }
}

static uint8_t tone_at(const float tones[TONE_KNOTS], double rank)
{
    static const double knots[TONE_KNOTS] = { 0, 0.1, 0.26, 0.45, 0.65, 0.85, 1 };
    int i = 0;
    while (i < TONE_KNOTS - 2 && rank > knots[i + 1]) i++;
    const double u = (rank - knots[i]) / (knots[i + 1] - knots[i]);
    const double tone = (double)tones[i] + u * ((double)tones[i + 1] - (double)tones[i]);
    return tone >= 255 ? 255 : (uint8_t)(tone + 0.5);
}

static void match_tones(const float tones[TONE_KNOTS], const uint16_t *levels, size_t count,
                        uint32_t *counts, uint8_t *lut, uint8_t *pixels)
{
    memset(counts, 0, LEVELS * sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[levels[i]]++;
    size_t below = 0;
    for (int v = 0; v < LEVELS; v++) {
        lut[v] = tone_at(tones, ((double)below + 0.5 * counts[v]) / (double)count);
        below += counts[v];
    }
    for (size_t i = 0; i < count; i++) pixels[i] = lut[levels[i]];
}

/* ---- the picture -------------------------------------------------------------------------- */

static enum cxn_status develop(struct cxn_scene *s, const struct cxn_env *env,
                               const struct cxn_phantom_spec *spec, uint64_t noise_stream,
                               struct cxn_picture *picture, struct cxn_error *err)
{
    const size_t count = (size_t)spec->size * spec->size;
    const size_t bytes = count * sizeof(uint16_t) + LEVELS * (sizeof(uint32_t) + 1);
    uint32_t *counts = cxn_alloc(env->mem, bytes, 1);
    if (!counts) return cxn_fail_nomem(err, env->mem, bytes, "a phantom");
    uint16_t *levels = (uint16_t *)(counts + LEVELS);
    uint8_t *lut = (uint8_t *)(levels + count);
    float tones[TONE_KNOTS];
    const enum cxn_status status =
        cxn_picture_open(env, spec->size, spec->size, 1, picture, err);
    if (status == CXN_OK) {
        draw_tones(s, tones);
        sample_levels(s, spec, noise_stream, cxn_scene_draw(s, 0.006f, 0.016f), levels);
        match_tones(tones, levels, count, counts, lut, picture->pixels);
    }
    cxn_free(counts);
    return status;
}

/* Boxes as whole as the picture shows them. */
static size_t clip_boxes(const struct cxn_scene *s, struct cxn_phantom_box *boxes)
{
    size_t count = 0;
    for (size_t i = 0; i < s->box_count; i++) {
        struct cxn_phantom_box b = s->boxes[i];
        b.extent.x0 = fmaxf(0, b.extent.x0);
        b.extent.y0 = fmaxf(0, b.extent.y0);
        b.extent.x1 = fminf(CXN_PHANTOM_UNITS, b.extent.x1);
        b.extent.y1 = fminf(CXN_PHANTOM_UNITS, b.extent.y1);
        if (b.extent.x1 - b.extent.x0 >= 4 && b.extent.y1 - b.extent.y0 >= 4) boxes[count++] = b;
    }
    return count;
}

enum cxn_status cxn_phantom_draw(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                 const struct cxn_phantom_image *image,
                                 struct cxn_picture *picture, struct cxn_phantom_box *boxes,
                                 size_t *box_count, struct cxn_error *err)
{
    struct cxn_scene s;
    *picture = (struct cxn_picture){ 0 };
    *box_count = 0;
    enum cxn_status status = open_scene(&s, env, spec, image, err);
    if (status != CXN_OK) return status;
    cxn_scene_pose(&s, image->labels);
    cxn_scene_anatomy(&s);
    cxn_scene_findings(&s, image->labels);
    join_layers(&s);
    status = develop(&s, env, spec, image_stream(image, STREAM_NOISE), picture, err);
    if (status == CXN_OK) *box_count = clip_boxes(&s, boxes);
    cxn_free(s.body);
    return status;
}
