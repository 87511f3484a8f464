/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation number N fails, once or from then on, for every N: an error, no leak, no crash. */
#include "image_support.h"

#include <string.h>

#include "base/file.h"

/* Decode and resize; both pictures are closed again. */
static enum cxn_status work(struct cxn_mem *mem, const char *path)
{
    const struct cxn_env env = { .mem = mem };
    struct cxn_error err = { "" };
    struct cxn_picture p, resized;
    enum cxn_status status = cxn_image_load(&env, path, &p, NULL, &err);
    if (status == CXN_OK) status = cxn_picture_resize(&env, &p, CXN_RESIZE_SIDE, &resized, &err);
    else assert_null(p.pixels);
    if (status == CXN_OK) cxn_picture_close(&resized);
    else assert_true(strstr(err.text, "no memory for"));
    cxn_picture_close(&p);
    return status;
}

static void fail_each(const char *path, bool sticky, size_t points_min)
{
    size_t n = 0;
    enum cxn_status status;
    do {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        mem.fail_at = ++n;
        mem.fail_after = sticky;
        status = work(&mem, path);
        if (status != CXN_OK) assert_int_equal(status, CXN_E_NOMEM);
        assert_int_equal(mem.blocks, 0);
        assert_int_equal(mem.used_bytes, 0);
    } while (status != CXN_OK && n < 100);
    assert_in_range(n - 1, points_min, 99);
}

static void each_allocation_fails(void **state)
{
    (void)state;
    /* file, raw, picture, two rows; two tables of four each, narrow and resized picture */
    static const struct {
        const char *path;
        size_t points;
    } cases[] = {
        { "tests/golden/image/type2-depth8-adam7.png", 15 },
        { "tests/golden/image/many-idat.png", 16 },
        { "tests/golden/image/rgb-420-37x29.jpg", 13 },
        { "tests/golden/image/progressive-grey.jpg", 13 },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        fail_each(cases[i].path, false, cases[i].points);
        fail_each(cases[i].path, true, cases[i].points);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
