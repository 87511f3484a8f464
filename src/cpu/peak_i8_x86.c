/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

#include "cpu/cpu.h"
#include "cpu/peak.h"

/* Products of bytes whose sums of four are widened once, which is exact for small weights. They
 * join the next ones of their chain, or the compiler would compute them once. */
__attribute__((target("avx2"))) static float run_avx2(size_t rounds)
{
    __m256i x[CXN_PEAK_CHAINS];
    int32_t lanes[8];
    for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm256_setzero_si256();
    const __m256i v = _mm256_set1_epi8(2), w = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) {
            const __m256i first = _mm256_maddubs_epi16(x[c], v);
            const __m256i sums = _mm256_add_epi16(first, _mm256_maddubs_epi16(x[c], w));
            x[c] = _mm256_add_epi32(_mm256_madd_epi16(sums, ones), ones);
        }
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] = _mm256_add_epi32(x[0], x[c]);
    _mm256_storeu_si256((__m256i *)lanes, x[0]);
    return (float)lanes[0];
}

__attribute__((target("avx2,avxvnni"))) static float run_avxvnni(size_t rounds)
{
    __m256i x[CXN_PEAK_CHAINS];
    int32_t lanes[8];
    for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm256_setzero_si256();
    const __m256i u = _mm256_set1_epi8(3), w = _mm256_set1_epi8(1);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm256_dpbusd_avx_epi32(x[c], u, w);
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] = _mm256_add_epi32(x[0], x[c]);
    _mm256_storeu_si256((__m256i *)lanes, x[0]);
    return (float)lanes[0];
}

__attribute__((target("avx512f,avx512vnni"))) static float run_vnni(size_t rounds)
{
    __m512i x[CXN_PEAK_CHAINS];
    int32_t lanes[16];
    for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm512_setzero_si512();
    const __m512i u = _mm512_set1_epi8(3), w = _mm512_set1_epi8(1);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CXN_PEAK_CHAINS; c++) x[c] = _mm512_dpbusd_epi32(x[c], u, w);
    for (int c = 1; c < CXN_PEAK_CHAINS; c++) x[0] = _mm512_add_epi32(x[0], x[c]);
    _mm512_storeu_si512(lanes, x[0]);
    return (float)lanes[0];
}

enum { TILES = 8, TILE_ROWS = 16, TILE_ROW_BYTES = 64 };

/* What LDTILECFG reads: all tiles whole. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Six chains are enough here: an instruction of tiles lasts as long as three of its kind take. */
__attribute__((target("amx-tile,amx-int8"))) static float run_amx(size_t rounds)
{
    struct tile_config config = { .palette = 1 };
    for (int i = 0; i < TILES; i++) {
        config.rows[i] = TILE_ROWS;
        config.row_bytes[i] = TILE_ROW_BYTES;
    }
    /* gcc 12's intrinsic does not tell that all of it is read. */
    __asm__ volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config); /* and sets every tile to 0 */
    for (size_t r = 0; r < 2 * rounds; r++) {
        _tile_dpbusd(0, 6, 7);
        _tile_dpbusd(1, 6, 7);
        _tile_dpbusd(2, 6, 7);
        _tile_dpbusd(3, 6, 7);
        _tile_dpbusd(4, 6, 7);
        _tile_dpbusd(5, 6, 7);
    }
    _tile_release();
    return 0.0f;
}

struct cxn_peak_loop cxn_peak_pick_i8(uint32_t cpu)
{
    static const struct { uint32_t needs; struct cxn_peak_loop loop; } rows[] = {
        { CXN_CPU_AMX_INT8, { run_amx, TILE_ROWS * TILE_ROWS * TILE_ROW_BYTES } },
        { CXN_CPU_AVX512 | CXN_CPU_AVX512_VNNI, { run_vnni, 64 } },
        { CXN_CPU_AVX_VNNI, { run_avxvnni, 32 } },
        { CXN_CPU_AVX2, { run_avx2, 64 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].needs & ~cpu) == 0) return rows[i].loop;
    return (struct cxn_peak_loop){ 0 };
}
