/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_IMAGE_DECODER_H
#define CXN_IMAGE_DECODER_H

#include "image/image.h"

/* One file format. The row is chosen by the first bytes of the file, never by its name. */
struct cxn_decoder {
    const char *name;
    bool (*probe)(const uint8_t *data, size_t size);

    /* out is zeroed on entry and stays so on error. channels: 1 where the file is grey, else 3.
     * *notes gets CXN_NOTE_ bits. */
    enum cxn_status (*read)(const struct cxn_env *env, const uint8_t *data, size_t size,
                            struct cxn_picture *out, unsigned *notes, struct cxn_error *err);
};

extern const struct cxn_decoder cxn_decoder_png;
extern const struct cxn_decoder cxn_decoder_jpeg;

/* CXN_OK for sides and a product within the limits of image.h; both sides at least 1. */
enum cxn_status cxn_image_check_size(uint64_t width, uint64_t height, struct cxn_error *err);

#endif
