/* SPDX-License-Identifier: Apache-2.0 */
/* Times the library's load and Resize(256) of the files named on standard input, one a line, and
 * answers each with one line, "<load ms> <resize ms>". bench/image_vs_pillow.py asks. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "image/image.h"

static int measure(const struct cxn_env *env, const char *path)
{
    struct cxn_error err = { "" };
    struct cxn_picture original, resized;
    const double start = cxn_clock_seconds();
    enum cxn_status status = cxn_image_load(env, path, &original, NULL, &err);
    const double loaded = cxn_clock_seconds();
    if (status == CXN_OK) {
        status = cxn_picture_resize(env, &original, CXN_RESIZE_SIDE, &resized, &err);
        const double end = cxn_clock_seconds();
        cxn_picture_close(&original);
        if (status == CXN_OK) {
            cxn_picture_close(&resized);
            printf("%.6f %.6f\n", (loaded - start) * 1e3, (end - loaded) * 1e3);
            fflush(stdout);
            return 0;
        }
    }
    fprintf(stderr, "image_bench: %s\n", err.text);
    return cxn_status_exit(status);
}

int main(void)
{
    const struct cxn_env env = { 0 };
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        const int failed = measure(&env, line);
        if (failed) return failed;
    }
    return 0;
}
