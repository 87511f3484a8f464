/* SPDX-License-Identifier: Apache-2.0 */
#include "data/prepare.h"

#include <chexnet/data.h>

#include "api/context.h"
#include "base/fpmode.h"

static enum cxn_status check_options(const struct cxn_prepare_options *o, struct cxn_error *err)
{
    if (!o || !o->out || o->folder_count < 1 || !o->folders || o->list_count < 1 || !o->lists)
        return cxn_fail(err, CXN_E_ARG, "prepare: folders, lists and the cache's name are needed");
    return CXN_OK;
}

static enum cxn_status open_lists(const struct cxn_env *env, const struct cxn_prepare_options *o,
                                  cxn_list **lists, struct cxn_error *err)
{
    for (size_t i = 0; i < o->list_count; i++) {
        const enum cxn_status status = cxn_list_open(&lists[i], env, o->lists[i], NULL, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

static enum cxn_status prepare_lists(const struct cxn_env *env,
                                     const struct cxn_prepare_options *o, cxn_list **lists,
                                     struct cxn_prepare_result *result, struct cxn_error *err)
{
    cxn_images *images = NULL;
    enum cxn_status status = open_lists(env, o, lists, err);
    if (status == CXN_OK)
        status = cxn_images_open(&images, env, o->folders, o->folder_count, err);
    if (status != CXN_OK) return status;
    const struct cxn_prepare_job job = {
        .images = images,
        .lists = (const cxn_list *const *)lists,
        .list_count = o->list_count,
        .path = o->out,
        .skip_bad = o->skip_bad != 0,
        .progress = { o->progress, o->progress_ctx },
    };
    struct cxn_prepare_counts counts;
    status = cxn_prepare_run(env, &job, &counts, err);
    if (status == CXN_OK && result)
        *result = (struct cxn_prepare_result){ .images = counts.images,
                                               .decoded = counts.decoded,
                                               .kept = counts.kept,
                                               .bad = counts.bad,
                                               .cache_bytes = counts.cache_bytes };
    cxn_images_close(&images);
    return status;
}

enum cxn_status cxn_prepare(cxn_context *ctx, const struct cxn_prepare_options *options,
                            struct cxn_prepare_result *result, struct cxn_error *err)
{
    const struct cxn_env *env = cxn_context_env(ctx);
    enum cxn_status status = check_options(options, err);
    if (status != CXN_OK) return status;
    cxn_list **lists = cxn_alloc_zero(env->mem, options->list_count, sizeof *lists);
    if (!lists)
        return cxn_fail_nomem(err, env->mem, options->list_count * sizeof *lists, "the lists");
    fenv_t host;
    cxn_fpmode_enter(&host);
    status = prepare_lists(env, options, lists, result, err);
    cxn_fpmode_leave(&host);
    for (size_t i = 0; i < options->list_count; i++) cxn_list_close(&lists[i]);
    cxn_free(lists);
    return status;
}
