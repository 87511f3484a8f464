/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_JSON_OUT_H
#define CXN_TOOLS_JSON_OUT_H

#include <jansson.h>

#include <chexnet/status.h>

/* What --json prints: one object, the same way for every command. */

/* A string of any bytes: JSON knows only UTF-8, and a path may be something else; bytes that are
 * not ASCII are '?' then. */
json_t *json_text(const char *text);

/* json_text(), or null for NULL and "". */
json_t *json_text_or_null(const char *text);

/* A number, or null for NaN and the infinities, which JSON does not have. */
json_t *json_number(double value);

/* Add the notice that this is for research, print on stdout, drop the reference. object NULL: it
 * could not be built. CXN_E_NOMEM with a text then. */
enum cxn_status json_print(json_t *object, struct cxn_error *err);

#endif
