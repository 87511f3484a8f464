/* SPDX-License-Identifier: Apache-2.0 */
/* Who the patients of a phantom set are, what they have, and which list they go to. */
#include "data/phantom.h"

enum {
    STREAM_PATIENT = 1,
    IMAGES_A_PATIENT_MAX = 10,
};

/* Percent of the 112,120 images of ChestX-ray14, by the three lists of the CheXNet split. */
static const double real_percent[CXN_FINDING_COUNT] = {
    10.29, 2.47, 11.87, 17.72, 5.13, 5.64, 1.21, 4.72, 4.16, 2.05, 2.24, 1.50, 3.02, 0.20,
};

double cxn_phantom_prevalence(int finding, bool balanced)
{
    return balanced ? 0.25 : real_percent[finding] / 100;
}

/*
 * Half of the patients are often ill, half seldom: findings then come together and about half of
 * the images have none, as in the real set, while each keeps its prevalence.
 */
static double illness(struct cxn_random *r, bool balanced)
{
    const bool often = cxn_random_below(r, 2) == 0;
    if (balanced) return often ? 1.3 : 0.7;
    return often ? 1.75 : 0.25;
}

static uint16_t draw_labels(struct cxn_random *r, double factor, bool balanced)
{
    unsigned labels = 0;
    for (int i = 0; i < CXN_FINDING_COUNT; i++)
        if (cxn_random_unit(r) < factor * cxn_phantom_prevalence(i, balanced)) labels |= 1u << i;
    return (uint16_t)labels;
}

/* Most patients have few images and some have many: two chances out of five to end at each. */
static size_t draw_image_count(struct cxn_random *r, size_t most)
{
    size_t count = 1;
    while (count < most && cxn_random_below(r, 5) >= 2) count++;
    return count;
}

static void plan_patient(const struct cxn_phantom_spec *spec, uint32_t patient,
                         struct cxn_random *r, struct cxn_phantom_image *images, size_t count)
{
    const double factor = illness(r, spec->balanced);
    const uint16_t lasting = draw_labels(r, factor, spec->balanced);
    const bool female = cxn_random_below(r, 2) == 0;
    const uint32_t age = 18 + cxn_random_below(r, 70);
    for (size_t i = 0; i < count; i++) {
        /* Each finding is the patient's lasting one or this day's, one in two. */
        const uint16_t today = draw_labels(r, factor, spec->balanced);
        const uint32_t keep = cxn_random_u32(r);
        images[i] = (struct cxn_phantom_image){
            .patient = patient,
            .follow_up = (uint32_t)i,
            .labels = (uint16_t)((lasting & keep) | (today & ~keep)),
            .age = (uint8_t)(age + (uint32_t)i / 3),
            .female = female,
            .supine = cxn_random_below(r, 5) < 2,
        };
    }
}

/* The list that is furthest behind its share of 70, 10 and 20 percent. */
static enum cxn_phantom_list pick_split(const size_t filled[CXN_PHANTOM_LISTS], size_t next_total)
{
    static const double share[CXN_PHANTOM_LISTS] = { 0.7, 0.1, 0.2 };
    enum cxn_phantom_list best = CXN_PHANTOM_TRAIN;
    double most = -1e300;
    for (int i = 0; i < CXN_PHANTOM_LISTS; i++) {
        const double behind = share[i] * (double)next_total - (double)filled[i];
        if (behind > most) {
            most = behind;
            best = (enum cxn_phantom_list)i;
        }
    }
    return best;
}

enum cxn_status cxn_phantom_plan(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                 struct cxn_phantom_image **out, struct cxn_error *err)
{
    struct cxn_phantom_image *images = cxn_alloc(env->mem, spec->images, sizeof *images);
    *out = images;
    if (!images)
        return cxn_fail_nomem(err, env->mem, spec->images * sizeof *images, "the phantom's plan");
    /* A small set keeps patients small, so that no list stays empty. */
    size_t most = spec->images / 10;
    if (most > IMAGES_A_PATIENT_MAX) most = IMAGES_A_PATIENT_MAX;
    size_t filled[CXN_PHANTOM_LISTS] = { 0 };
    uint32_t patient = 0;
    for (size_t done = 0; done < spec->images;) {
        patient++;
        struct cxn_random r =
            cxn_random_make(spec->seed, (uint64_t)STREAM_PATIENT << 56 | patient);
        size_t count = draw_image_count(&r, most);
        if (count > spec->images - done) count = spec->images - done;
        const enum cxn_phantom_list split = pick_split(filled, done + count);
        plan_patient(spec, patient, &r, images + done, count);
        for (size_t i = done; i < done + count; i++) images[i].split = (uint8_t)split;
        filled[split] += count;
        done += count;
    }
    return CXN_OK;
}
