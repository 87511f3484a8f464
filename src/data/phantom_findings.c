/* SPDX-License-Identifier: Apache-2.0 */
/* How each finding shows. Cardiomegaly and Emphysema are mostly pose (phantom_scene.c). Never two
 * draws of random numbers in one expression: compilers may order them differently. */
#include <math.h>

#include "base/status.h"
#include "data/phantom_scene.h"

static const struct cxn_extent nothing = { 0, 0, -1, -1 };

static void keep_box(struct cxn_scene *s, int finding, const struct cxn_extent *mark)
{
    if (mark->x1 - mark->x0 < 4 || mark->y1 - mark->y0 < 4) return;
    if (s->box_count == CXN_PHANTOM_BOXES_MAX) return;
    s->boxes[s->box_count++] = (struct cxn_phantom_box){ finding, *mark };
}

static struct cxn_extent lung_extent(const struct cxn_chest *c, int side)
{
    const float sign = side ? 1.0f : -1.0f;
    const float a = c->mid + sign * 20, b = c->mid + sign * 1.1f * c->width;
    return (struct cxn_extent){ fminf(a, b), c->apex - 10, fmaxf(a, b),
                                c->dome[side] + 1.2f * c->sulcus };
}

static int pick_side(struct cxn_scene *s)
{
    return (int)cxn_random_below(&s->random, 2);
}

struct place {
    float x, y;
};

/* A point inside a lung, `room` units from its edges and off the heart; f0..f1 is the height, 0 at
 * the apex, 1 at the diaphragm. */
static struct place pick_place(struct cxn_scene *s, int side, float f0, float f1, float room)
{
    const struct cxn_chest *c = &s->chest;
    const float sign = side ? 1.0f : -1.0f;
    const float height = c->dome[side] - c->apex;
    struct place p = { c->mid + sign * 0.55f * c->width, c->apex + 0.4f * height };
    for (int i = 0; i < 60; i++) {
        const float y = c->apex + cxn_scene_draw(s, f0, f1) * height;
        const float inner = cxn_lung_inner(c, side, y) + room;
        const float outer = cxn_lung_outer(c, side, y) - room;
        const float t = inner + cxn_scene_draw(s, 0, 1) * (outer - inner);
        const float x = c->mid + sign * t;
        if (outer < inner || y + room > cxn_lung_floor(c, side, t)) continue;
        if (cxn_heart_mask(c, x, y) > 0 || cxn_heart_mask(c, x - sign * room, y) > 0) continue;
        p = (struct place){ x, y };
        break;
    }
    return p;
}

static void cover_stroke(struct cxn_scene *s, const struct cxn_stroke *k, float strength,
                         struct cxn_extent *mark)
{
    cxn_scene_cover(s, cxn_stroke_extent(k), cxn_stroke_shape, k, strength, mark);
}

/* ---- round and linear shadows ------------------------------------------------------------- */

static void draw_nodules(struct cxn_scene *s, int finding)
{
    const uint32_t count = 2 + cxn_random_below(&s->random, 3);
    for (uint32_t i = 0; i < count; i++) {
        struct cxn_extent mark = nothing;
        const struct place p = pick_place(s, pick_side(s), 0.15f, 0.95f, 30);
        const float r = cxn_scene_draw(s, 15, 24);
        const struct cxn_stroke disk = { p.x, p.y, p.x + 2, p.y + 1, r, 3 };
        cover_stroke(s, &disk, cxn_scene_draw(s, 0.8f, 0.95f), &mark);
        keep_box(s, finding, &mark);
    }
}

/* Two or three disks that overlap: a lobed outline. */
static void draw_mass(struct cxn_scene *s, int finding)
{
    struct cxn_extent mark = nothing;
    const float r = cxn_scene_draw(s, 44, 70), strength = cxn_scene_draw(s, 0.7f, 0.85f);
    const struct place p = pick_place(s, pick_side(s), 0.2f, 0.85f, r);
    for (int i = 0; i < 3; i++) {
        const float dx = cxn_scene_draw(s, -0.28f, 0.28f) * r;
        const float dy = cxn_scene_draw(s, -0.28f, 0.28f) * r;
        const struct cxn_stroke disk = { p.x + dx, p.y + dy, p.x, p.y, r, 5 };
        cover_stroke(s, &disk, i == 0 ? strength : 0.35f, &mark);
    }
    keep_box(s, finding, &mark);
}

