/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_KERN_PANEL_FILL_H
#define CXN_KERN_PANEL_FILL_H

#include <stddef.h>

/* Puts the terms of `count` places from number `first` on into the panel that a convolution then
 * reads; `terms` says what they are made of, and where the panel is. */
typedef void panel_fill_fn(const void *terms, size_t first, size_t count);

#endif
