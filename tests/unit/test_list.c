/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/text_case.h"

#include <stdlib.h>
#include <unistd.h>

#include "data/list.h"
#include "data/lines.h"

#define ZEROS13 " 0 0 0 0 0 0 0 0 0 0 0 0 0"
#define ZEROS14 ZEROS13 " 0"
#define HEADER "Image Index,Finding Labels,Follow-up #,Patient ID\n"

static const struct cxn_env env;

static cxn_list *parse(const char *text, const cxn_entries *entries)
{
    cxn_list *list = NULL;
    struct cxn_error err = { "" };
    const enum cxn_status status =
        cxn_list_parse(&list, &env, "l", text, strlen(text), entries, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, CXN_OK);
    return list;
}

static cxn_entries *parse_entries(const char *text)
{
    cxn_entries *entries = NULL;
    struct cxn_error err = { "" };
    const enum cxn_status status =
        cxn_entries_parse(&entries, &env, "e", text, strlen(text), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, CXN_OK);
    return entries;
}

static void labelled_lines(void **state)
{
    (void)state;
    /* A byte order mark, LF, CR LF, tabs, trailing blanks, and no newline at the end. */
    cxn_list *list = parse("\xef\xbb\xbf" "00000061_012.png 1" ZEROS13 "\n"
                           "scan.7.jpeg\t0 0 1" " 0 0 0 0 0 0 0 0 0 0 1 \r\n"
                           "00000061_3.png" ZEROS14, NULL);
    assert_int_equal(list->count, 3);
    assert_true(list->labelled);
    assert_string_equal(list->items[0].name, "00000061_012.png");
    assert_string_equal(list->items[1].name, "scan.7.jpeg");
    assert_string_equal(list->items[2].name, "00000061_3.png");
    assert_int_equal(list->items[0].labels, 1);
    assert_int_equal(list->items[1].labels, 1 << 2 | 1 << 13);
    assert_int_equal(list->items[2].labels, 0);
    assert_int_equal(list->items[0].patient, 61);
    assert_int_equal(list->items[1].patient, CXN_PATIENT_UNKNOWN | 1u);
    assert_int_equal(list->items[2].patient, CXN_PATIENT_UNKNOWN | 2u); /* not NIH's form */
    cxn_list_close(&list);
    assert_null(list);
}

