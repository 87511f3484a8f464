/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_JSON_SCAN_H
#define CXN_MODEL_JSON_SCAN_H

#include <stddef.h>

#include "base/status.h"

/*
 * A look over the JSON of a safetensors header before a JSON library sees it: it begins with '{',
 * nests at most three deep, and its numbers are plain decimal integers (no sign, fraction, exponent
 * or leading zero); no true, false or null. memory_bytes: an upper estimate of what the library
 * will allocate. Whether it is JSON at all is left to the library. CXN_E_FORMAT with the byte.
 */
enum cxn_status cxn_json_scan(const char *text, size_t size, size_t *memory_bytes,
                              struct cxn_error *err);

#endif
