/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_WEIGHTS_CASE_H
#define CXN_TESTS_WEIGHTS_CASE_H

#include "model/weights.h"
#include "unit/unit.h"

/* The networks of tests/golden/make_model.py. */
extern const struct cxn_net_config case_small, case_tiny;

cxn_net *case_net(const struct cxn_net_config *config);

/* What make_model.py put into the tensors; free with cxn_free(). */
float *case_block(const cxn_net *net);

/* tests/golden/model/<name> in memory; free data with cxn_free(). */
struct cxn_bytes case_golden(const char *name);

/* ---- bytes put together by hand ----------------------------------------------------------- */

struct case_bytes {
    uint8_t *data;
    size_t size, capacity;
};

void put(struct case_bytes *b, const void *data, size_t n);
void put_number(struct case_bytes *b, uint64_t v, size_t n); /* n bytes, little-endian */
void put_free(struct case_bytes *b);

/* A zip of stored entries. What is 0 in a part is left as a correct writer would have it. */
struct case_entry {
    const char *name;
    const void *data;
    size_t size;
    const char *local_name; /* in the local header alone */
    uint16_t flags, method;
    uint32_t crc_change, size_change; /* added in the directory */
    uint32_t offset_change;
    bool hidden; /* not in the directory */
    const char *extra; /* of the directory's entry */
    size_t extra_size;
};
struct case_bytes case_zip(const struct case_entry *entries, size_t count);

/* A file of safetensors: so many bytes of zeros behind this header. */
struct case_bytes case_safetensors(const char *header, size_t header_size, size_t data_size);

/* Nothing is left allocated, and neither 64 MiB nor CASE_SECONDS_MAX were needed. */
void case_check_cost(const struct cxn_mem *mem, double seconds, const char *what);

/* Read the list of tensors; checks that nothing leaks and that less than 64 MiB and
 * CASE_SECONDS_MAX were needed. text: part of the message on failure. */
void case_expect(const struct case_bytes *file, enum cxn_status status, const char *text);

#endif
