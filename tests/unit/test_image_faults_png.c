/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of broken and hostile PNG files, each made here. The numbers in the names are those of
 * the project's list of faults. */
#include "image_craft.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* ---- 44: sizes and IHDR ------------------------------------------------------------------- */

static void build_head(struct bytes *b, uint32_t width, uint32_t height, unsigned depth,
                       unsigned type)
{
    png_start(b);
    png_head(b, width, height, depth, type);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "IEND", NULL, 0);
}

static void width_0(struct bytes *b) { build_head(b, 0, 2, 8, 0); }
static void height_0(struct bytes *b) { build_head(b, 2, 0, 8, 0); }
static void width_max(struct bytes *b) { build_head(b, 0x7fffffff, 2, 8, 0); }
static void side_1000001(struct bytes *b) { build_head(b, 2, 1000001, 8, 0); }
static void bomb_50000(struct bytes *b) { build_head(b, 50000, 50000, 8, 0); }
static void product_large(struct bytes *b) { build_head(b, 32768, 32768, 16, 6); }
static void depth_3(struct bytes *b) { build_head(b, 2, 2, 3, 0); }
static void rgb_depth_4(struct bytes *b) { build_head(b, 2, 2, 4, 2); }
static void palette_depth_16(struct bytes *b) { build_head(b, 2, 2, 16, 3); }
static void type_5(struct bytes *b) { build_head(b, 2, 2, 8, 5); }
static void implausible(struct bytes *b) { build_head(b, 11000, 11000, 8, 0); }

static void head_with(struct bytes *b, const char *last_three)
{
    static const uint8_t start[10] = { 0, 0, 0, 2, 0, 0, 0, 2, 8, 0 };
    uint8_t head[13];
    memcpy(head, start, 10);
    memcpy(head + 10, last_three, 3);
    png_start(b);
    png_chunk(b, "IHDR", head, 13);
}

static void compression_1(struct bytes *b) { head_with(b, "\1\0\0"); }
static void filter_method_1(struct bytes *b) { head_with(b, "\0\1\0"); }
static void interlace_2(struct bytes *b) { head_with(b, "\0\0\2"); }

static void head_short(struct bytes *b)
{
    png_start(b);
    png_chunk(b, "IHDR", "\0\0\0\2\0\0\0\2\10\0\0\0", 12);
}

static void two_heads(struct bytes *b)
{
    png_start_grey(b);
    png_head(b, 2, 2, 8, 0);
}

static void head_not_first(struct bytes *b)
{
    png_start(b);
    png_chunk(b, "gAMA", "\0\0\1\0", 4);
    png_head(b, 2, 2, 8, 0);
}

static void sizes_44(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "width 0", width_0, CXN_E_FORMAT, "empty picture of 0x2" },
        { "height 0", height_0, CXN_E_FORMAT, "empty picture of 2x0" },
        { "width 2^31 - 1", width_max, CXN_E_LIMIT, "limit 32768 a side" },
        { "height 1000001", side_1000001, CXN_E_LIMIT, "limit 32768 a side" },
        { "50000x50000", bomb_50000, CXN_E_LIMIT, "50000x50000 pixels, limit 32768 a side" },
        { "product", product_large, CXN_E_LIMIT, "limit 134217728 in all" },
        { "implausible size", implausible, CXN_E_FORMAT, "cannot hold a picture of 121011000" },
        { "depth 3", depth_3, CXN_E_FORMAT, "colour type 0 with bit depth 3" },
        { "RGB, depth 4", rgb_depth_4, CXN_E_FORMAT, "colour type 2 with bit depth 4" },
        { "palette, depth 16", palette_depth_16, CXN_E_FORMAT, "type 3 with bit depth 16" },
        { "colour type 5", type_5, CXN_E_FORMAT, "colour type 5" },
        { "compression 1", compression_1, CXN_E_FORMAT, "compression 1" },
        { "filter method 1", filter_method_1, CXN_E_FORMAT, "filter 1" },
        { "interlace 2", interlace_2, CXN_E_FORMAT, "interlace 2" },
        { "IHDR of 12 bytes", head_short, CXN_E_FORMAT, "IHDR of 12 bytes" },
        { "two IHDR", two_heads, CXN_E_FORMAT, "second IHDR chunk at byte 33" },
        { "IHDR not first", head_not_first, CXN_E_FORMAT, "first chunk is gAMA" },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 45, 46: palettes; the legal combination with tRNS and gAMA is a golden file ----------- */

