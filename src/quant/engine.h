/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_QUANT_ENGINE_H
#define CXN_QUANT_ENGINE_H

#include "nn/engine.h"

/* The quantised network with the fastest kernels of the CPU, docs/int8.md: the same bits at every
 * level. Opened with source->quantized alone. */
extern const struct cxn_engine cxn_engine_int8;

#endif
