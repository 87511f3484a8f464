/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layers, and who owns which memory. */
#include <string.h>

#include "base/size.h"
#include "nn/steps.h"
#include "nn/train_cpu.h"

enum { ALIGN_FLOATS = 16 };

/* Called twice: with the arrays NULL to count, then to place. Tensors are met in their order. */
struct layout {
    cxn_trainer_state *s;
    const struct cxn_net_tensor *next;
    double *statistics;
    float *factors, *packed;
    size_t statistic_count, factor_count, packed_count;
    size_t convs;
};

static double *take_doubles(struct layout *l, size_t count)
{
    double *p = l->statistics ? l->statistics + l->statistic_count : NULL;
    l->statistic_count += count;
    return p;
}

static float *take_floats(float *base, size_t *used, size_t count)
{
    float *p = base ? base + *used : NULL;
    *used += (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return p;
}

static void put_map(struct layout *l, struct cxn_train_map *map, size_t channels, size_t side)
{
    map->channels = channels;
    map->side = side;
    map->mean = take_doubles(l, channels);
    map->variance = take_doubles(l, channels);
    map->through_mean = take_doubles(l, channels);
    map->through_deviation = take_doubles(l, channels);
    map->mean_f32 = take_floats(l->factors, &l->factor_count, channels);
    if (l->s->widest < channels) l->s->widest = channels;
}

static void put_norm(struct layout *l, struct cxn_train_norm *norm, const struct cxn_train_map *of)
{
    norm->tensor = l->next;
    norm->of = of;
    norm->channels = l->next->count;
    norm->scale = take_floats(l->factors, &l->factor_count, norm->channels);
    norm->shift = take_floats(l->factors, &l->factor_count, norm->channels);
    l->next += 4;
}

static void put_conv(struct layout *l, struct cxn_train_conv *conv)
{
    cxn_trainer_state *s = l->s;
    *conv = (struct cxn_train_conv){ .tensor = l->next, .in = l->next->dims[1],
                                     .out = l->next->dims[0], .kernel = l->next->dims[2] };
    conv->forward = take_floats(l->packed, &l->packed_count,
                                cxn_train_packed_count(s, conv, false));
    conv->backward = take_floats(l->packed, &l->packed_count,
                                 cxn_train_packed_count(s, conv, true));
    if (s->convs) s->convs[l->convs] = conv;
    l->convs++;
    /* Runs that the kernels lengthen are longer before packing, too. */
    const size_t plain = conv->kernel * conv->kernel *
                         cxn_train_terms(&s->kernels, conv->in) *
                         cxn_train_terms(&s->kernels, conv->out);
    if (s->partial_count < plain) s->partial_count = plain;
    l->next++;
}

static void put_stem(struct layout *l)
{
    cxn_trainer_state *s = l->s;
    struct cxn_train_conv *conv = &s->conv0;
    *conv = (struct cxn_train_conv){ .tensor = l->next, .in = 3, .out = l->next->dims[0],
                                     .kernel = l->next->dims[2] };
    conv->forward = take_floats(l->packed, &l->packed_count, cxn_train_stem_count(s, 2));
    conv->backward = take_floats(l->packed, &l->packed_count,
                                 cxn_train_stem_count(s, CXN_TRAIN_PLANES));
    const size_t plain = cxn_train_stem_terms(s, CXN_TRAIN_PLANES) * conv->out;
    if (s->partial_count < plain) s->partial_count = plain;
    l->next++;
    put_map(l, &s->stem, conv->out, cxn_view_side(s->options.side, 1));
    put_norm(l, &s->norm0, &s->stem);
}

/* Middle maps of the first block are large and cheap to make again: its first layers share one. */
enum { SHARED_LAYERS = 4 };

static void put_layer(struct layout *l, struct cxn_train_dense *block,
                      struct cxn_train_layer *layer, size_t i, size_t shared)
{
    layer->slot = i < shared ? 0 : i - shared + 1;
    layer->recomputed = i + 1 < shared;
    put_norm(l, &layer->norm1, &block->map);
    put_conv(l, &layer->conv1);
    put_map(l, &layer->middle, layer->conv1.out, block->side);
    put_norm(l, &layer->norm2, &layer->middle);
    put_conv(l, &layer->conv2);
}

static void put_all(struct layout *l)
{
    cxn_trainer_state *s = l->s;
    const struct cxn_net_config *config = &s->net->config;
    struct cxn_train_layer *layer = s->layers;
    put_stem(l);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        struct cxn_train_dense *block = &s->block[b];
        block->in = cxn_net_block_in(config, b);
        block->out = cxn_net_block_out(config, b);
        block->side = cxn_view_side(s->options.side, 2 + b);
        block->layer_count = config->layers[b];
        block->layers = layer;
        put_map(l, &block->map, block->out, block->side);
        const bool shares = b == 0 && s->kernels.map_bytes == sizeof(float);
        for (size_t i = 0; i < block->layer_count; i++, layer++)
            put_layer(l, block, layer, i, shares ? SHARED_LAYERS : 0);
        put_norm(l, &block->norm, &block->map);
        if (b + 1 < CXN_NET_BLOCKS) put_conv(l, &block->halve);
    }
    s->head = l->next;
    s->conv_count = l->convs;
}

