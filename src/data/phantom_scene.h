/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_PHANTOM_SCENE_H
#define CXN_DATA_PHANTOM_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/random.h"
#include "data/list.h"

/*
 * A drawn chest. Lengths are in units of 1/1024 of the picture's side, x to the right, y down; the
 * chest stands upright in these, and is turned, scaled and moved when it is sampled. Only + - * /
 * and square roots are used, so that the same seed gives the same bytes on every machine.
 */
enum {
    CXN_PHANTOM_UNITS = 1024,
    CXN_PHANTOM_MARGIN = 96, /* drawn on each side beyond the picture, for turning */
    CXN_PHANTOM_BOXES_MAX = 24,
    CXN_PHANTOM_LATTICE = 64,
};

/* Sides as seen in the picture: 0 is at the left, the patient's right. */
struct cxn_chest {
    float mid;        /* x of the spine */
    float apex;       /* y of the lungs' tops */
    float dome[2];    /* y of the diaphragm's highest point */
    float width;      /* from mid to the lung's outer edge */
    float sulcus;     /* how much deeper the outer angle lies than the dome */
    float air;        /* darkness of the lungs, about 0.45 */
    float vessels;    /* strength of their drawing, about 1 */
    float heart_x, heart_y, heart_rx, heart_ry;
    float rib_gap;
    bool female, supine;
};

struct cxn_extent {
    float x0, y0, x1, y1; /* empty while x1 < x0 */
};

struct cxn_phantom_box {
    int finding;
    struct cxn_extent extent; /* units of the picture as written */
};

struct cxn_scene {
    struct cxn_chest chest;
    struct cxn_random random;
    uint32_t side;  /* of body and air: points */
    float step;     /* units from one point to the next */
    float *body;    /* [side][side] what weakens the rays beside the air of the lungs */
    float *air;     /* [side][side] 0..about 1.3: how much of the path goes through air */
    float *lattice; /* [64][64] in -1..1, for textures */
    float turn[6];  /* to the picture: X = t0 x + t1 y + t2, Y = t3 x + t4 y + t5 */
    struct cxn_phantom_box boxes[CXN_PHANTOM_BOXES_MAX];
    size_t box_count;
};

/* Uniform in lo..hi. */
float cxn_scene_draw(struct cxn_scene *s, float lo, float hi);

/* 0 below lo, 1 above hi, smooth between. */
float cxn_ramp(float lo, float hi, float x);

/* Smooth texture in -1..1 with details of `cell` units; channel moves to another part of it. */
float cxn_scene_texture(const struct cxn_scene *s, float x, float y, float cell, int channel);

/* Edges of a lung at height y: distances from mid; lung_floor: y of the diaphragm at distance t. */
float cxn_lung_outer(const struct cxn_chest *c, int side, float y);
float cxn_lung_inner(const struct cxn_chest *c, int side, float y);
float cxn_lung_floor(const struct cxn_chest *c, int side, float t);
/* 1 well inside that lung, 0 outside. */
float cxn_lung_mask(const struct cxn_chest *c, int side, float x, float y);
float cxn_heart_mask(const struct cxn_chest *c, float x, float y);

/* How strongly a shape is there at a point, 0..1. */
typedef float cxn_shape_fn(const struct cxn_scene *s, const void *shape, float x, float y);

/* Take air away (strength > 0) or add it (< 0) where the shape is, within the extent; where mark is
 * given it grows to hold the shape's strong part inside the lungs, in units of the picture. */
void cxn_scene_cover(struct cxn_scene *s, struct cxn_extent within, cxn_shape_fn *fn,
                     const void *shape, float strength, struct cxn_extent *mark);

/* Add to body instead. */
void cxn_scene_add(struct cxn_scene *s, struct cxn_extent within, cxn_shape_fn *fn,
                   const void *shape, float amount, struct cxn_extent *mark);

/* A line with round ends and soft edges. */
struct cxn_stroke {
    float x0, y0, x1, y1, radius, soft;
};
cxn_shape_fn cxn_stroke_shape;
struct cxn_extent cxn_stroke_extent(const struct cxn_stroke *k);

/* Shape, size and pose of a chest with these findings; the seed decides all the rest. */
void cxn_scene_pose(struct cxn_scene *s, unsigned labels);

void cxn_scene_anatomy(struct cxn_scene *s);                   /* phantom_body.c */
void cxn_scene_findings(struct cxn_scene *s, unsigned labels); /* phantom_findings.c */

#endif
