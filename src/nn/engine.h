/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_ENGINE_H
#define CXN_NN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/picture.h"
#include "nn/densenet.h"

/*
 * The seam between the network and whatever computes it. A row of the engine table is one way of
 * computing on one device. What crosses the seam is 8-bit pictures and a small record a crop, never
 * float tensors, so that a device can cut, mirror and normalise by itself.
 */

/* One window of one picture. Whole inside the picture; sides at least CXN_VIEW_SIDE_MIN, and such
 * that the engine has room for it. */
struct cxn_view {
    const struct cxn_picture *picture; /* borrowed for the call */
    uint32_t x, y, width, height;      /* of the upright picture, before mirroring */
    bool mirror;                       /* left and right swapped after cutting */
};

/* A smaller view would have no place left after the network's halvings. */
enum { CXN_VIEW_SIDE_MIN = 32 };

/* Sides of the largest view there is room for, whichever of them is its width. */
struct cxn_room {
    uint32_t shorter, longer;
};

/* What open() makes room for: the reference's crops. */
static const struct cxn_room cxn_room_usual = { 224, 224 };

struct cxn_fold_source; /* fuse/fold.h */
struct cxn_quantized;   /* quant/quantized.h */

/* What an engine is opened with. net is borrowed and must outlive what is opened; the numbers are
 * needed while it opens, not longer. */
struct cxn_engine_source {
    const cxn_net *net;
    const float *block; /* net->float_count floats; may be NULL where one of the others is not */
    const struct cxn_fold_source *folded; /* a folded graph instead of the block, given to the one
                                             engine that it was made for; NULL: none */
    const struct cxn_quantized *quantized; /* 8-bit numbers, for engine int8, which has no others;
                                              NULL: none */
};

typedef struct cxn_engine_state cxn_engine_state; /* each row has its own */

/* Called as each operation of a view is done. name: operation and size, as "conv 3x3 14x14 -> 32";
 * layers that tell the same name are one row of a profile. Borrowed for the call. flops: as the
 * operation's definition counts them, a product and a sum apart, however it is computed. */
typedef void cxn_operation_fn(void *ctx, const char *name, double seconds, double flops);

struct cxn_engine {
    const char *name;   /* the value of --mode: reference, fp32, bf16, int8, ... */
    const char *device; /* the value of --device: cpu */
    double bound; /* the most by which a probability differs from cxn_engine_reference's */

    /* The level of the kernels that do most of its work where these CXN_CPU_ bits may be used. */
    const char *(*level)(uint32_t cpu);

    /* Check, pack, allocate all that run() needs for views of the usual room. env is borrowed for
     * the life of the state. */
    enum cxn_status (*open)(cxn_engine_state **state, const struct cxn_engine_source *source,
                            const struct cxn_env *env, struct cxn_error *err);

    /* Allocate for views of another room instead. CXN_E_NOMEM, and the room is as before. */
    enum cxn_status (*fit)(cxn_engine_state *state, const struct cxn_room *room,
                           struct cxn_error *err);

    /* prob: [count][classes], each 0..1; not complete on error. A view's numbers do not depend on
     * its neighbours, their number, or the threads. Allocates nothing. One call at a time a state.
     * CXN_E_ARG for a view that breaks the rules above, CXN_E_FORMAT where the weights drive the
     * numbers out of range. */
    enum cxn_status (*run)(cxn_engine_state *state, const struct cxn_view *views, size_t count,
                           float *prob, struct cxn_error *err);

    /* As run() for one view, in the calling thread alone, telling where the time goes. NULL where
     * an engine cannot say. */
    enum cxn_status (*profile)(cxn_engine_state *state, const struct cxn_view *view,
                               cxn_operation_fn *tell, void *ctx, struct cxn_error *err);

    void (*close)(cxn_engine_state **state); /* frees and writes NULL */
};

/* Plain C at float32, written for clearness: what every other row is compared with. */
extern const struct cxn_engine cxn_engine_reference;

/* The same walk in double precision, for tests; nn/walk.h gives its numbers unrounded. */
extern const struct cxn_engine cxn_engine_ref64;

#endif
