/* SPDX-License-Identifier: Apache-2.0 */
#include "api/source_name.h"

#include <string.h>

#include "base/utf8.h"

void cxn_source_name(const char *path, char name[CXN_SOURCE_NAME_BYTES])
{
    const char *slash = strrchr(path, '/');
    const char *s = slash ? slash + 1 : path;
    size_t at = 0;
    while (*s) {
        const size_t bytes = cxn_utf8_bytes((const uint8_t *)s, strnlen(s, 4));
        const bool plain = bytes > 1 || (bytes == 1 && *s >= 0x20 && *s != 0x7f);
        const size_t taken = plain ? bytes : 1;
        if (at + taken >= CXN_SOURCE_NAME_BYTES) break;
        if (plain) memcpy(name + at, s, taken);
        else name[at] = '?';
        at += taken;
        s += taken;
    }
    name[at] = '\0';
}