static const uint8_t two_colours[6] = { 1, 2, 3, 4, 5, 6 };

static void start_palette(struct bytes *b, size_t palette_bytes, size_t alpha_bytes)
{
    static const uint8_t zeros[1024];
    png_start(b);
    png_head(b, 2, 2, 8, 3);
    if (palette_bytes > 0) png_chunk(b, "PLTE", zeros, palette_bytes);
    if (alpha_bytes > 0) png_chunk(b, "tRNS", zeros, alpha_bytes);
}

static void finish_grey(struct bytes *b)
{
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "IEND", NULL, 0);
}

static void index_high(struct bytes *b)
{
    start_palette(b, 40 * 3, 0); /* the last pixel is 40 */
    finish_grey(b);
}

static void palette_missing(struct bytes *b)
{
    start_palette(b, 0, 0);
    finish_grey(b);
}

static void palette_late(struct bytes *b)
{
    png_start(b);
    png_head(b, 2, 2, 8, 2);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "PLTE", two_colours, 6);
}

static void palette_twice(struct bytes *b)
{
    start_palette(b, 6, 0);
    png_chunk(b, "PLTE", two_colours, 6);
}

static void palette_257(struct bytes *b) { start_palette(b, 257 * 3, 0); }
static void palette_odd(struct bytes *b) { start_palette(b, 7, 0); }
static void alpha_long(struct bytes *b) { start_palette(b, 6, 3); }

static void palette_over_depth(struct bytes *b)
{
    png_start(b);
    png_head(b, 2, 2, 1, 3);
    png_chunk(b, "PLTE", "123456789", 9);
}

static void palette_in_grey(struct bytes *b)
{
    png_start_grey(b);
    png_chunk(b, "PLTE", two_colours, 6);
}

static void alpha_before_palette(struct bytes *b)
{
    png_start(b);
    png_head(b, 2, 2, 8, 3);
    png_chunk(b, "tRNS", "\1", 1);
}

static void alpha_on_alpha(struct bytes *b)
{
    png_start(b);
    png_head(b, 2, 2, 8, 6);
    png_chunk(b, "tRNS", "\0\1\0\1\0\1", 6);
}

static void alpha_late(struct bytes *b)
{
    png_start_grey(b);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "tRNS", "\0\1", 2);
}

static void palettes_45(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "index over PLTE", index_high, CXN_E_FORMAT, "row 1: palette index over the 40 colours" },
        { "PLTE missing", palette_missing, CXN_E_FORMAT, "without PLTE" },
        { "PLTE after IDAT", palette_late, CXN_E_FORMAT, "too late" },
        { "PLTE twice", palette_twice, CXN_E_FORMAT, "PLTE at byte 51: a second one" },
        { "PLTE of 257", palette_257, CXN_E_FORMAT, "PLTE of 771 bytes" },
        { "PLTE of 7 bytes", palette_odd, CXN_E_FORMAT, "PLTE of 7 bytes" },
        { "PLTE over depth", palette_over_depth, CXN_E_FORMAT, "expected 3 to 6" },
        { "PLTE in grey", palette_in_grey, CXN_E_FORMAT, "PLTE in a grey picture" },
        { "tRNS over PLTE", alpha_long, CXN_E_FORMAT, "tRNS at byte 51: 3 bytes" },
        { "tRNS before PLTE", alpha_before_palette, CXN_E_FORMAT, "tRNS at byte 33" },
        { "tRNS on alpha", alpha_on_alpha, CXN_E_FORMAT, "colour type 6" },
        { "tRNS after IDAT", alpha_late, CXN_E_FORMAT, "tRNS at byte" },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 48: chunks --------------------------------------------------------------------------- */

static void length_huge(struct bytes *b)
{
    png_start_grey(b);
    bytes_add_u32(b, 0x80000000u);
    bytes_add(b, "IDAT\0\0\0\0", 8);
}

