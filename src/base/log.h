/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_BASE_LOG_H
#define CXN_BASE_LOG_H

/* Things a user should know that are not errors: a 16-bit picture was scaled, keys were renamed.
 * The library never prints; the caller's function does. */
struct cxn_log {
    void (*write)(void *ctx, const char *text); /* may be called from several threads */
    void *ctx;
};

/* One line without a newline, at most 1023 bytes, control bytes escaped. log, or its function, may
 * be NULL. */
void cxn_note(const struct cxn_log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
