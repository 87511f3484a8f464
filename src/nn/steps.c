/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/steps.h"

/* Called twice, as in densenet.c: with steps NULL to count, then to fill. */
struct builder {
    const struct cxn_net_tensor *next; /* tensors are met in state_dict order */
    struct cxn_steps *steps;
    size_t count;
    uint32_t shift;
};

static uint32_t tensors_of(enum cxn_step_kind kind)
{
    switch (kind) {
    case CXN_STEP_CONV: return 1;
    case CXN_STEP_HEAD: return 2;
    case CXN_STEP_NORM_RELU: return 4;
    default: return 0;
    }
}

/* Halvings of the sides that the step does. */
static uint32_t halvings_of(const struct cxn_step *s)
{
    if (s->kind == CXN_STEP_MAX_POOL || s->kind == CXN_STEP_AVG_POOL) return 1;
    return s->kind == CXN_STEP_CONV && s->stride == 2 ? 1 : 0;
}

static void add(struct builder *b, struct cxn_step s)
{
    s.shift = b->shift;
    s.dst_shift = b->shift += halvings_of(&s);
    s.tensor = tensors_of(s.kind) > 0 ? b->next : NULL;
    b->next += tensors_of(s.kind);
    if (b->steps) {
        b->steps->step[b->count] = s;
        if (s.kind == CXN_STEP_CONV && b->steps->in_max < s.in) b->steps->in_max = s.in;
    }
    b->count++;
}

static void add_norm_relu(struct builder *b, enum cxn_map src, uint32_t src_step, uint32_t channels)
{
    add(b, (struct cxn_step){ .kind = CXN_STEP_NORM_RELU, .src = src, .src_step = src_step,
                              .dst = CXN_MAP_ACTIVE, .dst_step = channels, .in = channels,
                              .out = channels });
}

/* A convolution from ACTIVE to MIDDLE that keeps the sides. */
static void add_conv1x1(struct builder *b, uint32_t in, uint32_t out)
{
    add(b, (struct cxn_step){ .kind = CXN_STEP_CONV, .src = CXN_MAP_ACTIVE, .src_step = in,
                              .dst = CXN_MAP_MIDDLE, .dst_step = out, .in = in, .out = out,
                              .kernel = 1, .stride = 1 });
}

/* The stem ends in the first block's map, `whole` channels a place. */
static void add_stem(struct builder *b, const struct cxn_net_config *c, uint32_t whole)
{
    add(b, (struct cxn_step){ .kind = CXN_STEP_WINDOW, .dst = CXN_MAP_INPUT, .dst_step = 3,
                              .in = 3, .out = 3 });
    add(b, (struct cxn_step){ .kind = CXN_STEP_CONV, .src = CXN_MAP_INPUT, .src_step = 3,
                              .dst = CXN_MAP_MIDDLE, .dst_step = c->stem, .in = 3, .out = c->stem,
                              .kernel = 7, .stride = 2, .pad = 3 });
    add_norm_relu(b, CXN_MAP_MIDDLE, c->stem, c->stem);
    add(b, (struct cxn_step){ .kind = CXN_STEP_MAX_POOL, .src = CXN_MAP_ACTIVE,
                              .src_step = c->stem, .dst = CXN_MAP_BLOCK, .dst_step = whole,
                              .in = c->stem, .out = c->stem });
}

/* norm1, ReLU, conv1 (1x1), norm2, ReLU, conv2 (3x3): `growth` channels more. */
static void add_layer(struct builder *b, const struct cxn_net_config *c, uint32_t in,
                      uint32_t whole)
{
    const uint32_t middle = c->bottleneck * c->growth;
    add_norm_relu(b, CXN_MAP_BLOCK, whole, in);
    add_conv1x1(b, in, middle);
    add_norm_relu(b, CXN_MAP_MIDDLE, middle, middle);
    add(b, (struct cxn_step){ .kind = CXN_STEP_CONV, .src = CXN_MAP_ACTIVE, .src_step = middle,
                              .dst = CXN_MAP_BLOCK, .dst_step = whole, .dst_first = in,
                              .in = middle, .out = c->growth, .kernel = 3, .stride = 1, .pad = 1 });
}

/* Half the channels and half the sides, into the next block's map of `whole` channels. */
static void add_transition(struct builder *b, uint32_t in, uint32_t whole)
{
    add_norm_relu(b, CXN_MAP_BLOCK, in, in);
    add_conv1x1(b, in, in / 2);
    add(b, (struct cxn_step){ .kind = CXN_STEP_AVG_POOL, .src = CXN_MAP_MIDDLE,
                              .src_step = in / 2, .dst = CXN_MAP_BLOCK, .dst_step = whole,
                              .in = in / 2, .out = in / 2 });
}

static void add_head(struct builder *b, uint32_t in, uint32_t classes)
{
    add_norm_relu(b, CXN_MAP_BLOCK, in, in);
    add(b, (struct cxn_step){ .kind = CXN_STEP_MEAN, .src = CXN_MAP_ACTIVE, .src_step = in,
                              .dst = CXN_MAP_MIDDLE, .dst_step = in, .in = in, .out = in });
    add(b, (struct cxn_step){ .kind = CXN_STEP_HEAD, .src = CXN_MAP_MIDDLE, .src_step = in,
                              .dst = CXN_MAP_ACTIVE, .dst_step = classes, .in = in,
                              .out = classes });
}

static void add_all(struct builder *b, const struct cxn_net_config *c)
{
    add_stem(b, c, cxn_net_block_out(c, 0));
    for (uint32_t block = 0; block < CXN_NET_BLOCKS; block++) {
        const uint32_t whole = cxn_net_block_out(c, block);
        for (uint32_t layer = 0; layer < c->layers[block]; layer++)
            add_layer(b, c, cxn_net_block_in(c, block) + layer * c->growth, whole);
        if (block + 1 < CXN_NET_BLOCKS) add_transition(b, whole, cxn_net_block_out(c, block + 1));
        else add_head(b, whole, c->classes);
    }
}

enum cxn_status cxn_steps_open(struct cxn_steps **out, const cxn_net *net, struct cxn_mem *mem,
                               struct cxn_error *err)
{
    *out = NULL;
    struct builder count = { .next = net->tensors };
    add_all(&count, &net->config);
    const size_t bytes = sizeof(struct cxn_steps) + count.count * sizeof(struct cxn_step);
    struct cxn_steps *steps = cxn_alloc_zero(mem, bytes, 1);
    if (!steps) return cxn_fail_nomem(err, mem, bytes, "the network's list of steps");
    struct builder fill = { .next = net->tensors, .steps = steps };
    add_all(&fill, &net->config);
    steps->count = fill.count;
    *out = steps;
    return CXN_OK;
}

void cxn_steps_close(struct cxn_steps **steps)
{
    if (!steps) return;
    cxn_free(*steps);
    *steps = NULL;
}
