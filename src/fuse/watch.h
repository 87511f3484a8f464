/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_WATCH_H
#define CXN_FUSE_WATCH_H

#include "nn/engine.h"

/* Whom the pass over a view tells what it has just done, for a profile. All the time between two
 * calls is the later operation's, so that nothing is lost between operations. */
struct cxn_watch {
    cxn_operation_fn *tell;
    void *ctx;
    double since; /* cxn_clock_seconds() when the work began that is told next */
};

/* A part of an operation; all its parts have the same name. */
struct cxn_watched {
    const char *what;
    size_t height, width; /* of the operation's map, as nn/walk.c names it */
    size_t out;           /* channels of a convolution's result; 0 for another operation */
    double products;      /* of the network's definition, in this part; 0: not counted */
};

void cxn_watch_tell(struct cxn_watch *watch, const struct cxn_watched *done);

#endif
