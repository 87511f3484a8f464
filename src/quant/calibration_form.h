/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_CALIBRATION_FORM_H
#define CXN_QUANT_CALIBRATION_FORM_H

#include "quant/calibration.h"

/* What writer and reader of calibration files agree on: docs/formats.md. */

#define CXN_CALIBRATION_FORMAT "calibration"
enum { CXN_CALIBRATION_VERSION = 1 };

/* One array of a part, under its key. */
struct cxn_calibration_array {
    const char *key;
    double *numbers; /* [out of the part] */
};
enum { CXN_CALIBRATION_ARRAYS_MAX = 2 };

/* Those that part i has, in the order of the file; returns how many. */
size_t cxn_calibration_arrays(const cxn_calibration *calibration, size_t i,
                              struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX]);

/* CXN_E_FORMAT that names the first number which no calibration has. */
enum cxn_status cxn_calibration_check(const cxn_calibration *calibration, struct cxn_error *err);

/* The same of one whose means and shares are still sums over so many views. */
enum cxn_status cxn_calibration_check_sums(const cxn_calibration *calibration, size_t views,
                                           struct cxn_error *err);

#endif
