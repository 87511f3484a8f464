/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_ZIP_H
#define CXN_MODEL_ZIP_H

#include "model/source.h"

/*
 * The part of zip (PKWARE APPNOTE 6.3) that torch.save writes, read strictly: entries are stored,
 * never compressed or encrypted; local headers say what the directory says; entries follow each
 * other without gap or overlap from byte 0 to the directory, which ends at the one end record; no
 * comment; no name twice. So there is one way to understand a file that is accepted. Names are keys
 * and never become paths.
 */

struct cxn_zip_entry {
    const char *name; /* in the directory, not ended by a NUL */
    uint16_t name_size, flags;
    uint32_t crc32;
    uint64_t header_offset;
    uint64_t data_offset;
    uint64_t size_bytes;
};

struct cxn_zip {
    struct cxn_mem *mem;
    uint8_t *directory;
    struct cxn_zip_entry *entries; /* by name */
    size_t count;
};

/* CXN_E_FORMAT, CXN_E_LIMIT, CXN_E_IO or CXN_E_NOMEM. Close also after an error. */
enum cxn_status cxn_zip_open(struct cxn_zip *zip, struct cxn_mem *mem,
                             const struct cxn_source *source, struct cxn_error *err);
void cxn_zip_close(struct cxn_zip *zip);

/* The entry of that name, or NULL. */
const struct cxn_zip_entry *cxn_zip_find(const struct cxn_zip *zip, const char *name, size_t size);

/* The content, its CRC-32 checked; CXN_E_LIMIT when it is over limit_bytes. Free data with
 * cxn_free(). */
enum cxn_status cxn_zip_read(const struct cxn_zip *zip, const struct cxn_source *source,
                             const struct cxn_zip_entry *entry, size_t limit_bytes,
                             struct cxn_bytes *bytes, struct cxn_error *err);

#endif
