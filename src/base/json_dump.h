/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_JSON_DUMP_H
#define CXN_BASE_JSON_DUMP_H

#include <jansson.h>
#include <stdlib.h>

/*
 * json_dumps() that gives the whole text or NULL, where there is no memory. jansson (2.14) does not
 * look whether a key fitted: where its buffer could not grow just then, json_dumps() leaves the key
 * out and goes on. free() the text.
 */
static inline char *cxn_json_dump(const json_t *value, size_t flags)
{
    const size_t size = json_dumpb(value, NULL, 0, flags);
    char *text = size > 0 ? malloc(size + 1) : NULL;
    if (!text) return NULL;
    text[size] = '\0';
    if (json_dumpb(value, text, size, flags) == size) return text;
    free(text);
    return NULL;
}

#endif
