/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_DATA_SUPPORT_H
#define CXN_TESTS_DATA_SUPPORT_H

#include "base/env.h"
#include "base/file.h"
#include "data/list.h"
#include "data/loader.h"
#include "unit/unit.h"

/* A folder of the test's own, removed with all in it by remove_scratch(). */
struct scratch {
    char path[64];
};
struct scratch make_scratch(void);
void remove_scratch(const struct scratch *s);

/* "<scratch>/<name>", in a buffer of the caller. */
enum { SCRATCH_PATH = 160 };
char *in_scratch(const struct scratch *s, const char *name, char path[SCRATCH_PATH]);

/* A noisy picture as PNG; the same seed gives the same pixels. */
void write_png(const char *path, uint32_t width, uint32_t height, uint32_t channels,
               uint32_t seed);
void write_text(const char *path, const char *text);
struct cxn_bytes read_whole(const char *path);
void write_whole(const char *path, const void *data, size_t size);
bool is_there(const char *path);

/* A list over names that live as long as it. Free items with free(). */
cxn_list make_list(const char *const *names, size_t count);

/* Same shape, same samples. */
void assert_same_picture(const struct cxn_picture *a, const struct cxn_picture *b);

#endif
