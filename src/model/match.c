/* SPDX-License-Identifier: Apache-2.0 */
#include "model/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

static int compare_tensors(const void *a, const void *b)
{
    return strcmp((*(const struct cxn_net_tensor *const *)a)->name,
                  (*(const struct cxn_net_tensor *const *)b)->name);
}

static int compare_name(const void *name, const void *tensor)
{
    return strcmp(name, (*(const struct cxn_net_tensor *const *)tensor)->name);
}

/* The net's tensors by name. */
struct index {
    const cxn_net *net;
    const struct cxn_net_tensor **sorted;
};

static int32_t find_tensor(const struct index *index, const char *name)
{
    const struct cxn_net_tensor *const *found =
        bsearch(name, index->sorted, index->net->tensor_count, sizeof *index->sorted, compare_name);
    return found ? (int32_t)(*found - index->net->tensors) : CXN_MATCH_NONE;
}

/* num_batches_tracked beside a running mean: PyTorch counts batches, nothing here needs it. */
static bool is_counter(const struct index *index, const char *name)
{
    static const char suffix[] = ".num_batches_tracked";
    const size_t n = strlen(name), k = sizeof suffix - 1;
    char mean[CXN_TENSOR_NAME_MAX + 16];
    if (n <= k || strcmp(name + n - k, suffix) != 0) return false;
    snprintf(mean, sizeof mean, "%.*s.running_mean", (int)(n - k), name);
    return find_tensor(index, mean) != CXN_MATCH_NONE;
}

static void count_rules(struct cxn_match *match, const char *name, const struct cxn_name *known)
{
    if ((known->rules & CXN_NAME_PREFIX) && match->prefix_count++ == 0)
        snprintf(match->prefix, sizeof match->prefix, "%.*s", (int)known->prefix_size, name);
    if (known->rules & CXN_NAME_OLD_SPELLING) match->spelling_count++;
    if (known->rules & CXN_NAME_HEAD) match->head_count++;
}

static enum cxn_status match_item(struct cxn_match *match, const struct cxn_tensors *list,
                                  const struct index *index, int32_t i, struct cxn_error *err)
{
    const char *name = cxn_tensors_name(list, (size_t)i);
    struct cxn_name known;
    cxn_name_understand(name, &known);
    const int32_t k = find_tensor(index, known.text);
    match->net_of[i] = k;
    if (k == CXN_MATCH_NONE && is_counter(index, known.text)) {
        match->net_of[i] = CXN_MATCH_IGNORED;
        match->ignored_count++;
    }
    if (match->net_of[i] == CXN_MATCH_NONE) return CXN_OK;
    count_rules(match, name, &known);
    if (k < 0) return CXN_OK;
    if (match->item_of[k] != CXN_MATCH_NONE)
        return cxn_fail(err, CXN_E_FORMAT, "tensors '%s' and '%s' are both %s",
                        cxn_tensors_name(list, (size_t)match->item_of[k]), name, known.text);
    match->item_of[k] = i;
    return CXN_OK;
}

static enum cxn_status match_all(struct cxn_match *match, const struct cxn_tensors *list,
                                 const struct index *index, struct cxn_error *err)
{
    enum cxn_status status = CXN_OK;
    for (size_t k = 0; k < index->net->tensor_count; k++) {
        match->item_of[k] = CXN_MATCH_NONE;
        index->sorted[k] = &index->net->tensors[k];
    }
    qsort(index->sorted, index->net->tensor_count, sizeof *index->sorted, compare_tensors);
    for (size_t i = 0; i < list->count && status == CXN_OK; i++)
        status = match_item(match, list, index, (int32_t)i, err);
    return status;
}

enum cxn_status cxn_match_open(struct cxn_match *match, struct cxn_mem *mem,
                               const struct cxn_tensors *list, const cxn_net *net,
                               struct cxn_error *err)
{
    *match = (struct cxn_match){ 0 };
    struct index index = { .net = net };
    index.sorted = cxn_alloc(mem, net->tensor_count, sizeof *index.sorted);
    match->item_of = cxn_alloc(mem, net->tensor_count, sizeof *match->item_of);
    match->net_of = cxn_alloc(mem, list->count, sizeof *match->net_of);
    enum cxn_status status =
        index.sorted && match->item_of && match->net_of
            ? match_all(match, list, &index, err)
            : cxn_fail_nomem(err, mem, (list->count + net->tensor_count) * sizeof *match->net_of,
                             "matching of tensors");
    cxn_free(index.sorted);
    return status;
}

void cxn_match_close(struct cxn_match *match)
{
    cxn_free(match->item_of);
    cxn_free(match->net_of);
    *match = (struct cxn_match){ 0 };
}

