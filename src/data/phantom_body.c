/* SPDX-License-Identifier: Apache-2.0 */
/* What every drawn chest has: soft tissue, lungs, heart, bones, vessels. */
#include <math.h>

#include "data/phantom_scene.h"

/* ---- soft tissue and air ------------------------------------------------------------------ */

/* Half the body's width at a height: neck, shoulders, trunk. */
static float body_half_width(const struct cxn_chest *c, float y)
{
    const float neck = 135, trunk = 1.26f * c->width;
    const float shoulder = cxn_ramp(c->apex - 115, c->apex + 25, y);
    const float taper = cxn_ramp(c->apex + 60, c->apex + 330, y);
    return neck + (1.62f * c->width - neck) * shoulder - (1.62f * c->width - trunk) * taper;
}

static float tissue_at(const struct cxn_scene *s, float x, float y)
{
    const struct cxn_chest *c = &s->chest;
    const float t = fabsf(x - c->mid), half = body_half_width(c, y);
    const float inside = cxn_ramp(-3, 26, half - t);
    /* Scattered rays: the dark around the body is not even. */
    if (inside <= 0) return 0.06f - 0.00012f * (t - half);
    const float u = t / half;
    float v = 0.66f - 0.16f * u * u;
    v += 0.11f * (1 - cxn_ramp(45, 125, t));           /* mediastinum */
    v += 0.10f * cxn_ramp(-30, 120, y - c->dome[0]);   /* abdomen */
    v -= 0.06f * cxn_ramp(0, 140, c->apex - y);        /* neck */
    v += 0.026f * cxn_scene_texture(s, x, y, 120, 0) + 0.008f * cxn_scene_texture(s, x, y, 30, 8);
    if (c->female) {
        const float bx = (t - 0.62f * c->width) / 150, by = (y - c->dome[0] + 95) / 150;
        v += 0.055f * (1 - cxn_ramp(0.75f, 1.05f, sqrtf(bx * bx + by * by)));
    }
    return 0.06f + inside * (v - 0.06f);
}

static float air_at(const struct cxn_scene *s, int side, float x, float y)
{
    const struct cxn_chest *c = &s->chest;
    const float mask = cxn_lung_mask(c, side, x, y);
    if (mask <= 0) return 0;
    const float t = fabsf(x - c->mid);
    /* The lung is thinner towards its edges and its top. */
    const float depth = cxn_ramp(0, 130, cxn_lung_outer(c, side, y) - t)
                        * cxn_ramp(-60, 190, y - c->apex);
    const float low = cxn_ramp(60, -40, cxn_lung_floor(c, side, t) - y);
    float air = mask * (0.70f + 0.30f * depth) * (1 - 0.12f * low);
    air *= 1 - 0.92f * cxn_heart_mask(c, x, y);
    return air * (1 + 0.06f * cxn_scene_texture(s, x, y, 64, 1)
                  + 0.05f * cxn_scene_texture(s, x, y, 18, 2));
}

static void draw_tissue(struct cxn_scene *s)
{
    for (uint32_t j = 0; j < s->side; j++) {
        for (uint32_t i = 0; i < s->side; i++) {
            const float x = (float)i * s->step - CXN_PHANTOM_MARGIN;
            const float y = (float)j * s->step - CXN_PHANTOM_MARGIN;
            const size_t at = (size_t)j * s->side + i;
            s->body[at] = tissue_at(s, x, y);
            s->air[at] = air_at(s, x < s->chest.mid ? 0 : 1, x, y);
        }
    }
}

static float heart_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)shape;
    return cxn_heart_mask(&s->chest, x, y);
}

