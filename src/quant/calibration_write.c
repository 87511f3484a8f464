/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_dump.h"
#include "base/number.h"
#include "quant/calibration_form.h"

/* What a run is told by, before the tensors. name: a JSON string. */
static void write_about(cxn_out *out, const cxn_calibration *c, const char *name)
{
    char text[CXN_DOUBLE_TEXT_BYTES];
    cxn_out_printf(out, "{\n  \"chexnet_format\": \"%s\",\n  \"chexnet_format_version\": %d,\n",
                   CXN_CALIBRATION_FORMAT, CXN_CALIBRATION_VERSION);
    cxn_out_printf(out, "  \"chexnet_version\": \"%s\",\n", c->version);
    cxn_out_printf(out, "  \"model_name\": %s,\n", name);
    cxn_out_printf(out, "  \"model_sha256\": \"%s\",\n  \"list_sha256\": \"%s\",\n",
                   c->model_sha256, c->list_sha256);
    cxn_out_printf(out, "  \"method\": \"%s\",\n", cxn_calibration_method_name(c->method));
    if (c->method == CXN_CALIBRATION_PERCENTILE) {
        cxn_double_print(text, c->percentile);
        cxn_out_printf(out, "  \"percentile\": %s,\n", text);
    }
    cxn_out_printf(out, "  \"images\": %zu,\n  \"seed\": %" PRIu64 ",\n", c->images, c->seed);
}

static void write_array(cxn_out *out, const struct cxn_calibration_array *array, size_t count)
{
    char text[CXN_DOUBLE_TEXT_BYTES];
    cxn_out_printf(out, "      \"%s\": [", array->key);
    for (size_t k = 0; k < count; k++) {
        cxn_double_print(text, array->numbers[k]);
        if (k > 0) cxn_out_write(out, ", ", 2);
        cxn_out_write(out, text, strlen(text));
    }
    cxn_out_write(out, "]", 1);
}

static void write_tensors(cxn_out *out, const cxn_calibration *c)
{
    struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
    const char *between = "";
    cxn_out_printf(out, "  \"tensors\": {");
    for (size_t i = 0; i < c->fold->count; i++) {
        const size_t count = cxn_calibration_arrays(c, i, arrays);
        if (count == 0) continue;
        cxn_out_printf(out, "%s\n    \"%s\": {\n", between, c->fold->parts[i].name);
        for (size_t a = 0; a < count; a++) {
            write_array(out, &arrays[a], c->fold->parts[i].out);
            cxn_out_printf(out, a + 1 < count ? ",\n" : "\n    }");
        }
        between = ",";
    }
    cxn_out_printf(out, "\n  }\n}\n");
}

/* As JSON has it, quotes included; free(). */
static char *quote(const char *text)
{
    json_t *string = json_string(text);
    char *quoted = string ? cxn_json_dump(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    return quoted;
}

enum cxn_status cxn_calibration_write(const cxn_calibration *c, const struct cxn_env *env,
                                      const char *path, struct cxn_error *err)
{
    cxn_out *out = NULL;
    enum cxn_status status = cxn_fail_in(err, cxn_calibration_check(c, err), path);
    if (status != CXN_OK) return status;
    char *name = quote(c->model_name);
    if (!name) return cxn_fail_nomem(err, env->mem, strlen(c->model_name), "a file's name");
    status = cxn_out_open(&out, path, err);
    if (status == CXN_OK) {
        write_about(out, c, name);
        write_tensors(out, c);
        status = cxn_out_commit(&out, err);
    }
    free(name);
    return status;
}
