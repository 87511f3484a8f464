/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors, by way of the choice by content. */
#include "weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return read_weights(data, size);
}
