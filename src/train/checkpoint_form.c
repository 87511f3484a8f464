/* SPDX-License-Identifier: Apache-2.0 */
#include "train/checkpoint_form.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"

const char *const cxn_checkpoint_files[CXN_CHECKPOINT_FILES] = {
    [CXN_STORED_WEIGHTS] = "weights.safetensors",
    [CXN_STORED_MOMENTS] = "moments.safetensors",
    [CXN_STORED_AVERAGE] = "average.safetensors",
    [CXN_CHECKPOINT_STATE] = "state.json",
};

char *cxn_path_join(struct cxn_mem *mem, const char *folder, const char *name)
{
    const size_t n = strlen(folder), m = strlen(name);
    char *path = cxn_alloc(mem, n + m + 2, 1);
    if (path) snprintf(path, n + m + 2, "%s/%s", folder, name);
    return path;
}

enum cxn_status cxn_path_sha256(const char *path, char hex[CXN_SHA256_HEX_BYTES],
                                struct cxn_error *err)
{
    struct cxn_file file;
    enum cxn_status status = cxn_file_open(&file, path, err);
    if (status != CXN_OK) return status;
    status = cxn_sha256_file(&file, path, hex, err);
    cxn_file_close(&file);
    return status;
}

enum cxn_status cxn_best_compare(const struct cxn_checkpoint *c, const char *path,
                                 const char *found, struct cxn_error *err)
{
    if (strcmp(c->best_sha256, found) == 0) return CXN_OK;
    if (!found[0])
        return cxn_fail(err, CXN_E_FORMAT, "%s: missing, the checkpoint tells of one", path);
    return cxn_fail(err, CXN_E_FORMAT, "%s: SHA-256 is %s, the checkpoint has %s", path, found,
                    c->best_sha256[0] ? c->best_sha256 : "none");
}

/* ---- blocks ------------------------------------------------------------------------------- */

size_t cxn_stored_max(const cxn_net *net)
{
    return CXN_MOMENTS_MAX * net->tensor_count;
}

size_t cxn_stored_list(const cxn_net *net, int stored, unsigned moment_count,
                       struct cxn_stored_tensor *tensors)
{
    const bool moments = stored == CXN_STORED_MOMENTS;
    size_t n = 0;
    for (unsigned which = 0; which < (moments ? moment_count : 1); which++) {
        for (size_t i = 0; i < net->tensor_count; i++) {
            const struct cxn_net_tensor *t = &net->tensors[i];
            if (moments && !cxn_role_is_param(t->role)) continue;
            struct cxn_stored_tensor *out = &tensors[n++];
            *out = (struct cxn_stored_tensor){ .which = which, .tensor = t };
            if (moments) snprintf(out->name, sizeof out->name, "moment%u.%s", which, t->name);
            else snprintf(out->name, sizeof out->name, "%s", t->name);
        }
    }
    return n;
}

uint64_t cxn_stored_bytes_max(const cxn_net *net)
{
    return CXN_SAFETENSORS_HEADER_MAX_BYTES +
           sizeof(double) * CXN_MOMENTS_MAX * (uint64_t)net->float_count;
}

enum cxn_dtype cxn_number_dtype(enum cxn_number number)
{
    return number == CXN_NUMBER_F64 ? CXN_DTYPE_F64 : CXN_DTYPE_F32;
}

void *cxn_stored_at(const struct cxn_span *block, const struct cxn_net_tensor *tensor)
{
    return (char *)block->data + tensor->offset * cxn_number_bytes(block->number);
}

static double number_at(const struct cxn_span *block, size_t i)
{
    if (block->number == CXN_NUMBER_F64) return ((const double *)block->data)[i];
    return (double)((const float *)block->data)[i];
}

enum cxn_status cxn_stored_check(const struct cxn_stored_tensor *t, int stored,
                                 const struct cxn_span *block, struct cxn_error *err)
{
    const bool variance = stored != CXN_STORED_MOMENTS && t->tensor->role == CXN_ROLE_NORM_VAR;
    for (size_t i = 0; i < t->tensor->count; i++) {
        const double value = number_at(block, t->tensor->offset + i);
        if (!isfinite(value))
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu is %g", t->name, i, value);
        if (variance && value < 0)
            return cxn_fail(err, CXN_E_FORMAT, "tensor '%s': element %zu, a variance, is %g",
                            t->name, i, value);
    }
    return CXN_OK;
}

/* ---- the list of hashes ------------------------------------------------------------------- */

enum { HEX_DIGITS = CXN_SHA256_HEX_BYTES - 1 };

size_t cxn_sums_print(const struct cxn_sums *sums, char text[CXN_SUMS_MAX_BYTES])
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < CXN_CHECKPOINT_FILES; i++)
        if (sums->has[i])
            at += (size_t)snprintf(text + at, CXN_SUMS_MAX_BYTES - at, "%s  %s\n", sums->sha256[i],
                                   cxn_checkpoint_files[i]);
    return at;
}

static bool is_hex(const char *digits)
{
    for (size_t i = 0; i < HEX_DIGITS; i++)
        if (!strchr("0123456789abcdef", digits[i]) || digits[i] == '\0') return false;
    return true;
}

