/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/maps.h"

#include "base/size.h"
#include "fuse/plan.h"
#include "nn/steps.h"

/*
 * Most places that a map has, `border` places around it included, when a view of `pixels` is
 * shrunk `shift` times: height + width is largest where one side is the smallest there is. Views
 * are so limited that this fits.
 */
static size_t count_places(size_t pixels, unsigned shift, size_t border)
{
    const size_t low = CXN_VIEW_SIDE_UNIT >> shift;
    const size_t high = pixels / CXN_VIEW_SIDE_UNIT >> shift;
    const size_t inside = (pixels >> shift) >> shift;
    return inside + 2 * border * (low + high + 2 * border);
}

static size_t at_least(size_t least, size_t x)
{
    return x > least ? x : least;
}

/* A panel of the widest row and the most channels, or three rows of the stem. */
static size_t count_scratch(const struct cxn_packed *f, size_t pixels)
{
    const size_t side = pixels / CXN_VIEW_SIDE_UNIT; /* longest there is */
    size_t most = 3 * (side / 2 + 1) * f->stem * sizeof(float);
    for (unsigned b = 0; b < CXN_NET_BLOCKS; b++) {
        const size_t places = at_least(CXN_PANEL_PLACES, side >> (2 + b));
        const size_t step = cxn_panel_step(f, f->block[b].out);
        most = at_least(most, places * step * f->kernels.panel_bytes);
    }
    return most;
}

/* A row of the stem's maxima, a band of a 3x3, or a panel of a transition. */
static size_t count_rounding(const struct cxn_packed *f, size_t pixels)
{
    const size_t width = pixels / CXN_VIEW_SIDE_UNIT / 4; /* longest there is */
    size_t most = at_least(width * f->stem, at_least(CXN_BAND_PLACES, width) * f->growth);
    for (unsigned b = 1; b < CXN_NET_BLOCKS; b++)
        most = at_least(most, at_least(CXN_PANEL_PLACES, width >> b) * f->block[b].in);
    return f->kernels.round ? most * sizeof(float) : 0;
}

enum { STAGE_STEM = 0, SAMPLE_PLANES = 4, STEM_BORDER = 3 };

/* Block b is computed in stage 1 + 2b; the stage behind it is its transition, or the head. */
static size_t stage_of(size_t block)
{
    return 1 + 2 * block;
}

bool cxn_maps_plan(struct cxn_maps_plan *plan, const struct cxn_packed *f, size_t pixels)
{
    struct cxn_plan_buffer buffers[2 + 3 * CXN_NET_BLOCKS];
    /* 64 bytes of maps a pixel and channel are more than there are: no product below wraps. */
    const size_t most = f->block[CXN_NET_BLOCKS - 1].out + f->middle + f->stem + SAMPLE_PLANES;
    if (pixels > SIZE_MAX / 1024 / most) return false;
    size_t n = 0;
    buffers[n++] = (struct cxn_plan_buffer){
        .bytes = count_places(pixels, 0, STEM_BORDER) * SAMPLE_PLANES * sizeof(float),
        .first = STAGE_STEM, .last = STAGE_STEM
    };
    for (unsigned b = 0; b < CXN_NET_BLOCKS; b++) {
        const size_t stage = stage_of(b);
        buffers[n++] = (struct cxn_plan_buffer){
            .bytes = count_places(pixels, 2 + b, 0) * f->block[b].out * f->kernels.map_bytes,
            .first = stage - 1, .last = stage + 1
        };
        for (size_t i = 0; i < 2; i++)
            buffers[n++] = (struct cxn_plan_buffer){
                .bytes = count_places(pixels, 2 + b, 1) * f->middle * f->kernels.panel_bytes,
                .first = stage, .last = stage
            };
    }
    const unsigned last = CXN_NET_BLOCKS - 1;
    buffers[n++] = (struct cxn_plan_buffer){
        .bytes = count_places(pixels, 2 + last, 0) * f->block[last].out * sizeof(float),
        .first = stage_of(last) + 1, .last = stage_of(last) + 1
    };
    if (!cxn_plan(buffers, n, &plan->view_bytes)) return false;
    plan->samples = buffers[0].offset;
    for (size_t b = 0; b < CXN_NET_BLOCKS; b++) {
        plan->block[b] = buffers[1 + 3 * b].offset;
        plan->middle[b][0] = buffers[2 + 3 * b].offset;
        plan->middle[b][1] = buffers[3 + 3 * b].offset;
    }
    plan->head = buffers[n - 1].offset;
    plan->rounding = (count_scratch(f, pixels) + 63) / 64 * 64;
    plan->scratch_bytes = plan->rounding + count_rounding(f, pixels);
    return true;
}
