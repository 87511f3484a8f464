/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_DATA_PHANTOM_H
#define CXN_DATA_PHANTOM_H

#include "base/env.h"
#include "base/picture.h"
#include "base/progress.h"
#include "data/phantom_scene.h"

/* A synthetic data set in the form of ChestX-ray14. Everything is a function of these. */
struct cxn_phantom_spec {
    size_t images;  /* CXN_PHANTOM_IMAGES_MIN..MAX */
    uint32_t size;  /* side of the pictures, pixels, CXN_PHANTOM_SIZE_MIN..MAX */
    uint64_t seed;
    bool balanced;  /* every finding in about a quarter of the images */
};

enum {
    CXN_PHANTOM_IMAGES_MIN = 10, /* so that each of the three lists has a patient */
    CXN_PHANTOM_IMAGES_MAX = 1000000,
    CXN_PHANTOM_SIZE_MIN = 256,
    CXN_PHANTOM_SIZE_MAX = 2048,
};

/* The lists that the set is split into. */
enum cxn_phantom_list {
    CXN_PHANTOM_TRAIN,
    CXN_PHANTOM_VAL,
    CXN_PHANTOM_TEST,
    CXN_PHANTOM_LISTS,
};

struct cxn_phantom_image {
    uint32_t patient, follow_up; /* from 1, from 0: the name is %08u_%03u.png */
    uint16_t labels;             /* bit i: finding i */
    uint8_t split, age;
    bool female, supine; /* supine: AP, else PA */
};

/* Patients, labels and lists of the whole set, ordered by name: images[spec->images], freed with
 * cxn_free(). CXN_E_NOMEM. */
enum cxn_status cxn_phantom_plan(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                 struct cxn_phantom_image **images, struct cxn_error *err);

/* Share of the images that have the finding, by ChestX-ray14's counts or, balanced, a quarter. */
double cxn_phantom_prevalence(int finding, bool balanced);

/* Draw one image: grey, spec->size square. boxes (room for CXN_PHANTOM_BOXES_MAX) gets the places
 * of findings in units of 1/1024 of the side. Free the picture with cxn_picture_close(). */
enum cxn_status cxn_phantom_draw(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                 const struct cxn_phantom_image *image,
                                 struct cxn_picture *picture, struct cxn_phantom_box *boxes,
                                 size_t *box_count, struct cxn_error *err);

/* Draw and write the whole set into a folder that does not exist or is empty. It appears under its
 * name when complete. progress, which may be NULL, is told of each image. CXN_E_ARG for a spec out
 * of range, CXN_E_IO, CXN_E_NOMEM, CXN_E_STOPPED. */
enum cxn_status cxn_phantom_write(const struct cxn_env *env, const struct cxn_phantom_spec *spec,
                                  const char *folder, const struct cxn_progress *progress,
                                  struct cxn_error *err);

#endif
