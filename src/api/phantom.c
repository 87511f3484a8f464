/* SPDX-License-Identifier: Apache-2.0 */
#include "data/phantom.h"

#include <chexnet/data.h>

#include "api/context.h"
#include "base/fpmode.h"

enum { DEFAULT_SIZE = 1024 };

enum cxn_status cxn_phantom(cxn_context *ctx, const struct cxn_phantom_options *options,
                            struct cxn_error *err)
{
    if (!options || !options->out)
        return cxn_fail(err, CXN_E_ARG, "phantom: a folder's name is needed");
    const struct cxn_phantom_spec spec = {
        .images = options->images,
        .size = options->size == 0 ? DEFAULT_SIZE : options->size,
        .seed = options->seed,
        .balanced = options->balanced != 0,
    };
    const struct cxn_progress progress = { options->progress, options->progress_ctx };
    fenv_t host;
    cxn_fpmode_enter(&host);
    const enum cxn_status status =
        cxn_phantom_write(cxn_context_env(ctx), &spec, options->out, &progress, err);
    cxn_fpmode_leave(&host);
    return status;
}