static bool take_line(struct cxn_sums *sums, const char *line, size_t length)
{
    if (length <= HEX_DIGITS + 2 || line[HEX_DIGITS] != ' ' || line[HEX_DIGITS + 1] != ' ' ||
        !is_hex(line))
        return false;
    for (int i = 0; i < CXN_CHECKPOINT_FILES; i++) {
        const char *name = cxn_checkpoint_files[i];
        if (strlen(name) != length - HEX_DIGITS - 2 ||
            memcmp(line + HEX_DIGITS + 2, name, strlen(name)) != 0)
            continue;
        if (sums->has[i]) return false;
        sums->has[i] = true;
        memcpy(sums->sha256[i], line, HEX_DIGITS);
        return true;
    }
    return false;
}

enum cxn_status cxn_sums_parse(struct cxn_sums *sums, const void *text, size_t size,
                               struct cxn_error *err)
{
    struct cxn_cursor c = cxn_cursor_make(text, size);
    const char *line;
    size_t length;
    char canonical[CXN_SUMS_MAX_BYTES];
    *sums = (struct cxn_sums){ 0 };
    for (unsigned number = 1; cxn_cursor_line(&c, &line, &length); number++)
        if (!take_line(sums, line, length))
            return cxn_fail(err, CXN_E_FORMAT, "line %u: expected 64 lower-case hex digits, two "
                                               "blanks and the name of a checkpoint's file, once",
                            number);
    for (int i = 0; i < CXN_CHECKPOINT_FILES; i++)
        if (!sums->has[i] && (i == CXN_STORED_WEIGHTS || i == CXN_CHECKPOINT_STATE))
            return cxn_fail(err, CXN_E_FORMAT, "no line for %s", cxn_checkpoint_files[i]);
    /* One text for one content: another order, CR LF or a missing last LF are refused too. */
    if (cxn_sums_print(sums, canonical) == size && memcmp(canonical, text, size) == 0)
        return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "not as written: expected lines in their order, each ended "
                                       "by one LF");
}

/* ---- state.json --------------------------------------------------------------------------- */

enum { FORM_VERSION = 1 };
static const int64_t INTEGER_MAX = (int64_t)1 << 53;

json_t *cxn_state_make(const struct cxn_checkpoint_content *content)
{
    const double best = content->place.best_auc;
    json_t *root = json_pack(
        "{s:i, s:I, s:I, s:o, s:s?, s:I, s:i, s:b, s:O}", "checkpoint", FORM_VERSION,
        "step", (json_int_t)content->place.step, "epoch", (json_int_t)content->place.epoch,
        "best_auc", isnan(best) ? json_null() : json_real(best),
        "best_sha256", content->best_sha256[0] ? content->best_sha256 : NULL,
        "log_bytes", (json_int_t)content->log_bytes, "moments", (int)content->moment_count,
        "average", content->average.data != NULL, "state", content->state);
    return root;
}

static bool take_count(const json_t *root, const char *key, int64_t most, uint64_t *out)
{
    const json_t *v = json_object_get(root, key);
    const int64_t value = json_integer_value(v);
    if (!json_is_integer(v) || value < 0 || value > most) return false;
    *out = (uint64_t)value;
    return true;
}

static bool take_best(const json_t *root, double *best)
{
    const json_t *v = json_object_get(root, "best_auc");
    *best = json_is_real(v) ? json_real_value(v) : (double)NAN;
    return json_is_null(v) || (json_is_real(v) && *best >= 0 && *best <= 1);
}

static bool take_best_sha256(const json_t *root, char hex[CXN_SHA256_HEX_BYTES])
{
    const json_t *v = json_object_get(root, "best_sha256");
    const char *text = json_string_value(v);
    hex[0] = '\0';
    if (!text) return json_is_null(v);
    if (json_string_length(v) != HEX_DIGITS || !is_hex(text)) return false;
    memcpy(hex, text, CXN_SHA256_HEX_BYTES);
    return true;
}

/* The key that is missing or has a value it cannot have; NULL: none. */
static const char *take_fields(const json_t *root, struct cxn_checkpoint *c)
{
    uint64_t version = 0, moments = 0;
    const json_t *average = json_object_get(root, "average");
    if (!take_count(root, "checkpoint", FORM_VERSION, &version) || version != FORM_VERSION)
        return "checkpoint";
    if (!take_count(root, "step", INTEGER_MAX, &c->place.step)) return "step";
    if (!take_count(root, "epoch", INTEGER_MAX, &c->place.epoch)) return "epoch";
    if (!take_best(root, &c->place.best_auc)) return "best_auc";
    if (!take_best_sha256(root, c->best_sha256)) return "best_sha256";
    if (!take_count(root, "log_bytes", INTEGER_MAX, &c->log_bytes)) return "log_bytes";
    if (!take_count(root, "moments", CXN_MOMENTS_MAX, &moments)) return "moments";
    if (!json_is_boolean(average)) return "average";
    if (!json_is_object(json_object_get(root, "state"))) return "state";
    c->moment_count = (unsigned)moments;
    c->has_average = json_is_true(average);
    return NULL;
}

enum cxn_status cxn_state_take(struct cxn_json *json, struct cxn_checkpoint *c,
                               struct cxn_error *err)
{
    enum { KEYS = 9 };
    const char *bad = take_fields(json->root, c);
    if (bad)
        return cxn_fail(err, CXN_E_FORMAT, "'%s' is missing or not as a checkpoint of form %d has "
                                           "it", bad, FORM_VERSION);
    if (json_object_size(json->root) != KEYS)
        return cxn_fail(err, CXN_E_FORMAT, "%zu keys, expected %d",
                        json_object_size(json->root), KEYS);
    c->state = *json;
    c->state.root = json_incref(json_object_get(json->root, "state"));
    json_decref(json->root);
    *json = (struct cxn_json){ 0 };
    return CXN_OK;
}
