/* SPDX-License-Identifier: Apache-2.0 */
/* The network's table: torchvision's names, order and shapes, and where each tensor lies. */
#include <stdio.h>
#include <string.h>

#include "nn/densenet.h"
#include "unit/unit.h"

static void names_are_torchvisions(void **unused)
{
    (void)unused;
    cxn_net *net;
    assert_int_equal(cxn_net_open(&net, &cxn_densenet121, NULL, NULL), CXN_OK);
    FILE *f = fopen("tests/golden/nn_names.txt", "r");
    assert_non_null(f);
    char want_name[128], want_shape[64];
    size_t i = 0;
    while (fscanf(f, "%127s %63s", want_name, want_shape) == 2) {
        assert_true(i < net->tensor_count);
        const struct cxn_net_tensor *t = &net->tensors[i++];
        char shape[64];
        int n = 0;
        for (uint32_t d = 0; d < t->rank; d++)
            n += snprintf(shape + n, sizeof shape - (size_t)n, "%s%u", d > 0 ? "x" : "",
                          t->dims[d]);
        assert_string_equal(t->name, want_name);
        assert_string_equal(shape, want_shape);
        assert_ptr_equal(cxn_net_find(net, want_name), t);
    }
    assert_int_equal(i, net->tensor_count);
    fclose(f);
    assert_null(cxn_net_find(net, "features.conv1.weight"));
    cxn_net_close(&net);
}

static void counts_are_the_papers(void **unused)
{
    (void)unused;
    cxn_net *net;
    assert_int_equal(cxn_net_open(&net, &cxn_densenet121, NULL, NULL), CXN_OK);
    assert_int_equal(net->param_count, 6968206);
    assert_int_equal(net->float_count, 6968206 + 2 * 41824);
    cxn_net_close(&net);
    assert_null(net);
}

/* Parameters first, then statistics, each without a gap. */
static void block_has_no_gaps(void **unused)
{
    (void)unused;
    cxn_net *net;
    assert_int_equal(cxn_net_open(&net, &cxn_densenet121, NULL, NULL), CXN_OK);
    size_t param = 0, statistic = net->param_count;
    for (size_t i = 0; i < net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &net->tensors[i];
        size_t *at = cxn_role_is_param(t->role) ? &param : &statistic;
        assert_int_equal(t->offset, *at);
        *at += t->count;
    }
    assert_int_equal(param, net->param_count);
    assert_int_equal(statistic, net->float_count);
    cxn_net_close(&net);
}

static void unsound_shapes_are_refused(void **unused)
{
    (void)unused;
    struct cxn_net_config bad[6];
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) bad[i] = cxn_densenet121;
    bad[0].growth = 0;
    bad[1].layers[2] = 0;
    bad[2].layers[3] = 65;
    bad[3].stem = 4097;
    bad[4].classes = 0;
    bad[5].bottleneck = 17;
    for (size_t i = 0; i < CXN_COUNTOF(bad); i++) {
        cxn_net *net = NULL;
        struct cxn_error err = { "" };
        assert_int_equal(cxn_net_open(&net, &bad[i], NULL, &err), CXN_E_ARG);
        assert_null(net);
        assert_true(strlen(err.text) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_torchvisions),
        cmocka_unit_test(counts_are_the_papers),
        cmocka_unit_test(block_has_no_gaps),
        cmocka_unit_test(unsound_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
