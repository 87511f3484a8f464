/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/pack.h"

#include <stdatomic.h>
#include <string.h>

#include "fuse/hinge.h"
#include "fuse/winograd.h"
#include "kern/bf16.h"

enum {
    ALIGN_FLOATS = 16,
    WORKERS_MAX = 8 /* each has scratch for the largest part; more are no faster */
};

/* ---- layout ------------------------------------------------------------------------------- */

/* Where a part goes; a convolution is packed into `first`, its biases with it. */
struct place {
    float *first, *second;
    bool winograd;
    bool hinge; /* a norm as hinges, or the convolution behind them */
};

/* Called twice: with places NULL to count, then to place. Parts are met in the table's order. */
struct layout {
    const struct cxn_part *next;
    const struct cxn_fuse_kernels *kernels;
    float *numbers;
    size_t used;          /* floats */
    size_t plain_count;   /* floats of the largest convolution before it is packed */
    struct place *places; /* of the parts in order */
};

static float *take(struct layout *l, size_t count)
{
    float *p = l->numbers ? l->numbers + l->used : NULL;
    l->used += (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return p;
}

static struct place put(struct layout *l, size_t first, size_t second)
{
    struct place place = { .first = take(l, first) };
    if (second > 0) place.second = take(l, second);
    if (l->places) *l->places++ = place;
    l->next++;
    return place;
}

static struct cxn_packed_norm put_norm(struct layout *l)
{
    const size_t channels = l->next->out;
    const struct place place = put(l, channels, channels);
    return (struct cxn_packed_norm){ .channels = channels, .scale = place.first,
                                     .shift = place.second };
}

/* The part that was placed last is one of hinges. */
static void mark_hinge(struct layout *l)
{
    if (l->places) l->places[-1].hinge = true;
}

/* Knots and turns, two to a float. */
static struct cxn_packed_norm put_hinge(struct layout *l)
{
    const size_t channels = l->next->out, floats = (channels + 1) / 2;
    const struct place place = put(l, floats, floats);
    if (l->plain_count < 2 * channels) l->plain_count = 2 * channels;
    mark_hinge(l);
    return (struct cxn_packed_norm){
        .channels = channels, .hinge = { (const uint16_t *)(const void *)place.first,
                                         (const uint16_t *)(const void *)place.second }
    };
}

/* Terms of a convolution with those that the kernels add. */
static size_t count_terms(const struct cxn_part *part, const struct cxn_fuse_kernels *kernels)
{
    size_t row = (size_t)part->kernel * part->in;
    if (part->kind == CXN_PART_STEM) row = kernels->stem_columns * kernels->stem_copies * part->in;
    return cxn_fuse_terms(kernels, part->kernel * row);
}

static struct cxn_packed_conv put_conv(struct layout *l)
{
    const struct cxn_part *part = l->next;
    const size_t terms = count_terms(part, l->kernels), plain = (terms + 1) * part->out;
    if (l->plain_count < plain) l->plain_count = plain;
    const size_t count = l->kernels->packed_count(l->kernels->conv, part->out, terms);
    return (struct cxn_packed_conv){ .w = put(l, count, 0).first };
}

/* The 1x1 behind hinges; the norm that they were follows it when it is plain. */
static struct cxn_packed_conv put_hinged_conv(struct layout *l)
{
    const struct cxn_part *part = l->next;
    const size_t plain = (count_terms(part, l->kernels) + 1) * part->out + 2 * part->in;
    if (l->plain_count < plain) l->plain_count = plain;
    const struct cxn_packed_conv packed = put_conv(l);
    mark_hinge(l);
    return packed;
}

/* A 3x3 by Winograd; its transformed weights follow it when it is plain. */
static struct cxn_packed_conv put_winograd(struct layout *l)
{
    const struct cxn_part *part = l->next;
    const size_t plain = part->first_count + cxn_winograd_plain_count(part->in, part->out);
    if (l->plain_count < plain) l->plain_count = plain;
    struct place *place = l->places;
    const size_t count = cxn_winograd_packed_count(l->kernels, part->in, part->out);
    const struct cxn_packed_conv packed = { .w = put(l, count, 0).first };
    if (place) place->winograd = true;
    return packed;
}

static void put_layer(struct layout *l, struct cxn_packed_layer *layer, bool winograd)
{
    if (l->kernels->hinge_conv) {
        layer->norm = put_hinge(l);
        layer->reduce = put_hinged_conv(l);
    } else {
        layer->norm = put_norm(l);
        layer->reduce = put_conv(l);
    }
    layer->grow = winograd ? put_winograd(l) : put_conv(l);
    if (l->numbers) layer->after_grow.first = l->numbers + l->used;
}

static void put_all(struct layout *l, struct cxn_packed *p)
{
    p->stem_grey = put_conv(l);
    p->stem_colour = put_conv(l);
    for (uint32_t i = 0; i < CXN_NET_BLOCKS; i++) {
        struct cxn_packed_block *block = &p->block[i];
        for (size_t k = 0; k < block->layer_count; k++)
            put_layer(l, &block->layers[k], block->winograd);
        block->norm = put_norm(l);
        if (i + 1 < CXN_NET_BLOCKS) block->halve = put_conv(l);
    }
    const struct place head = put(l, l->next->first_count, l->next->second_count);
    p->head_w = head.first;
    p->head_bias = head.second;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* What the threads share. */
struct packing {
    const struct cxn_fold_source *source;
    const struct cxn_fuse_kernels *kernels;
    const struct place *places;
    float *plain;       /* [workers][plain_count] */
    size_t plain_count;
    atomic_size_t next; /* the part that the next free worker takes */
    struct failure {
        size_t part;
        enum cxn_status status;
        struct cxn_error error;
    } *failures; /* [workers] each one's first */
};

/* To values of bfloat16, whatever the kernels hold them as. */
static void round_weights(float *w, size_t count)
{
    for (size_t i = 0; i < count; i++) w[i] = cxn_bf16_value(cxn_bf16_round(w[i]));
}

/* Room behind each row of a window for what the kernels add to it, with weights 0. */
static void widen_rows(float *w, size_t rows, size_t from, size_t to)
{
    for (size_t y = rows; y-- > 0;) {
        memmove(w + y * to, w + y * from, from * sizeof *w);
        memset(w + y * to + from, 0, (to - from) * sizeof *w);
    }
}

/* Behind the weights of each place of the stem's window what rounding them takes away. */
static void split_weights(float *w, size_t places, size_t count)
{
    widen_rows(w, places, count, 2 * count);
    for (size_t p = 0; p < places; p++, w += 2 * count)
        for (size_t i = 0; i < count; i++)
            w[count + i] = w[i] - cxn_bf16_value(cxn_bf16_round(w[i]));
}

static enum cxn_status pack_hinges(const struct packing *p, const struct cxn_part *part,
                                   const struct place *place, float *plain, struct cxn_error *err)
{
    float *scale = plain, *shift = plain + part->out;
    const enum cxn_status status = p->source->read(p->source, part, scale, shift, err);
    if (status == CXN_OK)
        cxn_hinge_knots((uint16_t *)(void *)place->first, (uint16_t *)(void *)place->second, scale,
                        shift, part->out);
    return status;
}

/* The plain weights of a convolution to those behind hinges. norm: the part before it. */
static enum cxn_status hinge_weights(const struct packing *p, const struct cxn_part *norm,
                                     const struct cxn_part *part, float *w, float *bias,
                                     struct cxn_error *err)
{
    float *scale = bias + part->out, *shift = scale + part->in;
    const enum cxn_status status = p->source->read(p->source, norm, scale, shift, err);
    if (status == CXN_OK) cxn_hinge_weights(w, bias, scale, shift, part->in, part->out);
    return status;
}

static enum cxn_status pack_part(const struct packing *p, size_t index, float *plain,
                                 struct cxn_error *err)
{
    const struct cxn_part *part = &p->source->fold->parts[index];
    const struct place *place = &p->places[index];
    if (part->kind == CXN_PART_NORM && place->hinge)
        return pack_hinges(p, part, place, plain, err);
    if (part->kind == CXN_PART_NORM || part->kind == CXN_PART_HEAD)
        return p->source->read(p->source, part, place->first, place->second, err);
    const size_t terms = count_terms(part, p->kernels);
    float *bias = part->second_count > 0 ? plain + terms * part->out : NULL;
    enum cxn_status status = p->source->read(p->source, part, plain, bias, err);
    if (status != CXN_OK) return status;
    if (p->kernels->bf16_weights && part->kind == CXN_PART_CONV)
        round_weights(plain, part->first_count);
    /* From the rounded ones, as an optimised file has them, so that it gives the same bits. */
    if (place->hinge) status = hinge_weights(p, part - 1, part, plain, bias, err);
    if (status != CXN_OK) return status;
    if (place->winograd) {
        cxn_winograd_pack(p->kernels, place->first, plain, part->in, part->out,
                          plain + part->first_count);
        return CXN_OK;
    }
    size_t row = part->first_count / part->kernel;
    if (part->kind == CXN_PART_STEM && p->kernels->stem_copies == 2) {
        split_weights(plain, (size_t)part->kernel * part->kernel, (size_t)part->in * part->out);
        row *= 2;
    }
    widen_rows(plain, part->kernel, row, terms / part->kernel * part->out);
    p->kernels->pack(p->kernels->conv, place->first, plain, bias, part->out, terms);
    return CXN_OK;
}

/* Parts are taken in rising order, and a worker that fails takes no more: so the first of all parts
 * that fail is always found. */
static void work(void *ctx, size_t worker, unsigned thread)
{
    struct packing *p = ctx;
    struct failure *failure = &p->failures[worker];
    (void)thread;
    while (failure->status == CXN_OK) {
        failure->part = atomic_fetch_add(&p->next, 1);
        if (failure->part >= p->source->fold->count) return;
        failure->status = pack_part(p, failure->part, p->plain + worker * p->plain_count,
                                    &failure->error);
    }
}

static enum cxn_status find_failure(const struct failure *failures, size_t workers,
                                    struct cxn_error *err)
{
    const struct failure *first = NULL;
    for (size_t i = 0; i < workers; i++)
        if (failures[i].status != CXN_OK && (!first || failures[i].part < first->part))
            first = &failures[i];
    return first ? cxn_fail(err, first->status, "%s", first->error.text) : CXN_OK;
}

static enum cxn_status fill(const struct cxn_fold_source *source,
                            const struct cxn_fuse_kernels *kernels, const struct place *places,
                            size_t plain_count, const struct cxn_env *env, struct cxn_error *err)
{
    struct failure failures[WORKERS_MAX] = { { 0 } };
    const unsigned threads = cxn_pool_threads(env->pool);
    const size_t workers = threads < WORKERS_MAX ? threads : WORKERS_MAX;
    struct packing p = { .source = source, .kernels = kernels, .places = places,
                         .plain_count = plain_count, .failures = failures };
    p.plain = cxn_alloc(env->mem, workers, plain_count * sizeof(float));
    if (!p.plain)
        return cxn_fail_nomem(err, env->mem, workers * plain_count * sizeof(float),
                              "packing a convolution");
    cxn_pool_run(env->pool, workers, work, &p);
    cxn_free(p.plain);
    return find_failure(failures, workers, err);
}

static enum cxn_status lay_out(struct cxn_packed *p, const struct cxn_fold_source *source,
                               const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_fold *fold = source->fold;
    struct layout count = { .next = fold->parts, .kernels = &p->kernels };
    put_all(&count, p);
    struct place *places = cxn_alloc(env->mem, fold->count, sizeof *places);
    p->numbers = cxn_alloc(env->mem, count.used, sizeof(float));
    enum cxn_status status = CXN_OK;
    if (!places || !p->numbers)
        status = cxn_fail_nomem(err, env->mem, count.used * sizeof(float), "the packed weights");
    else {
        struct layout l = { .next = fold->parts, .kernels = &p->kernels, .numbers = p->numbers,
                            .places = places };
        put_all(&l, p);
        cxn_packed_look_ahead(p, l.numbers + l.used);
        status = fill(source, &p->kernels, places, count.plain_count, env, err);
    }
    cxn_free(places);
    return status;
}

/* ---- open --------------------------------------------------------------------------------- */

static void set_blocks(struct cxn_packed *p, const struct cxn_net_config *config)
{
    struct cxn_packed_layer *layer = p->layers;
    for (uint32_t i = 0; i < CXN_NET_BLOCKS; i++) {
        struct cxn_packed_block *block = &p->block[i];
        *block = (struct cxn_packed_block){ .in = cxn_net_block_in(config, i),
                                            .out = cxn_net_block_out(config, i),
                                            .layer_count = config->layers[i], .layers = layer };
        /* In a view of 224 x 224 the last block's map has 4 tiles: too few for the way of their
         * weights, which are four times as many, from memory. */
        block->winograd = p->kernels.winograd_data && i + 1 < CXN_NET_BLOCKS;
        layer += block->layer_count;
    }
}

enum cxn_status cxn_packed_new(struct cxn_packed **out, const cxn_net *net,
                               const struct cxn_fuse_kernels *kernels, struct cxn_mem *mem,
                               struct cxn_error *err)
{
    const struct cxn_net_config *c = &net->config;
    *out = NULL;
    if (c->bottleneck * c->growth % kernels->term_unit != 0)
        return cxn_fail(err, CXN_E_ARG, "the network has %u channels between two convolutions, "
                        "expected a multiple of %zu for this mode", c->bottleneck * c->growth,
                        kernels->term_unit);
    struct cxn_packed *p = cxn_alloc_zero(mem, 1, sizeof *p);
    if (!p) return cxn_fail_nomem(err, mem, sizeof *p, "a packed network");
    p->kernels = *kernels;
    p->stem = c->stem;
    p->middle = (size_t)c->bottleneck * c->growth;
    p->growth = c->growth;
    p->classes = c->classes;
    for (size_t i = 0; i < CXN_NET_BLOCKS; i++) p->layer_count += c->layers[i];
    p->layers = cxn_alloc_zero(mem, p->layer_count, sizeof *p->layers);
    if (!p->layers) {
        cxn_packed_close(&p);
        return cxn_fail_nomem(err, mem, net->config.layers[0] * sizeof *p->layers,
                              "the packed layers");
    }
    set_blocks(p, c);
    *out = p;
    return CXN_OK;
}

/* Behind a 1x1 its 3x3, behind that all until the next 3x3. */
void cxn_packed_look_ahead(struct cxn_packed *p, const void *end)
{
    for (size_t i = 0; i < p->layer_count; i++) {
        struct cxn_packed_layer *layer = &p->layers[i];
        const char *grow = layer->grow.w, *behind = layer->after_grow.first;
        const char *next = i + 1 < p->layer_count ? p->layers[i + 1].grow.w : end;
        layer->after_reduce = (struct cxn_ahead){ grow, (size_t)(behind - grow) };
        layer->after_grow.bytes = (size_t)(next - behind);
    }
}

enum cxn_status cxn_packed_open(struct cxn_packed **out, const struct cxn_fold_source *source,
                                const struct cxn_fuse_kernels *kernels, const struct cxn_env *env,
                                struct cxn_error *err)
{
    struct cxn_packed *p;
    enum cxn_status status = cxn_packed_new(&p, source->fold->net, kernels, env->mem, err);
    if (status == CXN_OK) status = lay_out(p, source, env, err);
    if (status != CXN_OK) cxn_packed_close(&p);
    *out = p;
    return status;
}

void cxn_packed_close(struct cxn_packed **packed)
{
    if (!packed || !*packed) return;
    cxn_free((*packed)->numbers);
    cxn_free((*packed)->layers);
    cxn_free(*packed);
    *packed = NULL;
}
