/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_IMAGE_SUPPORT_H
#define CXN_TESTS_IMAGE_SUPPORT_H

#include "image/image.h"
#include "unit/unit.h"

/* The picture that formula() of tests/golden/make_image.py gives. */
struct cxn_picture make_picture(uint32_t width, uint32_t height, uint32_t channels);

/* CRC-32 of the samples, row by row without gaps. */
uint32_t picture_crc(const struct cxn_picture *picture);

/* CRC-32 of the views' samples, one view after the other. */
uint32_t views_crc(const struct cxn_view *views, size_t count);

/* Calls row(ctx, fields) for each line of a CSV file without quoting; fails the test when a line
 * has another number of fields. Returns how many lines there were. */
enum { FIELDS_MAX = 8 };
size_t for_each_row(const char *path, size_t field_count,
                    void (*row)(void *ctx, char *const fields[]), void *ctx);

unsigned long number_of(const char *field, int base);

#endif
