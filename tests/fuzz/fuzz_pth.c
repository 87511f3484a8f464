/* SPDX-License-Identifier: Apache-2.0 */
/* Both forms of PyTorch's .pth: zip container and legacy. */
#include "weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return read_weights(data, size);
}