static void draw_mediastinum(struct cxn_scene *s)
{
    const struct cxn_chest *c = &s->chest;
    const float r = 1.2f * c->heart_rx;
    const struct cxn_extent heart = { c->heart_x - r, c->heart_y - r, c->heart_x + r,
                                      c->heart_y + r };
    cxn_scene_add(s, heart, heart_shape, NULL, 0.07f, NULL);
    const float knob_y = c->apex + cxn_scene_draw(s, 135, 160);
    const struct cxn_stroke knob = { c->mid + 30, knob_y, c->mid + 36, knob_y + 26, 40, 9 };
    cxn_scene_add(s, cxn_stroke_extent(&knob), cxn_stroke_shape, &knob, 0.05f, NULL);
    cxn_scene_cover(s, cxn_stroke_extent(&knob), cxn_stroke_shape, &knob, 0.9f, NULL);
    const struct cxn_stroke root = { c->mid + 14, knob_y + 20, c->heart_x, c->heart_y, 58, 16 };
    cxn_scene_cover(s, cxn_stroke_extent(&root), cxn_stroke_shape, &root, 0.8f, NULL);
    const struct cxn_stroke trachea = { c->mid, c->apex - 90, c->mid - 6, c->apex + 165, 17, 6 };
    cxn_scene_add(s, cxn_stroke_extent(&trachea), cxn_stroke_shape, &trachea, -0.10f, NULL);
}

/* ---- bones -------------------------------------------------------------------------------- */

struct rib {
    float mid, sign, y0, slope, bend, from, to, half, width;
};

/* A tube seen from the side: its edges weaken the rays most. */
static float rib_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)s;
    const struct rib *r = shape;
    const float t = r->sign * (x - r->mid);
    if (t < r->from || t > r->to) return 0;
    const float u = t / r->width;
    const float d = fabsf(y - (r->y0 + r->slope * u + r->bend * u * u * u)) / r->half;
    if (d >= 1.15f) return 0;
    const float ends = cxn_ramp(0, 26, t - r->from) * cxn_ramp(0, 14, r->to - t);
    return ends * (1 - cxn_ramp(0.88f, 1.15f, d)) * (0.55f + 0.45f * cxn_ramp(0.45f, 0.9f, d));
}

static void draw_rib(struct cxn_scene *s, const struct rib *r, float amount)
{
    const float a = r->mid + r->sign * r->from, b = r->mid + r->sign * r->to;
    const float low = r->y0 + fminf(0, r->slope) + fminf(0, r->bend) - 2 * r->half;
    const float high = r->y0 + fmaxf(0, r->slope) + 1.6f * fmaxf(0, r->bend) + 2 * r->half;
    cxn_scene_add(s, (struct cxn_extent){ fminf(a, b), low, fmaxf(a, b), high }, rib_shape, r,
                  amount, NULL);
}

static void draw_ribs(struct cxn_scene *s)
{
    const struct cxn_chest *c = &s->chest;
    const float slope = cxn_scene_draw(s, -52, -22), bend = cxn_scene_draw(s, 95, 135);
    const float fall = cxn_scene_draw(s, -170, -120), strength = cxn_scene_draw(s, 0.07f, 0.105f);
    for (int i = 0; i < 20; i++) {
        const float sign = i & 1 ? 1.0f : -1.0f, n = (float)(i / 2);
        const float y = c->apex + 22 + n * c->rib_gap + cxn_scene_draw(s, -4, 4);
        const float reach = fminf(1.06f, 0.62f + 0.16f * n) * c->width;
        const struct rib back = { c->mid, sign, y, slope, bend, 22, reach,
                                  cxn_scene_draw(s, 11, 14), c->width };
        draw_rib(s, &back, strength);
        if (n < 1 || n > 6) continue;
        const struct rib front = { c->mid, sign, y + 215, fall, 35, 0.36f * c->width,
                                   1.04f * c->width, cxn_scene_draw(s, 13, 17), c->width };
        draw_rib(s, &front, 0.55f * strength);
    }
}

