/* SPDX-License-Identifier: Apache-2.0 */
#include "api/train_about.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "train/json_text.h"

static enum cxn_status no_memory(struct cxn_error *err)
{
    return cxn_fail(err, CXN_E_NOMEM, "no memory for what run.json says");
}

static enum cxn_status make_text(json_t **out, const char *name, const char *text,
                                 struct cxn_error *err)
{
    if (!cxn_utf8_is_valid((const uint8_t *)text, strlen(text)))
        return cxn_fail(err, CXN_E_ARG, "%s '%s': not UTF-8, which run.json needs", name, text);
    *out = json_string(text);
    return *out ? CXN_OK : no_memory(err);
}

enum cxn_status cxn_about_set(json_t *about, const char *name, const char *text,
                              struct cxn_error *err)
{
    json_t *value = json_null();
    const enum cxn_status status = text ? make_text(&value, name, text, err) : CXN_OK;
    if (status != CXN_OK) return status;
    return json_object_set_new(about, name, value) == 0 ? CXN_OK : no_memory(err);
}

const char *cxn_about_text(const json_t *about, const char *name)
{
    return json_string_value(json_object_get(about, name));
}

/* A resume may be started elsewhere. */
static enum cxn_status set_path(json_t *about, const char *name, const char *path,
                                struct cxn_error *err)
{
    char whole[PATH_MAX];
    if (!path) return cxn_about_set(about, name, NULL, err);
    if (!realpath(path, whole)) return cxn_fail_errno(err, errno, "open", path);
    return cxn_about_set(about, name, whole, err);
}

static enum cxn_status add_folder(json_t *images, const char *path, struct cxn_error *err)
{
    char whole[PATH_MAX];
    if (!realpath(path, whole)) return cxn_fail_errno(err, errno, "open", path);
    json_t *text = NULL;
    const enum cxn_status status = make_text(&text, "images", whole, err);
    if (status != CXN_OK) return status;
    return json_array_append_new(images, text) == 0 ? CXN_OK : no_memory(err);
}

/* ---- settings ----------------------------------------------------------------------------- */

static json_t *setting_json(const struct cxn_settings *s, const struct cxn_setting_row *row)
{
    char text[CXN_SETTING_TEXT_BYTES];
    double value;
    cxn_setting_text(s, row, text);
    if (row->words) return json_string(text);
    if (!cxn_double_parse(text, &value)) return NULL;
    return row->kind == CXN_SETTING_COUNT ? json_integer((json_int_t)value) : json_real(value);
}

static enum cxn_status set_settings(json_t *about, const struct cxn_settings *s,
                                    struct cxn_error *err)
{
    json_t *object = json_object();
    int failed = json_object_set_new(about, "settings", object);
    for (size_t i = 0; i < cxn_setting_count; i++)
        failed |= json_object_set_new(object, cxn_setting_rows[i].name,
                                      setting_json(s, &cxn_setting_rows[i]));
    return failed ? no_memory(err) : CXN_OK;
}

static enum cxn_status read_setting(struct cxn_settings *s, const char *name, const json_t *value,
                                    struct cxn_error *err)
{
    char text[CXN_DOUBLE_TEXT_BYTES] = "";
    if (json_is_string(value)) return cxn_settings_set(s, name, json_string_value(value), err);
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) cxn_double_print(text, json_real_value(value));
    return cxn_settings_set(s, name, text, err);
}

