/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "quant/quantized_form.h"

/* Every array that a file has is in memory. */
static enum cxn_status give_array(const void *from, const struct cxn_slot *slot, size_t part,
                                  size_t array, void *data, struct cxn_error *err)
{
    const struct cxn_quantized_array a = cxn_quantized_array_at(from, part, array);
    size_t bytes = cxn_dtype_bytes(a.dtype);
    for (uint32_t k = 0; k < slot->rank; k++) bytes *= (size_t)slot->dims[k];
    (void)err;
    memcpy(data, a.numbers, bytes);
    return CXN_OK;
}

static bool is_put_back(const cxn_quantized *q, size_t i)
{
    return q->fold->parts[i].kind == CXN_PART_CONV && q->parts[i].low;
}

enum cxn_status cxn_quantized_put_back(const cxn_quantized *q, struct cxn_mem *mem, char **text,
                                       struct cxn_error *err)
{
    size_t bytes = 1, at = 0;
    for (size_t i = 0; i < q->fold->count; i++)
        if (is_put_back(q, i)) bytes += strlen(q->fold->parts[i].name) + 1;
    *text = cxn_alloc_zero(mem, bytes, 1);
    if (!*text) return cxn_fail_nomem(err, mem, bytes, "names of layers put back");
    for (size_t i = 0; i < q->fold->count; i++)
        if (is_put_back(q, i))
            at += (size_t)snprintf(*text + at, bytes - at, "%s%s", at > 0 ? "," : "",
                                   q->fold->parts[i].name);
    return CXN_OK;
}

static enum cxn_status write_file(const struct cxn_env *env, const char *path,
                                  const struct cxn_quantized_content *content,
                                  const char *put_back, struct cxn_error *err)
{
    struct cxn_out_pair pairs[CXN_DERIVED_PAIRS + CXN_QUANTIZED_PAIRS];
    char text[CXN_DERIVED_TEXT_BYTES], images[CXN_COUNT_TEXT_BYTES];
    const size_t classes = content->quantized->fold->net->config.classes;
    const double difference =
        cxn_probe_compare(content->answers, content->reference, classes).most;
    cxn_derived_pairs(&cxn_quantized_kind, &content->derived, difference, text, pairs);
    cxn_quantized_pairs(&content->about, put_back, images, pairs + CXN_DERIVED_PAIRS);
    const struct cxn_derived_content file = {
        .slots = cxn_quantized_slots(content->quantized), .pairs = pairs,
        .pair_count = CXN_COUNTOF(pairs), .probe = content->probe,
        .reference = content->reference, .answers = content->answers,
        .from = content->quantized, .read = give_array
    };
    return cxn_derived_write(env, path, &file, err);
}

enum cxn_status cxn_quantized_write(const struct cxn_env *env, const char *path,
                                    const struct cxn_quantized_content *content,
                                    struct cxn_error *err)
{
    char *put_back;
    enum cxn_status status = cxn_quantized_put_back(content->quantized, env->mem, &put_back, err);
    if (status == CXN_OK) status = write_file(env, path, content, put_back, err);
    cxn_free(put_back);
    return status;
}
