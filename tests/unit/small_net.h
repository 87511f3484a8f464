/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_SMALL_NET_H
#define CXN_TESTS_SMALL_NET_H

#include "base/picture.h"
#include "nn/engine.h"

/* The shrunken network, pictures and expected outputs of tests/golden/make_nn.py. */

enum { SMALL_SIDE = 64, SMALL_VIEWS = 5, SMALL_CLASSES = 14, SMALL_PICTURES = 3 };

extern const struct cxn_net_config small_config;

struct small_net {
    cxn_net *net;
    float *block;
    uint8_t *pixels;
    struct cxn_picture pictures[SMALL_PICTURES];
    struct cxn_view views[SMALL_VIEWS];
    double want64[SMALL_VIEWS * SMALL_CLASSES]; /* PyTorch in double */
    double want32[SMALL_VIEWS * SMALL_CLASSES]; /* PyTorch in float */
};

/* Read in the project's root; fails the running test where a file is not as expected. */
void small_net_open(struct small_net *s);
void small_net_close(struct small_net *s);

#endif
