/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list.h"

#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "data/names.h"

/* A piece of a line, borrowed. */
struct word {
    const char *text;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word of the rest of a line; length 0 where there is none. */
static struct word take_word(struct word *rest)
{
    while (rest->length > 0 && is_blank(rest->text[0])) rest->text++, rest->length--;
    struct word word = { .text = rest->text };
    while (word.length < rest->length && !is_blank(word.text[word.length])) word.length++;
    rest->text += word.length;
    rest->length -= word.length;
    return word;
}

/* What stands behind the name: *labels and how many there were. */
static enum cxn_status read_labels(struct word rest, uint16_t *labels, unsigned *count,
                                   struct cxn_error *err)
{
    uint32_t bits = 0;
    unsigned n = 0;
    for (struct word w = take_word(&rest); w.length > 0; w = take_word(&rest), n++) {
        if (n >= CXN_FINDING_COUNT) continue; /* counted for the sentence below */
        if (w.length != 1 || (w.text[0] != '0' && w.text[0] != '1'))
            return cxn_fail(err, CXN_E_FORMAT, "label %u (%s) is '%.*s', expected 0 or 1", n + 1,
                            cxn_finding_names[n], w.length < 40 ? (int)w.length : 40, w.text);
        bits |= (uint32_t)(w.text[0] - '0') << n;
    }
    if (n != 0 && n != CXN_FINDING_COUNT)
        return cxn_fail(err, CXN_E_FORMAT, "%u labels, expected %d", n, CXN_FINDING_COUNT);
    *labels = (uint16_t)bits;
    *count = n;
    return CXN_OK;
}

/* What is found out on the way through a file. */
struct reading {
    cxn_list *list;
    char *names; /* where the next name goes */
    const cxn_entries *entries;
    bool name_only;
};

static enum cxn_status read_line(struct reading *r, struct word line, struct cxn_error *err)
{
    const size_t index = r->list->count;
    struct cxn_item *item = &r->list->items[index];
    const struct word name = take_word(&line);
    unsigned count = 0;
    enum cxn_status status = cxn_name_check(name.text, name.length, err);
    if (status == CXN_OK) status = read_labels(line, &item->labels, &count, err);
    if (status != CXN_OK) return status;
    if (index == 0) r->name_only = count == 0;
    if (r->name_only != (count == 0))
        return cxn_fail(err, CXN_E_FORMAT, "%u labels, but the lines before have %d", count,
                        r->name_only ? 0 : CXN_FINDING_COUNT);
    memcpy(r->names, name.text, name.length);
    r->names[name.length] = '\0';
    item->name = r->names;
    r->names += name.length + 1;
    item->patient = cxn_patient_of_name(item->name, index);
    const struct cxn_item *entry = r->entries ? cxn_entries_find(r->entries, item->name) : NULL;
    if (r->name_only && r->entries && !entry)
        return cxn_fail(err, CXN_E_FORMAT, "image '%s' is not in the entry table", item->name);
    if (r->name_only && entry) item->labels = entry->labels;
    if (entry && !(entry->patient & CXN_PATIENT_UNKNOWN)) item->patient = entry->patient;
    r->list->count++;
    return CXN_OK;
}

/* Lines of the file and bytes of their names with a NUL each; all limits hold afterwards. */
static enum cxn_status measure_lines(struct cxn_lines lines, size_t *line_count, size_t *name_bytes,
                                     struct cxn_error *err)
{
    struct word line;
    *name_bytes = 0;
    for (;;) {
        const enum cxn_status status = cxn_lines_next(&lines, &line.text, &line.length, err);
        if (status != CXN_OK) return status;
        if (!line.text) break;
        *name_bytes += take_word(&line).length + 1;
    }
    *line_count = lines.number;
    if (lines.number > 0) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "%s: empty, expected a list of images", lines.source);
}

static cxn_list *allocate_list(struct cxn_mem *mem, size_t count, size_t name_bytes, char **names)
{
    /* Within the limits of lines.h none of this can overflow. */
    const size_t items_bytes = count * sizeof(struct cxn_item);
    char *block = cxn_alloc(mem, sizeof(cxn_list) + items_bytes + name_bytes, 1);
    if (!block) return NULL;
    cxn_list *list = (cxn_list *)(void *)block;
    memset(list, 0, sizeof *list);
    list->items = (struct cxn_item *)(void *)(block + sizeof *list);
    *names = block + sizeof *list + items_bytes;
    return list;
}

static enum cxn_status check_unique(struct cxn_mem *mem, const cxn_list *list, const char *source,
                                    struct cxn_error *err)
{
    uint32_t *order = cxn_alloc(mem, list->count, 2 * sizeof *order);
    if (!order)
        return cxn_fail_nomem(err, mem, list->count * 2 * sizeof *order, "an index of image names");
    const struct cxn_names names = cxn_names_of_items(list->items, list->count);
    const enum cxn_status status =
        cxn_names_index(&names, order, order + list->count, source, 1, err);
    cxn_free(order);
    return status;
}

enum cxn_status cxn_list_parse(cxn_list **out, const struct cxn_env *env, const char *source,
                               const void *data, size_t size, const cxn_entries *entries,
                               struct cxn_error *err)
{
    struct reading r = { .entries = entries };
    struct cxn_lines lines;
    size_t count = 0, name_bytes = 0;
    *out = NULL;
    enum cxn_status status = cxn_lines_open(&lines, source, data, size, err);
    if (status == CXN_OK) status = measure_lines(lines, &count, &name_bytes, err);
    if (status != CXN_OK) return status;
    r.list = allocate_list(env->mem, count, name_bytes, &r.names);
    if (!r.list)
        return cxn_fail_nomem(err, env->mem, count * sizeof(struct cxn_item) + name_bytes,
                              "an image list");
    while (status == CXN_OK) {
        struct word line;
        status = cxn_lines_next(&lines, &line.text, &line.length, err);
        if (status != CXN_OK || !line.text) break;
        status = cxn_lines_fail(&lines, err, read_line(&r, line, err));
    }
    if (status == CXN_OK) status = check_unique(env->mem, r.list, source, err);
    if (status != CXN_OK) {
        cxn_list_close(&r.list);
        return status;
    }
    r.list->labelled = !r.name_only || entries;
    cxn_sha256_hex(data, size, r.list->sha256);
    *out = r.list;
    return CXN_OK;
}

enum cxn_status cxn_list_open(cxn_list **list, const struct cxn_env *env, const char *path,
                              const cxn_entries *entries, struct cxn_error *err)
{
    struct cxn_bytes bytes;
    *list = NULL;
    enum cxn_status status = cxn_file_read(env->mem, path, CXN_TEXT_MAX_BYTES, &bytes, err);
    if (status != CXN_OK) return status;
    status = cxn_list_parse(list, env, path, bytes.data, bytes.size, entries, err);
    cxn_free(bytes.data);
    return status;
}

void cxn_list_close(cxn_list **list)
{
    if (!list) return;
    cxn_free(*list);
    *list = NULL;
}
