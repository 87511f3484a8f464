/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_NAMES_H
#define CXN_ONNX_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* Names of a graph, each kept once under a number. Zeroed but for mem is an empty table. */

enum { CXN_NAMES_MAX = 65536, CXN_NAMES_TEXT_MAX = 8 << 20 };

struct cxn_onnx_names {
    struct cxn_mem *mem;
    char *text; /* all of them, each with a NUL */
    size_t text_size, text_capacity;
    uint32_t *at; /* of name number i in text */
    size_t count, capacity;
    uint32_t *slots; /* hash table of numbers + 1; 0: free */
    size_t slot_count; /* a power of two, more than four times the names */
};

void cxn_names_close(struct cxn_onnx_names *names);

/* The number of a name, new or not: 0, 1, ... in the order of their coming. CXN_E_LIMIT: too many,
 * or chosen so that finding them takes long; CXN_E_NOMEM. */
enum cxn_status cxn_names_number(struct cxn_onnx_names *names, const char *name, uint32_t *number,
                                 struct cxn_error *err);

const char *cxn_names_text(const struct cxn_onnx_names *names, uint32_t number);

#endif
