/* SPDX-License-Identifier: Apache-2.0 */
/* PNG files. The CRC of every chunk is made right first: else hardly any change of the fuzzer would
 * get beyond it. Pixels behind the zlib checksum are fuzz_png_unpack's. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "fuzz/picture.h"

static uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void repair_crcs(uint8_t *data, size_t size)
{
    size_t at = 8;
    while (at < size && size - at >= 12) {
        const uint32_t n = load_u32(data + at);
        if (n > size - at - 12) return;
        const uint32_t crc = cxn_crc32(0, data + at + 4, (size_t)n + 4);
        uint8_t *stored = data + at + 8 + n;
        for (size_t i = 0; i < 4; i++) stored[i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + (size_t)n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy) return 0;
    if (size > 0) memcpy(copy, data, size);
    repair_crcs(copy, size);
    decode_picture(copy, size);
    free(copy);
    return 0;
}
