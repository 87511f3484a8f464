/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG by libjpeg-turbo, with Pillow's settings (accurate integer DCT, fancy upsampling), so that
 * pixels are equal to the bit. libjpeg repairs broken files with a warning and grey; here each
 * warning is an error. Its own memory is reserved from the budget before it starts.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/decoder.h"

enum {
    SCANS_MIN = 20, /* real progressive files have up to about a dozen */
    SCANS_MAX = 100,
    BLOCK_VISITS_MAX = 1 << 26, /* scans beyond SCANS_MIN stop here: some 0.5 s */
    ROWS_HELD = 64,             /* of each component, more than libjpeg's buffers have */
    SMALL_BYTES = 1 << 20,      /* tables and states */
};

/* Lives in the caller of the function that calls setjmp, so that longjmp leaves it whole. */
struct job {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const struct cxn_env *env;
    struct cxn_picture *out;
    struct cxn_error *err;
    enum cxn_status status;
    size_t reserved_bytes;
    int scans_max;
};

static bool is_jpeg(const uint8_t *data, size_t size)
{
    return size >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

/* ---- libjpeg's callbacks ------------------------------------------------------------------ */

static void escape_with(struct job *job, enum cxn_status status)
{
    job->status = status;
    longjmp(job->escape, 1);
}

static void on_error(j_common_ptr info)
{
    struct job *job = info->client_data;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    enum cxn_status status = CXN_E_FORMAT;
    if (info->err->msg_code == JERR_OUT_OF_MEMORY || info->err->msg_code == JERR_NO_BACKING_STORE)
        status = CXN_E_NOMEM;
    if (info->err->msg_code == JERR_IMAGE_TOO_BIG) status = CXN_E_LIMIT;
    escape_with(job, cxn_fail(job->err, status, "%s", text));
}

static void on_message(j_common_ptr info, int level)
{
    if (level < 0) on_error(info); /* a warning: the data are damaged */
}

static void on_progress(j_common_ptr info)
{
    struct job *job = info->client_data;
    if (job->info.input_scan_number > job->scans_max)
        escape_with(job, cxn_fail(job->err, CXN_E_LIMIT, "more than %d scans", job->scans_max));
}

/* ---- checks before memory is taken -------------------------------------------------------- */

static void check_kind(struct job *job)
{
    const struct jpeg_decompress_struct *info = &job->info;
    if (info->arith_code)
        escape_with(job, cxn_fail(job->err, CXN_E_FORMAT,
                                  "arithmetic coding is not supported, only Huffman"));
    if (info->num_components == 4)
        escape_with(job, cxn_fail(job->err, CXN_E_FORMAT,
                                  "four components (CMYK) are not supported, only grey and RGB"));
    if (info->num_components != 1 && info->num_components != 3)
        escape_with(job, cxn_fail(job->err, CXN_E_FORMAT, "%d components, expected 1 or 3",
                                  info->num_components));
    const enum cxn_status status =
        cxn_image_check_size(info->image_width, info->image_height, job->err);
    if (status != CXN_OK) escape_with(job, status);
}

/* 8x8 blocks of all components */
static size_t count_blocks(const struct jpeg_decompress_struct *info)
{
    size_t blocks = 0;
    for (int i = 0; i < info->num_components; i++) {
        const jpeg_component_info *c = &info->comp_info[i];
        blocks += (size_t)c->width_in_blocks * c->height_in_blocks;
    }
    return blocks;
}

/* Every block takes at least one bit of the file, the code of its DC coefficient. */
static void check_plausible(struct job *job, size_t file_bytes)
{
    const size_t blocks = count_blocks(&job->info);
    if (blocks / 8 > file_bytes)
        escape_with(job, cxn_fail(job->err, CXN_E_FORMAT, "%zu bytes cannot hold %ux%u pixels",
                                  file_bytes, job->info.image_width, job->info.image_height));
    const size_t visits = BLOCK_VISITS_MAX / (blocks + 1);
    job->scans_max = visits < SCANS_MIN ? SCANS_MIN : visits > SCANS_MAX ? SCANS_MAX : (int)visits;
}

static void reserve_memory(struct job *job)
{
    struct jpeg_decompress_struct *info = &job->info;
    size_t bytes = SMALL_BYTES;
    for (int i = 0; i < info->num_components; i++) {
        const jpeg_component_info *c = &info->comp_info[i];
        /* rounded up to whole MCUs, of at most 4 blocks a side */
        const size_t columns = (size_t)c->width_in_blocks + 4, rows = c->height_in_blocks + 4;
        bytes += ((size_t)info->image_width + 32) * ROWS_HELD;
        if (jpeg_has_multiple_scans(info)) bytes += columns * rows * sizeof(JBLOCK);
    }
    if (!cxn_mem_take(job->env->mem, bytes))
        escape_with(job, cxn_fail_nomem(job->err, job->env->mem, bytes, "decoding"));
    job->reserved_bytes = bytes;
    info->mem->max_memory_to_use = (long)bytes;
}

/* ---- decoding ----------------------------------------------------------------------------- */

static void read_rows(struct job *job)
{
    struct jpeg_decompress_struct *info = &job->info;
    const bool grey = info->num_components == 1;
    const enum cxn_status status =
        cxn_picture_open(job->env, info->image_width, info->image_height, grey ? 1 : 3, job->out,
                         job->err);
    if (status != CXN_OK) escape_with(job, status);
    info->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    info->dct_method = JDCT_ISLOW;
    info->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = job->out->pixels + info->output_scanline * job->out->stride_bytes;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info); /* reads on to EOI */
}

static void decode(struct job *job, const uint8_t *data, size_t size)
{
    if (setjmp(job->escape)) return;
    jpeg_create_decompress(&job->info);
    job->info.progress = &job->progress;
    jpeg_mem_src(&job->info, data, (unsigned long)size);
    jpeg_read_header(&job->info, TRUE);
    check_kind(job);
    check_plausible(job, size);
    reserve_memory(job);
    read_rows(job);
}

static enum cxn_status read_jpeg(const struct cxn_env *env, const uint8_t *data, size_t size,
                                 struct cxn_picture *out, unsigned *notes, struct cxn_error *err)
{
    struct job job = { .env = env, .out = out, .err = err, .status = CXN_OK };
    (void)notes;
    job.info.err = jpeg_std_error(&job.errors);
    job.info.client_data = &job;
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    job.progress.progress_monitor = on_progress;
    decode(&job, data, size);
    jpeg_destroy_decompress(&job.info);
    if (job.reserved_bytes != 0) cxn_mem_give(env->mem, job.reserved_bytes);
    if (job.status != CXN_OK) cxn_picture_close(out);
    return job.status;
}

const struct cxn_decoder cxn_decoder_jpeg = { "jpeg", is_jpeg, read_jpeg };
