/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return decode_picture(data, size);
}