/* Plates of collapsed lung: straight bands, nearly level, in the lower half. */
static void draw_atelectasis(struct cxn_scene *s, int finding)
{
    const uint32_t count = 2 + cxn_random_below(&s->random, 2);
    const int side = pick_side(s);
    const float tilt = cxn_scene_draw(s, -0.25f, 0.25f);
    struct cxn_extent mark = nothing;
    for (uint32_t i = 0; i < count; i++) {
        const struct place p = pick_place(s, side, 0.5f, 1.0f, 42);
        const float half = cxn_scene_draw(s, 75, 115);
        const float fall = half * (tilt + cxn_scene_draw(s, -0.08f, 0.08f));
        const struct cxn_stroke band = { p.x - half, p.y - fall, p.x + half, p.y + fall,
                                         cxn_scene_draw(s, 8, 12.5f), 3 };
        cover_stroke(s, &band, cxn_scene_draw(s, 0.85f, 0.95f), &mark);
    }
    keep_box(s, finding, &mark);
}

/* ---- cloudy shadows ----------------------------------------------------------------------- */

enum { BLOBS_MAX = 14 };

/* The union of soft disks, worn by a texture. */
struct cloud {
    struct place at[BLOBS_MAX];
    float radius[BLOBS_MAX];
    int count;
    float soft;  /* of the edge, as a part of the radius */
    float grain; /* of the texture, units; 0: none */
    float wear;  /* how much the texture takes away, 0..1 */
};

static float cloud_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    const struct cloud *c = shape;
    float most = 0;
    for (int i = 0; i < c->count; i++) {
        const float dx = x - c->at[i].x, dy = y - c->at[i].y, r = c->radius[i];
        const float square = dx * dx + dy * dy;
        if (square >= r * r) continue;
        const float v = 1 - cxn_ramp(1 - c->soft, 1, sqrtf(square) / r);
        most = v > most ? v : most;
    }
    if (most <= 0 || c->wear <= 0) return most;
    return most * (1 - c->wear * cxn_ramp(-0.35f, 0.45f, cxn_scene_texture(s, x, y, c->grain, 3)));
}

static struct cxn_extent cloud_extent(const struct cloud *c)
{
    struct cxn_extent e = { 1e6f, 1e6f, -1e6f, -1e6f };
    for (int i = 0; i < c->count; i++) {
        e.x0 = fminf(e.x0, c->at[i].x - c->radius[i]);
        e.x1 = fmaxf(e.x1, c->at[i].x + c->radius[i]);
        e.y0 = fminf(e.y0, c->at[i].y - c->radius[i]);
        e.y1 = fmaxf(e.y1, c->at[i].y + c->radius[i]);
    }
    return e;
}

static void cover_cloud(struct cxn_scene *s, const struct cloud *c, float strength,
                        struct cxn_extent *mark)
{
    cxn_scene_cover(s, cloud_extent(c), cloud_shape, c, strength, mark);
}

/* Ill-defined patches all over one or both lungs. */
static void draw_infiltration(struct cxn_scene *s, int finding)
{
    const bool both = cxn_random_below(&s->random, 2) == 0;
    const int first = pick_side(s);
    for (int side = 0; side < 2; side++) {
        if (!both && side != first) continue;
        struct cxn_extent mark = nothing;
        struct cloud c = { .count = 11, .soft = 0.8f, .grain = 30, .wear = 0.5f };
        for (int i = 0; i < c.count; i++) {
            c.at[i] = pick_place(s, side, 0.25f, 0.98f, 20);
            c.radius[i] = cxn_scene_draw(s, 38, 62);
        }
        cover_cloud(s, &c, cxn_scene_draw(s, 0.6f, 0.75f), &mark);
        keep_box(s, finding, &mark);
    }
}

/* One dense, even region of irregular outline, as opaque as the heart. */
static void draw_consolidation(struct cxn_scene *s, int finding)
{
    (void)finding;
    const int side = pick_side(s);
    const struct place p = pick_place(s, side, 0.35f, 0.9f, 60);
    struct cloud c = { .count = 9, .soft = 0.22f };
    for (int i = 0; i < c.count; i++) {
        c.at[i].x = p.x + cxn_scene_draw(s, -75, 75);
        c.at[i].y = p.y + cxn_scene_draw(s, -60, 60);
        c.radius[i] = cxn_scene_draw(s, 42, 78);
    }
    cover_cloud(s, &c, cxn_scene_draw(s, 0.9f, 0.97f), NULL);
}

