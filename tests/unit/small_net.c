/* SPDX-License-Identifier: Apache-2.0 */
#include "small_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/unit.h"

const struct cxn_net_config small_config = {
    .growth = 4, .layers = { 2, 3, 2, 2 }, .stem = 8, .bottleneck = 2, .classes = SMALL_CLASSES
};

static void *read_whole(const char *path, size_t bytes)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    void *p = malloc(bytes);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, bytes, f), bytes);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    return p;
}

static void read_expected(double *want64, double *want32)
{
    FILE *f = fopen("tests/golden/nn_expected.txt", "r");
    assert_non_null(f);
    for (size_t i = 0; i < SMALL_VIEWS * SMALL_CLASSES; i++)
        assert_int_equal(fscanf(f, "%lf", &want64[i]), 1);
    for (size_t i = 0; i < SMALL_VIEWS * SMALL_CLASSES; i++)
        assert_int_equal(fscanf(f, "%lf", &want32[i]), 1);
    fclose(f);
}

void small_net_open(struct small_net *s)
{
    static const struct { uint32_t picture; bool mirror; } views[SMALL_VIEWS] = {
        { 0, false }, { 0, true }, { 1, false }, { 2, false }, { 2, true }
    };
    const size_t plane = SMALL_SIDE * SMALL_SIDE;
    assert_int_equal(cxn_net_open(&s->net, &small_config, NULL, NULL), CXN_OK);
    s->block = read_whole("tests/golden/nn_small.f32", s->net->float_count * sizeof *s->block);
    s->pixels = read_whole("tests/golden/nn_pictures.u8", 5 * plane);
    for (uint32_t i = 0; i < SMALL_PICTURES; i++) {
        const uint32_t channels = i == 2 ? 3 : 1;
        s->pictures[i] = (struct cxn_picture){ .pixels = s->pixels + i * plane,
                                               .width = SMALL_SIDE, .height = SMALL_SIDE,
                                               .channels = channels,
                                               .stride_bytes = (size_t)SMALL_SIDE * channels };
    }
    for (size_t i = 0; i < SMALL_VIEWS; i++)
        s->views[i] = (struct cxn_view){ .picture = &s->pictures[views[i].picture],
                                         .width = SMALL_SIDE, .height = SMALL_SIDE,
                                         .mirror = views[i].mirror };
    read_expected(s->want64, s->want32);
}

void small_net_close(struct small_net *s)
{
    cxn_net_close(&s->net);
    free(s->block);
    free(s->pixels);
}
