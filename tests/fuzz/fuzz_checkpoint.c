/* SPDX-License-Identifier: Apache-2.0 */
/* The small files of a checkpoint. First byte 0: SHA256SUMS; else state.json. */
#include <stdlib.h>
#include <string.h>

#include "train/checkpoint_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) abort();
}

/* What is taken is exactly what would be written. */
static void read_sums(const uint8_t *text, size_t size)
{
    struct cxn_sums sums;
    struct cxn_error err = { "" };
    char again[CXN_SUMS_MAX_BYTES];
    const enum cxn_status status = cxn_sums_parse(&sums, text, size, &err);
    require(status == CXN_OK || status == CXN_E_FORMAT);
    require((status == CXN_OK) == (err.text[0] == '\0'));
    require(!strchr(err.text, '\n'));
    if (status != CXN_OK) return;
    require(cxn_sums_print(&sums, again) == size && memcmp(again, text, size) == 0);
}

static void read_state(const uint8_t *text, size_t size)
{
    struct cxn_mem mem;
    struct cxn_json json;
    struct cxn_checkpoint c = { 0 };
    struct cxn_error err = { "" };
    cxn_mem_init(&mem, 0);
    enum cxn_status status = cxn_json_parse(&json, &mem, text, size, &err);
    require(mem.peak_bytes <= CXN_JSON_MEMORY_MAX_BYTES);
    if (status == CXN_OK) status = cxn_state_take(&json, &c, &err);
    require(status == CXN_OK || status == CXN_E_FORMAT || status == CXN_E_LIMIT);
    require((status == CXN_OK) == (err.text[0] == '\0'));
    require(!strchr(err.text, '\n'));
    require((status == CXN_OK) == json_is_object(c.state.root));
    require(c.moment_count <= CXN_MOMENTS_MAX);
    cxn_json_close(&json);
    cxn_json_close(&c.state);
    require(mem.blocks == 0 && mem.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint8_t *text = malloc(size); /* of its own, so that a sanitizer sees what is read beyond it */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    if (data[0] == 0) read_sums(text, size - 1);
    else read_state(text, size - 1);
    free(text);
    return 0;
}