enum cxn_status cxn_about_settings(const json_t *about, unsigned ranks, struct cxn_settings *s,
                                   struct cxn_error *err)
{
    json_t *object = json_object_get(about, "settings"), *value;
    const char *name;
    cxn_settings_init(s);
    if (!json_is_object(object)) return cxn_fail(err, CXN_E_FORMAT, "run.json: no settings");
    json_object_foreach(object, name, value) {
        if (read_setting(s, name, value, err) != CXN_OK) {
            return cxn_fail_in(err, CXN_E_FORMAT, "run.json");
        }
    }
    for (size_t i = 0; i < cxn_setting_count; i++)
        if (!json_object_get(object, cxn_setting_rows[i].name))
            return cxn_fail(err, CXN_E_FORMAT, "run.json: no setting '%s'",
                            cxn_setting_rows[i].name);
    /* What one rank cannot do is the file's fault, not that of the ranks. */
    if (cxn_settings_finish(s, 1, err) != CXN_OK)
        return cxn_fail_in(err, CXN_E_FORMAT, "run.json");
    return cxn_settings_finish(s, ranks, err);
}

static enum cxn_status read_options(const struct cxn_train_options *o, struct cxn_settings *s,
                                    struct cxn_error *err)
{
    cxn_settings_init(s);
    for (size_t i = 0; i < o->setting_count; i++) {
        const struct cxn_train_setting *given = &o->settings[i];
        if (!given->name || !given->value)
            return cxn_fail(err, CXN_E_ARG, "setting %zu: name and value are needed", i);
        const enum cxn_status status = cxn_settings_set(s, given->name, given->value, err);
        if (status != CXN_OK) return status;
    }
    return CXN_OK;
}

/* ---- the object --------------------------------------------------------------------------- */

static enum cxn_status fill(json_t *about, const struct cxn_train_options *o, unsigned ranks,
                            struct cxn_error *err)
{
    struct cxn_settings s;
    json_t *images = json_array();
    if (json_object_set_new(about, "images", images) != 0) return no_memory(err);
    enum cxn_status status = cxn_about_set(about, "version", cxn_version(), err);
    for (size_t i = 0; status == CXN_OK && i < o->image_count; i++)
        status = add_folder(images, o->images[i], err);
    if (status == CXN_OK) status = set_path(about, "train", o->train, err);
    if (status == CXN_OK) status = set_path(about, "val", o->val, err);
    if (status == CXN_OK) status = set_path(about, "entries", o->entries, err);
    if (status == CXN_OK) status = set_path(about, "weights", o->weights, err);
    if (status == CXN_OK) status = read_options(o, &s, err);
    if (status == CXN_OK) status = cxn_settings_finish(&s, ranks, err);
    return status == CXN_OK ? set_settings(about, &s, err) : status;
}

enum cxn_status cxn_about_make(json_t **about, const struct cxn_train_options *options,
                               unsigned ranks, struct cxn_error *err)
{
    *about = json_object();
    if (!*about) return no_memory(err);
    const enum cxn_status status = fill(*about, options, ranks, err);
    if (status == CXN_OK) return CXN_OK;
    json_decref(*about);
    *about = NULL;
    return status;
}

enum cxn_status cxn_about_share(json_t **about, const struct cxn_comm *comm,
                                cxn_comm_state *peers, const struct cxn_env *env,
                                struct cxn_error *err)
{
    const bool first = comm->rank(peers) == 0;
    if (comm->ranks(peers) == 1) return CXN_OK;
    char *text = cxn_alloc_zero(env->mem, CXN_JSON_TEXT_MAX_BYTES, 1);
    if (!text) return cxn_fail_nomem(err, env->mem, CXN_JSON_TEXT_MAX_BYTES, "run.json");
    size_t size = first ? json_dumpb(*about, text, CXN_JSON_TEXT_MAX_BYTES, JSON_COMPACT) : 0;
    enum cxn_status status = comm->broadcast(peers, &size, sizeof size, err);
    if (status == CXN_OK && (size == 0 || size > CXN_JSON_TEXT_MAX_BYTES))
        status = cxn_fail(err, CXN_E_LIMIT, "run.json: more than %d bytes",
                          (int)CXN_JSON_TEXT_MAX_BYTES);
    if (status == CXN_OK) status = comm->broadcast(peers, text, size, err);
    if (status == CXN_OK && !first) {
        *about = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        if (!*about) status = no_memory(err);
    }
    cxn_free(text);
    return status;
}
