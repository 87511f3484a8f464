/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "train/checkpoint_form.h"

/* ---- what is given ------------------------------------------------------------------------ */

static enum cxn_status check_span(const struct cxn_span *span, const struct cxn_span *like,
                                  size_t count, const char *what, struct cxn_error *err)
{
    if (span->data && span->count == count && span->number == like->number &&
        span->memory == CXN_MEMORY_HOST)
        return CXN_OK;
    return cxn_fail(err, CXN_E_ARG, "a checkpoint's %s: %zu numbers, expected %zu of the type of "
                                    "the weights in the host's memory", what, span->count, count);
}

static enum cxn_status check_content(const struct cxn_checkpoint_content *c, struct cxn_error *err)
{
    const uint64_t most = (uint64_t)1 << 53;
    const double best = c->place.best_auc;
    if (!json_is_object(c->state) || c->moment_count > CXN_MOMENTS_MAX)
        return cxn_fail(err, CXN_E_ARG, "a checkpoint's state is not an object, or %u moments",
                        c->moment_count);
    if (c->place.step > most || c->place.epoch > most || !(isnan(best) || (best >= 0 && best <= 1)))
        return cxn_fail(err, CXN_E_ARG, "a checkpoint's step, epoch or best AUC is out of range");
    enum cxn_status status = check_span(&c->weights, &c->weights, c->net->float_count, "weights",
                                        err);
    for (unsigned i = 0; i < c->moment_count && status == CXN_OK; i++)
        status = check_span(&c->moments[i], &c->weights, c->net->param_count, "moments", err);
    if (status == CXN_OK && c->average.data)
        status = check_span(&c->average, &c->weights, c->net->float_count, "average", err);
    return status;
}

/* ---- files -------------------------------------------------------------------------------- */

/* The tensors of one file. */
struct plan {
    size_t count;
    struct cxn_stored_tensor *tensors;
    struct cxn_out_tensor *out;
};

static enum cxn_status plan_open(struct plan *p, struct cxn_mem *mem, const cxn_net *net,
                                 struct cxn_error *err)
{
    const size_t most = cxn_stored_max(net);
    p->tensors = cxn_alloc(mem, most, sizeof *p->tensors);
    p->out = cxn_alloc_zero(mem, most, sizeof *p->out);
    if (p->tensors && p->out) return CXN_OK;
    return cxn_fail_nomem(err, mem, most * (sizeof *p->tensors + sizeof *p->out),
                          "a checkpoint's tensors");
}

static void plan_close(struct plan *p)
{
    cxn_free(p->tensors);
    cxn_free(p->out);
}

/* Everything is looked at before anything is written. */
static enum cxn_status plan_fill(struct plan *p, const cxn_net *net, int stored,
                                 const struct cxn_span *blocks, unsigned block_count,
                                 struct cxn_error *err)
{
    p->count = cxn_stored_list(net, stored, block_count, p->tensors);
    for (size_t i = 0; i < p->count; i++) {
        const struct cxn_stored_tensor *t = &p->tensors[i];
        const struct cxn_span *block = &blocks[t->which];
        struct cxn_out_tensor *out = &p->out[i];
        const enum cxn_status status = cxn_stored_check(t, stored, block, err);
        if (status != CXN_OK) return status;
        *out = (struct cxn_out_tensor){ .name = t->name, .rank = t->tensor->rank,
                                        .dtype = cxn_number_dtype(block->number),
                                        .data = cxn_stored_at(block, t->tensor) };
        for (uint32_t d = 0; d < out->rank; d++) out->dims[d] = t->tensor->dims[d];
    }
    return CXN_OK;
}

static const struct cxn_span *blocks_of(const struct cxn_checkpoint_content *c, int stored,
                                        unsigned *count)
{
    *count = stored == CXN_STORED_MOMENTS ? c->moment_count : 1;
    if (stored == CXN_STORED_MOMENTS) return c->moments;
    return stored == CXN_STORED_WEIGHTS ? &c->weights : &c->average;
}

static bool has_file(const struct cxn_checkpoint_content *c, int i)
{
    return i == CXN_STORED_WEIGHTS || i == CXN_CHECKPOINT_STATE ||
           (i == CXN_STORED_MOMENTS && c->moment_count > 0) ||
           (i == CXN_STORED_AVERAGE && c->average.data);
}

