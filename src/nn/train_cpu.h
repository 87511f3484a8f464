/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_TRAIN_CPU_H
#define CXN_NN_TRAIN_CPU_H

#include "nn/train_blocks.h"
#include "nn/train_kernels.h"
#include "nn/trainer.h"
#include "nn/update.h"

/*
 * What the files of cxn_trainer_cpu share. The pass goes layer by layer over all views of a shard,
 * since norms use statistics of them all. Its views are cut into chunks, by their number alone: a
 * piece of work is one layer of one chunk, and sums over a shard are sums of the chunks' sums in
 * their order, so that no bit depends on the threads.
 *
 * Maps are channels-last, [view][height][width][channels], a dense block's one map. What norm and
 * ReLU make of a map is never stored: it is made anew in panels that stay in cache, there and back.
 */

enum {
    CXN_TRAIN_CHUNKS = 4,     /* of a shard, at most */
    CXN_TRAIN_PLACES = 224,   /* about so many of a map are computed at once */
    CXN_TRAIN_CHANNELS = 128, /* and so many channels of a 1x1, there where it goes back */
    CXN_TRAIN_PANELS = 3,
    CXN_TRAIN_STEM_BORDER = 3, CXN_TRAIN_STEM_KERNEL = 7, CXN_TRAIN_PLANES = 4
};

/* Statistics of a map's channels over a shard. */
struct cxn_train_map {
    size_t channels, side;
    double *mean, *variance; /* biased */
    float *mean_f32;
    /* What flows back through them, summed over the norms that read the map: by the mean and by the
     * deviation, each times the norm's weight. */
    double *through_mean, *through_deviation;
};

struct cxn_train_norm {
    const struct cxn_net_tensor *tensor; /* its weight; bias, mean and variance follow */
    const struct cxn_train_map *of;      /* whose first channels it reads */
    size_t channels;
    float *scale, *shift;
};

/* Weights for either direction as the kernels want them. */
struct cxn_train_conv {
    const struct cxn_net_tensor *tensor;
    size_t in, out, kernel;
    float *forward, *backward;
};

struct cxn_train_layer {
    struct cxn_train_norm norm1, norm2;
    struct cxn_train_conv conv1, conv2;
    struct cxn_train_map middle; /* between the convolutions */
    size_t slot;                 /* which of the block's middle maps is its */
    bool recomputed;             /* a later layer has overwritten it before the way back */
};

struct cxn_train_dense {
    size_t in, out, side, layer_count;
    struct cxn_train_layer *layers;
    struct cxn_train_map map;
    struct cxn_train_norm norm; /* of the transition, or before the head */
    struct cxn_train_conv halve; /* but after the last block */
};

/* What is kept of a view's samples. */
struct cxn_train_window {
    uint8_t channels;
    bool mirror, grey;
};

/* Offsets in bytes into the arena. */
struct cxn_train_plan {
    size_t stem, dstem;
    size_t map[CXN_NET_BLOCKS], dmap[CXN_NET_BLOCKS];       /* and the gradient */
    size_t middle[CXN_NET_BLOCKS], dmiddle[CXN_NET_BLOCKS]; /* between the convolutions */
    size_t arena_bytes;
    /* Of a thread's scratch, in bytes. */
    size_t panel[CXN_TRAIN_PANELS], wide, narrow, planes, rows, turned, scratch_bytes;
};

struct cxn_trainer_state {
    const cxn_net *net;
    struct cxn_env env;
    struct cxn_trainer_options options;
    struct cxn_trained trained;
    struct cxn_train_kernels kernels;

    struct cxn_train_blocks blocks;
    float *weights; /* of the blocks */

    struct cxn_train_map stem;
    struct cxn_train_norm norm0;
    struct cxn_train_conv conv0; /* no way back to pictures: its other weights are for colour */
    struct cxn_train_dense block[CXN_NET_BLOCKS];
    struct cxn_train_layer *layers;
    struct cxn_train_conv **convs; /* but conv0 */
    size_t conv_count;
    const struct cxn_net_tensor *head;
    double *statistics; /* what maps and norms point into */
    float *factors;
    float *packed;
    bool stale; /* the weights have changed since they were packed */

    struct cxn_train_plan plan;
    uint8_t *arena, *scratch;   /* scratch: [threads][scratch_bytes] */
    size_t room;                /* views that the arena holds */
    uint8_t *windows;           /* [views_max]: [side][side][window[view].channels] */
    struct cxn_train_window *window;
    bool colour;                /* a view of the shard is not grey */
    size_t widest;              /* channels of a map, at most */
    size_t partial_count;       /* weights of a convolution, at most */
    double *sums;               /* [chunks][2][widest] */
    float *partial;             /* [chunks][partial_count]: gradients of one convolution */
    float *plain;               /* [threads][partial_count] */
    float *slope, *offset;      /* [widest] for norm_center */
    float *quarter;             /* [widest] of a transition's scale */
    double *features;           /* [views_max][widest] what the head reads */
    float *dfeatures;           /* and the gradient, for one place */

    size_t count, first, chunks; /* views in the maps, and the first one's number in the shard */
    size_t passed; /* views of the forward pass that is there to go back through */
};

/* ---- pieces of work ----------------------------------------------------------------------- */

