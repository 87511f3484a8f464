/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/phantom.h"
#include "image/image.h"
#include "image/png_write.h"
#include "unit/data_support.h"

/* ---- the plan ------------------------------------------------------------------------------ */

static struct cxn_phantom_image *plan(const struct cxn_phantom_spec *spec)
{
    const struct cxn_env env = { 0 };
    struct cxn_phantom_image *images;
    assert_int_equal(cxn_phantom_plan(&env, spec, &images, NULL), CXN_OK);
    return images;
}

/* Percent of the train list of the CheXNet split, to one decimal. */
static const double real_percent[CXN_FINDING_COUNT] = { 10.2, 2.5, 11.8, 17.7, 5.1, 5.6, 1.2,
                                                        4.7,  4.2, 2.2,  2.3,  1.5, 2.9, 0.2 };

/* Within five deviations; images of a patient are alike, which doubles the variance at most. */
static void check_prevalence(bool balanced)
{
    const struct cxn_phantom_spec spec = { .images = 20000, .size = 256, .balanced = balanced };
    struct cxn_phantom_image *images = plan(&spec);
    size_t none = 0;
    for (int k = 0; k < CXN_FINDING_COUNT; k++) {
        size_t count = 0;
        for (size_t i = 0; i < spec.images; i++) count += images[i].labels >> k & 1;
        const double p = cxn_phantom_prevalence(k, balanced), n = (double)spec.images;
        assert_true(fabs(100 * p - (balanced ? 25 : real_percent[k])) <= 0.2);
        assert_true(fabs((double)count / n - p) < 5 * sqrt(2 * p * (1 - p) / n));
    }
    for (size_t i = 0; i < spec.images; i++) none += images[i].labels == 0;
    if (!balanced) assert_in_range(none, 52 * spec.images / 100, 58 * spec.images / 100);
    cxn_free(images);
}

static void prevalence(void **state)
{
    (void)state;
    check_prevalence(false);
    check_prevalence(true);
}

/* Whole patients in a list, in the order of names, 70, 10 and 20 percent. */
static void check_split(size_t count)
{
    const struct cxn_phantom_spec spec = { .images = count, .size = 256, .seed = count };
    struct cxn_phantom_image *images = plan(&spec);
    size_t filled[CXN_PHANTOM_LISTS] = { 0 }, most = 0;
    for (size_t i = 0; i < count; i++) {
        filled[images[i].split]++;
        if (images[i].follow_up > most) most = images[i].follow_up;
        if (i == 0) continue;
        const bool same = images[i].patient == images[i - 1].patient;
        assert_int_equal(images[i].follow_up, same ? images[i - 1].follow_up + 1 : 0);
        assert_int_equal(images[i].patient, images[i - 1].patient + !same);
        if (same) assert_int_equal(images[i].split, images[i - 1].split);
    }
    assert_true(fabs((double)filled[0] - 0.7 * (double)count) <= 10);
    assert_true(fabs((double)filled[1] - 0.1 * (double)count) <= 10);
    for (int i = 0; i < CXN_PHANTOM_LISTS; i++) assert_true(filled[i] > 0);
    if (count > 200) assert_int_equal(most, 9); /* ten images */
    cxn_free(images);
}

static void splits(void **state)
{
    (void)state;
    static const size_t counts[] = { 10, 11, 17, 40, 100, 1000, 5000 };
    for (size_t i = 0; i < CXN_COUNTOF(counts); i++) check_split(counts[i]);
}

/* ---- a picture ----------------------------------------------------------------------------- */

/* The bytes of a picture with every finding: they are the same with any compiler and on any
 * machine, and a change of them is a change of every data set made before. */
static void picture_is_fixed(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    const struct cxn_phantom_spec spec = { .images = 10, .size = 320, .seed = 42 };
    const struct cxn_phantom_image image = { .patient = 3, .follow_up = 1, .labels = 0x3fff };
    struct cxn_phantom_box boxes[CXN_PHANTOM_BOXES_MAX];
    struct cxn_picture picture;
    size_t count;
    char hex[CXN_SHA256_HEX_BYTES];
    assert_int_equal(cxn_phantom_draw(&env, &spec, &image, &picture, boxes, &count, NULL), CXN_OK);
    cxn_sha256_hex(picture.pixels, (size_t)320 * 320, hex);
    assert_string_equal(hex, "aa73be974be606ee5bef7643efedd09cac0a9c431fec290db9d786fc163cb0b8");
    cxn_picture_close(&picture);
}

