/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

void cxn_hex_print(char *hex, const void *data, size_t n)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static uint8_t value_of(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

bool cxn_hex_parse(const char *text, void *data, size_t n)
{
    uint8_t *bytes = data;
    const size_t count = strspn(text, digits);
    if (count != 2 * n || text[count] != '\0') return false;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value_of(text[2 * i]) << 4 | value_of(text[2 * i + 1]));
    return true;
}