struct cxn_train_piece {
    const struct cxn_trainer_state *s;
    const void *what;
    size_t chunk, first, last; /* its views, in the maps */
    double *sums[2];           /* zeros: for channel_sums or norm_relu_grad */
    float *partial;
    uint8_t *scratch;
};
typedef void cxn_train_fn(const struct cxn_train_piece *piece);

/* Calls fn for every chunk of the shard. */
void cxn_train_each_chunk(cxn_trainer_state *s, cxn_train_fn *fn, const void *what);

/* Number i of a map of so many bytes a number. */
static inline uint8_t *cxn_train_at(uint8_t *map, size_t i, size_t bytes)
{
    return map + i * bytes;
}

/* Number i of block b's map, and of the map's gradient. */
static inline uint8_t *cxn_train_map_at(const cxn_trainer_state *s, uint32_t b, size_t i)
{
    return cxn_train_at(s->arena + s->plan.map[b], i, s->kernels.map_bytes);
}

static inline uint8_t *cxn_train_dmap_at(const cxn_trainer_state *s, uint32_t b, size_t i)
{
    return cxn_train_at(s->arena + s->plan.dmap[b], i, s->kernels.grad_bytes);
}

static inline size_t cxn_at_most(size_t most, size_t x)
{
    return x < most ? x : most;
}

/* Distance of a panel's places: an odd number of cache lines, so that a column of it is spread over
 * the whole cache. */
static inline size_t cxn_train_step(const struct cxn_train_kernels *k, size_t channels)
{
    const size_t line = 64 / k->map_bytes;
    return ((channels + line - 1) / line | 1) * line;
}

/* Terms of a run with those that fill the last unit: they are 0. */
static inline size_t cxn_train_terms(const struct cxn_train_kernels *k, size_t terms)
{
    return (terms + k->term_unit - 1) / k->term_unit * k->term_unit;
}

/* ---- train_layout.c, train_maps.c --------------------------------------------------------- */

/* The table of layers, and all memory but the flat blocks. */
enum cxn_status cxn_train_layout_open(cxn_trainer_state *s, struct cxn_error *err);
void cxn_train_layout_close(cxn_trainer_state *s);

/* False where sizes do not fit a size_t. */
bool cxn_train_plan(struct cxn_train_plan *plan, const cxn_trainer_state *s);

/* ---- train_pack.c ------------------------------------------------------------------------- */

size_t cxn_train_packed_count(const cxn_trainer_state *s, const struct cxn_train_conv *conv,
                              bool backward);
/* Floats of a stem that reads so many planes. */
size_t cxn_train_stem_count(const cxn_trainer_state *s, size_t planes);
size_t cxn_train_stem_terms(const cxn_trainer_state *s, size_t planes);
void cxn_train_pack(cxn_trainer_state *s);

/* The chunks' partial gradients of a convolution, summed into the slot. */
void cxn_train_gather(cxn_trainer_state *s, const struct cxn_train_conv *conv, float *slot);
void cxn_train_gather_stem(cxn_trainer_state *s, size_t planes, float *slot);

/* ---- train_norm.c ------------------------------------------------------------------------- */

/* Statistics of channels first..first + count - 1 of the map from the chunks' sums. */
void cxn_train_statistics(cxn_trainer_state *s, struct cxn_train_map *map, size_t first,
                          size_t count);
/* Scale and shift from the statistics, which go to the slot, or from running ones. */
void cxn_train_norm_set(cxn_trainer_state *s, const struct cxn_train_norm *norm, float *slot);
/* Gradients of the norm from the chunks' sums, each times `share`. */
void cxn_train_norm_gather(cxn_trainer_state *s, const struct cxn_train_norm *norm, double share,
                           float *slot);
/* Slope and offset for norm_center of these channels, from what flows through the statistics. */
void cxn_train_center(cxn_trainer_state *s, const struct cxn_train_map *map, size_t first,
                      size_t count);
void cxn_train_forget(struct cxn_train_map *map);

/* ---- train_stem.c, train_forward.c, train_backward.c -------------------------------------- */

void cxn_train_windows(cxn_trainer_state *s, const struct cxn_train_view *views, size_t count);
void cxn_train_stem_forward(cxn_trainer_state *s, float *slot);
void cxn_train_stem_backward(cxn_trainer_state *s, float *slot);

/* Views first..first + count - 1 of the shard, to the features. */
void cxn_train_forward(cxn_trainer_state *s, size_t first, size_t count, float *slot);
/* The 1x1 of a layer, of one chunk; also on the way back, where its map was overwritten. */
struct cxn_train_step_of {
    uint32_t block;
    size_t layer;
    bool silent; /* no statistics */
};
void cxn_train_reduce(const struct cxn_train_piece *piece);

/* norm2 and ReLU of rows first..last - 1 of a view's map between the convolutions, into a map with
 * a border of one place, which is zeros. */
void cxn_train_activate(const struct cxn_train_piece *piece, const struct cxn_train_layer *layer,
                        uint32_t block, size_t view, size_t first, size_t last, uint8_t *wide);
void cxn_train_clear_border(uint8_t *map, size_t side, size_t channels, size_t bytes);

/* norm5 and ReLU of a view: from the last block's map into a panel without gaps. */
struct cxn_norm_relu cxn_train_norm5(const struct cxn_train_piece *piece, size_t view);

/* From dfeatures to the stem, telling each layer; returns what `ready` did last. */
int cxn_train_backward(cxn_trainer_state *s, float *slot, cxn_gradient_fn *ready, void *ctx);

#endif
