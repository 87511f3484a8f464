/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_FUZZ_TEXT_H
#define CXN_TESTS_FUZZ_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "base/env.h"

/* What every text reader promises for any bytes: an object exactly when it says so, one line of
 * text otherwise, memory in proportion to the input, and nothing kept after closing. */

static inline void fuzz_require(int condition)
{
    if (!condition) abort();
}

static inline void fuzz_check_status(enum cxn_status status, const void *object,
                                     const struct cxn_error *err)
{
    fuzz_require((status == CXN_OK) == (object != NULL));
    fuzz_require(status == CXN_OK || status == CXN_E_FORMAT || status == CXN_E_LIMIT);
    fuzz_require((status == CXN_OK) == (err->text[0] == '\0'));
    fuzz_require(!strchr(err->text, '\n'));
}

static inline void fuzz_check_memory(const struct cxn_mem *mem, size_t size)
{
    fuzz_require(mem->blocks == 0);
    fuzz_require(mem->peak_bytes <= 4096 + 128 * size);
}

#endif
