/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of every kind against Pillow's Image.open(f).convert("RGB"). */
#include "image_support.h"

#include <stdio.h>
#include <string.h>

static const struct cxn_env env; /* no limits, silent */

static void check_file(void *ctx, char *const fields[])
{
    (void)ctx;
    char path[256];
    struct cxn_error err = { "" };
    struct cxn_picture p;
    unsigned notes;
    snprintf(path, sizeof path, "tests/golden/image/%s", fields[0]);
    if (cxn_image_load(&env, path, &p, &notes, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(p.width, number_of(fields[1], 10));
    assert_int_equal(p.height, number_of(fields[2], 10));
    assert_int_equal(p.channels, number_of(fields[3], 10));
    if (picture_crc(&p) != number_of(fields[4], 16)) fail_msg("%s: pixels differ", path);
    const bool deep = strstr(fields[0], "depth16") || strstr(fields[0], "rgba16");
    assert_int_equal(notes, deep ? CXN_NOTE_SCALED_16 : 0);
    cxn_picture_close(&p);
}

static void files_equal_pillow(void **state)
{
    (void)state;
    assert_int_equal(for_each_row("tests/golden/image/files.csv", 5, check_file, NULL), 67);
}

static void keep_note(void *ctx, const char *text)
{
    snprintf(ctx, 256, "%s", text);
}

static void scaled_samples_are_told(void **state)
{
    (void)state;
    char told[256] = "";
    const struct cxn_log log = { keep_note, told };
    const struct cxn_env noted = { .log = &log };
    struct cxn_picture p;
    const char *path = "tests/golden/image/type0-depth16.png";
    assert_int_equal(cxn_image_load(&noted, path, &p, NULL, NULL), CXN_OK);
    assert_string_equal(told, "tests/golden/image/type0-depth16.png: 16-bit samples were scaled to "
                              "8 bits");
    cxn_picture_close(&p);
}

static void errors_name_the_file(void **state)
{
    (void)state;
    struct cxn_error err;
    struct cxn_picture p;
    assert_int_equal(cxn_image_load(&env, "tests/golden/image/files.csv", &p, NULL, &err),
                     CXN_E_FORMAT);
    assert_string_equal(err.text, "tests/golden/image/files.csv: neither a PNG nor a JPEG picture: "
                                  "it starts with 74 79 70 65");
    assert_int_equal(cxn_image_load(&env, "no/such.png", &p, NULL, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "no/such.png"));
    assert_null(p.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_equal_pillow),
        cmocka_unit_test(scaled_samples_are_told),
        cmocka_unit_test(errors_name_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
