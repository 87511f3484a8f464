/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_IMAGE_CRAFT_H
#define CXN_TESTS_IMAGE_CRAFT_H

#include "image_support.h"

/* A file under construction. Free with bytes_free(). */
struct bytes {
    uint8_t *data;
    size_t size, room;
};

void bytes_add(struct bytes *b, const void *data, size_t n);
void bytes_add_u8(struct bytes *b, unsigned value);
void bytes_add_u16(struct bytes *b, unsigned value); /* big endian, as u32 */
void bytes_add_u32(struct bytes *b, uint32_t value);
void bytes_fill(struct bytes *b, size_t n, uint8_t value);
void bytes_free(struct bytes *b);

/* ---- PNG ---------------------------------------------------------------------------------- */

void png_start(struct bytes *b); /* the signature */
void png_chunk(struct bytes *b, const char *type, const void *data, size_t n);
void png_head(struct bytes *b, uint32_t width, uint32_t height, unsigned depth, unsigned type);

/* An IDAT that inflates to these bytes, filter bytes included. */
void png_idat(struct bytes *b, const void *raw, size_t n);

/* Signature and IHDR of a 2x2 picture of 8-bit grey, and its six raw bytes. */
void png_start_grey(struct bytes *b);
extern const uint8_t png_grey_raw[6];

/* The whole of that file. */
void png_whole_grey(struct bytes *b);

/* ---- JPEG --------------------------------------------------------------------------------- */

/* A JPEG whose coefficients are all zero, so mid-grey. Blocks cost two zero bits each: the Huffman
 * tables have one code of one bit, for "DC difference 0" and "end of block". */
struct jpeg_spec {
    unsigned sof;       /* marker: 0xc0 baseline, 0xc2 progressive, ... */
    unsigned precision; /* 8 */
    unsigned width, height;
    unsigned components, sampling; /* sampling: 0xHV of each component */
    unsigned same_id;              /* 1: all components have id 1 */
    unsigned dht_count;            /* codes of one bit in each table; more than 2 is too many */
    unsigned dc_symbol;            /* category of the only DC code */
    unsigned table_ids;            /* of SOS, 0xDA for each component */
    unsigned quant;                /* every value of DQT; 0x100: no DQT at all */
    unsigned data_bytes;           /* zeros of entropy-coded data, before a final 0x3f */
};
extern const struct jpeg_spec jpeg_grey_8x8;

void jpeg_marker(struct bytes *b, unsigned marker); /* 0xff and it */
void jpeg_tables(struct bytes *b, const struct jpeg_spec *s); /* SOI, DQT, DHT */
void jpeg_frame(struct bytes *b, const struct jpeg_spec *s);  /* SOF */
void jpeg_scan(struct bytes *b, const struct jpeg_spec *s);   /* SOS and its data */
void jpeg_whole(struct bytes *b, const struct jpeg_spec *s);  /* all of it, and EOI */

/* ---- running ------------------------------------------------------------------------------ */

/* A file that must end with this status, and an error text that holds this (NULL: no text). */
struct fault {
    const char *name;
    void (*build)(struct bytes *b);
    enum cxn_status status;
    const char *text;
};

/* Decodes a copy of exactly these bytes; there is a picture only where the status is CXN_OK. */
enum cxn_status decode_exactly(const uint8_t *data, size_t size);

/* Decodes it within 64 MiB and CASE_SECONDS_MAX; nothing may be left allocated. */
void check_faults(const struct fault *faults, size_t count);

#endif
