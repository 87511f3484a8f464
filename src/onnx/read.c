/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/read.h"

#include <string.h>

#include "fuse/derived.h"
#include "onnx/about.h"

/* ---- form --------------------------------------------------------------------------------- */

/* The IR version as the first field, as every serialiser writes it, then another field of a
 * ModelProto. The length of a safetensors header, at most 4 MiB, has five zeros there. */
bool cxn_onnx_is(const uint8_t *head, size_t n)
{
    static const uint8_t zeros[5];
    if (n < 8 || head[0] != 0x08 || head[1] == 0 || head[1] > 0x7f) return false;
    const bool length = (head[2] & 7) == 2 && head[2] >= 0x12 && head[2] <= 0x42;
    return (length || head[2] == 0x28 || head[2] == 0x72) &&
           memcmp(head + 3, zeros, sizeof zeros) != 0;
}

enum cxn_status cxn_onnx_file_is(const char *path, bool *is_onnx, struct cxn_error *err)
{
    struct cxn_file file;
    uint8_t head[8];
    *is_onnx = false;
    enum cxn_status status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    if (file.size_bytes >= sizeof head) {
        status = cxn_file_pread(&file, path, 0, head, sizeof head, err);
        *is_onnx = status == CXN_OK && cxn_onnx_is(head, sizeof head);
    }
    cxn_file_close(&file);
    return status;
}

/* ---- numbers ------------------------------------------------------------------------------ */

static enum cxn_status read_tensor(struct cxn_onnx_model *m, const struct cxn_onnx_fill *fill,
                                   float *dst, struct cxn_error *err)
{
    struct cxn_source source;
    struct cxn_tensor *t = &m->list.items[fill->tensor];
    const struct cxn_tensor as_stored = *t;
    enum cxn_status status =
        cxn_onnx_tensor_source(m, m->tensors[fill->tensor].location, &source, err);
    if (status != CXN_OK) return status;
    if (fill->kind == CXN_FILL_TURNED) {
        t->dims[0] = as_stored.dims[1];
        t->dims[1] = as_stored.dims[0];
        t->strides[0] = 1;
        t->strides[1] = as_stored.dims[1];
    }
    status = cxn_tensors_read_f32(&m->list, &source, fill->tensor, dst, err);
    *t = as_stored;
    return status;
}

static void fill_same(float *dst, size_t count, float value)
{
    for (size_t i = 0; i < count; i++) dst[i] = value;
}

static enum cxn_status fill_tensor(struct cxn_onnx_model *m, const struct cxn_onnx_fill *fill,
                                   const struct cxn_net_tensor *t, float *dst,
                                   struct cxn_error *err)
{
    switch (fill->kind) {
    case CXN_FILL_TENSOR:
    case CXN_FILL_TURNED: break;
    case CXN_FILL_ONE: fill_same(dst, t->count, 1.0f); return CXN_OK;
    case CXN_FILL_UNIT_VARIANCE:
        /* One less epsilon is not a float, but so near to one that weight / sqrt(variance +
         * epsilon) rounds to the weight. */
        fill_same(dst, t->count, (float)(1.0 - CXN_NET_EPSILON));
        return CXN_OK;
    case CXN_FILL_NONE:
    case CXN_FILL_ZERO: fill_same(dst, t->count, 0.0f); return CXN_OK;
    }
    const enum cxn_status status = read_tensor(m, fill, dst, err);
    if (status != CXN_OK) return status;
    return cxn_weights_check_values(t, cxn_tensors_name(&m->list, fill->tensor), dst, err);
}

enum cxn_status cxn_onnx_fill_block(struct cxn_onnx_model *m, const struct cxn_onnx_match *match,
                                    const cxn_net *net, float **block, struct cxn_error *err)
{
    *block = NULL;
    float *values = cxn_alloc(m->mem, net->float_count, sizeof *values);
    if (!values)
        return cxn_fail_nomem(err, m->mem, net->float_count * sizeof *values, "the weights");
    enum cxn_status status = CXN_OK;
    for (size_t k = 0; k < net->tensor_count && status == CXN_OK; k++) {
        const struct cxn_net_tensor *t = &net->tensors[k];
        status = fill_tensor(m, &match->fills[k], t, values + t->offset, err);
    }
    if (status == CXN_OK) *block = values;
    else cxn_free(values);
    return status;
}

