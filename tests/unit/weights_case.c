/* SPDX-License-Identifier: Apache-2.0 */
#include "weights_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

const struct cxn_net_config case_small = {
    .growth = 4, .layers = { 2, 2, 2, 2 }, .stem = 8, .bottleneck = 2, .classes = 14
};
const struct cxn_net_config case_tiny = {
    .growth = 1, .layers = { 1, 1, 1, 1 }, .stem = 2, .bottleneck = 1, .classes = 1
};

cxn_net *case_net(const struct cxn_net_config *config)
{
    cxn_net *net = NULL;
    assert_int_equal(cxn_net_open(&net, config, NULL, NULL), CXN_OK);
    return net;
}

float *case_block(const cxn_net *net)
{
    float *block = cxn_alloc(NULL, net->float_count, sizeof *block);
    assert_non_null(block);
    for (size_t k = 0; k < net->tensor_count; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        for (size_t i = 0; i < t->count; i++) {
            const float v = (float)((int)((31 * k + 7 * i) % 61) - 30) / 32;
            block[t->offset + i] = t->role == CXN_ROLE_NORM_VAR ? fabsf(v) : v;
        }
    }
    return block;
}

struct cxn_bytes case_golden(const char *name)
{
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    char path[256];
    snprintf(path, sizeof path, "tests/golden/model/%s", name);
    if (cxn_file_read(NULL, path, 1 << 20, &bytes, &err) != CXN_OK) fail_msg("%s", err.text);
    return bytes;
}

void put(struct case_bytes *b, const void *data, size_t n)
{
    if (b->size + n > b->capacity) {
        b->capacity = 2 * (b->size + n);
        b->data = realloc(b->data, b->capacity);
        assert_non_null(b->data);
    }
    if (n > 0) memcpy(b->data + b->size, data, n);
    b->size += n;
}

void put_number(struct case_bytes *b, uint64_t v, size_t n)
{
    put(b, &v, n);
}

void put_free(struct case_bytes *b)
{
    free(b->data);
    *b = (struct case_bytes){ 0 };
}

static void put_local(struct case_bytes *b, const struct case_entry *e)
{
    const char *name = e->local_name ? e->local_name : e->name;
    put(b, "PK\3\4\0\0", 6);
    put_number(b, e->flags, 2);
    put_number(b, e->method, 2);
    put_number(b, 0, 4);
    put_number(b, cxn_crc32(0, e->data, e->size), 4);
    put_number(b, e->size, 4);
    put_number(b, e->size, 4);
    put_number(b, strlen(name), 2);
    put_number(b, 0, 2);
    put(b, name, strlen(name));
    put(b, e->data, e->size);
}

static void put_central(struct case_bytes *b, const struct case_entry *e, size_t offset)
{
    put(b, "PK\1\2\0\0\0\0", 8);
    put_number(b, e->flags, 2);
    put_number(b, e->method, 2);
    put_number(b, 0, 4);
    put_number(b, cxn_crc32(0, e->data, e->size) + e->crc_change, 4);
    put_number(b, (uint32_t)(e->size + e->size_change), 4);
    put_number(b, (uint32_t)(e->size + e->size_change), 4);
    put_number(b, strlen(e->name), 2);
    put_number(b, e->extra_size, 2);
    put_number(b, 0, 6); /* comment, disk, attributes */
    put_number(b, 0, 4);
    put_number(b, (uint32_t)(offset + e->offset_change), 4);
    put(b, e->name, strlen(e->name));
    put(b, e->extra, e->extra_size);
}

struct case_bytes case_zip(const struct case_entry *entries, size_t count)
{
    struct case_bytes b = { 0 };
    size_t *offsets = calloc(count + 1, sizeof *offsets);
    assert_non_null(offsets);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = b.size;
        put_local(&b, &entries[i]);
    }
    const size_t directory = b.size;
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].hidden) continue;
        put_central(&b, &entries[i], offsets[i]);
        listed++;
    }
    const size_t directory_size = b.size - directory;
    put(&b, "PK\5\6\0\0\0\0", 8);
    put_number(&b, listed, 2);
    put_number(&b, listed, 2);
    put_number(&b, directory_size, 4);
    put_number(&b, directory, 4);
    put_number(&b, 0, 2);
    free(offsets);
    return b;
}

struct case_bytes case_safetensors(const char *header, size_t header_size, size_t data_size)
{
    struct case_bytes b = { 0 };
    put_number(&b, header_size, 8);
    put(&b, header, header_size);
    for (size_t i = 0; i < data_size; i++) put_number(&b, 0, 1);
    return b;
}

void case_check_cost(const struct cxn_mem *mem, double seconds, const char *what)
{
    assert_int_equal(mem->blocks, 0);
    assert_true(mem->peak_bytes < 64 << 20);
    if (seconds > CASE_SECONDS_MAX) fail_msg("took %.2f s: '%s'", seconds, what);
}

void case_expect(const struct case_bytes *file, enum cxn_status status, const char *text)
{
    struct cxn_mem mem;
    struct cxn_tensors list;
    struct cxn_error err = { "" };
    cxn_mem_init(&mem, 0);
    uint8_t *exact = copy_exactly(file->data, file->size);
    const struct cxn_source source = cxn_source_memory(exact, file->size);
    const double start = case_seconds();
    const enum cxn_status got = cxn_tensors_open(&list, &mem, &source, &err);
    const double seconds = case_seconds() - start;
    cxn_tensors_close(&list);
    free(exact);
    if (got != status || (text && !strstr(err.text, text)))
        fail_msg("expected %s with '%s', got %s with '%s'", cxn_status_name(status),
                 text ? text : "", cxn_status_name(got), err.text);
    case_check_cost(&mem, seconds, err.text);
}
