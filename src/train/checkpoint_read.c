/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/checkpoint_form.h"

/* ---- one file of blocks ------------------------------------------------------------------- */

static void stored_close(struct cxn_stored *s)
{
    if (s->open) {
        cxn_tensors_close(&s->list);
        cxn_file_close(&s->file);
    }
    cxn_free(s->path);
    *s = (struct cxn_stored){ 0 };
}

static enum cxn_status check_hash(const char hex[CXN_SHA256_HEX_BYTES],
                                  const char want[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    if (strcmp(hex, want) == 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "SHA-256 is %s, " CXN_CHECKPOINT_SUMS " has %s", hex, want);
}

/* The size before the hash: a file cannot cost more time than one that is right. */
static enum cxn_status check_file(const struct cxn_checkpoint *c, struct cxn_stored *s,
                                  const char want[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    char hex[CXN_SHA256_HEX_BYTES];
    const uint64_t most = cxn_stored_bytes_max(c->net);
    if (s->file.size_bytes > most)
        return cxn_fail(err, CXN_E_LIMIT, "%llu bytes, at most %llu for this network",
                        (unsigned long long)s->file.size_bytes, (unsigned long long)most);
    const enum cxn_status status = cxn_sha256_file(&s->file, s->path, hex, err);
    return status == CXN_OK ? check_hash(hex, want, err) : status;
}

static enum cxn_status check_tensor(const struct cxn_tensors *list, size_t i,
                                    const struct cxn_stored_tensor *want, enum cxn_dtype dtype,
                                    struct cxn_error *err)
{
    char found[CXN_TENSOR_SHAPE_BYTES], expected[CXN_TENSOR_SHAPE_BYTES];
    uint64_t dims[CXN_TENSOR_RANK_MAX] = { 0 };
    const struct cxn_tensor *t = &list->items[i];
    const char *name = cxn_tensors_name(list, i);
    for (uint32_t d = 0; d < want->tensor->rank; d++) dims[d] = want->tensor->dims[d];
    if (strcmp(name, want->name) == 0 && t->dtype == dtype && t->rank == want->tensor->rank &&
        memcmp(t->dims, dims, t->rank * sizeof *dims) == 0)
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "tensor %zu is '%.100s' %s %s, expected '%s' %s %s", i, name,
                    cxn_dtype_name(t->dtype), cxn_shape_text(found, t->dims, t->rank), want->name,
                    cxn_dtype_name(dtype), cxn_shape_text(expected, dims, want->tensor->rank));
}

static enum cxn_status check_tensors(const struct cxn_checkpoint *c, int i, struct cxn_mem *mem,
                                     struct cxn_error *err)
{
    const struct cxn_tensors *list = &c->stored[i].list;
    const size_t most = cxn_stored_max(c->net);
    struct cxn_stored_tensor *want = cxn_alloc(mem, most, sizeof *want);
    if (!want) return cxn_fail_nomem(err, mem, most * sizeof *want, "a checkpoint's tensors");
    const size_t count = cxn_stored_list(c->net, i, c->moment_count, want);
    enum cxn_status status = CXN_OK;
    if (list->count != count)
        status = cxn_fail(err, CXN_E_FORMAT, "%zu tensors, expected %zu", list->count, count);
    for (size_t k = 0; k < count && status == CXN_OK; k++)
        status = check_tensor(list, k, &want[k], cxn_number_dtype(c->number), err);
    cxn_free(want);
    return status;
}

/* Texts name the file: those of I/O do by themselves. */
static enum cxn_status stored_open(struct cxn_checkpoint *c, int i, struct cxn_mem *mem,
                                   const char want[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    struct cxn_stored *s = &c->stored[i];
    enum cxn_status status = cxn_file_open(&s->file, s->path, err);
    if (status != CXN_OK) return status;
    s->open = true;
    s->source = cxn_source_file(&s->file, s->path);
    s->list = (struct cxn_tensors){ .mem = mem };
    status = check_file(c, s, want, err);
    if (status == CXN_OK) status = cxn_safetensors_read(&s->list, &s->source, err);
    if (status == CXN_OK && i == CXN_STORED_WEIGHTS && s->list.count > 0 &&
        s->list.items[0].dtype == CXN_DTYPE_F64)
        c->number = CXN_NUMBER_F64;
    if (status == CXN_OK) status = check_tensors(c, i, mem, err);
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, s->path);
}

/* ---- the others --------------------------------------------------------------------------- */

static enum cxn_status read_sums(struct cxn_sums *sums, struct cxn_mem *mem, const char *path,
                                 struct cxn_error *err)
{
    struct cxn_bytes bytes;
    enum cxn_status status = cxn_file_read(mem, path, CXN_SUMS_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_sums_parse(sums, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return cxn_fail_in(err, status, path);
}

static enum cxn_status read_state(struct cxn_checkpoint *c, struct cxn_mem *mem, const char *path,
                                  const char want[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    struct cxn_bytes bytes;
    struct cxn_json json = { 0 };
    char hex[CXN_SHA256_HEX_BYTES];
    enum cxn_status status = cxn_file_read(mem, path, CXN_JSON_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    cxn_sha256_hex(bytes.data, bytes.size, hex);
    status = check_hash(hex, want, err);
    if (status == CXN_OK) status = cxn_json_parse(&json, mem, bytes.data, bytes.size, err);
    if (status == CXN_OK) status = cxn_state_take(&json, c, err);
    cxn_json_close(&json);
    cxn_free(bytes.data);
    return cxn_fail_in(err, status, path);
}

/* What state.json tells of the files, and SHA256SUMS. */
static enum cxn_status check_files(const struct cxn_checkpoint *c, const struct cxn_sums *sums,
                                   struct cxn_error *err)
{
    if (sums->has[CXN_STORED_MOMENTS] != (c->moment_count > 0))
        return cxn_fail(err, CXN_E_FORMAT, "state.json tells of %u blocks of moments, "
                                           CXN_CHECKPOINT_SUMS " of %s file for them",
                        c->moment_count, sums->has[CXN_STORED_MOMENTS] ? "a" : "no");
    if (sums->has[CXN_STORED_AVERAGE] != c->has_average)
        return cxn_fail(err, CXN_E_FORMAT, "state.json tells of %s average, " CXN_CHECKPOINT_SUMS
                                           " of %s file for it", c->has_average ? "an" : "no",
                        sums->has[CXN_STORED_AVERAGE] ? "a" : "no");
    return CXN_OK;
}

enum cxn_status cxn_checkpoint_peek(struct cxn_checkpoint *c, struct cxn_sums *sums,
                                    struct cxn_mem *mem, const char *folder,
                                    struct cxn_error *err)
{
    char *sums_path = cxn_path_join(mem, folder, CXN_CHECKPOINT_SUMS);
    char *state_path = cxn_path_join(mem, folder, cxn_checkpoint_files[CXN_CHECKPOINT_STATE]);
    enum cxn_status status = CXN_OK;
    if (!sums_path || !state_path)
        status = cxn_fail_nomem(err, mem, strlen(folder), "a file's name");
    if (status == CXN_OK) status = read_sums(sums, mem, sums_path, err);
    if (status == CXN_OK)
        status = read_state(c, mem, state_path, sums->sha256[CXN_CHECKPOINT_STATE], err);
    if (status == CXN_OK) status = cxn_fail_in(err, check_files(c, sums, err), folder);
    cxn_free(sums_path);
    cxn_free(state_path);
    return status;
}

static enum cxn_status open_all(struct cxn_checkpoint *c, struct cxn_mem *mem, const char *folder,
                                struct cxn_error *err)
{
    struct cxn_sums sums;
    enum cxn_status status = cxn_checkpoint_peek(c, &sums, mem, folder, err);
    for (int i = 0; i < CXN_STORED_COUNT && status == CXN_OK; i++) {
        if (!sums.has[i]) continue;
        c->stored[i].path = cxn_path_join(mem, folder, cxn_checkpoint_files[i]);
        if (!c->stored[i].path) return cxn_fail_nomem(err, mem, strlen(folder), "a file's name");
        status = stored_open(c, i, mem, sums.sha256[i], err);
    }
    return status;
}

enum cxn_status cxn_checkpoint_open(struct cxn_checkpoint *c, const struct cxn_env *env,
                                    const cxn_net *net, const char *folder,
                                    struct cxn_error *err)
{
    *c = (struct cxn_checkpoint){ .net = net };
    const enum cxn_status status = open_all(c, env->mem, folder, err);
    if (status != CXN_OK) cxn_checkpoint_close(c);
    return status;
}

void cxn_checkpoint_close(struct cxn_checkpoint *c)
{
    for (int i = 0; i < CXN_STORED_COUNT; i++) stored_close(&c->stored[i]);
    cxn_json_close(&c->state);
    *c = (struct cxn_checkpoint){ 0 };
}

/* ---- numbers ------------------------------------------------------------------------------ */

static int stored_of(enum cxn_train_block block)
{
    if (block == CXN_BLOCK_MOMENT) return CXN_STORED_MOMENTS;
    return block == CXN_BLOCK_AVERAGE ? CXN_STORED_AVERAGE : CXN_STORED_WEIGHTS;
}

static enum cxn_status read_tensors(struct cxn_checkpoint *c, int stored, unsigned which,
                                    const struct cxn_span *to, struct cxn_error *err)
{
    struct cxn_stored *s = &c->stored[stored];
    const bool moments = stored == CXN_STORED_MOMENTS;
    size_t at = which * (s->list.count / (moments ? c->moment_count : 1));
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; i < c->net->tensor_count && status == CXN_OK; i++) {
        struct cxn_stored_tensor t = { .tensor = &c->net->tensors[i] };
        if (moments && !cxn_role_is_param(t.tensor->role)) continue;
        snprintf(t.name, sizeof t.name, "%s", cxn_tensors_name(&s->list, at));
        status = cxn_source_read(&s->source, s->list.items[at++].offset_bytes,
                                 cxn_stored_at(to, t.tensor),
                                 t.tensor->count * cxn_number_bytes(c->number), err);
        if (status == CXN_OK) status = cxn_stored_check(&t, stored, to, err);
    }
    return status == CXN_E_IO ? status : cxn_fail_in(err, status, s->path);
}

enum cxn_status cxn_checkpoint_read(struct cxn_checkpoint *c, enum cxn_train_block block,
                                    unsigned which, const struct cxn_span *to,
                                    struct cxn_error *err)
{
    const int stored = stored_of(block);
    const bool moments = block == CXN_BLOCK_MOMENT;
    if (block == CXN_BLOCK_GRADIENT || !c->stored[stored].open ||
        which >= (moments ? c->moment_count : 1))
        return cxn_fail(err, CXN_E_ARG, "the checkpoint has no such block");
    const size_t count = moments ? c->net->param_count : c->net->float_count;
    if (!to->data || to->count != count || to->number != c->number ||
        to->memory != CXN_MEMORY_HOST)
        return cxn_fail(err, CXN_E_ARG, "the checkpoint's block has %zu numbers of type %s", count,
                        cxn_dtype_name(cxn_number_dtype(c->number)));
    return read_tensors(c, stored, which, to, err);
}
