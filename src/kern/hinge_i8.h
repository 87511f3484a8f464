/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_HINGE_I8_H
#define CXN_KERN_HINGE_I8_H

#include <stdint.h>

/*
 * A channel's hinge on bytes, norm and ReLU as docs/int8.md has them on the grids of maps:
 *     max((q ^ flip) - knot, 0)
 * where flip is 0 if the hinge rises and 255 if it falls, and knot has been turned with it.
 */
static inline uint8_t cxn_hinge_byte(uint8_t q, uint8_t flip, uint8_t knot)
{
    const uint8_t turned = q ^ flip;
    const uint8_t most = turned > knot ? turned : knot; /* vectors have a maximum of bytes */
    return (uint8_t)(most - knot);
}

#endif