/* Each finding changes the picture where its box is, for those that have one. */
static void findings_have_boxes(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    const struct cxn_phantom_spec spec = { .images = 10, .size = 256, .seed = 1 };
    for (uint32_t i = 0; i < 8 * 12; i++) {
        const int finding = (int)(i % 8);
        const struct cxn_phantom_image image = { .patient = i,
                                                 .labels = (uint16_t)(1u << finding) };
        struct cxn_phantom_box boxes[CXN_PHANTOM_BOXES_MAX];
        struct cxn_picture picture;
        size_t count;
        assert_int_equal(cxn_phantom_draw(&env, &spec, &image, &picture, boxes, &count, NULL),
                         CXN_OK);
        assert_true(count > 0);
        for (size_t k = 0; k < count; k++) {
            const struct cxn_extent *e = &boxes[k].extent;
            assert_int_equal(boxes[k].finding, finding);
            assert_true(e->x0 >= 0 && e->y0 >= 0 && e->x1 <= 1024 && e->y1 <= 1024);
            assert_true(e->x1 - e->x0 >= 4 && e->y1 - e->y0 >= 4);
        }
        cxn_picture_close(&picture);
    }
}

/* The share of each tone is drawn, whatever the chest: black and white stay rare, all are used. */
static void tones_are_spread(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    const struct cxn_phantom_spec spec = { .images = 10, .size = 256, .seed = 9 };
    for (uint32_t i = 0; i < 20; i++) {
        const struct cxn_phantom_image image = { .patient = i, .labels = (uint16_t)(i * 700) };
        struct cxn_phantom_box boxes[CXN_PHANTOM_BOXES_MAX];
        struct cxn_picture picture;
        size_t count, shares[8] = { 0 };
        assert_int_equal(cxn_phantom_draw(&env, &spec, &image, &picture, boxes, &count, NULL),
                         CXN_OK);
        for (size_t k = 0; k < 256 * 256; k++) shares[picture.pixels[k] / 32]++;
        for (int k = 0; k < 7; k++) assert_in_range(shares[k], 650, 24000);
        cxn_picture_close(&picture);
    }
}

/* ---- a set on the disk --------------------------------------------------------------------- */

static const char *const tables[] = { "train_list.txt", "val_list.txt", "test_list.txt",
                                      "Data_Entry_2017_v2020.csv", "BBox_List_2017.csv" };

static void write_set(const struct scratch *s, const char *name, unsigned threads)
{
    char path[SCRATCH_PATH];
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    struct cxn_env env = { .mem = &mem };
    struct cxn_error err = { "" };
    const struct cxn_phantom_spec spec = { .images = 24, .size = 256, .seed = 5, .balanced = true };
    assert_int_equal(cxn_pool_open(&env.pool, threads, NULL), CXN_OK);
    assert_int_equal(cxn_phantom_write(&env, &spec, in_scratch(s, name, path), NULL, &err), CXN_OK);
    assert_string_equal(err.text, "");
    cxn_pool_close(&env.pool);
    assert_int_equal(mem.blocks, 0);
}

static void assert_same_file(const struct scratch *s, const char *relative)
{
    char a_name[96], b_name[96], path[SCRATCH_PATH];
    snprintf(a_name, sizeof a_name, "one/%s", relative);
    snprintf(b_name, sizeof b_name, "three/%s", relative);
    struct cxn_bytes a = read_whole(in_scratch(s, a_name, path));
    struct cxn_bytes b = read_whole(in_scratch(s, b_name, path));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    cxn_free(a.data);
    cxn_free(b.data);
}

/* The lists, the label table and the pictures agree with each other. */
static size_t check_list(const struct scratch *s, const char *name, const cxn_entries *entries)
{
    const struct cxn_env env = { 0 };
    char relative[96], path[SCRATCH_PATH];
    cxn_list *list;
    snprintf(relative, sizeof relative, "one/%s", name);
    assert_int_equal(cxn_list_open(&list, &env, in_scratch(s, relative, path), NULL, NULL), CXN_OK);
    assert_true(list->labelled);
    for (size_t i = 0; i < list->count; i++) {
        const struct cxn_item *entry = cxn_entries_find(entries, list->items[i].name);
        if (i > 0) assert_true(strcmp(list->items[i - 1].name, list->items[i].name) < 0);
        assert_non_null(entry);
        assert_int_equal(entry->labels, list->items[i].labels);
        assert_int_equal(entry->patient, list->items[i].patient);
        struct cxn_picture picture;
        snprintf(relative, sizeof relative, "images/%s", list->items[i].name);
        assert_same_file(s, relative);
        snprintf(relative, sizeof relative, "one/images/%s", list->items[i].name);
        assert_int_equal(cxn_image_load(&env, in_scratch(s, relative, path), &picture, NULL, NULL),
                         CXN_OK);
        assert_int_equal(picture.width, 256);
        assert_int_equal(picture.height, 256);
        assert_int_equal(picture.channels, 1);
        cxn_picture_close(&picture);
    }
    const size_t count = list->count;
    cxn_list_close(&list);
    return count;
}

static void set_has_its_form(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    const struct scratch s = make_scratch();
    char path[SCRATCH_PATH];
    write_set(&s, "one", 1);
    write_set(&s, "three", 3);
    for (size_t i = 0; i < CXN_COUNTOF(tables); i++) assert_same_file(&s, tables[i]);
    cxn_entries *entries;
    struct cxn_error err = { "" };
    in_scratch(&s, "one/Data_Entry_2017_v2020.csv", path);
    assert_int_equal(cxn_entries_open(&entries, &env, path, &err), CXN_OK);
    assert_int_equal(cxn_entries_count(entries), 24);
    size_t total = 0;
    for (size_t i = 0; i < 3; i++) total += check_list(&s, tables[i], entries);
    assert_int_equal(total, 24);
    cxn_entries_close(&entries);
    struct cxn_bytes boxes = read_whole(in_scratch(&s, "one/BBox_List_2017.csv", path));
    static const char head[] = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_00";
    assert_memory_equal(boxes.data, head, sizeof head - 1);
    cxn_free(boxes.data);
    remove_scratch(&s);
}