static const char *net_shape(char buffer[CXN_TENSOR_SHAPE_BYTES], const struct cxn_net_tensor *t)
{
    uint64_t dims[4];
    for (uint32_t i = 0; i < t->rank; i++) dims[i] = t->dims[i];
    return cxn_shape_text(buffer, dims, t->rank);
}

static enum cxn_status check_missing(const struct cxn_match *match, const cxn_net *net,
                                     struct cxn_error *err)
{
    char shape[CXN_TENSOR_SHAPE_BYTES];
    size_t missing = 0, first = 0;
    for (size_t k = net->tensor_count; k-- > 0;) {
        if (match->item_of[k] != CXN_MATCH_NONE) continue;
        first = k;
        missing++;
    }
    if (missing == 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT,
                    "not weights of this network: tensor '%s' %s is missing (%zu of %zu are)",
                    net->tensors[first].name, net_shape(shape, &net->tensors[first]), missing,
                    net->tensor_count);
}

static enum cxn_status check_unexpected(const struct cxn_match *match,
                                        const struct cxn_tensors *list, struct cxn_error *err)
{
    char shape[CXN_TENSOR_SHAPE_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        const struct cxn_tensor *t = &list->items[i];
        if (match->net_of[i] == CXN_MATCH_NONE)
            return cxn_fail(err, CXN_E_FORMAT, "unexpected tensor '%s' %s",
                            cxn_tensors_name(list, i), cxn_shape_text(shape, t->dims, t->rank));
        if (match->net_of[i] == CXN_MATCH_IGNORED && t->dtype != CXN_DTYPE_I64)
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is %s, expected I64",
                            cxn_tensors_name(list, i), cxn_dtype_name(t->dtype));
    }
    return CXN_OK;
}

bool cxn_match_leaves(const struct cxn_match *match, const struct cxn_net_tensor *t)
{
    return match->head_classes != 0 &&
           (t->role == CXN_ROLE_HEAD_WEIGHT || t->role == CXN_ROLE_HEAD_BIAS);
}

/* Classes of the list's tensor for a tensor of the head; 0: it is none but for their number. */
static uint64_t classes_of(const struct cxn_match *match, const struct cxn_tensors *list, size_t k,
                           const struct cxn_net_tensor *want)
{
    if (match->item_of[k] == CXN_MATCH_NONE) return 0;
    const struct cxn_tensor *t = &list->items[match->item_of[k]];
    if (t->rank != want->rank || (t->rank == 2 && t->dims[1] != want->dims[1])) return 0;
    return t->dims[0];
}

void cxn_match_allow_head(struct cxn_match *match, const struct cxn_tensors *list,
                          const cxn_net *net)
{
    uint64_t weight = 0, bias = 0;
    for (size_t k = 0; k < net->tensor_count; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        if (t->role == CXN_ROLE_HEAD_WEIGHT) weight = classes_of(match, list, k, t);
        if (t->role == CXN_ROLE_HEAD_BIAS) bias = classes_of(match, list, k, t);
    }
    if (weight == bias && weight != net->config.classes) match->head_classes = weight;
}

static bool same_shape(const struct cxn_tensor *t, const struct cxn_net_tensor *want)
{
    bool same = t->rank == want->rank;
    for (uint32_t i = 0; same && i < t->rank; i++) same = t->dims[i] == want->dims[i];
    return same;
}

static enum cxn_status check_shapes(const struct cxn_match *match, const struct cxn_tensors *list,
                                    const cxn_net *net, struct cxn_error *err)
{
    char is[CXN_TENSOR_SHAPE_BYTES], expected[CXN_TENSOR_SHAPE_BYTES];
    for (size_t k = 0; k < net->tensor_count; k++) {
        const size_t i = (size_t)match->item_of[k];
        const struct cxn_tensor *t = &list->items[i];
        if (!cxn_match_leaves(match, &net->tensors[k]) && !same_shape(t, &net->tensors[k]))
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s' is %s, expected %s",
                            cxn_tensors_name(list, i), cxn_shape_text(is, t->dims, t->rank),
                            net_shape(expected, &net->tensors[k]));
        if (!cxn_dtype_is_float(t->dtype))
            return cxn_fail(err, CXN_E_FORMAT,
                            "tensor '%s' is %s, expected F32, F16, BF16 or F64",
                            cxn_tensors_name(list, i), cxn_dtype_name(t->dtype));
    }
    return CXN_OK;
}

enum cxn_status cxn_match_check(const struct cxn_match *match, const struct cxn_tensors *list,
                                const cxn_net *net, struct cxn_error *err)
{
    enum cxn_status status = check_missing(match, net, err);
    if (status == CXN_OK) status = check_unexpected(match, list, err);
    return status == CXN_OK ? check_shapes(match, list, net, err) : status;
}