/* Butterfly haze around both hila, and short level lines at the lower outer edges. */
static void draw_edema(struct cxn_scene *s, int finding)
{
    (void)finding;
    const struct cxn_chest *c = &s->chest;
    const float strength = cxn_scene_draw(s, 0.62f, 0.78f);
    for (int side = 0; side < 2; side++) {
        const float sign = side ? 1.0f : -1.0f;
        const float y = c->apex + 0.47f * (c->dome[side] - c->apex);
        struct cloud wing = { .count = 5, .soft = 0.75f, .grain = 22, .wear = 0.25f };
        for (int i = 0; i < wing.count; i++) {
            wing.at[i] = (struct place){ c->mid + sign * cxn_scene_draw(s, 85, 150),
                                         y + 52 * (float)(i - 2) };
            wing.radius[i] = cxn_scene_draw(s, 105, 135);
        }
        cover_cloud(s, &wing, strength, NULL);
        for (int i = 0; i < 9; i++) {
            const float ly = c->dome[side] - 130 + 21 * (float)i + cxn_scene_draw(s, -4, 4);
            const float out = c->mid + sign * (cxn_lung_outer(c, side, ly) - 3);
            const float in = out - sign * cxn_scene_draw(s, 34, 54);
            const struct cxn_stroke line = { out, ly, in, ly + 2, 2.6f, 1.6f };
            cover_stroke(s, &line, 0.8f, NULL);
        }
    }
}

/* ---- a lobe ------------------------------------------------------------------------------- */

struct lobe {
    float top, bottom; /* y of its borders at mid */
    float tilt;        /* of the borders, per unit of distance from mid */
    float mid;
};

/* Sharp where the fissure is (top or bottom), following the lung elsewhere. */
static float lobe_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    const struct lobe *l = shape;
    const float line = y - l->tilt * fabsf(x - l->mid);
    const float v = cxn_ramp(-4, 4, line - l->top) * cxn_ramp(-4, 4, l->bottom - line);
    return v * (0.86f + 0.14f * cxn_scene_texture(s, x, y, 26, 4));
}

/* Haze that fills a lobe up to its fissure, with dark branching airways in it. */
static void draw_pneumonia(struct cxn_scene *s, int finding)
{
    const struct cxn_chest *c = &s->chest;
    const int side = pick_side(s);
    const float sign = side ? 1.0f : -1.0f, height = c->dome[side] - c->apex;
    const float top = c->apex + height * (pick_side(s) ? -0.1f : cxn_scene_draw(s, 0.42f, 0.52f));
    const float least = top < c->apex ? 0.46f : 0.32f;
    const float size = cxn_scene_draw(s, least, least + 0.08f);
    const struct lobe lobe = { top, top + size * height, cxn_scene_draw(s, -0.1f, 0.1f), c->mid };
    struct cxn_extent mark = nothing;
    const float strength = cxn_scene_draw(s, 0.66f, 0.78f);
    cxn_scene_cover(s, lung_extent(c, side), lobe_shape, &lobe, strength, &mark);
    const float y = fmaxf(lobe.top, c->apex + 40);
    for (int i = 0; i < 5; i++) {
        const float x = c->mid + sign * cxn_scene_draw(s, 85, 120);
        const float from = y + (0.15f + 0.16f * (float)i) * (lobe.bottom - y);
        const float out = x + sign * cxn_scene_draw(s, 90, 150);
        const float to = from + cxn_scene_draw(s, -26, 26);
        const struct cxn_stroke airway = { x, from, out, to, cxn_scene_draw(s, 4, 6.5f), 2.5f };
        cover_stroke(s, &airway, -1.2f, NULL);
    }
    keep_box(s, finding, &mark);
}

/* ---- at the edges of the lung -------------------------------------------------------------- */

struct effusion {
    int side;
    float level; /* y of its surface at the chest wall */
    float drop;  /* how much lower the surface is at mid */
};

