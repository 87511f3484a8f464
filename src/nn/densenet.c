/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/densenet.h"

#include <stdio.h>
#include <string.h>

const struct cxn_net_config cxn_densenet121 = {
    .growth = 32, .layers = { 6, 12, 24, 16 }, .stem = 64, .bottleneck = 4, .classes = 14
};

enum { LAYERS_MAX = 64, CHANNELS_MAX = 4096 };

uint32_t cxn_net_block_out(const struct cxn_net_config *config, uint32_t b)
{
    return cxn_net_block_in(config, b) + config->layers[b] * config->growth;
}

uint32_t cxn_net_block_in(const struct cxn_net_config *config, uint32_t b)
{
    uint32_t channels = config->stem;
    for (uint32_t i = 0; i < b; i++)
        channels = (channels + config->layers[i] * config->growth) / 2; /* transition halves */
    return channels;
}

bool cxn_role_is_param(enum cxn_tensor_role role)
{
    return role != CXN_ROLE_NORM_MEAN && role != CXN_ROLE_NORM_VAR;
}

/* Called twice: with tensors NULL to count, then to fill. */
struct builder {
    struct cxn_net_tensor *tensors;
    size_t count;
};

static void add(struct builder *b, enum cxn_tensor_role role, const char *module, const char *what,
                const uint32_t *dims, uint32_t rank)
{
    struct cxn_net_tensor *t = b->tensors ? &b->tensors[b->count] : NULL;
    b->count++;
    if (!t) return;
    snprintf(t->name, sizeof t->name, "%s.%s", module, what);
    t->role = role;
    t->rank = rank;
    t->count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        t->dims[i] = dims[i];
        t->count *= dims[i];
    }
}

static void add_conv(struct builder *b, const char *module, uint32_t out, uint32_t in, uint32_t k)
{
    add(b, CXN_ROLE_CONV, module, "weight", (const uint32_t[]){ out, in, k, k }, 4);
}

static void add_norm(struct builder *b, const char *module, uint32_t channels)
{
    add(b, CXN_ROLE_NORM_WEIGHT, module, "weight", &channels, 1);
    add(b, CXN_ROLE_NORM_BIAS, module, "bias", &channels, 1);
    add(b, CXN_ROLE_NORM_MEAN, module, "running_mean", &channels, 1);
    add(b, CXN_ROLE_NORM_VAR, module, "running_var", &channels, 1);
}

static void add_layer(struct builder *b, const struct cxn_net_config *c, uint32_t block,
                      uint32_t layer)
{
    char module[CXN_NET_NAME_BYTES / 2];
    char name[CXN_NET_NAME_BYTES - 16];
    const uint32_t in = cxn_net_block_in(c, block) + layer * c->growth;
    const uint32_t middle = c->bottleneck * c->growth;
    snprintf(module, sizeof module, "denseblock%u.denselayer%u", block + 1, layer + 1);
    snprintf(name, sizeof name, "features.%s.norm1", module);
    add_norm(b, name, in);
    snprintf(name, sizeof name, "features.%s.conv1", module);
    add_conv(b, name, middle, in, 1);
    snprintf(name, sizeof name, "features.%s.norm2", module);
    add_norm(b, name, middle);
    snprintf(name, sizeof name, "features.%s.conv2", module);
    add_conv(b, name, c->growth, middle, 3);
}

static void add_transition(struct builder *b, const struct cxn_net_config *c, uint32_t block)
{
    char name[CXN_NET_NAME_BYTES - 16];
    const uint32_t in = cxn_net_block_out(c, block);
    snprintf(name, sizeof name, "features.transition%u.norm", block + 1);
    add_norm(b, name, in);
    snprintf(name, sizeof name, "features.transition%u.conv", block + 1);
    add_conv(b, name, in / 2, in, 1);
}

static void add_all(struct builder *b, const struct cxn_net_config *c)
{
    const uint32_t channels = cxn_net_block_out(c, CXN_NET_BLOCKS - 1);
    add_conv(b, "features.conv0", c->stem, 3, 7);
    add_norm(b, "features.norm0", c->stem);
    for (uint32_t block = 0; block < CXN_NET_BLOCKS; block++) {
        for (uint32_t layer = 0; layer < c->layers[block]; layer++) add_layer(b, c, block, layer);
        if (block + 1 < CXN_NET_BLOCKS) add_transition(b, c, block);
    }
    add_norm(b, "features.norm5", channels);
    add(b, CXN_ROLE_HEAD_WEIGHT, "classifier", "weight", (const uint32_t[]){ c->classes, channels },
        2);
    add(b, CXN_ROLE_HEAD_BIAS, "classifier", "bias", &c->classes, 1);
}

static void place(cxn_net *net)
{
    size_t at = 0;
    for (int params = 1; params >= 0; params--) {
        for (size_t i = 0; i < net->tensor_count; i++) {
            if (cxn_role_is_param(net->tensors[i].role) != (params == 1)) continue;
            net->tensors[i].offset = at;
            at += net->tensors[i].count;
        }
        if (params == 1) net->param_count = at;
    }
    net->float_count = at;
}

static bool config_is_sound(const struct cxn_net_config *c)
{
    if (c->growth == 0 || c->stem == 0 || c->bottleneck == 0 || c->classes == 0) return false;
    if (c->growth > CHANNELS_MAX || c->stem > CHANNELS_MAX || c->bottleneck > 16) return false;
    if (c->classes > CHANNELS_MAX) return false;
    for (uint32_t b = 0; b < CXN_NET_BLOCKS; b++) {
        if (c->layers[b] == 0 || c->layers[b] > LAYERS_MAX) return false;
        if (cxn_net_block_out(c, b) > CHANNELS_MAX) return false;
    }
    return true;
}

enum cxn_status cxn_net_open(cxn_net **out, const struct cxn_net_config *config,
                             struct cxn_mem *mem, struct cxn_error *err)
{
    *out = NULL;
    if (!config_is_sound(config)) return cxn_fail(err, CXN_E_ARG, "not a usable network shape");
    struct builder count = { 0 };
    add_all(&count, config);
    const size_t bytes = sizeof(cxn_net) + count.count * sizeof(struct cxn_net_tensor);
    cxn_net *net = cxn_alloc_zero(mem, bytes, 1);
    if (!net) return cxn_fail_nomem(err, mem, bytes, "the network's table");
    net->config = *config;
    net->tensor_count = count.count;
    struct builder fill = { .tensors = net->tensors };
    add_all(&fill, config);
    place(net);
    *out = net;
    return CXN_OK;
}

void cxn_net_close(cxn_net **net)
{
    if (!net) return;
    cxn_free(*net);
    *net = NULL;
}

const struct cxn_net_tensor *cxn_net_find(const cxn_net *net, const char *name)
{
    for (size_t i = 0; i < net->tensor_count; i++)
        if (strcmp(net->tensors[i].name, name) == 0) return &net->tensors[i];
    return NULL;
}
