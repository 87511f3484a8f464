/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/pack.h"

#include <string.h>

#include "kern/conv_bordered_i8.h"

enum { LINE_BYTES = 64 };

/* Called twice: with numbers NULL to count, then to pack. Parts are met in the table's order. */
struct packing {
    const struct cxn_part *part; /* the next one, */
    const struct cxn_quantized_part *from; /* and its numbers */
    const struct cxn_fuse_kernels *kernels;
    const struct cxn_conv_bordered_i8_kernel *row;
    int8_t *wide; /* the stem's weights with the columns that the kernels add; not to count */
    uint8_t *numbers;
    size_t used;
};

static void *take(struct packing *p, size_t bytes)
{
    uint8_t *place = p->numbers ? p->numbers + p->used : NULL;
    p->used += (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    return place;
}

static const void *put(struct packing *p, const void *numbers, size_t bytes)
{
    void *place = take(p, bytes);
    if (place) memcpy(place, numbers, bytes);
    return place;
}

static void pass(struct packing *p)
{
    p->part++;
    p->from++;
}

static struct cxn_packed_norm put_norm(struct packing *p)
{
    struct cxn_packed_norm norm = { .channels = p->part->out };
    norm.byte_hinge.flip = put(p, p->from->flip, norm.channels);
    norm.byte_hinge.knot = put(p, p->from->knot, norm.channels);
    pass(p);
    return norm;
}

static struct cxn_packed_conv pack_conv(struct packing *p,
                                        const struct cxn_conv_i8_weights *weights)
{
    void *place = take(p, cxn_conv_bordered_i8_packed_bytes(p->row, weights));
    if (place) cxn_conv_bordered_i8_pack(p->row, place, weights);
    pass(p);
    return (struct cxn_packed_conv){ place, weights->low != NULL,
                                     cxn_conv_bordered_i8_is_bounded(weights) };
}

static struct cxn_conv_i8_weights weights_of(const struct packing *p, size_t terms)
{
    return (struct cxn_conv_i8_weights){ .w = p->from->weight, .low = p->from->low,
                                         .m = p->from->m, .b = p->from->b,
                                         .out = p->part->out, .terms = terms,
                                         .run = terms / p->part->kernel,
                                         .place_step = p->part->in };
}

/* Behind hinges with these knots, or NULL. */
static struct cxn_packed_conv put_conv(struct packing *p, const uint8_t *knot)
{
    const size_t terms = (size_t)p->part->kernel * p->part->kernel * p->part->in;
    struct cxn_conv_i8_weights weights = weights_of(p, terms);
    weights.knot = knot;
    return pack_conv(p, &weights);
}

/* Rows of the window, each with weights 0 behind it. */
static void widen(int8_t *to, const int8_t *w, size_t rows, size_t count, size_t wide)
{
    for (size_t y = 0; y < rows; y++, to += wide, w += count) {
        memcpy(to, w, count);
        memset(to + count, 0, wide - count);
    }
}

static size_t count_wide(const struct cxn_part *stem, const struct cxn_fuse_kernels *kernels)
{
    return kernels->stem_columns * stem->in * stem->out;
}

static struct cxn_packed_conv put_stem(struct packing *p)
{
    const size_t rows = p->part->kernel, wide = count_wide(p->part, p->kernels);
    struct cxn_conv_i8_weights weights = weights_of(p, rows * wide / p->part->out);
    weights.place_step = CXN_FUSE_STEM_STRIDE * p->part->in;
    if (p->numbers) {
        const size_t count = rows * p->part->in * p->part->out;
        widen(p->wide, weights.w, rows, count, wide);
        widen(p->wide + rows * wide, weights.low, rows, count, wide);
        weights.w = p->wide;
        weights.low = p->wide + rows * wide;
    }
    return pack_conv(p, &weights);
}

static void put_layer(struct packing *p, struct cxn_packed_layer *layer)
{
    layer->norm = put_norm(p);
    layer->reduce = put_conv(p, layer->norm.byte_hinge.knot);
    layer->grow = put_conv(p, NULL);
    if (p->numbers) layer->after_grow.first = p->numbers + p->used;
}

static void put_all(struct packing *p, struct cxn_packed *packed)
{
    packed->stem_grey = put_stem(p);
    packed->stem_colour = put_stem(p);
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        struct cxn_packed_block *block = &packed->block[b];
        for (size_t i = 0; i < block->layer_count; i++) put_layer(p, &block->layers[i]);
        block->norm = put_norm(p);
        if (b + 1 < CXN_NET_BLOCKS) block->halve = put_conv(p, block->norm.byte_hinge.knot);
    }
    packed->head_w = put(p, p->from->linear, p->part->first_count * sizeof(float));
    packed->head_bias = put(p, p->from->b, p->part->out * sizeof(float));
}

static enum cxn_status fill(struct cxn_packed *packed, const struct packing *begin,
                            struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_part *colour = &begin->part[1]; /* the larger of the stems */
    struct packing count = *begin, pack = *begin;
    put_all(&count, packed);
    pack.wide = cxn_alloc(mem, 2 * colour->kernel, count_wide(colour, begin->kernels));
    pack.numbers = packed->numbers = cxn_alloc(mem, count.used, 1);
    const bool enough = pack.wide && pack.numbers;
    if (enough) {
        put_all(&pack, packed);
        cxn_packed_look_ahead(packed, pack.numbers + pack.used);
    }
    cxn_free(pack.wide);
    return enough ? CXN_OK : cxn_fail_nomem(err, mem, count.used, "the packed weights");
}

enum cxn_status cxn_quantized_pack(struct cxn_packed **packed, const cxn_quantized *quantized,
                                   const struct cxn_env *env, struct cxn_error *err)
{
    const cxn_fold *fold = quantized->fold;
    const struct cxn_fuse_kernels kernels = cxn_fuse_kernels_i8(env->cpu);
    const struct packing begin = { .part = fold->parts, .from = quantized->parts,
                                   .kernels = &kernels,
                                   .row = cxn_conv_bordered_i8_pick(env->cpu) };
    enum cxn_status status = cxn_packed_new(packed, fold->net, &kernels, env->mem, err);
    if (status != CXN_OK) return status;
    status = fill(*packed, &begin, env->mem, err);
    if (status != CXN_OK) cxn_packed_close(packed);
    return status;
}
