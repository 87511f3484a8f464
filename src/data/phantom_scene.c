/* SPDX-License-Identifier: Apache-2.0 */
/* Geometry of the drawn chest, and how shapes get onto it. */
#include "data/phantom_scene.h"

#include <math.h>

enum { CARDIOMEGALY = 1, EMPHYSEMA = 10 };

float cxn_scene_draw(struct cxn_scene *s, float lo, float hi)
{
    return lo + (hi - lo) * (float)(cxn_random_u32(&s->random) >> 8) * 0x1p-24f;
}

float cxn_ramp(float lo, float hi, float x)
{
    const float u = (x - lo) / (hi - lo);
    if (u <= 0) return 0;
    if (u >= 1) return 1;
    return u * u * (3 - 2 * u);
}

float cxn_scene_texture(const struct cxn_scene *s, float x, float y, float cell, int channel)
{
    const float u = x / cell + 1000.0f + 17.3f * (float)channel;
    const float v = y / cell + 1000.0f + 29.9f * (float)channel;
    const int i = (int)u, j = (int)v;
    float a = u - (float)i, b = v - (float)j;
    a = a * a * (3 - 2 * a);
    b = b * b * (3 - 2 * b);
    const int mask = CXN_PHANTOM_LATTICE - 1;
    const float *row0 = s->lattice + (j & mask) * CXN_PHANTOM_LATTICE;
    const float *row1 = s->lattice + ((j + 1) & mask) * CXN_PHANTOM_LATTICE;
    const float top = row0[i & mask] + a * (row0[(i + 1) & mask] - row0[i & mask]);
    const float low = row1[i & mask] + a * (row1[(i + 1) & mask] - row1[i & mask]);
    return top + b * (low - top);
}

/* ---- edges -------------------------------------------------------------------------------- */

static float lung_fraction(const struct cxn_chest *c, int side, float y)
{
    return (y - c->apex) / (c->dome[side] - c->apex);
}

float cxn_lung_outer(const struct cxn_chest *c, int side, float y)
{
    const float f = lung_fraction(c, side, y);
    const float g = f < 0 ? 1 : f < 0.6f ? 1 - f / 0.6f : 0;
    const float below = f > 0.6f ? f - 0.6f : 0;
    return c->width * (0.40f + 0.60f * sqrtf(1 - g * g) + 0.05f * below);
}

float cxn_lung_inner(const struct cxn_chest *c, int side, float y)
{
    const float f = lung_fraction(c, side, y);
    const float h = f < 0 ? 1 : f < 0.22f ? 1 - f / 0.22f : 0;
    const float waist = 58 + 10 * (f - 0.5f) * (f - 0.5f);
    return waist + (0.40f * c->width - waist) * h * h;
}

float cxn_lung_floor(const struct cxn_chest *c, int side, float t)
{
    const float top = 0.46f * c->width;
    const float u = t > top ? (t - top) / (c->width - top) : (top - t) / top;
    return c->dome[side] + u * u * (t > top ? c->sulcus : 0.45f * c->sulcus);
}

float cxn_lung_mask(const struct cxn_chest *c, int side, float x, float y)
{
    const float t = side == 0 ? c->mid - x : x - c->mid;
    if (t < 20 || t > 1.2f * c->width || y < c->apex - 10) return 0;
    const float outer = cxn_ramp(-4, 7, cxn_lung_outer(c, side, y) - t);
    if (outer <= 0) return 0;
    const float inner = cxn_ramp(-6, 12, t - cxn_lung_inner(c, side, y));
    return outer * inner * cxn_ramp(-5, 7, cxn_lung_floor(c, side, t) - y);
}

/* Leans to the patient's left. */
float cxn_heart_mask(const struct cxn_chest *c, float x, float y)
{
    const float dx = x - c->heart_x, dy = y - c->heart_y;
    const float v = (0.87f * dy - 0.50f * dx) / c->heart_ry;
    const float narrow = v < 0 ? 1 + 0.28f * v : 1; /* an egg, its blunt end below */
    const float u = (0.87f * dx + 0.50f * dy) / (c->heart_rx * narrow);
    return 1 - cxn_ramp(0.92f, 1.07f, sqrtf(u * u + v * v));
}

/* ---- shapes ------------------------------------------------------------------------------- */

static void mark_point(const struct cxn_scene *s, struct cxn_extent *mark, float x, float y)
{
    const float *t = s->turn;
    const float px = t[0] * x + t[1] * y + t[2], py = t[3] * x + t[4] * y + t[5];
    if (mark->x1 < mark->x0) *mark = (struct cxn_extent){ px, py, px, py };
    if (px < mark->x0) mark->x0 = px;
    if (px > mark->x1) mark->x1 = px;
    if (py < mark->y0) mark->y0 = py;
    if (py > mark->y1) mark->y1 = py;
}

static uint32_t to_point(const struct cxn_scene *s, float units)
{
    const float p = (units + CXN_PHANTOM_MARGIN) / s->step;
    if (p <= 0) return 0;
    return p >= (float)s->side ? s->side : (uint32_t)p;
}

static float to_units(const struct cxn_scene *s, uint32_t point)
{
    return (float)point * s->step - CXN_PHANTOM_MARGIN;
}

