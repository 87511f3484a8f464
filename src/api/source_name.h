/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_API_SOURCE_NAME_H
#define CXN_API_SOURCE_NAME_H

#include "fuse/optimized.h"

/* The file's name without its folder, as text that metadata can hold. */
void cxn_source_name(const char *path, char name[CXN_SOURCE_NAME_BYTES]);

#endif
