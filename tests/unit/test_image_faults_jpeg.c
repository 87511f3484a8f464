/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of broken and hostile JPEG files, each made here. The numbers in the names are those of
 * the project's list of faults. */
#include "image_craft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static void whole(struct bytes *b, struct jpeg_spec s) { jpeg_whole(b, &s); }

static void good(struct bytes *b) { whole(b, jpeg_grey_8x8); }

/* ---- 53: scans ---------------------------------------------------------------------------- */

static void with_scans(struct bytes *b, unsigned side, size_t scans)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.sof = 0xc2;
    s.width = s.height = side;
    s.data_bytes = (side / 8) * (side / 8) / 8; /* one bit a block */
    jpeg_tables(b, &s);
    jpeg_frame(b, &s);
    for (size_t i = 0; i < scans; i++) jpeg_scan(b, &s);
    jpeg_marker(b, 0xd9);
}

static void scans_100(struct bytes *b) { with_scans(b, 8, 100); }
static void scans_101(struct bytes *b) { with_scans(b, 8, 101); }
static void scans_80000(struct bytes *b) { with_scans(b, 8, 80000); }
static void scans_large(struct bytes *b) { with_scans(b, 2048, 100); }

/* Coefficients of 2 bytes a sample: 72 MB that libjpeg would allocate by itself */
static void over_budget(struct bytes *b) { with_scans(b, 6000, 1); }

static void baseline_scans(struct bytes *b)
{
    jpeg_tables(b, &jpeg_grey_8x8);
    jpeg_frame(b, &jpeg_grey_8x8);
    jpeg_scan(b, &jpeg_grey_8x8);
    jpeg_scan(b, &jpeg_grey_8x8);
    jpeg_marker(b, 0xd9);
}

static void scans_53(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "100 scans", scans_100, CXN_OK, NULL },
        { "101 scans", scans_101, CXN_E_LIMIT, "jpeg: more than 100 scans" },
        { "80000 scans", scans_80000, CXN_E_LIMIT, "jpeg: more than 100 scans" },
        { "100 scans of 2048x2048", scans_large, CXN_OK, NULL },
        { "over the budget", over_budget, CXN_E_NOMEM, "no memory for decoding" },
        { "two baseline scans", baseline_scans, CXN_E_FORMAT, "jpeg: " },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 54: sizes ---------------------------------------------------------------------------- */

static void with_size(struct bytes *b, unsigned width, unsigned height)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.width = width;
    s.height = height;
    jpeg_whole(b, &s);
}

static void size_65500(struct bytes *b) { with_size(b, 65500, 65500); }
static void size_65535(struct bytes *b) { with_size(b, 65535, 8); }
static void size_32000(struct bytes *b) { with_size(b, 32000, 32000); }
static void size_11000(struct bytes *b) { with_size(b, 11000, 11000); }
static void width_0(struct bytes *b) { with_size(b, 0, 8); }
static void height_0(struct bytes *b) { with_size(b, 8, 0); }

static void sizes_54(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "65500x65500", size_65500, CXN_E_LIMIT, "limit 32768 a side" },
        { "65535 wide", size_65535, CXN_E_LIMIT, "jpeg: " },
        { "32000x32000", size_32000, CXN_E_LIMIT, "limit 134217728 in all" },
        { "11000x11000", size_11000, CXN_E_FORMAT, "bytes cannot hold 11000x11000 pixels" },
        { "width 0", width_0, CXN_E_FORMAT, "jpeg: " },
        { "height 0, for DNL", height_0, CXN_E_FORMAT, "jpeg: " },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 55: Huffman tables ------------------------------------------------------------------- */

static void table_15(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.table_ids = 0xff;
    jpeg_whole(b, &s);
}

static void table_undefined(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.table_ids = 0x22;
    jpeg_whole(b, &s);
}

static void over_subscribed(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.dht_count = 3;
    jpeg_whole(b, &s);
}

static void category_16(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.dc_symbol = 16;
    jpeg_whole(b, &s);
}

static void code_unknown(struct bytes *b)
{
    jpeg_tables(b, &jpeg_grey_8x8);
    jpeg_frame(b, &jpeg_grey_8x8);
    jpeg_scan(b, &jpeg_grey_8x8);
    b->data[b->size - 1] = 0x7f; /* "end of block" is 0 */
    jpeg_marker(b, 0xd9);
}

