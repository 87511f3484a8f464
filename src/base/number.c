/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C library hands out its own static object for this name: nothing to free, no failure. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void cxn_float_print(char text[CXN_FLOAT_TEXT_BYTES], float value)
{
    const locale_t before = uselocale(plain_locale());
    snprintf(text, CXN_FLOAT_TEXT_BYTES, "%.9g", (double)value);
    uselocale(before);
}

bool cxn_float_parse(const char *text, float *value)
{
    const size_t n = strspn(text, "+-.0123456789eE"); /* keeps out blanks, hex, inf and nan */
    char *end;
    if (n == 0 || text[n] != '\0') return false;
    const float v = strtof_l(text, &end, plain_locale());
    if (end != text + n || !isfinite(v)) return false;
    *value = v;
    return true;
}

void cxn_double_print(char text[CXN_DOUBLE_TEXT_BYTES], double value)
{
    const locale_t before = uselocale(plain_locale());
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, CXN_DOUBLE_TEXT_BYTES, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    uselocale(before);
}

bool cxn_double_parse(const char *text, double *value)
{
    const size_t n = strspn(text, "+-.0123456789eE");
    char *end;
    if (n == 0 || text[n] != '\0') return false;
    const double v = strtod_l(text, &end, plain_locale());
    if (end != text + n || !isfinite(v)) return false;
    *value = v;
    return true;
}
