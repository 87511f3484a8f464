/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

enum { TEXT_MAX = 8 << 20, PAIRS_MAX = 4096 };

void cxn_tensors_close(struct cxn_tensors *list)
{
    cxn_free(list->items);
    cxn_free(list->records);
    cxn_free(list->pairs);
    cxn_free(list->text);
    *list = (struct cxn_tensors){ .mem = list->mem };
}

const char *cxn_tensors_text(const struct cxn_tensors *list, uint32_t at)
{
    return list->text + at;
}

const char *cxn_tensors_name(const struct cxn_tensors *list, size_t i)
{
    return cxn_tensors_text(list, list->items[i].name_at);
}

static enum cxn_status keep_text(struct cxn_tensors *list, const char *s, size_t n, uint32_t *at,
                                 struct cxn_error *err)
{
    if (n >= TEXT_MAX || list->text_size > TEXT_MAX - n - 1)
        return cxn_fail(err, CXN_E_LIMIT, "more than %d bytes of names and metadata", TEXT_MAX);
    const size_t need = list->text_size + n + 1;
    char *text = cxn_grow(list->mem, list->text, &list->text_capacity, need, TEXT_MAX, 1);
    if (!text) return cxn_fail_nomem(err, list->mem, need, "names of tensors");
    list->text = text;
    memcpy(text + list->text_size, s, n);
    text[list->text_size + n] = '\0';
    *at = (uint32_t)list->text_size;
    list->text_size = need;
    return CXN_OK;
}

static enum cxn_status check_name(const char *name, size_t n, struct cxn_error *err)
{
    if (n == 0) return cxn_fail(err, CXN_E_FORMAT, "a tensor with an empty name");
    if (n > CXN_TENSOR_NAME_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "a tensor's name of %zu bytes, at most %d", n,
                        CXN_TENSOR_NAME_MAX);
    if (memchr(name, '\0', n))
        return cxn_fail(err, CXN_E_FORMAT, "a tensor's name holds a NUL byte: '%.*s...'", (int)n,
                        name);
    return CXN_OK;
}

enum cxn_status cxn_tensors_add(struct cxn_tensors *list, const struct cxn_tensor *t,
                                const char *name, size_t name_size, struct cxn_error *err)
{
    struct cxn_tensor item = *t;
    enum cxn_status status = check_name(name, name_size, err);
    if (status != CXN_OK) return status;
    if (list->count >= CXN_TENSORS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "more than %d tensors", CXN_TENSORS_MAX);
    if (!cxn_tensor_count(&item))
        return cxn_fail(err, CXN_E_FORMAT, "tensor '%.*s': its size does not fit 64 bits",
                        (int)name_size, name);
    struct cxn_tensor *items = cxn_grow(list->mem, list->items, &list->capacity, list->count + 1,
                                        CXN_TENSORS_MAX, sizeof *items);
    if (!items)
        return cxn_fail_nomem(err, list->mem, list->capacity * sizeof *items, "a list of tensors");
    list->items = items;
    status = keep_text(list, name, name_size, &item.name_at, err);
    if (status == CXN_OK) items[list->count++] = item;
    return status;
}

enum cxn_status cxn_tensors_add_pair(struct cxn_tensors *list, const char *key, const char *value,
                                     struct cxn_error *err)
{
    struct cxn_pair pair = { 0 };
    if (list->pair_count >= PAIRS_MAX)
        return cxn_fail(err, CXN_E_LIMIT, "more than %d metadata entries", PAIRS_MAX);
    struct cxn_pair *pairs = cxn_grow(list->mem, list->pairs, &list->pair_capacity,
                                      list->pair_count + 1, PAIRS_MAX, sizeof *pairs);
    if (!pairs)
        return cxn_fail_nomem(err, list->mem, list->pair_capacity * sizeof *pairs, "metadata");
    list->pairs = pairs;
    enum cxn_status status = keep_text(list, key, strlen(key), &pair.key_at, err);
    if (status == CXN_OK) status = keep_text(list, value, strlen(value), &pair.value_at, err);
    if (status == CXN_OK) pairs[list->pair_count++] = pair;
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum cxn_status cxn_tensors_check_unique(const struct cxn_tensors *list, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    const char **names = cxn_alloc(list->mem, list->count, sizeof *names);
    if (!names)
        return cxn_fail_nomem(err, list->mem, list->count * sizeof *names, "names of tensors");
    for (size_t i = 0; i < list->count; i++) names[i] = cxn_tensors_name(list, i);
    qsort(names, list->count, sizeof *names, compare_names);
    for (size_t i = 1; i < list->count && status == CXN_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is there twice", names[i]);
    cxn_free(names);
    return status;
}

const char *cxn_shape_text(char buffer[CXN_TENSOR_SHAPE_BYTES], const uint64_t *dims,
                           uint32_t rank)
{
    int at = 0;
    snprintf(buffer, CXN_TENSOR_SHAPE_BYTES, "scalar");
    for (uint32_t i = 0; i < rank; i++) /* 8 * 22 bytes at most */
        at += snprintf(buffer + at, CXN_TENSOR_SHAPE_BYTES - (size_t)at, "[%llu]",
                       (unsigned long long)dims[i]);
    return buffer;
}