static void tables_55(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "table 15", table_15, CXN_E_FORMAT, "jpeg: " },
        { "undefined table", table_undefined, CXN_E_FORMAT, "jpeg: Huffman table" },
        { "over-subscribed", over_subscribed, CXN_E_FORMAT, "jpeg: Bogus Huffman table" },
        { "category 16", category_16, CXN_E_FORMAT, "jpeg: Bogus Huffman table" },
        { "unknown code", code_unknown, CXN_E_FORMAT, "jpeg: Corrupt JPEG data" },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 56, 57: frames ----------------------------------------------------------------------- */

static void with_sof(struct bytes *b, unsigned sof, unsigned precision)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.sof = sof;
    s.precision = precision;
    jpeg_whole(b, &s);
}

static void bits_12(struct bytes *b) { with_sof(b, 0xc1, 12); }
static void lossless(struct bytes *b) { with_sof(b, 0xc3, 8); }
static void differential(struct bytes *b) { with_sof(b, 0xc5, 8); }
static void arithmetic(struct bytes *b) { with_sof(b, 0xc9, 8); }

static void with_components(struct bytes *b, unsigned components, unsigned sampling)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.components = components;
    s.sampling = sampling;
    s.data_bytes = 30;
    jpeg_whole(b, &s);
}

static void components_0(struct bytes *b) { with_components(b, 0, 0x11); }
static void components_2(struct bytes *b) { with_components(b, 2, 0x11); }
static void components_4(struct bytes *b) { with_components(b, 4, 0x11); }
static void components_5(struct bytes *b) { with_components(b, 5, 0x11); }
static void sampling_0(struct bytes *b) { with_components(b, 1, 0x01); }
static void sampling_5(struct bytes *b) { with_components(b, 3, 0x15); }
static void sampling_4x4(struct bytes *b) { with_components(b, 3, 0x44); }

static void same_ids(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.components = 3;
    s.same_id = 1;
    s.data_bytes = 1;
    jpeg_whole(b, &s);
}

static void two_frames(struct bytes *b)
{
    jpeg_tables(b, &jpeg_grey_8x8);
    jpeg_frame(b, &jpeg_grey_8x8);
    jpeg_frame(b, &jpeg_grey_8x8);
    jpeg_scan(b, &jpeg_grey_8x8);
    jpeg_marker(b, 0xd9);
}

static void with_quant(struct bytes *b, unsigned quant)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.quant = quant;
    jpeg_whole(b, &s);
}

static void quant_missing(struct bytes *b) { with_quant(b, 0x100); }
static void quant_0(struct bytes *b) { with_quant(b, 0); }

static void frames_56_57(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "good", good, CXN_OK, NULL },
        { "12 bits", bits_12, CXN_E_FORMAT, "jpeg: Unsupported JPEG data precision 12" },
        { "lossless", lossless, CXN_E_FORMAT, "jpeg: Unsupported JPEG process" },
        { "differential", differential, CXN_E_FORMAT, "jpeg: Unsupported JPEG process" },
        { "arithmetic", arithmetic, CXN_E_FORMAT, "arithmetic coding is not supported" },
        { "0 components", components_0, CXN_E_FORMAT, "jpeg: " },
        { "2 components", components_2, CXN_E_FORMAT, "2 components, expected 1 or 3" },
        { "4 components", components_4, CXN_E_FORMAT, "(CMYK) are not supported" },
        { "5 components", components_5, CXN_E_FORMAT, "jpeg: " },
        { "sampling 0", sampling_0, CXN_E_FORMAT, "jpeg: Bogus sampling factors" },
        { "sampling 5", sampling_5, CXN_E_FORMAT, "jpeg: Bogus sampling factors" },
        { "sampling 4x4 thrice", sampling_4x4, CXN_E_FORMAT, "jpeg: Sampling factors too large" },
        { "same ids", same_ids, CXN_OK, NULL }, /* libjpeg renumbers them: as three components */
        { "two frames", two_frames, CXN_E_FORMAT, "jpeg: " },
        { "no DQT", quant_missing, CXN_E_FORMAT, "jpeg: Quantization table 0x00 was not defined" },
        { "DQT of zeros", quant_0, CXN_OK, NULL }, /* each block is mid-grey, whatever its data */
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 58: markers in, before and after the data --------------------------------------------- */

/* 16x8 pixels, a restart marker between the two blocks */
static void with_restart(struct bytes *b, unsigned marker)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.width = 16;
    jpeg_tables(b, &s);
    bytes_add(b, "\xff\xdd\0\4\0\1", 6);
    jpeg_frame(b, &s);
    jpeg_scan(b, &s);
    jpeg_marker(b, marker);
    bytes_add_u8(b, 0x3f);
    jpeg_marker(b, 0xd9);
}

