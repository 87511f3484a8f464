/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_NN_DENSENET_H
#define CXN_NN_DENSENET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/*
 * DenseNet-BC (Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
 * CVPR 2017) as torchvision builds it, as a table: every tensor's name, role, shape and place in
 * one flat block of floats. Whoever loads, computes, trains or exports walks this table.
 */

enum { CXN_NET_BLOCKS = 4, CXN_NET_NAME_BYTES = 72 };

struct cxn_net_config {
    uint32_t growth;                 /* channels that a dense layer adds */
    uint32_t layers[CXN_NET_BLOCKS]; /* dense layers in each block */
    uint32_t stem;                   /* channels after the first convolution */
    uint32_t bottleneck;             /* a 1x1 convolution makes bottleneck * growth channels */
    uint32_t classes;
};

/* 32, (6,12,24,16), 64, 4 and 14 findings: 6,968,206 parameters. */
extern const struct cxn_net_config cxn_densenet121;

/* Epsilon of every batch norm. */
#define CXN_NET_EPSILON 1e-5

enum cxn_tensor_role {
    CXN_ROLE_CONV, /* [out][in][h][w] */
    CXN_ROLE_NORM_WEIGHT,
    CXN_ROLE_NORM_BIAS,
    CXN_ROLE_NORM_MEAN, /* running mean, not a parameter */
    CXN_ROLE_NORM_VAR,  /* running variance, not a parameter */
    CXN_ROLE_HEAD_WEIGHT, /* [classes][channels] */
    CXN_ROLE_HEAD_BIAS,
};

struct cxn_net_tensor {
    char name[CXN_NET_NAME_BYTES]; /* torchvision's: features.norm0.weight */
    enum cxn_tensor_role role;
    uint32_t rank; /* 1, 2 or 4 */
    uint32_t dims[4];
    size_t count;  /* product of dims */
    size_t offset; /* in floats, into the block */
};

/*
 * Tensors stand in state_dict order. In the block all parameters come first, in that order, then
 * all running means and variances, so that gradients and moments are blocks of param_count floats
 * with the same offsets.
 */
typedef struct cxn_net {
    struct cxn_net_config config;
    size_t tensor_count;
    size_t param_count; /* floats that training changes by gradient */
    size_t float_count; /* the whole block */
    struct cxn_net_tensor tensors[];
} cxn_net;

/* CXN_OK, CXN_E_ARG (a zero, or more than 64 layers or 4096 channels somewhere) or CXN_E_NOMEM. */
enum cxn_status cxn_net_open(cxn_net **net, const struct cxn_net_config *config,
                             struct cxn_mem *mem, struct cxn_error *err);
void cxn_net_close(cxn_net **net);

bool cxn_role_is_param(enum cxn_tensor_role role);

/* The tensor of that name, or NULL. */
const struct cxn_net_tensor *cxn_net_find(const cxn_net *net, const char *name);

/* Channels that enter dense block b (0-based), and that leave it. */
uint32_t cxn_net_block_in(const struct cxn_net_config *config, uint32_t b);
uint32_t cxn_net_block_out(const struct cxn_net_config *config, uint32_t b);

#endif
