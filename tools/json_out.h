/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_JSON_OUT_H
#define CXN_TOOLS_JSON_OUT_H

#include <jansson.h>

#include <chexnet/status.h>

/* What --json prints: one object, the same way for every command. */

/* To be called before any JSON is made: json_print() then knows of every allocation that failed. */
void json_watch(void);

/* A string of any bytes: JSON knows only UTF-8, and a path may be something else; bytes that are
 * not ASCII are '?' then. */
json_t *json_text(const char *text);

/* json_text(), or null for NULL and "". */
json_t *json_text_or_null(const char *text);

/* A number, or null for NaN and the infinities, which JSON does not have. */
json_t *json_number(double value);

/* Add the notice that this is for research, print on stdout, drop the reference. CXN_E_NOMEM with a
 * text, and nothing printed, where object is NULL or memory was refused for any part of it. */
enum cxn_status json_print(json_t *object, struct cxn_error *err);

#endif
