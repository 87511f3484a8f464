/* SPDX-License-Identifier: Apache-2.0 */
#include "model/names.h"

#include <stdbool.h>
#include <string.h>

static const char *const prefixes[] = { "module.", "densenet121.", "model." };

static bool starts_with(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}

static size_t skip_prefixes(const char *name)
{
    size_t at = 0;
    for (size_t i = 0; i < CXN_COUNTOF(prefixes); i++) {
        if (!starts_with(name + at, prefixes[i])) continue;
        at += strlen(prefixes[i]);
        i = (size_t)-1; /* from the first again: any nesting */
    }
    return at;
}

/* The place of ".1." or ".2." in "...denselayerN.norm.1....", or NULL. */
static char *find_old_dot(char *text)
{
    static const char *const kinds[] = { ".norm.", ".conv." };
    const char *layer = strstr(text, ".denselayer");
    if (!layer) return NULL;
    for (size_t i = 0; i < CXN_COUNTOF(kinds); i++) {
        char *at = strstr(text + (layer - text), kinds[i]);
        if (!at) continue;
        char *dot = at + strlen(kinds[i]) - 1;
        if ((dot[1] == '1' || dot[1] == '2') && dot[2] == '.') return dot;
    }
    return NULL;
}

void cxn_name_understand(const char *name, struct cxn_name *out)
{
    static const char head[] = "classifier.0.";
    *out = (struct cxn_name){ .prefix_size = skip_prefixes(name) };
    if (out->prefix_size > 0) out->rules |= CXN_NAME_PREFIX;
    const char *rest = name + out->prefix_size;
    if (starts_with(rest, head)) {
        out->rules |= CXN_NAME_HEAD;
        memcpy(out->text, "classifier.", 11);
        memcpy(out->text + 11, rest + sizeof head - 1, strlen(rest + sizeof head - 1) + 1);
        return;
    }
    memcpy(out->text, rest, strlen(rest) + 1);
    char *dot = find_old_dot(out->text);
    if (!dot) return;
    out->rules |= CXN_NAME_OLD_SPELLING;
    memmove(dot, dot + 1, strlen(dot + 1) + 1);
}
