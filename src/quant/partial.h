/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_PARTIAL_H
#define CXN_QUANT_PARTIAL_H

#include "quant/collect.h"

/* An unfinished calibration as a safetensors file: docs/formats.md. */

/* What it is of; another's is refused. Borrowed. */
struct cxn_partial_about {
    const cxn_calibration *calibration; /* all but its parts and its number of images */
    size_t chosen;     /* images in all */
    const char *level; /* of the kernels that compute */
};

/* Complete or not at all, under path. CXN_OK, or what cxn_safetensors_write() returns. */
enum cxn_status cxn_partial_write(const cxn_collector *collector,
                                  const struct cxn_partial_about *about, const struct cxn_env *env,
                                  const char *path, struct cxn_error *err);

/*
 * Go on from there: fills the collector. Untrusted input. CXN_OK; CXN_E_IO, also where it is of
 * another calibration; CXN_E_FORMAT: not such a file, or numbers that no calibration gives;
 * CXN_E_NOMEM. Texts name the file; the collector is of no use after an error.
 */
enum cxn_status cxn_partial_read(cxn_collector *collector, const struct cxn_partial_about *about,
                                 const struct cxn_env *env, const char *path,
                                 struct cxn_error *err);

#endif
