/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_HASH_H
#define CXN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

enum { CXN_SHA256_HEX_BYTES = 65 };

/* SHA-256 (FIPS 180-4) of n bytes as 64 lower-case hex digits and a NUL. */
void cxn_sha256_hex(const void *data, size_t n, char hex[CXN_SHA256_HEX_BYTES]);

/* The same of a file's bytes, read in pieces. Texts of errors name path. */
enum cxn_status cxn_sha256_file(const struct cxn_file *file, const char *path,
                                char hex[CXN_SHA256_HEX_BYTES], struct cxn_error *err);

/* CRC-32 of PNG and zip (ISO 3309), continued from crc; start with 0. */
uint32_t cxn_crc32(uint32_t crc, const void *data, size_t n);

#endif
