/* SPDX-License-Identifier: Apache-2.0 */
#include "data/names.h"

#include <string.h>

#include "base/sort.h"

const char *const cxn_finding_names[CXN_FINDING_COUNT] = {
    "Atelectasis", "Cardiomegaly",  "Effusion",      "Infiltration", "Mass",
    "Nodule",      "Pneumonia",     "Pneumothorax",  "Consolidation", "Edema",
    "Emphysema",   "Fibrosis",      "Pleural_Thickening", "Hernia",
};

int cxn_finding_index(const char *word, size_t n)
{
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        if (strlen(cxn_finding_names[i]) == n && memcmp(cxn_finding_names[i], word, n) == 0)
            return i;
    return -1;
}

enum cxn_status cxn_name_check(const char *name, size_t n, struct cxn_error *err)
{
    if (n == 0) return cxn_fail(err, CXN_E_FORMAT, "no image name, expected one such as a.png");
    if (n > CXN_NAME_MAX_BYTES)
        return cxn_fail(err, CXN_E_LIMIT, "an image name of %zu bytes, limit %d", n,
                        CXN_NAME_MAX_BYTES);
    const bool dots = name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.'));
    if (dots || memchr(name, '/', n))
        return cxn_fail(err, CXN_E_FORMAT, "image name '%.*s', expected a file name with no folder",
                        (int)n, name);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f)
            return cxn_fail(err, CXN_E_FORMAT, "control byte 0x%02x in image name '%.*s'", c,
                            (int)n, name);
    }
    return CXN_OK;
}

uint32_t cxn_patient_of_name(const char *name, size_t index)
{
    enum { PATIENT_DIGITS = 8, IMAGE_DIGITS = 3 };
    static const char digits[] = "0123456789";
    const char *image = name + PATIENT_DIGITS + 1;
    if (strspn(name, digits) != PATIENT_DIGITS || name[PATIENT_DIGITS] != '_' ||
        strspn(image, digits) != IMAGE_DIGITS || image[IMAGE_DIGITS] != '.')
        return CXN_PATIENT_UNKNOWN | (uint32_t)index;
    uint32_t patient = 0;
    for (int i = 0; i < PATIENT_DIGITS; i++) patient = 10 * patient + (uint32_t)(name[i] - '0');
    return patient;
}

static const char *name_at(const struct cxn_names *names, size_t row)
{
    return *(const char *const *)(const void *)((const char *)names->first +
                                                row * names->stride_bytes);
}

static bool name_before(const void *ctx, uint32_t a, uint32_t b)
{
    return strcmp(name_at(ctx, a), name_at(ctx, b)) < 0;
}

static enum cxn_status check_unique(const struct cxn_names *names, const uint32_t *order,
                                    const char *source, size_t first_line, struct cxn_error *err)
{
    size_t first = SIZE_MAX, second = SIZE_MAX; /* the pair that a reader of the file meets first */
    for (size_t i = 1; i < names->count; i++) {
        if (order[i] >= second || name_before(names, order[i - 1], order[i])) continue;
        first = order[i - 1];
        second = order[i];
    }
    if (second == SIZE_MAX) return CXN_OK;
    const struct cxn_lines place = { .source = source, .number = first_line + second };
    return cxn_lines_fail(&place, err,
                          cxn_fail(err, CXN_E_FORMAT, "image '%s' is already on line %zu",
                                   name_at(names, second), first_line + first));
}

enum cxn_status cxn_names_index(const struct cxn_names *names, uint32_t *order, uint32_t *scratch,
                                const char *source, size_t first_line, struct cxn_error *err)
{
    for (size_t i = 0; i < names->count; i++) order[i] = (uint32_t)i;
    cxn_sort_indices(order, scratch, names->count, name_before, names);
    return check_unique(names, order, source, first_line, err);
}

size_t cxn_names_find(const struct cxn_names *names, const uint32_t *order, const char *name)
{
    size_t lo = 0, hi = names->count;
    while (lo < hi) {
        const size_t middle = lo + (hi - lo) / 2;
        const int sign = strcmp(name_at(names, order[middle]), name);
        if (sign == 0) return order[middle];
        if (sign < 0) lo = middle + 1;
        else hi = middle;
    }
    return SIZE_MAX;
}
