/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <libdeflate.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>

_Static_assert(BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE) + 1 == CXN_SHA256_HEX_BYTES, "digits");

void cxn_sha256_hex(const void *data, size_t n, char hex[CXN_SHA256_HEX_BYTES])
{
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&ctx);
    sha256_update(&ctx, n, data);
    sha256_digest(&ctx, sizeof digest, digest);
    base16_encode_update(hex, sizeof digest, digest);
    hex[CXN_SHA256_HEX_BYTES - 1] = '\0';
}

uint32_t cxn_crc32(uint32_t crc, const void *data, size_t n)
{
    return libdeflate_crc32(crc, data, n);
}
