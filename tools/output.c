/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

void print_safe(FILE *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;
        if (*c < 0x20 || *c == 0x7f || c1) fprintf(to, "\\x%02x", *c);
        else putc(*c, to);
        if (c1) fprintf(to, "\\x%02x", *++c);
    }
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_start(struct progress *p)
{
    *p = (struct progress){ .on = isatty(STDERR_FILENO) == 1, .started = now_seconds() };
}

/* Whether a terminal is there and the last line has stood long enough to be read. */
static bool is_time_to_show(struct progress *p)
{
    const double now = now_seconds();
    if (!p->on || now - p->shown < 0.1) return false;
    p->shown = now;
    return true;
}

void progress_share(struct progress *p, const char *what, double share)
{
    if (!is_time_to_show(p)) return;
    fprintf(stderr, "\r\033[K%s: %.0f %%", what, 100 * share);
    fflush(stderr);
}

void progress_show(struct progress *p, size_t done, size_t total, double images_per_second,
                   const char *more)
{
    if (!is_time_to_show(p)) return;
    const double left = (double)(total - done) / fmax(images_per_second, 1e-9);
    fprintf(stderr, "\r\033[K%zu of %zu images, %.1f images/s, %.0f:%02d left%s", done, total,
            images_per_second, floor(left / 60), (int)fmod(left, 60), more);
    fflush(stderr);
}

void progress_line(struct progress *p, const char *fmt, ...)
{
    va_list ap;
    if (!is_time_to_show(p)) return;
    fputs("\r\033[K", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->on && p->shown > 0) fputs("\r\033[K", stderr);
}

double progress_seconds(const struct progress *p)
{
    return now_seconds() - p->started;
}

enum cxn_status finish_stdout(struct cxn_error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return CXN_OK;
    snprintf(err->text, sizeof err->text, "cannot write standard output: %s",
             errno ? strerror(errno) : "earlier write failed");
    return CXN_E_IO;
}
