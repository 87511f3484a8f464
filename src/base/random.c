/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <math.h>
#include <string.h>

void cxn_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = { counter[0], counter[1], counter[2], counter[3] };
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0];
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

struct cxn_random cxn_random_make(uint64_t seed, uint64_t stream)
{
    return (struct cxn_random){ .seed = seed, .stream = stream, .used = 4 };
}

uint32_t cxn_random_u32(struct cxn_random *r)
{
    if (r->used == 4) {
        const uint32_t counter[4] = { (uint32_t)r->block, (uint32_t)(r->block >> 32),
                                      (uint32_t)r->stream, (uint32_t)(r->stream >> 32) };
        const uint32_t key[2] = { (uint32_t)r->seed, (uint32_t)(r->seed >> 32) };
        cxn_philox4x32(counter, key, r->word);
        r->block++;
        r->used = 0;
    }
    return r->word[r->used++];
}

uint32_t cxn_random_below(struct cxn_random *r, uint32_t n)
{
    /* Lemire, "Fast random integer generation in an interval", 2019. */
    uint64_t m = (uint64_t)cxn_random_u32(r) * n;
    if ((uint32_t)m < n) {
        const uint32_t threshold = (uint32_t)(-n) % n;
        while ((uint32_t)m < threshold) m = (uint64_t)cxn_random_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

double cxn_random_unit(struct cxn_random *r)
{
    const uint64_t high = cxn_random_u32(r) >> 5, low = cxn_random_u32(r) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double cxn_random_normal(struct cxn_random *r)
{
    const double u = 1.0 - cxn_random_unit(r); /* in (0, 1]: the logarithm stays finite */
    const double v = cxn_random_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
