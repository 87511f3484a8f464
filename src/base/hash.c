/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <libdeflate.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>

_Static_assert(BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE) + 1 == CXN_SHA256_HEX_BYTES, "digits");

static void finish(struct sha256_ctx *ctx, char hex[CXN_SHA256_HEX_BYTES])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(ctx, sizeof digest, digest);
    base16_encode_update(hex, sizeof digest, digest);
    hex[CXN_SHA256_HEX_BYTES - 1] = '\0';
}

void cxn_sha256_hex(const void *data, size_t n, char hex[CXN_SHA256_HEX_BYTES])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, n, data);
    finish(&ctx, hex);
}

enum cxn_status cxn_sha256_file(const struct cxn_file *file, const char *path,
                                char hex[CXN_SHA256_HEX_BYTES], struct cxn_error *err)
{
    struct sha256_ctx ctx;
    uint8_t piece[16384];
    sha256_init(&ctx);
    for (uint64_t at = 0; at < file->size_bytes;) {
        const uint64_t left = file->size_bytes - at;
        const size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        const enum cxn_status status = cxn_file_pread(file, path, at, piece, n, err);
        if (status != CXN_OK) return status;
        sha256_update(&ctx, n, piece);
        at += n;
    }
    finish(&ctx, hex);
    return CXN_OK;
}

uint32_t cxn_crc32(uint32_t crc, const void *data, size_t n)
{
    return libdeflate_crc32(crc, data, n);
}
