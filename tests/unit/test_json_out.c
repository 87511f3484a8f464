/* SPDX-License-Identifier: Apache-2.0 */
/* --json where memory ends: the whole object or an error, never a part of it. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"
#include "json_out.h"

/* Allocation number fail_at of the object fails, with fail_after all later ones too; 0: none. */
static size_t calls, fail_at;
static bool fail_after;

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    calls++;
    if (fail_at != 0 && (calls == fail_at || (fail_after && calls > fail_at))) return NULL;
    return __real_malloc(bytes);
}

/* As commands build theirs: what a call answers is not looked at. */
static json_t *build(void)
{
    json_t *list = json_array();
    for (int i = 0; i < 20; i++) json_array_append_new(list, json_text("a\xff.png"));
    json_t *object = json_object();
    json_object_set_new(object, "files", list);
    json_object_set_new(object, "mean", json_number(0.5));
    return object;
}

/* The status of json_print(), and what it printed. */
static enum cxn_status print(char *text, size_t size)
{
    struct cxn_error err = { "" };
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    const int before = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    calls = 0;
    const enum cxn_status status = json_print(build(), &err);
    fail_at = 0;
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(err.text[0] != '\0', status != CXN_OK);
    return status;
}

/* What refuses memory is told once for the rest of the process, so each case is a child. */
static void check_case(size_t at, bool after, const char *whole)
{
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char text[4096];
        fail_at = at;
        fail_after = after;
        const enum cxn_status status = print(text, sizeof text);
        const bool good = status == CXN_OK ? strcmp(text, whole) == 0
                                           : status == CXN_E_NOMEM && text[0] == '\0';
        _exit(good ? 0 : 1);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    if (result != 0) fail_msg("allocation %zu%s: a part was printed", at, after ? "+" : "");
}

static void test_memory_refused(void **state)
{
    (void)state;
    char whole[4096];
    assert_int_equal(print(whole, sizeof whole), CXN_OK);
    assert_non_null(strstr(whole, "\"mean\": 0.5"));
    assert_non_null(strstr(whole, "Research use only"));
    const size_t count = calls;
    assert_true(count > 40);
    for (size_t at = 1; at <= count; at++) {
        check_case(at, false, whole);
        check_case(at, true, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_memory_refused) };
    json_watch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
