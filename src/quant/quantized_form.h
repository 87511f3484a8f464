/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_QUANTIZED_FORM_H
#define CXN_QUANT_QUANTIZED_FORM_H

#include "quant/quantized_file.h"

/* What reader and writer of quantised files agree on. */

extern const struct cxn_derived_kind cxn_quantized_kind;

/* One array of a part; numbers: NULL where the part has no such array. */
struct cxn_quantized_array {
    const char *name;
    enum cxn_dtype dtype;
    void *numbers;
};

enum { CXN_QUANTIZED_ARRAYS = 4 }; /* of a part, at most */

struct cxn_quantized_array cxn_quantized_array_at(const cxn_quantized *quantized, size_t part,
                                                  size_t array);

/* The tensors of one with these layers put back, CXN_QUANTIZED_ARRAYS for every part. Borrows it,
 * and does not read its numbers. */
struct cxn_slots cxn_quantized_slots(const cxn_quantized *quantized);

/* The metadata of these files alone; borrows what it is given. put_back: the value of that key. */
enum { CXN_QUANTIZED_PAIRS = 6, CXN_COUNT_TEXT_BYTES = 24 };

void cxn_quantized_pairs(const struct cxn_quantized_about *about, const char *put_back,
                         char text[CXN_COUNT_TEXT_BYTES],
                         struct cxn_out_pair pairs[CXN_QUANTIZED_PAIRS]);

/* The value of put_back, to be freed with cxn_free(). CXN_E_NOMEM. */
enum cxn_status cxn_quantized_put_back(const cxn_quantized *quantized, struct cxn_mem *mem,
                                       char **text, struct cxn_error *err);

#endif