static void length_past_end(struct bytes *b)
{
    png_start_grey(b);
    bytes_add_u32(b, 1000);
    bytes_add(b, "tEXt\0\0\0\0", 8);
}

static void crc_critical(struct bytes *b)
{
    png_whole_grey(b);
    b->data[8 + 8 + 13] ^= 1; /* of IHDR */
}

static void crc_ancillary(struct bytes *b)
{
    png_start_grey(b);
    png_chunk(b, "tEXt", "a", 1);
    b->data[b->size - 1] ^= 1;
    finish_grey(b);
}

static void end_missing(struct bytes *b)
{
    png_start_grey(b);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
}

static void bytes_after_end(struct bytes *b)
{
    png_whole_grey(b);
    bytes_fill(b, 5, 0);
}

static void end_with_data(struct bytes *b)
{
    png_start_grey(b);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "IEND", "x", 1);
}

static void no_idat(struct bytes *b)
{
    png_start_grey(b);
    png_chunk(b, "IEND", NULL, 0);
}

static void critical_unknown(struct bytes *b)
{
    png_start_grey(b);
    png_chunk(b, "ABCD", "x", 1);
    finish_grey(b);
}

static void type_of_control_bytes(struct bytes *b)
{
    png_start_grey(b);
    png_chunk(b, "a\33[m", "x", 1);
}

static void idat_apart(struct bytes *b)
{
    png_start_grey(b);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "tEXt", "a", 1);
    png_chunk(b, "IDAT", "", 0);
}

static void empty_idats(struct bytes *b)
{
    png_start_grey(b);
    for (int i = 0; i < 1000000; i++) png_chunk(b, "IDAT", "", 0);
    finish_grey(b);
}

static void chunks_48(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "length 2^31", length_huge, CXN_E_FORMAT, "chunk at byte 33: it does not fit" },
        { "length past end", length_past_end, CXN_E_FORMAT, "chunk at byte 33: it does not fit" },
        { "CRC of IHDR", crc_critical, CXN_E_FORMAT, "IHDR chunk at byte 8: CRC is" },
        { "CRC of tEXt", crc_ancillary, CXN_E_FORMAT, "tEXt chunk at byte 33: CRC is" },
        { "no IEND", end_missing, CXN_E_FORMAT, "without IEND" },
        { "bytes after IEND", bytes_after_end, CXN_E_FORMAT, "5 bytes after IEND" },
        { "IEND with data", end_with_data, CXN_E_FORMAT, "IEND of 1 bytes" },
        { "no IDAT", no_idat, CXN_E_FORMAT, "IEND without any IDAT" },
        { "unknown critical", critical_unknown, CXN_E_FORMAT, "critical chunk ABCD at byte 33" },
        { "odd type", type_of_control_bytes, CXN_E_FORMAT, "not four letters" },
        { "IDAT apart", idat_apart, CXN_E_FORMAT, "not beside the one before" },
        { "1e6 empty IDAT", empty_idats, CXN_OK, NULL },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 49: the zlib stream ------------------------------------------------------------------ */

static void with_stream(struct bytes *b, const void *stream, size_t n)
{
    png_start_grey(b);
    png_chunk(b, "IDAT", stream, n);
    png_chunk(b, "IEND", NULL, 0);
}

/* The good stream as one stored block: 78 01, header, LEN, NLEN, six bytes, Adler-32 */
static const uint8_t stored[17] = { 0x78, 0x01, 0x01, 6,  0, 0xf9, 0xff, 0, 10,
                                    20,   0,    30,   40, 0, 0xec, 0,    0x65 };

static void with_changed_byte(struct bytes *b, size_t at, uint8_t value)
{
    uint8_t stream[sizeof stored];
    memcpy(stream, stored, sizeof stored);
    stream[at] = value;
    with_stream(b, stream, sizeof stream);
}