static void hash_is_of_the_bytes(void **state)
{
    (void)state;
    cxn_list *list = parse("abc", NULL);
    assert_string_equal(list->sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_false(list->labelled);
    cxn_list_close(&list);
}

static void name_only_lines(void **state)
{
    (void)state;
    cxn_entries *entries = parse_entries(HEADER "00000002_000.png,Mass|Hernia,0,2\n"
                                                "x.png,No Finding,0,7\n"
                                                "00000001_000.png,Pleural_Thickening,0,9");
    assert_int_equal(cxn_entries_count(entries), 3);
    assert_null(cxn_entries_find(entries, "00000001_00"));
    assert_null(cxn_entries_find(entries, "zz"));
    cxn_list *list = parse("x.png\n00000001_000.png\n", entries);
    assert_true(list->labelled);
    assert_int_equal(list->items[0].labels, 0);
    assert_int_equal(list->items[0].patient, 7);
    assert_int_equal(list->items[1].labels, 1 << 12);
    assert_int_equal(list->items[1].patient, 9); /* the table's word, not the name's */
    cxn_list_close(&list);
    /* Labels of the list stand; the table gives the patient where it has the image. */
    list = parse("00000001_000.png" ZEROS14 "\n00000005_000.png" ZEROS14, entries);
    assert_int_equal(list->items[0].labels, 0);
    assert_int_equal(list->items[0].patient, 9);
    assert_int_equal(list->items[1].patient, 5);
    cxn_list_close(&list);
    cxn_entries_close(&entries);
    assert_null(entries);
}

static void both_editions_of_the_table(void **state)
{
    (void)state;
    cxn_entries *entries = parse_entries(
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
        "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\r\n"
        "00000001_000.png,Cardiomegaly|Emphysema,0,1,058Y,M,PA,2682,2749,0.143,0.143,\r\n"
        "00000001_001.png,No Finding,1,1,058Y,M,PA,2894,2729,0.143,0.143\r\n");
    assert_int_equal(cxn_entries_find(entries, "00000001_000.png")->labels, 1 << 1 | 1 << 10);
    assert_int_equal(cxn_entries_find(entries, "00000001_001.png")->patient, 1);
    cxn_entries_close(&entries);
    entries = parse_entries("\"Image Index\",\"Finding Labels\",\"Patient ID\"\n"
                            "\"a,\"\"b\"\".png\",\"Edema|Effusion\",12\n");
    assert_int_equal(cxn_entries_find(entries, "a,\"b\".png")->labels, 1 << 9 | 1 << 2);
    assert_int_equal(cxn_entries_find(entries, "a,\"b\".png")->patient, 12);
    cxn_entries_close(&entries);
    entries = parse_entries("Finding Labels,Image Index\nMass,00000012_000.png\nMass,b.png\n");
    assert_int_equal(cxn_entries_find(entries, "00000012_000.png")->patient, 12);
    assert_int_equal(cxn_entries_find(entries, "b.png")->patient, CXN_PATIENT_UNKNOWN | 1u);
    cxn_entries_close(&entries);
}

static enum cxn_status read_list(const struct cxn_env *e, const void *data, size_t size,
                                 struct cxn_error *err)
{
    cxn_list *list = NULL;
    const enum cxn_status status = cxn_list_parse(&list, e, "l", data, size, NULL, err);
    assert_true((status == CXN_OK) == (list != NULL));
    cxn_list_close(&list);
    return status;
}

static enum cxn_status read_entries(const struct cxn_env *e, const void *data, size_t size,
                                    struct cxn_error *err)
{
    cxn_entries *entries = NULL;
    const enum cxn_status status = cxn_entries_parse(&entries, e, "e", data, size, err);
    assert_true((status == CXN_OK) == (entries != NULL));
    cxn_entries_close(&entries);
    return status;
}

static const struct text_case bad_lists[] = {
    { "", CXN_E_FORMAT, "l: empty, expected a list of images" },
    { "a.png" ZEROS14 "\nb.png" ZEROS13, CXN_E_FORMAT, "l:2: 13 labels, expected 14" },
    { "a.png" ZEROS14 " 1", CXN_E_FORMAT, "l:1: 15 labels, expected 14" },
    { "a.png 0 0 2 0 0 0 0 0 0 0 0 0 0 0", CXN_E_FORMAT,
      "l:1: label 3 (Effusion) is '2', expected 0 or 1" },
    { "a.png 0 0 00 0 0 0 0 0 0 0 0 0 0 0", CXN_E_FORMAT,
      "l:1: label 3 (Effusion) is '00', expected 0 or 1" },
    { "a.png" ZEROS14 "\n\n", CXN_E_FORMAT,
      "l:2: no image name, expected one such as a.png" },
    { "a/b.png" ZEROS14, CXN_E_FORMAT,
      "l:1: image name 'a/b.png', expected a file name with no folder" },
    { "..", CXN_E_FORMAT, "l:1: image name '..', expected a file name with no folder" },
    { "a\x1b.png", CXN_E_FORMAT, "l:1: control byte 0x1b in image name 'a\\x1b.png'" },
    { "a.png\rb.png", CXN_E_FORMAT, "l:1: control byte 0x0d in image name 'a.png\\x0db.png'" },
    { "a.png\nb.png\nc.png\nb.png\na.png", CXN_E_FORMAT,
      "l:4: image 'b.png' is already on line 2" },
    { "b.png\na.png\na.png\nb.png", CXN_E_FORMAT, "l:3: image 'a.png' is already on line 2" },
    { "a.png\nb.png" ZEROS14, CXN_E_FORMAT, "l:2: 14 labels, but the lines before have 0" },
    { "a.png" ZEROS14 "\nb.png", CXN_E_FORMAT, "l:2: 0 labels, but the lines before have 14" },
};

static const struct text_case bad_entries[] = {
    { "", CXN_E_FORMAT, "e: empty, expected a header and a row an image" },
    { HEADER, CXN_E_FORMAT, "e: no rows, expected a header and a row an image" },
    { "a,b\nc,d\n", CXN_E_FORMAT,
      "e:1: not NIH's Data_Entry table: no column 'Image Index' in the header" },
    { "Image Index,b\nc,d\n", CXN_E_FORMAT,
      "e:1: not NIH's Data_Entry table: no column 'Finding Labels' in the header" },
    { HEADER "a.png,Mass,0\n", CXN_E_FORMAT, "e:2: 3 fields, expected 4 as in the header" },
    { HEADER "a.png,Infiltrate,0,1\n", CXN_E_FORMAT,
      "e:2: unknown finding 'Infiltrate' in 'Infiltrate'" },
    { HEADER "a.png,Mass|No Finding,0,1\n", CXN_E_FORMAT,
      "e:2: unknown finding 'No Finding' in 'Mass|No Finding'" },
    { HEADER "a.png,Mass|,0,1\n", CXN_E_FORMAT, "e:2: unknown finding '' in 'Mass|'" },
    { HEADER "a.png,Mass|Mass,0,1\n", CXN_E_FORMAT, "e:2: finding Mass twice in 'Mass|Mass'" },
    { HEADER "a.png,Mass,0,-1\n", CXN_E_FORMAT,
      "e:2: Patient ID '-1', expected a number of 1..9 digits" },
    { HEADER "a.png,Mass,0,1234567890\n", CXN_E_FORMAT,
      "e:2: Patient ID '1234567890', expected a number of 1..9 digits" },
    { HEADER "a.png,Mass,0,1\nb.png,Mass,0,1\na.png,Mass,0,1\n", CXN_E_FORMAT,
      "e:4: image 'a.png' is already on line 2" },
    { HEADER "\"a.png,Mass,0,1\n", CXN_E_FORMAT, "e:2: field 1: no closing quote on the line" },
    { HEADER "a\"b\".png,Mass,0,1\n", CXN_E_FORMAT,
      "e:2: field 1: a stray quote, or text after one" },
    { HEADER "\"a\"b.png,Mass,0,1\n", CXN_E_FORMAT,
      "e:2: field 1: a stray quote, or text after one" },
    { HEADER "d/a.png,Mass,0,1\n", CXN_E_FORMAT,
      "e:2: image name 'd/a.png', expected a file name with no folder" },
    { HEADER ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", CXN_E_LIMIT,
      "e:2: more than 64 fields" },
};

static void refused(void **state)
{
    (void)state;
    check_refused(read_list, bad_lists, CXN_COUNTOF(bad_lists));
    check_refused(read_entries, bad_entries, CXN_COUNTOF(bad_entries));
}

static void unlisted_image_is_named(void **state)
{
    (void)state;
    cxn_entries *entries = parse_entries(HEADER "a.png,Mass,0,1\n");
    cxn_list *list = NULL;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_list_parse(&list, &env, "l", "a.png\nb.png\n", 12, entries, &err),
                     CXN_E_FORMAT);
    assert_string_equal(err.text, "l:2: image 'b.png' is not in the entry table");
    assert_null(list);
    cxn_entries_close(&entries);
}

