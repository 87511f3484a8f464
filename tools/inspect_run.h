/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_INSPECT_RUN_H
#define CXN_TOOLS_INSPECT_RUN_H

#include <chexnet/inspect.h>

#include "command.h"

/* The part of `inspect` for the folder of a training. */
bool inspect_is_run(const char *path);

/* CXN_E_FORMAT, with the first problem, where `verify` found one; what there is was printed. */
enum cxn_status inspect_run(const struct invocation *inv, const cxn_context *ctx,
                            struct cxn_error *err);

#endif