static void stored_whole(struct bytes *b) { with_stream(b, stored, sizeof stored); }
static void zlib_header(struct bytes *b) { with_changed_byte(b, 0, 0x79); }
static void adler(struct bytes *b) { with_changed_byte(b, 16, 0x66); }
static void stored_length(struct bytes *b) { with_changed_byte(b, 5, 0xf8); }
static void block_type_3(struct bytes *b) { with_changed_byte(b, 2, 0x07); }
static void stream_cut(struct bytes *b) { with_stream(b, stored, 12); }
static void stream_empty(struct bytes *b) { with_stream(b, "", 0); }

static void stream_followed(struct bytes *b)
{
    uint8_t stream[sizeof stored + 1] = { 0 };
    memcpy(stream, stored, sizeof stored);
    with_stream(b, stream, sizeof stream);
}

/* Fixed codes: length 3 (code 0000001), distance 1 (00000), with nothing written yet */
static void distance_early(struct bytes *b)
{
    with_stream(b, "\x78\x01\x03\x02\x00\x00\x00\x00\x01", 9);
}

/* Dynamic block whose code length codes are 19 times length 1 */
static void huffman_full(struct bytes *b)
{
    with_stream(b, "\x78\x01\x05\xe0\x93\x24\x49\x92\x24\x49\x92\x24\x49\0\0\0\0", 17);
}

static void with_raw(struct bytes *b, const void *raw, size_t n)
{
    png_start_grey(b);
    png_idat(b, raw, n);
    png_chunk(b, "IEND", NULL, 0);
}

static void stream_short(struct bytes *b) { with_raw(b, png_grey_raw, 5); }
static void stream_long(struct bytes *b) { with_raw(b, "\0\1\2\0\3\4\0", 7); }
static void filter_5(struct bytes *b) { with_raw(b, "\5\1\2\0\3\4", 6); }
static void filter_255(struct bytes *b) { with_raw(b, "\0\1\2\377\3\4", 6); }

static void bomb_in_idat(struct bytes *b)
{
    enum { BOMB_BYTES = 100 << 20 };
    uint8_t *zeros = calloc(BOMB_BYTES, 1);
    assert_non_null(zeros);
    with_raw(b, zeros, BOMB_BYTES);
    free(zeros);
}

static void streams_49(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "stored block", stored_whole, CXN_OK, NULL },
        { "zlib header", zlib_header, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "Adler-32", adler, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "LEN and NLEN", stored_length, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "block type 3", block_type_3, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "distance", distance_early, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "over-subscribed", huffman_full, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "cut", stream_cut, CXN_E_FORMAT, "not a whole, valid zlib stream" },
        { "empty", stream_empty, CXN_E_FORMAT, "IDAT" },
        { "byte after it", stream_followed, CXN_E_FORMAT, "1 bytes after the end" },
        { "short of the picture", stream_short, CXN_E_FORMAT, "less than the 6 bytes" },
        { "longer than the picture", stream_long, CXN_E_FORMAT, "more than the 6 bytes" },
        { "100 MiB for 6 bytes", bomb_in_idat, CXN_E_FORMAT, "more than the 6 bytes" },
        { "filter 5", filter_5, CXN_E_FORMAT, "row 0: filter type 5" },
        { "filter 255", filter_255, CXN_E_FORMAT, "row 1: filter type 255" },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- 50, 52: ancillary chunks -------------------------------------------------------------- */

/* A compressed text of 64 MiB of zeros: skipped, never inflated */
static void text_bomb(struct bytes *b)
{
    struct bytes text = { 0 };
    bytes_add(&text, "a\0\0\x78\xda", 5);
    bytes_fill(&text, 65000, 0);
    png_start_grey(b);
    png_chunk(b, "zTXt", text.data, text.size);
    png_chunk(b, "iCCP", text.data, text.size);
    bytes_free(&text);
    finish_grey(b);
}

static void many_texts(struct bytes *b)
{
    png_start_grey(b);
    for (int i = 0; i < 100000; i++) png_chunk(b, "tEXt", "a\0b", 3);
    finish_grey(b);
}

static void animated(struct bytes *b)
{
    static const uint8_t control[26] = { 0 };
    png_start_grey(b);
    png_chunk(b, "acTL", "\0\0\0\2\0\0\0\0", 8);
    png_chunk(b, "fcTL", control, sizeof control);
    png_idat(b, png_grey_raw, sizeof png_grey_raw);
    png_chunk(b, "fcTL", control, sizeof control);
    png_chunk(b, "fdAT", "\0\0\0\2garbage", 11);
    png_chunk(b, "IEND", NULL, 0);
}