/* Limits, and bytes that a string literal cannot hold. */
static void limits(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    char text[CXN_TEXT_LINE_MAX_BYTES + 1];
    memset(text, 'a', sizeof text);
    assert_int_equal(read_list(&env, text, sizeof text, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "l:1: a line of 4096 bytes, limit 4095");
    assert_int_equal(read_list(&env, text, 256, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "l:1: an image name of 256 bytes, limit 255");
    assert_int_equal(read_list(&env, text, 255, &err), CXN_OK);
    assert_int_equal(read_list(&env, "a.png\0b", 7, &err), CXN_E_FORMAT);
    assert_string_equal(err.text, "l:1: a NUL byte, expected text");
    /* Nothing of it may be read: only its size is looked at. */
    assert_int_equal(read_list(&env, text, (size_t)CXN_TEXT_MAX_BYTES + 1, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "l: 268435457 bytes, limit 268435456");
    const size_t lines_bytes = CXN_TEXT_LINES_MAX + 1;
    char *lines = malloc(lines_bytes);
    assert_non_null(lines);
    memset(lines, '\n', lines_bytes);
    assert_int_equal(read_list(&env, lines, lines_bytes, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "l:10000001: more than 10000000 lines");
    free(lines);
}

static void allocation_failures(void **state)
{
    (void)state;
    check_allocation_failures(read_list, "a.png" ZEROS14 "\nb.png" ZEROS14);
    check_allocation_failures(read_entries, HEADER "a.png,Mass,0,1\nb.png,Mass,0,1\n");
}

static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/cxn-list-XXXXXX";
    struct cxn_error err = { "" };
    cxn_list *list = NULL;
    cxn_entries *entries = NULL;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "00000003_000.png", 16), 16);
    close(fd);
    assert_int_equal(cxn_list_open(&list, &env, path, NULL, &err), CXN_OK);
    assert_int_equal(list->items[0].patient, 3);
    cxn_list_close(&list);
    assert_int_equal(cxn_entries_open(&entries, &env, path, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, path));
    unlink(path);
    assert_int_equal(cxn_list_open(&list, &env, path, NULL, &err), CXN_E_IO);
    assert_int_equal(cxn_entries_open(&entries, &env, path, &err), CXN_E_IO);
    assert_null(list);
    assert_null(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labelled_lines),
        cmocka_unit_test(hash_is_of_the_bytes),
        cmocka_unit_test(name_only_lines),
        cmocka_unit_test(both_editions_of_the_table),
        cmocka_unit_test(refused),
        cmocka_unit_test(unlisted_image_is_named),
        cmocka_unit_test(limits),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
