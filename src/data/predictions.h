/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_PREDICTIONS_H
#define CXN_DATA_PREDICTIONS_H

#include "base/env.h"
#include "base/file.h"
#include "data/list.h"

/* The prediction CSV (docs/formats.md): image,Atelectasis,...,Hernia and a row an image. */

/* In file order. One allocation; everything points into it. */
typedef struct cxn_predictions {
    size_t count;
    const char **names; /* [count], unique */
    float *scores;      /* [count][CXN_FINDING_COUNT], finite */
    uint32_t *order;    /* [count] rows by name */
} cxn_predictions;

enum cxn_status cxn_predictions_open(cxn_predictions **predictions, const struct cxn_env *env,
                                     const char *path, struct cxn_error *err);
/* The same of bytes in memory, borrowed for the call; source is what errors call them. */
enum cxn_status cxn_predictions_parse(cxn_predictions **predictions, const struct cxn_env *env,
                                      const char *source, const void *data, size_t size,
                                      struct cxn_error *err);
void cxn_predictions_close(cxn_predictions **predictions);

/* Row of an image, or SIZE_MAX. */
size_t cxn_predictions_find(const cxn_predictions *predictions, const char *name);

/* Writing: the header once, then rows. A name with a comma or a quote is quoted. */
void cxn_predictions_write_header(cxn_out *out);
void cxn_predictions_write_row(cxn_out *out, const char *name,
                               const float scores[CXN_FINDING_COUNT]);

#endif
