/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration files are untrusted input, as models are. */
#include <string.h>

#include "base/file.h"
#include "quant/calibration_form.h"
#include "train/json_text.h"

enum { IMAGES_MAX = 999999999 }; /* nine digits, as a quantised file has them */

/* ---- members ------------------------------------------------------------------------------ */

/* A tensor's name, or "" for the whole file, stands in front of what is wrong with a member. */
static enum cxn_status fail_member(const char *where, const char *key, const char *what,
                                   struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_FORMAT, "%s%s%s'%.100s' %s", where[0] ? "'" : "", where,
                    where[0] ? "': " : "", key, what);
}

static bool is_among(const char *key, const char *const *keys, size_t count)
{
    size_t k = 0;
    while (k < count && strcmp(keys[k], key) != 0) k++;
    return k < count;
}

/* Exactly these. */
static enum cxn_status check_keys(const json_t *object, const char *where, const char *const *keys,
                                  size_t count, struct cxn_error *err)
{
    for (size_t k = 0; k < count; k++)
        if (!json_object_get(object, keys[k]))
            return fail_member(where, keys[k], "is missing", err);
    if (json_object_size(object) == count) return CXN_OK;
    for (void *at = json_object_iter((json_t *)object); at;
         at = json_object_iter_next((json_t *)object, at))
        if (!is_among(json_object_iter_key(at), keys, count))
            return fail_member(where, json_object_iter_key(at), "is unexpected", err);
    return CXN_OK;
}

/* ---- what it is of ------------------------------------------------------------------------ */

/* A string of 1 to bytes - 1 bytes, without those in `refused`. */
static enum cxn_status take_word(const json_t *root, const char *key, const char *refused,
                                 char *word, size_t bytes, struct cxn_error *err)
{
    const char *value = json_string_value(json_object_get(root, key));
    const size_t n = value ? strlen(value) : 0;
    if (n == 0 || n >= bytes || value[strcspn(value, refused)] != '\0')
        return cxn_fail(err, CXN_E_FORMAT, "'%s' is no word of 1 to %zu bytes", key, bytes - 1);
    memcpy(word, value, n + 1);
    return CXN_OK;
}

static enum cxn_status take_sha256(const json_t *root, const char *key,
                                   char hex[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    const char *value = json_string_value(json_object_get(root, key));
    const size_t n = CXN_SHA256_HEX_BYTES - 1;
    if (!value || strlen(value) != n || strspn(value, "0123456789abcdef") != n)
        return fail_member("", key, "is not 64 lower-case hex digits", err);
    memcpy(hex, value, n + 1);
    return CXN_OK;
}

static enum cxn_status take_count(const json_t *root, const char *key, json_int_t least,
                                  json_int_t most, json_int_t *count, struct cxn_error *err)
{
    const json_t *value = json_object_get(root, key);
    *count = json_integer_value(value);
    if (json_is_integer(value) && *count >= least && *count <= most) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "'%s' is no whole number from %lld to %lld", key,
                    (long long)least, (long long)most);
}

static enum cxn_status take_percentile(const json_t *root, cxn_calibration *c,
                                       struct cxn_error *err)
{
    if (c->method != CXN_CALIBRATION_PERCENTILE) return CXN_OK;
    c->percentile = json_number_value(json_object_get(root, "percentile"));
    if (c->percentile > 50 && c->percentile < 100) return CXN_OK;
    return fail_member("", "percentile", "is no number above 50 and below 100", err);
}

static enum cxn_status check_form(const json_t *root, struct cxn_error *err)
{
    const char *format = json_string_value(json_object_get(root, "chexnet_format"));
    const json_t *version = json_object_get(root, "chexnet_format_version");
    if (!format || strcmp(format, CXN_CALIBRATION_FORMAT) != 0)
        return fail_member("", "chexnet_format", "is not '" CXN_CALIBRATION_FORMAT "'", err);
    if (!json_is_integer(version) || json_integer_value(version) != CXN_CALIBRATION_VERSION)
        return cxn_fail(err, CXN_E_FORMAT, "'chexnet_format_version' is not %d",
                        CXN_CALIBRATION_VERSION);
    return CXN_OK;
}

static enum cxn_status take_method(const json_t *root, cxn_calibration *c, struct cxn_error *err)
{
    const char *method = json_string_value(json_object_get(root, "method"));
    if (method && cxn_calibration_method_parse(method, &c->method, NULL) == CXN_OK) return CXN_OK;
    return fail_member("", "method", "is none of minmax, percentile, entropy and mse", err);
}

