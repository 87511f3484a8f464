/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_QUANTIZE_H
#define CXN_QUANT_QUANTIZE_H

#include "quant/calibration.h"
#include "quant/quantized.h"

/*
 * The folded graph in 8 bits, docs/int8.md, "Quantisation computes". In double, every sum in a
 * fixed order, and of libm only what IEEE 754 fixes: the same numbers on every machine.
 *
 * calibration: of source->fold, ranges finite with lo <= hi. two_parts: as cxn_quantized_open().
 * CXN_OK; CXN_E_FORMAT: a calibration of no pictures, a folded number that is not finite, or one
 * that the engine could not use, by name; what source->read() returns; CXN_E_NOMEM.
 */
enum cxn_status cxn_quantized_make(cxn_quantized **quantized, const struct cxn_fold_source *source,
                                   const cxn_calibration *calibration, const bool *two_parts,
                                   struct cxn_mem *mem, struct cxn_error *err);

#endif