static void restart_right(struct bytes *b) { with_restart(b, 0xd0); }
static void restart_wrong(struct bytes *b) { with_restart(b, 0xd5); }
static void marker_in_data(struct bytes *b) { with_restart(b, 0xe3); }
static void number_of_lines(struct bytes *b) { with_restart(b, 0xdc); }

static void cut_in_data(struct bytes *b)
{
    struct jpeg_spec s = jpeg_grey_8x8;
    s.width = s.height = 64;
    jpeg_whole(b, &s); /* one byte of data for 64 blocks */
}

static void no_end(struct bytes *b)
{
    good(b);
    b->size -= 2;
}

static void after_end(struct bytes *b)
{
    good(b);
    bytes_fill(b, 100, 0xab);
}

static void app_length(struct bytes *b, unsigned length)
{
    struct bytes rest = { 0 };
    good(&rest);
    jpeg_marker(b, 0xd8);
    jpeg_marker(b, 0xe1);
    bytes_add_u16(b, length);
    bytes_add(b, rest.data + 2, rest.size - 2);
    bytes_free(&rest);
}

static void app_length_0(struct bytes *b) { app_length(b, 0); }
static void app_length_1(struct bytes *b) { app_length(b, 1); }
static void app_length_2(struct bytes *b) { app_length(b, 2); }
static void app_past_end(struct bytes *b) { app_length(b, 60000); }

/* JFIF thumbnails inside thumbnails are bytes of an APP0 that nobody opens. */
static void thumbnail(struct bytes *b)
{
    struct bytes inner = { 0 }, rest = { 0 };
    good(&inner);
    good(&rest);
    jpeg_marker(b, 0xd8);
    jpeg_marker(b, 0xe0);
    bytes_add_u16(b, (unsigned)(2 + 6 + inner.size));
    bytes_add(b, "JFXX\0\x10", 6);
    bytes_add(b, inner.data, inner.size);
    bytes_add(b, rest.data + 2, rest.size - 2);
    bytes_free(&inner);
    bytes_free(&rest);
}

static void markers_58(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "right restart", restart_right, CXN_OK, NULL },
        { "wrong restart", restart_wrong, CXN_E_FORMAT, "jpeg: Corrupt JPEG data" },
        { "marker in data", marker_in_data, CXN_E_FORMAT, "jpeg: Corrupt JPEG data" },
        { "DNL", number_of_lines, CXN_E_FORMAT, "jpeg: Corrupt JPEG data" },
        { "cut in an MCU", cut_in_data, CXN_E_FORMAT, "jpeg: Corrupt JPEG data: premature end" },
        { "no EOI", no_end, CXN_E_FORMAT, "jpeg: Premature end of JPEG file" },
        { "bytes after EOI", after_end, CXN_OK, NULL },
        { "EXIF length 0", app_length_0, CXN_OK, NULL }, /* as the least legal length, 2 */
        { "EXIF length 1", app_length_1, CXN_OK, NULL },
        { "EXIF length 2", app_length_2, CXN_OK, NULL },
        { "EXIF past the end", app_past_end, CXN_E_FORMAT, "jpeg: Premature end" },
        { "thumbnail", thumbnail, CXN_OK, NULL },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- every prefix, every changed byte ------------------------------------------------------ */

static void check_prefixes(const char *path)
{
    struct cxn_bytes file;
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &file, NULL), CXN_OK);
    assert_int_equal(decode_exactly(file.data, file.size), CXN_OK);
    for (size_t n = 0; n < file.size; n++)
        if (decode_exactly(file.data, n) != CXN_E_FORMAT) fail_msg("%s: %zu bytes", path, n);
    for (size_t i = 0; i < file.size; i++) {
        const uint8_t old = file.data[i];
        for (unsigned change = 1; change < 256; change = change * 2 + 1) {
            file.data[i] = (uint8_t)(old ^ change);
            decode_exactly(file.data, file.size); /* any status, no crash */
        }
        file.data[i] = old;
    }
    cxn_free(file.data);
}

static void no_prefix_is_a_picture(void **state)
{
    (void)state;
    check_prefixes("tests/golden/image/grey-37x29.jpg");
    check_prefixes("tests/golden/image/rgb-420-37x29.jpg");
    check_prefixes("tests/golden/image/progressive-rgb.jpg");
    check_prefixes("tests/golden/image/restart.jpg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_53),
        cmocka_unit_test(sizes_54),
        cmocka_unit_test(tables_55),
        cmocka_unit_test(frames_56_57),
        cmocka_unit_test(markers_58),
        cmocka_unit_test(no_prefix_is_a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
