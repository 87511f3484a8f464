/* SPDX-License-Identifier: Apache-2.0 */
/* Small valid files, cut and changed everywhere, and allocations that fail: an error or a load of
 * the right shape, never a crash, never a leak. */
#include "weights_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const files[] = { "tiny.pth", "tiny_legacy.pth", "tiny.safetensors" };

static uint8_t change; /* of every byte: what main() is told */

/* Of bytes that lie at the end of an allocation of exactly that size. */
static enum cxn_status load(const uint8_t *data, size_t size, const cxn_net *net,
                            struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    const struct cxn_source source = cxn_source_memory(data, size);
    struct cxn_weights_report report;
    float *block;
    err->text[0] = '\0';
    const enum cxn_status status =
        cxn_weights_load_source(&env, &source, net, &block, &report, err);
    assert_true((status == CXN_OK) == (block != NULL));
    assert_true((status == CXN_OK) == (err->text[0] == '\0'));
    cxn_free(block);
    assert_int_equal(mem->blocks, 0);
    return status;
}

static void test_every_prefix(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_tiny);
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    for (size_t f = 0; f < CXN_COUNTOF(files); f++) {
        struct cxn_bytes bytes = case_golden(files[f]);
        assert_int_equal(load(bytes.data, bytes.size, net, &mem, &err), CXN_OK);
        for (size_t size = 0; size < bytes.size; size++) {
            uint8_t *exact = copy_exactly(bytes.data, size);
            const enum cxn_status status = load(exact, size, net, &mem, &err);
            free(exact);
            if (status != CXN_E_FORMAT)
                fail_msg("%s, %zu bytes: %s '%s'", files[f], size, cxn_status_name(status),
                         err.text);
        }
        cxn_free(bytes.data);
    }
    cxn_net_close(&net);
}

static void test_every_byte_changed(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_tiny);
    struct cxn_mem mem;
    struct cxn_error err;
    size_t loaded = 0, refused = 0;
    cxn_mem_init(&mem, 0);
    for (size_t f = 0; f < CXN_COUNTOF(files); f++) {
        struct cxn_bytes bytes = case_golden(files[f]);
        for (size_t at = 0; at < bytes.size; at++) {
            bytes.data[at] ^= change;
            const enum cxn_status status = load(bytes.data, bytes.size, net, &mem, &err);
            bytes.data[at] ^= change;
            if (status == CXN_OK) loaded++;
            else refused++;
            if (status != CXN_OK && status != CXN_E_FORMAT && status != CXN_E_LIMIT)
                fail_msg("%s, byte %zu: %s '%s'", files[f], at, cxn_status_name(status), err.text);
        }
        assert_int_equal(load(bytes.data, bytes.size, net, &mem, &err), CXN_OK);
        cxn_free(bytes.data);
    }
    assert_true(mem.peak_bytes < 4 << 20); /* no change makes a small file large */
    printf("%zu changes refused, %zu loaded\n", refused, loaded);
    assert_true(refused > loaded);
    cxn_net_close(&net);
}

/* fail_after: all later allocations fail as well. */
static size_t fail_each_allocation(const char *name, const struct cxn_net_config *config,
                                   bool fail_after)
{
    cxn_net *net = case_net(config);
    struct cxn_bytes bytes = case_golden(name);
    struct cxn_error err;
    size_t n = 1;
    for (;; n++) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        mem.fail_at = n;
        mem.fail_after = fail_after;
        const enum cxn_status status = load(bytes.data, bytes.size, net, &mem, &err);
        if (status == CXN_OK) break;
        if (status != CXN_E_NOMEM)
            fail_msg("%s, allocation %zu: %s '%s'", name, n, cxn_status_name(status), err.text);
        assert_non_null(strstr(err.text, "no memory for"));
    }
    cxn_free(bytes.data);
    cxn_net_close(&net);
    return n - 1;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const struct cxn_net_config *config;
    } cases[] = {
        { "tiny.pth", &case_tiny },         { "tiny_legacy.pth", &case_tiny },
        { "tiny.safetensors", &case_tiny }, { "channels_last.pth", &case_small },
        { "double.pth", &case_tiny },       { "wrapped.pth", &case_tiny },
        { "old_gpu.pth", &case_tiny },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        const size_t once = fail_each_allocation(cases[i].name, cases[i].config, false);
        const size_t forever = fail_each_allocation(cases[i].name, cases[i].config, true);
        assert_int_equal(once, forever);
        assert_true(once > 5);
        printf("%s: %zu allocations failed\n", cases[i].name, once);
    }
}

static void test_memory_limit(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_small);
    struct cxn_bytes bytes = case_golden("plain.pth");
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_mem_init(&mem, 40000); /* less than the block of 45 KB and what is read before */
    assert_int_equal(load(bytes.data, bytes.size, net, &mem, &err), CXN_E_NOMEM);
    assert_non_null(strstr(err.text, "of the limit of 0.0 MiB in use"));
    assert_true(mem.peak_bytes <= 40000);
    cxn_free(bytes.data);
    cxn_net_close(&net);
}

/* test_weights_faults cut|CHANGE: all but changed bytes, or every byte with these bits turned */
int main(int argc, char **argv)
{
    const struct CMUnitTest cut[] = {
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_memory_limit),
    };
    const struct CMUnitTest changed[] = { cmocka_unit_test(test_every_byte_changed) };
    if (argc != 2) return 2;
    if (strcmp(argv[1], "cut") == 0) return cmocka_run_group_tests(cut, NULL, NULL);
    change = (uint8_t)strtoul(argv[1], NULL, 16);
    return change ? cmocka_run_group_tests(changed, NULL, NULL) : 2;
}