static enum cxn_status write_state(const char *path, const struct cxn_checkpoint_content *c,
                                   struct cxn_error *err)
{
    json_t *root = cxn_state_make(c);
    if (!root) return cxn_fail(err, CXN_E_NOMEM, "no memory to write '%s'", path);
    const enum cxn_status status = cxn_json_write(path, root, err);
    json_decref(root);
    return status;
}

static enum cxn_status write_file(const struct cxn_env *env, struct plan *p, const char *path,
                                  const struct cxn_checkpoint_content *c, int i,
                                  struct cxn_error *err)
{
    unsigned count;
    if (i == CXN_CHECKPOINT_STATE) return write_state(path, c, err);
    const struct cxn_span *blocks = blocks_of(c, i, &count);
    const enum cxn_status status = plan_fill(p, c->net, i, blocks, count, err);
    if (status != CXN_OK) return cxn_fail_in(err, status, cxn_checkpoint_files[i]);
    const struct cxn_safetensors_content file = { .tensors = p->out, .tensor_count = p->count };
    return cxn_safetensors_write(env, path, &file, err);
}

static enum cxn_status write_sums(const char *path, const struct cxn_sums *sums,
                                  struct cxn_error *err)
{
    char text[CXN_SUMS_MAX_BYTES];
    cxn_out *out;
    const enum cxn_status status = cxn_out_open(&out, path, err);
    if (status != CXN_OK) return status;
    cxn_out_write(out, text, cxn_sums_print(sums, text));
    return cxn_out_commit(&out, err);
}

static enum cxn_status write_all(const struct cxn_env *env, struct plan *p, const char *folder,
                                 const struct cxn_checkpoint_content *c, struct cxn_error *err)
{
    struct cxn_sums sums = { 0 };
    enum cxn_status status = CXN_OK;
    /* The hashes last: a folder without them is no checkpoint. */
    for (int i = 0; i <= CXN_CHECKPOINT_FILES && status == CXN_OK; i++) {
        const bool last = i == CXN_CHECKPOINT_FILES;
        if (!last && !has_file(c, i)) continue;
        char *path = cxn_path_join(env->mem, folder,
                                   last ? CXN_CHECKPOINT_SUMS : cxn_checkpoint_files[i]);
        if (!path) return cxn_fail_nomem(err, env->mem, strlen(folder), "a file's name");
        if (last) {
            status = write_sums(path, &sums, err);
        } else {
            sums.has[i] = true;
            status = write_file(env, p, path, c, i, err);
            if (status == CXN_OK) status = cxn_path_sha256(path, sums.sha256[i], err);
        }
        cxn_free(path);
    }
    return status;
}

enum cxn_status cxn_checkpoint_write(const struct cxn_env *env, const char *folder,
                                     const struct cxn_checkpoint_content *content,
                                     struct cxn_error *err)
{
    struct plan plan = { 0 };
    enum cxn_status status = check_content(content, err);
    if (status != CXN_OK) return status;
    status = plan_open(&plan, env->mem, content->net, err);
    if (status == CXN_OK) status = write_all(env, &plan, folder, content, err);
    plan_close(&plan);
    return status;
}

enum cxn_status cxn_checkpoint_write_model(const struct cxn_env *env, const char *path,
                                           const cxn_net *net, const struct cxn_span *weights,
                                           const struct cxn_out_pair *metadata,
                                           size_t metadata_count, struct cxn_error *err)
{
    struct plan plan = { 0 };
    enum cxn_status status = check_span(weights, weights, net->float_count, "weights", err);
    if (status != CXN_OK) return status;
    status = plan_open(&plan, env->mem, net, err);
    if (status == CXN_OK)
        status = cxn_fail_in(err, plan_fill(&plan, net, CXN_STORED_WEIGHTS, weights, 1, err), path);
    if (status == CXN_OK) {
        const struct cxn_safetensors_content file = {
            .tensors = plan.out, .tensor_count = plan.count, .metadata = metadata,
            .metadata_count = metadata_count
        };
        status = cxn_safetensors_write(env, path, &file, err);
    }
    plan_close(&plan);
    return status;
}
