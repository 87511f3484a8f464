/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* An object is built by calls that each drop their part where memory ends; what is left would look
 * whole. So the first refusal is remembered. */
static bool memory_refused;

static void *take(size_t bytes)
{
    void *p = malloc(bytes);
    if (!p) memory_refused = true;
    return p;
}

void json_watch(void)
{
    json_set_alloc_funcs(take, free);
}

#include "command.h"

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string) return string;
    char ascii[CXN_ERROR_BYTES];
    snprintf(ascii, sizeof ascii, "%s", text);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    return json_string(ascii);
}

json_t *json_text_or_null(const char *text)
{
    return text && text[0] ? json_text(text) : json_null();
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

enum cxn_status json_print(json_t *object, struct cxn_error *err)
{
    /* 15 digits: 10.2 is told as 10.2, and a float32 comes back as it was. */
    const size_t how = JSON_INDENT(2) | JSON_REAL_PRECISION(15);
    json_t *notice = json_string(RESEARCH_USE);
    const int failed = json_object_set_new(object, "notice", notice);
    char *text = failed ? NULL : json_dumps(object, how);
    json_decref(object);
    const bool whole = text && !memory_refused;
    if (whole) puts(text); /* what stdout lost is found when it is closed */
    free(text);
    if (whole) return CXN_OK;
    snprintf(err->text, sizeof err->text, "no memory for the JSON object");
    return CXN_E_NOMEM;
}
