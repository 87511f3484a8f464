/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_PROBE_H
#define CXN_FUSE_PROBE_H

#include "base/env.h"
#include "base/picture.h"
#include "nn/engine.h"

/*
 * A drawn picture that every engine can be asked about: three phantom chests are its red, green and
 * blue. Two of its views are corners of the green one alone, as a grey picture, two are the centre
 * of the colour picture; one of each is mirrored. So both stems are met, either way round.
 */
enum { CXN_PROBE_SIDE = 256, CXN_PROBE_CHANNELS = 3, CXN_PROBE_VIEWS = 4 };

struct cxn_probe {
    uint8_t *pixels; /* [SIDE][SIDE][3], and behind it [SIDE][SIDE] grey */
    struct cxn_picture colour, grey;
    struct cxn_view views[CXN_PROBE_VIEWS]; /* of these two: not to be moved */
};

/* The colour picture is the caller's to fill in, cxn_probe_ready() then makes the rest of it.
 * CXN_E_NOMEM. */
enum cxn_status cxn_probe_open(struct cxn_probe *probe, struct cxn_mem *mem,
                               struct cxn_error *err);
void cxn_probe_ready(struct cxn_probe *probe);
void cxn_probe_close(struct cxn_probe *probe); /* frees and zeroes; a zeroed one is fine */

/* Open it and draw the picture, the same bytes on every machine. */
enum cxn_status cxn_probe_draw(struct cxn_probe *probe, const struct cxn_env *env,
                               struct cxn_error *err);

/* What an engine opened for this answers. answers: [CXN_PROBE_VIEWS][classes]. */
enum cxn_status cxn_probe_ask(const struct cxn_probe *probe, const struct cxn_engine *engine,
                              const struct cxn_engine_source *source, const struct cxn_env *env,
                              float *answers, struct cxn_error *err);

/* Where two sets of answers differ most. */
struct cxn_probe_difference {
    double most;
    size_t view, finding;
};
struct cxn_probe_difference cxn_probe_compare(const float *a, const float *b, size_t classes);

#endif