static int stop_at_three(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    (void)total;
    return done >= 3;
}

/* Whatever ends the work, nothing is left, and what stood there is as it was. */
static void nothing_is_left(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    struct scratch s = make_scratch();
    char path[SCRATCH_PATH], file[SCRATCH_PATH];
    struct cxn_error err = { "" };
    struct cxn_phantom_spec spec = { .images = 12, .size = 256 };
    const struct cxn_progress stop = { .tell = stop_at_three };
    in_scratch(&s, "set", path);
    assert_int_equal(cxn_phantom_write(&env, &spec, path, &stop, &err), CXN_E_STOPPED);
    assert_string_equal(err.text, "stopped after 3 of 12 images");
    assert_false(is_there(path));
    assert_int_equal(cxn_phantom_write(&env, &spec, s.path, NULL, &err), CXN_OK); /* empty */
    assert_int_equal(cxn_phantom_write(&env, &spec, s.path, NULL, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "it exists and is not empty"));
    assert_int_equal(cxn_phantom_write(&env, &spec, in_scratch(&s, "no/set", path), NULL, &err),
                     CXN_E_IO);
    assert_int_equal(
        cxn_phantom_write(&env, &spec, in_scratch(&s, "train_list.txt", file), NULL, &err),
        CXN_E_IO);
    spec.images = 9;
    assert_int_equal(cxn_phantom_write(&env, &spec, path, NULL, &err), CXN_E_ARG);
    assert_string_equal(err.text, "phantom: 9 images, expected 10..1000000");
    spec = (struct cxn_phantom_spec){ .images = 10, .size = 255 };
    assert_int_equal(cxn_phantom_write(&env, &spec, path, NULL, &err), CXN_E_ARG);
    remove_scratch(&s);
}

static void allocation_failures(void **state)
{
    (void)state;
    const struct scratch s = make_scratch();
    char path[SCRATCH_PATH];
    const struct cxn_phantom_spec spec = { .images = 10, .size = 256 };
    in_scratch(&s, "set", path);
    size_t at = 0;
    for (enum cxn_status status = CXN_E_NOMEM; status != CXN_OK;) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        /* Each of the first image's, then a few of the others'. */
        mem.fail_at = at += at < 10 ? 1 : 11;
        const struct cxn_env env = { .mem = &mem };
        struct cxn_error err = { "" };
        status = cxn_phantom_write(&env, &spec, path, NULL, &err);
        assert_int_equal(mem.blocks, 0);
        if (status == CXN_OK) break;
        assert_int_equal(status, CXN_E_NOMEM);
        assert_string_not_equal(err.text, "");
        assert_false(is_there(path));
    }
    assert_true(at > 20);
    remove_scratch(&s);
}

/* ---- PNG files ------------------------------------------------------------------------------ */

static void png_round_trip(void **state)
{
    (void)state;
    const struct cxn_env env = { 0 };
    static const uint32_t sizes[][3] = { { 1, 1, 1 }, { 1, 1, 3 }, { 7, 300, 1 }, { 300, 7, 3 },
                                         { 255, 257, 1 }, { 64, 64, 3 } };
    for (size_t i = 0; i < CXN_COUNTOF(sizes); i++) {
        struct cxn_picture p, back;
        struct cxn_bytes bytes;
        assert_int_equal(cxn_picture_open(&env, sizes[i][0], sizes[i][1], sizes[i][2], &p, NULL),
                         CXN_OK);
        struct cxn_random r = cxn_random_make(i, 1);
        for (size_t k = 0; k < p.height * p.stride_bytes; k++)
            p.pixels[k] = (uint8_t)(cxn_random_u32(&r) & (k % 3 == 0 ? 255 : 3));
        assert_int_equal(cxn_png_encode(&env, &p, &bytes, NULL), CXN_OK);
        assert_int_equal(cxn_image_decode(&env, bytes.data, bytes.size, &back, NULL, NULL), CXN_OK);
        assert_same_picture(&p, &back);
        cxn_free(bytes.data);
        cxn_picture_close(&back);
        cxn_picture_close(&p);
    }
    const struct cxn_picture none = { .width = 4, .height = 4, .channels = 2 };
    struct cxn_bytes bytes;
    assert_int_equal(cxn_png_encode(&env, &none, &bytes, NULL), CXN_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prevalence),
        cmocka_unit_test(splits),
        cmocka_unit_test(picture_is_fixed),
        cmocka_unit_test(findings_have_boxes),
        cmocka_unit_test(tones_are_spread),
        cmocka_unit_test(set_has_its_form),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(png_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
