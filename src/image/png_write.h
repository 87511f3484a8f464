/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_IMAGE_PNG_WRITE_H
#define CXN_IMAGE_PNG_WRITE_H

#include "base/env.h"
#include "base/file.h"
#include "base/picture.h"

/* The picture, 1 or 3 channels, as an 8-bit PNG without metadata; the same bytes each time. Free
 * bytes->data with cxn_free(). CXN_E_ARG for other channels, CXN_E_LIMIT, CXN_E_NOMEM. */
enum cxn_status cxn_png_encode(const struct cxn_env *env, const struct cxn_picture *picture,
                               struct cxn_bytes *bytes, struct cxn_error *err);

/* Encode into a file, which appears under its name only when complete; CXN_E_IO too. */
enum cxn_status cxn_png_write(const struct cxn_env *env, const struct cxn_picture *picture,
                              const char *path, struct cxn_error *err);

#endif