static void ancillary_50_52(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "zTXt and iCCP bombs", text_bomb, CXN_OK, NULL },
        { "1e5 tEXt", many_texts, CXN_OK, NULL },
        { "APNG", animated, CXN_OK, NULL },
    };
    check_faults(faults, CXN_COUNTOF(faults));
}

/* ---- every prefix, every changed byte ------------------------------------------------------ */

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct bytes b = { 0 };
    png_whole_grey(&b);
    assert_int_equal(decode_exactly(b.data, b.size), CXN_OK);
    for (size_t n = 0; n < b.size; n++) assert_int_equal(decode_exactly(b.data, n), CXN_E_FORMAT);
    bytes_free(&b);
}

/* No byte of a file is without a check. */
static void every_changed_bit_is_refused(void **state)
{
    (void)state;
    struct bytes b = { 0 };
    png_whole_grey(&b);
    for (size_t bit = 0; bit < 8 * b.size; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(decode_exactly(b.data, b.size), CXN_E_FORMAT);
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bytes_free(&b);
}

/* ---- 51 and the predictor: noise through every filter, against the standard's text ---------- */

static int paeth_of_the_standard(int a, int b, int c)
{
    const int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    if (pa <= pb && pa <= pc) return a;
    return pb <= pc ? b : c;
}

/* v minus its prediction; x counts bytes of the row from 0, bpp a pixel */
static uint8_t filter_byte(unsigned filter, const uint8_t *row, const uint8_t *up, size_t x,
                           size_t bpp)
{
    const int a = x >= bpp ? row[x - bpp] : 0, c = x >= bpp && up ? up[x - bpp] : 0;
    const int b = up ? up[x] : 0;
    const int predicted[5] = { 0, a, b, (a + b) / 2, paeth_of_the_standard(a, b, c) };
    return (uint8_t)(row[x] - predicted[filter]);
}

static void check_noise(uint32_t width, uint32_t height, uint32_t channels, bool mixed)
{
    const struct cxn_env env = { 0 };
    const size_t n = (size_t)width * channels;
    struct cxn_random random = cxn_random_make(51, channels);
    uint8_t *pixels = malloc(n * height), *raw = malloc((n + 1) * height);
    assert_true(pixels && raw);
    for (size_t i = 0; i < n * height; i++) pixels[i] = (uint8_t)cxn_random_u32(&random);
    for (size_t y = 0; y < height; y++) {
        const uint8_t *row = pixels + y * n, *up = y > 0 ? row - n : NULL;
        const unsigned filter = mixed ? cxn_random_below(&random, 5) : 4;
        raw[y * (n + 1)] = (uint8_t)filter;
        for (size_t x = 0; x < n; x++)
            raw[y * (n + 1) + 1 + x] = filter_byte(filter, row, up, x, channels);
    }
    struct bytes b = { 0 };
    struct cxn_picture p;
    png_start(&b);
    png_head(&b, width, height, 8, channels == 1 ? 0 : 2);
    png_idat(&b, raw, (n + 1) * height);
    png_chunk(&b, "IEND", NULL, 0);
    assert_int_equal(cxn_image_decode(&env, b.data, b.size, &p, NULL, NULL), CXN_OK);
    assert_int_equal(p.channels, channels);
    assert_memory_equal(p.pixels, pixels, n * height);
    cxn_picture_close(&p);
    bytes_free(&b);
    free(pixels);
    free(raw);
}

static void noise_comes_back(void **state)
{
    (void)state;
    check_noise(1024, 1023, 1, false); /* a million random triples for the predictor */
    check_noise(129, 300, 1, true);
    check_noise(1, 300, 1, true);
    check_noise(129, 300, 3, true);
    check_noise(30000, 3, 3, true); /* rows of more than 65535 bytes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_44),
        cmocka_unit_test(palettes_45),
        cmocka_unit_test(chunks_48),
        cmocka_unit_test(streams_49),
        cmocka_unit_test(ancillary_50_52),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(noise_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