/* count * size * bytes bytes; counts come from the options and are checked. */
static void *take(cxn_trainer_state *s, size_t count, size_t size, size_t bytes, const char *what,
                  enum cxn_status *status, struct cxn_error *err)
{
    size_t each = SIZE_MAX, all = SIZE_MAX;
    if (*status != CXN_OK) return NULL;
    void *p = cxn_size_mul(size, bytes, &each) && cxn_size_mul(count, each, &all)
                  ? cxn_alloc(s->env.mem, all, 1) : NULL;
    if (!p) *status = cxn_fail_nomem(err, s->env.mem, all, what);
    return p;
}

static enum cxn_status take_table(cxn_trainer_state *s, struct cxn_error *err)
{
    size_t layers = 0;
    enum cxn_status status = CXN_OK;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) layers += s->net->config.layers[b];
    s->layers = take(s, layers, 1, sizeof *s->layers, "a table of layers", &status, err);
    if (status != CXN_OK) return status;
    memset(s->layers, 0, layers * sizeof *s->layers);
    struct layout count = { .s = s, .next = s->net->tensors };
    put_all(&count);
    s->convs = take(s, count.convs, 1, sizeof(void *), "a table of convolutions", &status, err);
    s->statistics = take(s, count.statistic_count, 1, sizeof(double), "statistics", &status, err);
    s->factors = take(s, count.factor_count, 1, sizeof(float), "factors of norms", &status, err);
    s->packed = take(s, count.packed_count, 1, sizeof(float), "packed weights", &status, err);
    if (status != CXN_OK) return status;
    struct layout fill = { .s = s, .next = s->net->tensors, .statistics = s->statistics,
                           .factors = s->factors, .packed = s->packed };
    put_all(&fill);
    return CXN_OK;
}

/* A frozen backbone goes through the maps a few views at a time. */
static size_t room_of(const cxn_trainer_state *s)
{
    const size_t most = s->options.views_max;
    return s->options.head_only && most > CXN_TRAIN_CHUNKS ? CXN_TRAIN_CHUNKS : most;
}

static enum cxn_status take_maps(cxn_trainer_state *s, struct cxn_error *err)
{
    const size_t threads = cxn_pool_threads(s->env.pool), views = s->options.views_max;
    const size_t pixels = (size_t)s->options.side * s->options.side;
    enum cxn_status status = CXN_OK;
    s->room = room_of(s);
    if (!cxn_train_plan(&s->plan, s))
        return cxn_fail_nomem(err, s->env.mem, SIZE_MAX, "feature maps");
    s->arena = take(s, 1, 1, s->plan.arena_bytes, "feature maps", &status, err);
    s->scratch = take(s, threads, 1, s->plan.scratch_bytes, "scratch of threads", &status, err);
    s->windows = take(s, views, 3, pixels, "windows", &status, err);
    s->window = take(s, views, 1, sizeof *s->window, "windows", &status, err);
    s->sums = take(s, CXN_TRAIN_CHUNKS * 2, s->widest, sizeof(double), "sums", &status, err);
    s->partial = take(s, CXN_TRAIN_CHUNKS, s->partial_count, sizeof(float), "partial gradients",
                      &status, err);
    s->plain = take(s, threads, s->partial_count, sizeof(float), "plain weights", &status, err);
    s->slope = take(s, s->widest, 1, sizeof(float), "factors of norms", &status, err);
    s->offset = take(s, s->widest, 1, sizeof(float), "factors of norms", &status, err);
    s->quarter = take(s, s->widest, 1, sizeof(float), "factors of norms", &status, err);
    s->features = take(s, views, s->widest, sizeof(double), "features", &status, err);
    s->dfeatures = take(s, views, s->widest, sizeof(float), "features", &status, err);
    return status;
}

enum cxn_status cxn_train_layout_open(cxn_trainer_state *s, struct cxn_error *err)
{
    const enum cxn_status status = take_table(s, err);
    return status == CXN_OK ? take_maps(s, err) : status;
}

void cxn_train_layout_close(cxn_trainer_state *s)
{
    void *const blocks[] = { s->layers, s->convs, s->statistics, s->factors, s->packed, s->arena,
                             s->scratch, s->windows, s->window, s->sums, s->partial,
                             s->plain, s->slope, s->offset, s->quarter, s->features, s->dfeatures };
    for (size_t i = 0; i < CXN_COUNTOF(blocks); i++) cxn_free(blocks[i]);
}

/* ---- pieces of work ----------------------------------------------------------------------- */

struct round {
    cxn_trainer_state *s;
    cxn_train_fn *fn;
    const void *what;
};

static void run_piece(void *ctx, size_t chunk, unsigned thread)
{
    const struct round *round = ctx;
    cxn_trainer_state *s = round->s;
    double *sums = s->sums + chunk * 2 * s->widest;
    const struct cxn_train_piece piece = {
        .s = s, .what = round->what, .chunk = chunk, .first = s->count * chunk / s->chunks,
        .last = s->count * (chunk + 1) / s->chunks, .sums = { sums, sums + s->widest },
        .partial = s->partial + chunk * s->partial_count,
        .scratch = s->scratch + thread * s->plan.scratch_bytes
    };
    memset(sums, 0, 2 * s->widest * sizeof *sums);
    round->fn(&piece);
}

void cxn_train_each_chunk(cxn_trainer_state *s, cxn_train_fn *fn, const void *what)
{
    struct round round = { s, fn, what };
    cxn_pool_run(s->env.pool, s->chunks, run_piece, &round);
}