static void draw_shoulders(struct cxn_scene *s)
{
    const struct cxn_chest *c = &s->chest;
    const float lift = c->supine ? -24.0f : 12.0f; /* arms down: the outer end is higher */
    const float out = c->supine ? 0.93f : 1.08f;   /* shoulder blades overlap the lungs more */
    for (int side = 0; side < 2; side++) {
        const float sign = side ? 1.0f : -1.0f;
        const float y = c->apex + cxn_scene_draw(s, 34, 62);
        const struct cxn_stroke collar = { c->mid + sign * 42, y, c->mid + sign * 1.02f * c->width,
                                           y + lift - 26, 13, 4 };
        cxn_scene_add(s, cxn_stroke_extent(&collar), cxn_stroke_shape, &collar, 0.085f, NULL);
        const float bx = c->mid + sign * (out * c->width + 26);
        const struct cxn_stroke blade = { bx + sign * 20, c->apex + 75, bx, c->apex + 300, 46, 9 };
        cxn_scene_add(s, cxn_stroke_extent(&blade), cxn_stroke_shape, &blade, 0.045f, NULL);
    }
}

static void draw_spine(struct cxn_scene *s)
{
    const struct cxn_chest *c = &s->chest;
    const struct cxn_stroke column = { c->mid, -90, c->mid, 1110, 31, 7 };
    cxn_scene_add(s, cxn_stroke_extent(&column), cxn_stroke_shape, &column, 0.04f, NULL);
    const float gap = 0.72f * c->rib_gap;
    for (float y = c->apex - 150; y < 1100; y += gap) {
        const struct cxn_stroke disc = { c->mid - 26, y, c->mid + 26, y, 4, 3 };
        cxn_scene_add(s, cxn_stroke_extent(&disc), cxn_stroke_shape, &disc, -0.022f, NULL);
    }
}

/* ---- vessels ------------------------------------------------------------------------------ */

/* One branch that bends outwards and thins as it goes. */
static void draw_vessel(struct cxn_scene *s, float x, float y, float dx, float dy)
{
    float radius = cxn_scene_draw(s, 4.2f, 7.5f);
    for (int i = 0; i < 7; i++) {
        const float length = cxn_scene_draw(s, 26, 44);
        const struct cxn_stroke k = { x, y, x + dx * length, y + dy * length, radius, 2.8f };
        cxn_scene_cover(s, cxn_stroke_extent(&k), cxn_stroke_shape, &k,
                        0.17f * s->chest.vessels, NULL);
        x = k.x1;
        y = k.y1;
        radius *= 0.84f;
        dx += cxn_scene_draw(s, -0.22f, 0.22f);
        dy += cxn_scene_draw(s, -0.22f, 0.22f);
        const float n = sqrtf(dx * dx + dy * dy);
        if (n < 0.1f) return;
        dx /= n;
        dy /= n;
    }
}

static void draw_vessels(struct cxn_scene *s)
{
    const struct cxn_chest *c = &s->chest;
    for (int side = 0; side < 2; side++) {
        const float sign = side ? 1.0f : -1.0f;
        const float x = c->mid + sign * 74, y = c->apex + 0.46f * (c->dome[side] - c->apex);
        const struct cxn_stroke hilum = { x, y - 30, x + sign * 12, y + 34, 30, 20 };
        cxn_scene_cover(s, cxn_stroke_extent(&hilum), cxn_stroke_shape, &hilum, 0.62f, NULL);
        for (int i = 0; i < 16; i++) {
            const float dy = cxn_scene_draw(s, -1.5f, 1.7f), dx = sign * cxn_scene_draw(s, 0.3f, 1);
            const float n = sqrtf(dx * dx + dy * dy);
            draw_vessel(s, x + sign * cxn_scene_draw(s, 0, 16), y + 34 * dy / n, dx / n, dy / n);
        }
    }
}

void cxn_scene_anatomy(struct cxn_scene *s)
{
    draw_tissue(s);
    draw_mediastinum(s);
    draw_vessels(s);
    draw_spine(s);
    draw_ribs(s);
    draw_shoulders(s);
}
