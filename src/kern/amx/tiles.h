/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_AMX_TILES_H
#define CXN_KERN_AMX_TILES_H

#include <immintrin.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#define TILE_INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, TILE_TERMS = 32 }; /* of bfloat16 */

/* What LDTILECFG reads. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* The stores of the configuration must not be put off: the intrinsic of gcc 12 does not tell that
 * all of it is read, nor _tile_loadd() that memory is. */
TILE_INLINE void tile_finish_stores(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

#endif