void cxn_scene_cover(struct cxn_scene *s, struct cxn_extent within, cxn_shape_fn *fn,
                     const void *shape, float strength, struct cxn_extent *mark)
{
    const uint32_t x1 = to_point(s, within.x1), y1 = to_point(s, within.y1);
    for (uint32_t j = to_point(s, within.y0); j < y1; j++) {
        for (uint32_t i = to_point(s, within.x0); i < x1; i++) {
            float *air = &s->air[(size_t)j * s->side + i];
            if (*air <= 0) continue;
            const float x = to_units(s, i), y = to_units(s, j);
            const float there = fn(s, shape, x, y);
            if (there <= 0) continue;
            if (mark && there > 0.45f && *air > 0.1f) mark_point(s, mark, x, y);
            *air *= 1 - strength * there;
        }
    }
}

void cxn_scene_add(struct cxn_scene *s, struct cxn_extent within, cxn_shape_fn *fn,
                   const void *shape, float amount, struct cxn_extent *mark)
{
    const uint32_t x1 = to_point(s, within.x1), y1 = to_point(s, within.y1);
    for (uint32_t j = to_point(s, within.y0); j < y1; j++) {
        for (uint32_t i = to_point(s, within.x0); i < x1; i++) {
            const float x = to_units(s, i), y = to_units(s, j);
            const float there = fn(s, shape, x, y);
            if (mark && there > 0.45f) mark_point(s, mark, x, y);
            s->body[(size_t)j * s->side + i] += amount * there;
        }
    }
}

float cxn_stroke_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)s;
    const struct cxn_stroke *k = shape;
    const float dx = k->x1 - k->x0, dy = k->y1 - k->y0;
    const float square = dx * dx + dy * dy;
    float u = square > 0 ? ((x - k->x0) * dx + (y - k->y0) * dy) / square : 0;
    u = u < 0 ? 0 : u > 1 ? 1 : u;
    const float ox = x - k->x0 - u * dx, oy = y - k->y0 - u * dy;
    return 1 - cxn_ramp(k->radius - k->soft, k->radius + k->soft, sqrtf(ox * ox + oy * oy));
}

struct cxn_extent cxn_stroke_extent(const struct cxn_stroke *k)
{
    const float r = k->radius + k->soft;
    return (struct cxn_extent){ fminf(k->x0, k->x1) - r, fminf(k->y0, k->y1) - r,
                                fmaxf(k->x0, k->x1) + r, fmaxf(k->y0, k->y1) + r };
}

/* ---- pose --------------------------------------------------------------------------------- */

/* Emphysema: longer, wider lungs over a flat diaphragm, a narrow heart, thin vessels. */
static void inflate(struct cxn_scene *s)
{
    struct cxn_chest *c = &s->chest;
    for (int i = 0; i < 2; i++) c->dome[i] += cxn_scene_draw(s, 55, 85);
    c->sulcus *= 0.16f;
    c->width *= 1.05f;
    c->apex -= 12;
    c->rib_gap *= 1.13f;
    c->air *= 1.15f;
    c->vessels *= 0.45f;
}

static void place_heart(struct cxn_scene *s, unsigned labels)
{
    struct cxn_chest *c = &s->chest;
    const bool large = labels & 1u << CARDIOMEGALY, inflated = labels & 1u << EMPHYSEMA;
    float ratio = cxn_scene_draw(s, 0.40f, 0.48f); /* of the chest's width */
    if (large) ratio += cxn_scene_draw(s, 0.16f, 0.22f);
    if (inflated) ratio *= 0.86f;
    c->heart_rx = ratio * c->width * 1.02f;
    c->heart_ry = c->heart_rx * cxn_scene_draw(s, 0.90f, 1.02f);
    c->heart_x = c->mid + 0.26f * c->heart_rx;
    c->heart_y = 0.5f * (c->dome[0] + c->dome[1]) - 0.60f * c->heart_ry;
}

/* cos and sin of a small angle by their series: libm may differ in the last bit by machine. */
static void place_in_picture(struct cxn_scene *s)
{
    const float a = cxn_scene_draw(s, -0.07f, 0.07f), scale = cxn_scene_draw(s, 0.92f, 1.06f);
    const float cosine = scale * (1 - a * a / 2), sine = scale * (a - a * a * a / 6);
    const float stretch = cxn_scene_draw(s, 0.96f, 1.04f), c = CXN_PHANTOM_UNITS / 2;
    float *t = s->turn;
    t[0] = cosine * stretch;
    t[1] = -sine;
    t[3] = sine * stretch;
    t[4] = cosine;
    t[2] = c - t[0] * c - t[1] * c + cxn_scene_draw(s, -22, 22);
    t[5] = c - t[3] * c - t[4] * c + cxn_scene_draw(s, -26, 26);
}

void cxn_scene_pose(struct cxn_scene *s, unsigned labels)
{
    struct cxn_chest *c = &s->chest;
    c->mid = cxn_scene_draw(s, 496, 528);
    c->apex = cxn_scene_draw(s, 95, 135);
    c->dome[0] = cxn_scene_draw(s, 690, 745);
    c->dome[1] = c->dome[0] + cxn_scene_draw(s, 2, 28); /* the liver lifts the patient's right */
    c->width = cxn_scene_draw(s, 335, 378);
    c->sulcus = cxn_scene_draw(s, 92, 125);
    c->air = cxn_scene_draw(s, 0.40f, 0.47f);
    c->vessels = cxn_scene_draw(s, 0.8f, 1.1f);
    c->rib_gap = cxn_scene_draw(s, 66, 74);
    if (labels & 1u << EMPHYSEMA) inflate(s);
    place_heart(s, labels);
    place_in_picture(s);
}
