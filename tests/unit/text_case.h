/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_UNIT_TEXT_CASE_H
#define CXN_TESTS_UNIT_TEXT_CASE_H

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/status.h"
#include "unit/unit.h"

/* A content that a text reader refuses, with the exact sentence. */
struct text_case {
    const char *text;
    enum cxn_status status;
    const char *sentence;
};

/* Reads bytes, frees what came of it, hands the status back. */
typedef enum cxn_status text_reader(const struct cxn_env *env, const void *data, size_t size,
                                    struct cxn_error *err);

static inline void check_refused(text_reader *read, const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cxn_mem mem;
        cxn_mem_init(&mem, 0);
        const struct cxn_env env = { .mem = &mem };
        struct cxn_error err = { "" };
        const struct text_case *c = &cases[i];
        assert_int_equal(read(&env, c->text, strlen(c->text), &err), c->status);
        assert_string_equal(err.text, c->sentence);
        assert_int_equal(mem.blocks, 0);
    }
}

/* Every allocation fails once, and from then on: each time CXN_E_NOMEM, and nothing is kept. */
static inline void check_allocation_failures(text_reader *read, const char *text)
{
    for (int after = 0; after < 2; after++) {
        enum cxn_status status = CXN_E_NOMEM;
        size_t failures = 0;
        for (size_t at = 1; status != CXN_OK; at++) {
            struct cxn_mem mem;
            cxn_mem_init(&mem, 0);
            mem.fail_at = at;
            mem.fail_after = after == 1;
            const struct cxn_env env = { .mem = &mem };
            struct cxn_error err = { "" };
            status = read(&env, text, strlen(text), &err);
            assert_int_equal(mem.blocks, 0);
            if (status == CXN_OK) break;
            assert_int_equal(status, CXN_E_NOMEM);
            assert_string_not_equal(err.text, "");
            failures++;
        }
        assert_true(failures > 0);
    }
}

#endif
