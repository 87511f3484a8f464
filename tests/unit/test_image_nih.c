/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decode, Resize(256) and ten crops of real X-rays against Pillow and torchvision.
 *     test_image_nih short|all
 * short: 6 files of images/ and 4 of original/, an RGBA file among them.
 */
#include "image_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE "../shared/nih-sample"

static const struct cxn_env env; /* no limits, silent */

struct run {
    bool all;
    size_t row, checked;
};

static bool is_chosen(const struct run *run, const char *name)
{
    if (run->all || strstr(name, "original/00001054_002.png")) return true;
    return run->row % 150 == 1 || (run->row > 850 && run->row % 15 == 5);
}

static void check_file(void *ctx, char *const fields[])
{
    struct run *run = ctx;
    run->row++;
    if (!is_chosen(run, fields[0])) return;
    char path[256];
    struct cxn_error err = { "" };
    struct cxn_picture original, p;
    struct cxn_view views[CXN_VIEWS_MAX];
    snprintf(path, sizeof path, SAMPLE "/%s", fields[0]);
    if (cxn_image_load(&env, path, &original, NULL, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_picture_resize(&env, &original, CXN_RESIZE_SIDE, &p, &err), CXN_OK);
    assert_int_equal(p.channels, 1);
    if (picture_crc(&p) != number_of(fields[1], 16)) fail_msg("%s: resize differs", path);
    const size_t count = cxn_crops_views(CXN_CROPS_TEN, &p, views);
    if (views_crc(views, count) != number_of(fields[2], 16)) fail_msg("%s: crops differ", path);
    cxn_picture_close(&p);
    cxn_picture_close(&original);
    run->checked++;
}

static struct run run;

static void sample_equals_pillow(void **state)
{
    (void)state;
    assert_int_equal(for_each_row("tests/golden/nih-resize.csv", 3, check_file, &run), 898);
    printf("%zu files\n", run.checked);
    assert_in_range(run.checked, run.all ? 898 : 10, 898);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sample_equals_pillow) };
    run.all = argc == 2 && strcmp(argv[1], "all") == 0;
    if (access(SAMPLE, R_OK) != 0) {
        printf("skipped: resize of the NIH sample (no " SAMPLE ")\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
