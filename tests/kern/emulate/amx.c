/* SPDX-License-Identifier: Apache-2.0 */
/* AMX as the Intel SDM, volume 1, chapter 18 and volume 2 describe it, with palette 1. */
#include "kern/emulate/amx.h"

#include <stdio.h>
#include <stdlib.h>

#include "kern/emulate/immintrin.h"

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64, CONFIG_BYTES = 64 };
enum { CONFIG_RESERVED = 2, CONFIG_COLUMNS = 16, CONFIG_ROWS = 48 }; /* offsets in bytes */

struct tile {
    unsigned rows, row_bytes; /* both 0: not configured */
    uint8_t data[ROWS][ROW_BYTES];
};

static _Thread_local struct tile tiles[TILES];
static _Thread_local bool configured;

void emulate_fault(const char *what)
{
    fprintf(stderr, "emulation: %s\n", what);
    abort();
}

bool emulate_tiles_in_use(void)
{
    return configured;
}

void _tile_release(void)
{
    memset(tiles, 0, sizeof tiles);
    configured = false;
}

/* There are 8 tiles, but places for 16 of them; what is in between must be 0. */
static bool is_zero(const uint8_t *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (bytes[i] != 0) return false;
    return true;
}

void _tile_loadconfig(const void *config)
{
    uint8_t bytes[CONFIG_BYTES];
    memcpy(bytes, config, sizeof bytes);
    _tile_release();
    if (bytes[0] == 0) return;
    if (bytes[0] != 1) emulate_fault("LDTILECFG of a palette that there is not");
    if (!is_zero(bytes, CONFIG_RESERVED, CONFIG_COLUMNS) ||
        !is_zero(bytes, CONFIG_COLUMNS + 2 * TILES, CONFIG_ROWS) ||
        !is_zero(bytes, CONFIG_ROWS + TILES, CONFIG_BYTES))
        emulate_fault("LDTILECFG with a reserved byte that is not 0");
    for (size_t i = 0; i < TILES; i++) {
        tiles[i].row_bytes = bytes[CONFIG_COLUMNS + 2 * i] |
                             (unsigned)bytes[CONFIG_COLUMNS + 2 * i + 1] << 8;
        tiles[i].rows = bytes[CONFIG_ROWS + i];
        if (tiles[i].rows > ROWS || tiles[i].row_bytes > ROW_BYTES)
            emulate_fault("LDTILECFG of a tile larger than 16 rows of 64 bytes");
        if ((tiles[i].rows == 0) != (tiles[i].row_bytes == 0))
            emulate_fault("LDTILECFG of a tile without rows or without columns");
    }
    configured = true;
}

static struct tile *use(unsigned tile)
{
    if (tile >= TILES || tiles[tile].rows == 0) emulate_fault("a tile that is not configured");
    return &tiles[tile];
}

void _tile_zero(unsigned tile)
{
    memset(use(tile)->data, 0, sizeof tiles[tile].data);
}

void _tile_loadd(unsigned tile, const void *base, size_t stride_bytes)
{
    struct tile *t = use(tile);
    _tile_zero(tile);
    for (size_t r = 0; r < t->rows; r++)
        memcpy(t->data[r], (const char *)base + r * stride_bytes, t->row_bytes);
}

void _tile_stored(unsigned tile, void *base, size_t stride_bytes)
{
    const struct tile *t = use(tile);
    for (size_t r = 0; r < t->rows; r++)
        memcpy((char *)base + r * stride_bytes, t->data[r], t->row_bytes);
}

static uint32_t quad_at(const struct tile *t, size_t row, size_t column)
{
    uint32_t quad; /* two bfloat16 or four bytes */
    memcpy(&quad, &t->data[row][column * sizeof quad], sizeof quad);
    return quad;
}

/* The first and the second of all pairs are summed apart, from 0, and join the old sum last. */
static void add_pairs(const struct tile *a, const struct tile *b, size_t row, size_t column,
                      void *sum)
{
    float part[2] = { 0.0f, 0.0f }, old;
    for (size_t k = 0; k < a->row_bytes / 4; k++)
        for (unsigned half = 0; half < 2; half++)
            part[half] = emulate_dot(part[half], quad_at(a, row, k), quad_at(b, k, column), half);
    memcpy(&old, sum, sizeof old);
    old = emulate_flush(emulate_flush(old) + emulate_flush(part[0] + part[1]));
    memcpy(sum, &old, sizeof old);
}

static void add_quads(const struct tile *a, const struct tile *b, size_t row, size_t column,
                      void *sum)
{
    int32_t value;
    memcpy(&value, sum, sizeof value);
    for (size_t k = 0; k < a->row_bytes / 4; k++)
        value = emulate_dot_bytes(value, quad_at(a, row, k), quad_at(b, k, column));
    memcpy(sum, &value, sizeof value);
}

typedef void add_fn(const struct tile *a, const struct tile *b, size_t row, size_t column,
                    void *sum);

static void multiply(unsigned sum, unsigned a, unsigned b, add_fn *add)
{
    struct tile *c = use(sum);
    const struct tile *x = use(a), *y = use(b);
    if (sum == a || sum == b || a == b) emulate_fault("a product of a tile with itself");
    if (c->row_bytes % 4 != 0 || x->row_bytes % 4 != 0 || y->row_bytes % 4 != 0)
        emulate_fault("a product of a tile whose row is not whole fours of bytes");
    if (c->rows != x->rows || x->row_bytes / 4 != y->rows || c->row_bytes != y->row_bytes)
        emulate_fault("a product of tiles whose shapes do not fit");
    for (size_t m = 0; m < c->rows; m++)
        for (size_t n = 0; n < c->row_bytes / 4; n++) add(x, y, m, n, &c->data[m][n * 4]);
}

void _tile_dpbf16ps(unsigned sum, unsigned a, unsigned b)
{
    multiply(sum, a, b, add_pairs);
}

void _tile_dpbusd(unsigned sum, unsigned a, unsigned b)
{
    multiply(sum, a, b, add_quads);
}