enum cxn_status cxn_onnx_load(struct cxn_onnx_model *m, const cxn_net *net,
                              enum cxn_onnx_head head, float **block,
                              struct cxn_weights_report *report, struct cxn_error *err)
{
    struct cxn_onnx_match match = { .any_head = head == CXN_ONNX_HEAD_ANY };
    *block = NULL;
    enum cxn_status status = cxn_onnx_match(&match, m, net, err);
    if (status == CXN_OK) status = cxn_onnx_fill_block(m, &match, net, block, err);
    *report = (struct cxn_weights_report){ .format = m->list.format,
                                           .tensor_count = m->list.count,
                                           .head_classes = match.head_classes };
    cxn_onnx_match_close(&match);
    return status;
}

/* ---- file --------------------------------------------------------------------------------- */

enum cxn_status cxn_onnx_file_open(struct cxn_onnx_file *f, struct cxn_mem *mem, const char *path,
                                   struct cxn_error *err)
{
    *f = (struct cxn_onnx_file){ .path = path };
    enum cxn_status status = cxn_file_open(&f->file, path, err);
    if (status != CXN_OK) return status;
    f->open = true;
    f->source = cxn_source_file(&f->file, path);
    status = cxn_onnx_model_read(&f->model, mem, &f->source, err);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, path);
}

void cxn_onnx_file_close(struct cxn_onnx_file *f)
{
    if (!f->open) return;
    cxn_onnx_model_close(&f->model);
    cxn_file_close(&f->file);
    f->open = false;
}

enum cxn_status cxn_onnx_file_load(const struct cxn_env *env, struct cxn_onnx_file *f,
                                   const cxn_net *net, enum cxn_onnx_head head, float **block,
                                   struct cxn_weights_report *report, struct cxn_error *err)
{
    const enum cxn_status status = cxn_onnx_load(&f->model, net, head, block, report, err);
    if (status == CXN_OK) cxn_weights_report_tell(env, f->path, net, report);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, f->path);
}

/* ---- hash --------------------------------------------------------------------------------- */

enum cxn_status cxn_onnx_file_sha256(struct cxn_onnx_file *f, char hex[CXN_SHA256_HEX_BYTES],
                                     struct cxn_error *err)
{
    char both[2 * CXN_SHA256_HEX_BYTES];
    struct cxn_source data;
    enum cxn_status status = cxn_sha256_file(&f->file, f->path, hex, err);
    for (uint32_t i = 1; status == CXN_OK && i <= f->model.locations.count; i++) {
        status = cxn_onnx_tensor_source(&f->model, i, &data, err);
        if (status != CXN_OK) break;
        memcpy(both, hex, CXN_SHA256_HEX_BYTES - 1);
        status = cxn_sha256_file(data.file, data.path, both + CXN_SHA256_HEX_BYTES - 1, err);
        if (status == CXN_OK) cxn_sha256_hex(both, 2 * (CXN_SHA256_HEX_BYTES - 1), hex);
    }
    return status;
}

/* ---- source ------------------------------------------------------------------------------- */

bool cxn_onnx_find_source(const struct cxn_onnx_model *m, char name[CXN_ONNX_SOURCE_NAME_BYTES],
                          char sha256[CXN_SHA256_HEX_BYTES])
{
    const struct cxn_derived_word word = { CXN_ONNX_SOURCE_NAME, name, CXN_ONNX_SOURCE_NAME_BYTES,
                                           "/", "" };
    return m->is_ours && cxn_derived_take(&m->list, &word, NULL) == CXN_OK &&
           cxn_derived_take_sha256(&m->list, CXN_ONNX_SOURCE_SHA256, sha256, NULL) == CXN_OK;
}
