/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_NUMBER_H
#define CXN_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers as text, with a decimal point whatever the locale of the host program. */

enum { CXN_FLOAT_TEXT_BYTES = 24 };

/* "%.9g": enough digits that reading gives the same float again. */
void cxn_float_print(char text[CXN_FLOAT_TEXT_BYTES], float value);

/* The whole of text as the nearest float: decimal digits with point and exponent, nothing else, and
 * finite; false, and *value untouched, otherwise. */
bool cxn_float_parse(const char *text, float *value);

enum { CXN_DOUBLE_TEXT_BYTES = 32 };

/* The shortest of "%.15g", "%.16g", "%.17g" that reading gives the same double of again: 0.1 is
 * "0.1". */
void cxn_double_print(char text[CXN_DOUBLE_TEXT_BYTES], double value);

/* As cxn_float_parse(), for a double. */
bool cxn_double_parse(const char *text, double *value);

#endif