static enum cxn_status take_about(const json_t *root, cxn_calibration *c, struct cxn_error *err)
{
    static const char *const keys[] = {
        "chexnet_format", "chexnet_format_version", "chexnet_version", "model_name",
        "model_sha256", "list_sha256", "method", "images", "seed", "tensors", "percentile"
    };
    json_int_t images = 0, seed = 0;
    enum cxn_status status = check_form(root, err);
    if (status == CXN_OK) status = take_method(root, c, err);
    if (status == CXN_OK) {
        const size_t absent = c->method == CXN_CALIBRATION_PERCENTILE ? 0 : 1;
        status = check_keys(root, "", keys, CXN_COUNTOF(keys) - absent, err);
    }
    if (status == CXN_OK)
        status = take_word(root, "chexnet_version", " ", c->version, sizeof c->version, err);
    if (status == CXN_OK)
        status = take_word(root, "model_name", "/", c->model_name, sizeof c->model_name, err);
    if (status == CXN_OK) status = take_sha256(root, "model_sha256", c->model_sha256, err);
    if (status == CXN_OK) status = take_sha256(root, "list_sha256", c->list_sha256, err);
    if (status == CXN_OK) status = take_percentile(root, c, err);
    if (status == CXN_OK) status = take_count(root, "images", 1, IMAGES_MAX, &images, err);
    if (status == CXN_OK) status = take_count(root, "seed", 0, INT64_MAX, &seed, err);
    c->images = (size_t)images;
    c->seed = (uint64_t)seed;
    return status;
}

/* ---- tensors ------------------------------------------------------------------------------ */

static enum cxn_status take_array(const json_t *tensor, const char *name, size_t channels,
                                  const struct cxn_calibration_array *into, struct cxn_error *err)
{
    const json_t *array = json_object_get(tensor, into->key);
    if (!json_is_array(array) || json_array_size(array) != channels)
        return cxn_fail(err, CXN_E_FORMAT, "'%s': '%s' is no array of %zu numbers", name, into->key,
                        channels);
    for (size_t k = 0; k < channels; k++) {
        const json_t *number = json_array_get(array, k);
        if (!json_is_number(number))
            return cxn_fail(err, CXN_E_FORMAT, "'%s': '%s' of channel %zu is not a number", name,
                            into->key, k);
        into->numbers[k] = json_number_value(number);
    }
    return CXN_OK;
}

static enum cxn_status take_tensor(const json_t *tensor, cxn_calibration *c, size_t i,
                                   struct cxn_error *err)
{
    const struct cxn_part *part = &c->fold->parts[i];
    struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
    const char *keys[CXN_CALIBRATION_ARRAYS_MAX];
    const size_t count = cxn_calibration_arrays(c, i, arrays);
    for (size_t a = 0; a < count; a++) keys[a] = arrays[a].key;
    enum cxn_status status = check_keys(tensor, part->name, keys, count, err);
    for (size_t a = 0; a < count && status == CXN_OK; a++)
        status = take_array(tensor, part->name, part->out, &arrays[a], err);
    return status;
}

static enum cxn_status take_tensors(const json_t *tensors, cxn_calibration *c, const char **names,
                                    struct cxn_error *err)
{
    struct cxn_calibration_array arrays[CXN_CALIBRATION_ARRAYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < c->fold->count; i++)
        if (cxn_calibration_arrays(c, i, arrays) > 0) names[count++] = c->fold->parts[i].name;
    enum cxn_status status = check_keys(tensors, "tensors", names, count, err);
    for (size_t i = 0; i < c->fold->count && status == CXN_OK; i++)
        if (cxn_calibration_arrays(c, i, arrays) > 0)
            status = take_tensor(json_object_get(tensors, c->fold->parts[i].name), c, i, err);
    return status;
}

static enum cxn_status take_all(const json_t *root, cxn_calibration *c, struct cxn_mem *mem,
                                struct cxn_error *err)
{
    enum cxn_status status = take_about(root, c, err);
    if (status != CXN_OK) return status;
    const char **names = cxn_alloc(mem, c->fold->count, sizeof *names);
    if (!names) return cxn_fail_nomem(err, mem, c->fold->count * sizeof *names, "tensors' names");
    status = take_tensors(json_object_get(root, "tensors"), c, names, err);
    cxn_free(names);
    return status == CXN_OK ? cxn_calibration_check(c, err) : status;
}

enum cxn_status cxn_calibration_parse(cxn_calibration **calibration, const cxn_fold *fold,
                                      const struct cxn_env *env, const void *text, size_t size,
                                      struct cxn_error *err)
{
    static const struct cxn_json_limits limits = { CXN_CALIBRATION_TEXT_MAX_BYTES,
                                                   CXN_CALIBRATION_JSON_MAX_BYTES };
    struct cxn_json json = { 0 };
    enum cxn_status status = cxn_calibration_open(calibration, fold, env->mem, err);
    if (status == CXN_OK)
        status = cxn_json_parse_within(&json, env->mem, text, size, &limits, err);
    if (status == CXN_OK) status = take_all(json.root, *calibration, env->mem, err);
    cxn_json_close(&json);
    if (status != CXN_OK) cxn_calibration_close(calibration);
    return status;
}

enum cxn_status cxn_calibration_read(cxn_calibration **calibration, const cxn_fold *fold,
                                     const struct cxn_env *env, const char *path,
                                     struct cxn_error *err)
{
    struct cxn_bytes bytes;
    *calibration = NULL;
    enum cxn_status status =
        cxn_file_read(env->mem, path, CXN_CALIBRATION_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_calibration_parse(calibration, fold, env, bytes.data, bytes.size, err);
    cxn_free(bytes.data);
    return cxn_fail_in(err, status, path);
}