/* Fluid: its surface climbs along the chest wall and hides the outer angle. */
static float effusion_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    const struct effusion *e = shape;
    const float u = fabsf(x - s->chest.mid) / s->chest.width;
    return cxn_ramp(-7, 7, y - e->level - e->drop * (1 - u * u * u));
}

static void draw_effusion(struct cxn_scene *s, int finding)
{
    const struct cxn_chest *c = &s->chest;
    const bool both = cxn_random_below(&s->random, 3) == 0;
    const int first = pick_side(s);
    for (int side = 0; side < 2; side++) {
        if (!both && side != first) continue;
        struct cxn_extent mark = nothing;
        const float level = c->dome[side] - cxn_scene_draw(s, 30, 190);
        const struct effusion e = { side, level, cxn_scene_draw(s, 60, 105) };
        cxn_scene_cover(s, lung_extent(c, side), effusion_shape, &e, 0.97f, &mark);
        keep_box(s, finding, &mark);
    }
}

struct collapse {
    int side;
    struct cxn_chest lung; /* the same lung, shrunk towards its root */
    float line;            /* 0: the free air, 1: only the edge of the lung */
};

static float collapse_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)s;
    const struct collapse *p = shape;
    const float v = cxn_lung_mask(&p->lung, p->side, x, y);
    return p->line > 0 ? 4 * v * (1 - v) : 1 - v;
}

/* Free air around a shrunken lung: darker, without vessels, bounded by a thin bright line. */
static void draw_pneumothorax(struct cxn_scene *s, int finding)
{
    const struct cxn_chest *c = &s->chest;
    const int side = pick_side(s);
    struct collapse p = { .side = side, .lung = *c };
    p.lung.width -= cxn_scene_draw(s, 40, 85);
    p.lung.apex += cxn_scene_draw(s, 55, 105);
    struct cxn_extent mark = nothing;
    struct cxn_extent within = lung_extent(c, side);
    within.y1 = c->dome[side] + 8; /* the free air rises; the angle below stays filled */
    /* Vessels were drawn by taking air away; the free air has none. */
    for (uint32_t j = 0; j < s->side; j++) {
        for (uint32_t i = 0; i < s->side; i++) {
            const float x = (float)i * s->step - CXN_PHANTOM_MARGIN;
            const float y = (float)j * s->step - CXN_PHANTOM_MARGIN;
            if (x < within.x0 || x > within.x1 || y < within.y0 || y > within.y1) continue;
            const float mask = cxn_lung_mask(c, side, x, y);
            const float there = mask * collapse_shape(s, &p, x, y) * (1 - cxn_heart_mask(c, x, y));
            float *air = &s->air[(size_t)j * s->side + i];
            *air += there * (1.13f - *air);
        }
    }
    cxn_scene_cover(s, within, collapse_shape, &p, 0, &mark);
    p.line = 1;
    cxn_scene_cover(s, within, collapse_shape, &p, 0.55f, NULL);
    keep_box(s, finding, &mark);
}

struct rind {
    int side;
    float thickness, from, to;
};

static float rind_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    const struct rind *r = shape;
    const struct cxn_chest *c = &s->chest;
    const float inwards = cxn_lung_outer(c, r->side, y) - fabsf(x - c->mid);
    const float thickness = r->thickness * (1 + 0.45f * cxn_scene_texture(s, 0, y, 45, 5));
    return cxn_ramp(-4, 4, thickness - inwards) * cxn_ramp(r->from - 25, r->from + 25, y)
           * cxn_ramp(r->to + 25, r->to - 25, y);
}

/* A bright, uneven rim along the outer edge. */
static void draw_pleural_thickening(struct cxn_scene *s, int finding)
{
    (void)finding;
    const struct cxn_chest *c = &s->chest;
    const bool both = cxn_random_below(&s->random, 2) == 0;
    const int first = pick_side(s);
    for (int side = 0; side < 2; side++) {
        if (!both && side != first) continue;
        const float height = c->dome[side] - c->apex;
        struct rind r = { .side = side, .thickness = cxn_scene_draw(s, 20, 32) };
        r.from = c->apex + height * cxn_scene_draw(s, -0.1f, 0.25f);
        r.to = c->apex + height * cxn_scene_draw(s, 0.75f, 0.95f);
        cxn_scene_cover(s, lung_extent(c, side), rind_shape, &r, 0.93f, NULL);
    }
}

