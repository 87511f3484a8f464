/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_HEX_H
#define CXN_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes as lower-case hex digits, two each, without a NUL. */
void cxn_hex_print(char *hex, const void *data, size_t n);

/* The whole of text as n bytes; false for other digits or another number of them. */
bool cxn_hex_parse(const char *text, void *data, size_t n);

#endif
