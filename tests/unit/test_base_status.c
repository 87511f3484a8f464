/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "unit/unit.h"

static void test_exit_statuses_are_the_documented_ones(void **state)
{
    (void)state;
    static const int exits[CXN_STATUS_COUNT] = { 0, 1, 2, 3, 3, 4, 5, 6, 1 };
    for (int i = 0; i < CXN_STATUS_COUNT; i++) {
        assert_int_equal(cxn_status_exit((enum cxn_status)i), exits[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(cxn_status_name((enum cxn_status)i),
                                    cxn_status_name((enum cxn_status)k));
    }
    assert_int_equal(cxn_status_exit(CXN_STATUS_COUNT), 1);
    assert_int_equal(cxn_status_exit((enum cxn_status)-1), 1);
    assert_string_equal(cxn_status_name(CXN_STATUS_COUNT), "unknown status");
}

static void test_fail_writes_the_text_and_hands_the_code_back(void **state)
{
    (void)state;
    struct cxn_error err = { "old" };
    assert_int_equal(cxn_fail(&err, CXN_E_LIMIT, "png: side %d", 7), CXN_E_LIMIT);
    assert_string_equal(err.text, "png: side 7");
    assert_int_equal(cxn_fail(NULL, CXN_E_IO, "%s", "dropped"), CXN_E_IO);
    assert_int_equal(cxn_fail_in(&err, CXN_E_LIMIT, "a.png"), CXN_E_LIMIT);
    assert_string_equal(err.text, "a.png: png: side 7");
    assert_int_equal(cxn_fail_in(&err, CXN_OK, "b"), CXN_OK);
    assert_string_equal(err.text, "a.png: png: side 7");
    assert_int_equal(cxn_fail_in(NULL, CXN_E_IO, "b"), CXN_E_IO);
    /* The text may be an argument of the text that replaces it. */
    cxn_fail(&err, CXN_E_IO, "(%s)", err.text);
    assert_string_equal(err.text, "(a.png: png: side 7)");
}

static void test_fail_errno_chooses_the_code(void **state)
{
    (void)state;
    struct cxn_error err;
    assert_int_equal(cxn_fail_errno(&err, ENOENT, "open", "x"), CXN_E_IO);
    assert_string_equal(err.text, "cannot open 'x': No such file or directory");
    assert_int_equal(cxn_fail_errno(&err, ENOMEM, "open", "x"), CXN_E_NOMEM);
}

static void test_what_is_not_printable_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *shown;
    } cases[] = {
        { "plain ~ text", "plain ~ text" },
        { "a\nb\tc\rd\x1b[2J\x7f", "a\\x0ab\\x09c\\x0dd\\x1b[2J\\x7f" },
        { "R\xc3\xb6ntgen \xe2\x82\xac \xf0\x9f\xa9\xbb",
          "R\xc3\xb6ntgen \xe2\x82\xac \xf0\x9f\xa9\xbb" },
        { "\xc2\x9b" "2J", "\\xc2\\x9b2J" },      /* C1: a terminal's control sequence */
        { "\xc2\xa0\xc2\xbf", "\xc2\xa0\xc2\xbf" },
        { "\x80\xff\xfe", "\\x80\\xff\\xfe" },    /* stray */
        { "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf" },   /* overlong */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },    /* half of a surrogate pair */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
        { "\xe2\x82", "\\xe2\\x82" },             /* cut short */
        { "\xf0\x9f", "\\xf0\\x9f" },
        { "\xe4rger", "\\xe4rger" },              /* Latin-1 */
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct cxn_error err;
        cxn_fail(&err, CXN_E_FORMAT, "%s", cases[i].raw);
        assert_string_equal(err.text, cases[i].shown);
    }
}

static void test_long_texts_are_cut_at_a_whole_character(void **state)
{
    (void)state;
    char raw[3 * CXN_ERROR_BYTES];
    struct {
        struct cxn_error err;
        char guard;
    } box;
    for (size_t wide = 0; wide < 3; wide++) { /* one byte, an escape of four, a character of two */
        box.guard = 42;
        const char *unit = wide == 0 ? "xx" : wide == 1 ? "\n\n" : "\xc3\xb6";
        for (size_t i = 0; i + 2 < sizeof raw; i += 2) memcpy(raw + i, unit, 3);
        cxn_fail(&box.err, CXN_E_IO, "%s", raw);
        assert_int_equal(box.guard, 42);
        const size_t n = strlen(box.err.text);
        assert_in_range(n, CXN_ERROR_BYTES - 8, CXN_ERROR_BYTES - 1);
        if (wide == 1) assert_string_equal(box.err.text + n - 4, "\\x0a");
    }
}

struct heard {
    int lines;
    char text[CXN_ERROR_BYTES];
};

/* A path may be longer than an error: its end and what is wrong are what counts. */
static void test_a_long_path_leaves_the_reason(void **state)
{
    (void)state;
    enum { PATH_LENGTH = 4000 };
    char path[PATH_LENGTH + 1];
    struct cxn_error err;
    memset(path, 'd', PATH_LENGTH);
    memcpy(path + PATH_LENGTH - 6, "/a.png", 7);
    cxn_fail(&err, CXN_E_FORMAT, "png: no IEND");
    cxn_fail_in(&err, CXN_E_FORMAT, path);
    assert_true(strncmp(err.text, "...ddd", 6) == 0);
    assert_non_null(strstr(err.text, "d/a.png: png: no IEND"));
    cxn_fail_errno(&err, ENOENT, "open", path);
    assert_true(strncmp(err.text, "cannot open '...ddd", 19) == 0);
    assert_non_null(strstr(err.text, "d/a.png': No such file or directory"));
    /* a reason as long as the error itself leaves the path's end */
    memset(err.text, 'r', sizeof err.text - 1);
    err.text[sizeof err.text - 1] = '\0';
    cxn_fail_in(&err, CXN_E_FORMAT, path);
    assert_non_null(strstr(err.text, "d/a.png: rrr"));
}

static void hear(void *ctx, const char *text)
{
    struct heard *h = ctx;
    h->lines++;
    snprintf(h->text, sizeof h->text, "%s", text);
}

static void test_notes_reach_the_caller_as_one_line(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    const struct cxn_log log = { .write = hear, .ctx = &heard }, mute = { 0 };
    cxn_note(&log, "%s: %d renamed", "a\nb", 3);
    assert_int_equal(heard.lines, 1);
    assert_string_equal(heard.text, "a\\x0ab: 3 renamed");
    cxn_note(&mute, "nobody");
    cxn_note(NULL, "nobody");
    assert_int_equal(heard.lines, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_statuses_are_the_documented_ones),
        cmocka_unit_test(test_fail_writes_the_text_and_hands_the_code_back),
        cmocka_unit_test(test_fail_errno_chooses_the_code),
        cmocka_unit_test(test_what_is_not_printable_is_escaped),
        cmocka_unit_test(test_long_texts_are_cut_at_a_whole_character),
        cmocka_unit_test(test_a_long_path_leaves_the_reason),
        cmocka_unit_test(test_notes_reach_the_caller_as_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
