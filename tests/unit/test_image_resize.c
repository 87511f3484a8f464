/* SPDX-License-Identifier: Apache-2.0 */
/* Resize and crops against Pillow's and torchvision's own results. */
#include "image_support.h"

static const struct cxn_env env; /* no limits */

static void check_resize(void *ctx, char *const fields[])
{
    (void)ctx;
    uint32_t n[5];
    for (size_t i = 0; i < 5; i++) n[i] = (uint32_t)number_of(fields[i], 10);
    struct cxn_picture src = make_picture(n[0], n[1], n[2]), out;
    assert_int_equal(cxn_picture_resize(&env, &src, CXN_RESIZE_SIDE, &out, NULL), CXN_OK);
    assert_int_equal(out.width, n[3]);
    assert_int_equal(out.height, n[4]);
    assert_int_equal(out.channels, n[2]);
    if (picture_crc(&out) != number_of(fields[5], 16))
        fail_msg("%ux%ux%u: pixels differ from Pillow's", n[0], n[1], n[2]);
    cxn_picture_close(&out);
    cxn_picture_close(&src);
}

static void resize_equals_pillow(void **state)
{
    (void)state;
    assert_int_equal(for_each_row("tests/golden/image/resize.csv", 6, check_resize, NULL), 21);
}

static void resize_reads_rows_with_gaps(void **state)
{
    (void)state;
    struct cxn_picture src = make_picture(600, 500, 1), part = src, copy, out[2];
    part.width = 400; /* rows are still 600 bytes apart */
    assert_int_equal(cxn_picture_open(&env, 400, 500, 1, &copy, NULL), CXN_OK);
    for (size_t y = 0; y < 500; y++)
        for (size_t x = 0; x < 400; x++) copy.pixels[y * 400 + x] = src.pixels[y * 600 + x];
    assert_int_equal(cxn_picture_resize(&env, &part, 256, &out[0], NULL), CXN_OK);
    assert_int_equal(cxn_picture_resize(&env, &copy, 256, &out[1], NULL), CXN_OK);
    assert_int_equal(picture_crc(&out[0]), picture_crc(&out[1]));
    cxn_picture_close(&out[0]);
    cxn_picture_close(&out[1]);
    cxn_picture_close(&copy);
    cxn_picture_close(&src);
}

static void resize_refuses_endless_strips(void **state)
{
    (void)state;
    struct cxn_error err;
    struct cxn_picture src = make_picture(1000, 3, 1), out;
    assert_int_equal(cxn_picture_resize(&env, &src, 256, &out, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "a 1000x3 picture resized to a short side of 256 would be 85333 "
                                  "pixels long, limit 65536");
    assert_null(out.pixels);
    cxn_picture_close(&src);
}

/* Side 256: the centre starts at 16; 257: 16.5, to the even 16; 259: 17.5, to the even 18. */
static void crops_are_those_of_torchvision(void **state)
{
    (void)state;
    const struct cxn_picture p = { .width = 257, .height = 259, .channels = 1 };
    const struct cxn_view expected[] = {
        { &p, 0, 0, 224, 224, false },   { &p, 33, 0, 224, 224, false },
        { &p, 0, 35, 224, 224, false },  { &p, 33, 35, 224, 224, false },
        { &p, 16, 18, 224, 224, false }, { &p, 33, 0, 224, 224, true },
        { &p, 0, 0, 224, 224, true },    { &p, 33, 35, 224, 224, true },
        { &p, 0, 35, 224, 224, true },   { &p, 17, 18, 224, 224, true },
    };
    struct cxn_view views[CXN_VIEWS_MAX];
    assert_int_equal(cxn_crops_views(CXN_CROPS_TEN, &p, views), 10);
    for (size_t i = 0; i < 10; i++) {
        assert_ptr_equal(views[i].picture, &p);
        assert_int_equal(views[i].x, expected[i].x);
        assert_int_equal(views[i].y, expected[i].y);
        assert_int_equal(views[i].width, expected[i].width);
        assert_int_equal(views[i].height, expected[i].height);
        assert_int_equal(views[i].mirror, expected[i].mirror);
    }
    assert_int_equal(cxn_crops_views(CXN_CROPS_CENTER, &p, views), 1);
    assert_int_equal(views[0].x, 16);
    assert_int_equal(views[0].y, 18);
    assert_false(views[0].mirror);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_equals_pillow),
        cmocka_unit_test(resize_reads_rows_with_gaps),
        cmocka_unit_test(resize_refuses_endless_strips),
        cmocka_unit_test(crops_are_those_of_torchvision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