/* A net of lines, densest at the bases: bright where the texture passes through zero. */
static float net_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    const struct cxn_chest *c = &s->chest;
    const float top = *(const float *)shape;
    const float a = fabsf(cxn_scene_texture(s, x, y, 17, 6));
    const float b = fabsf(cxn_scene_texture(s, x, y, 23, 7));
    const float line = 1 - cxn_ramp(0.03f, 0.2f, fminf(a, b));
    const float edge = cxn_ramp(0.25f, 0.6f, fabsf(x - c->mid) / c->width);
    return line * cxn_ramp(top - 60, top + 80, y) * (0.5f + 0.5f * edge);
}

static void draw_fibrosis(struct cxn_scene *s, int finding)
{
    (void)finding;
    const struct cxn_chest *c = &s->chest;
    const float strength = cxn_scene_draw(s, 0.65f, 0.85f);
    for (int side = 0; side < 2; side++) {
        const float top = c->dome[side] - cxn_scene_draw(s, 200, 290);
        cxn_scene_cover(s, lung_extent(c, side), net_shape, &top, strength, NULL);
    }
}

/* ---- behind the heart, and the heart ------------------------------------------------------- */

struct bubble {
    float x, y, radius;
    int part; /* 0: wall, 1: gas above, 2: fluid below */
};

static float bubble_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)s;
    const struct bubble *b = shape;
    const float dx = x - b->x, dy = y - b->y, d = sqrtf(dx * dx + dy * dy) - b->radius;
    if (b->part == 0) return 1 - cxn_ramp(2, 6, fabsf(d));
    const float level = dy - 0.2f * b->radius, inside = cxn_ramp(3, -4, d);
    return inside * (b->part == 1 ? cxn_ramp(2, -2, level) : cxn_ramp(-2, 2, level));
}

/* A stomach that slipped through the diaphragm: a round bubble of gas over a fluid level. */
static void draw_hernia(struct cxn_scene *s, int finding)
{
    (void)finding;
    const struct cxn_chest *c = &s->chest;
    struct bubble b = { .x = c->mid + cxn_scene_draw(s, -25, 60) };
    b.radius = cxn_scene_draw(s, 52, 78);
    b.y = 0.5f * (c->dome[0] + c->dome[1]) - cxn_scene_draw(s, 25, 85);
    const float r = b.radius + 8;
    const struct cxn_extent e = { b.x - r, b.y - r, b.x + r, b.y + r };
    static const float amounts[3] = { 0.09f, -0.24f, 0.05f };
    for (b.part = 0; b.part < 3; b.part++)
        cxn_scene_add(s, e, bubble_shape, &b, amounts[b.part], NULL);
}

static float heart_shape(const struct cxn_scene *s, const void *shape, float x, float y)
{
    (void)shape;
    return cxn_heart_mask(&s->chest, x, y);
}

/* The pose made it large; here is only its box. */
static void mark_heart(struct cxn_scene *s, int finding)
{
    const struct cxn_chest *c = &s->chest;
    const float r = 1.2f * c->heart_rx;
    const struct cxn_extent e = { c->heart_x - r, c->heart_y - r, c->heart_x + r, c->heart_y + r };
    struct cxn_extent mark = nothing;
    cxn_scene_add(s, e, heart_shape, NULL, 0, &mark);
    keep_box(s, finding, &mark);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* In drawing order: what changes the lung as a whole first, so that small shadows stay visible. */
static const struct {
    int finding;
    void (*draw)(struct cxn_scene *s, int finding);
} painters[] = {
    { 1, mark_heart },          { 11, draw_fibrosis },     { 3, draw_infiltration },
    { 9, draw_edema },          { 6, draw_pneumonia },     { 7, draw_pneumothorax },
    { 8, draw_consolidation },  { 4, draw_mass },          { 0, draw_atelectasis },
    { 5, draw_nodules },        { 12, draw_pleural_thickening }, { 2, draw_effusion },
    { 13, draw_hernia },
};

void cxn_scene_findings(struct cxn_scene *s, unsigned labels)
{
    for (size_t i = 0; i < CXN_COUNTOF(painters); i++)
        if (labels & 1u << painters[i].finding) painters[i].draw(s, painters[i].finding);
}
