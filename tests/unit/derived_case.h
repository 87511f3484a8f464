/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_DERIVED_CASE_H
#define CXN_TESTS_DERIVED_CASE_H

#include "fuse/derived.h"

/* Broken and hostile files of models derived from weights, whichever kind. All of these fail the
 * running test. */

struct derived_case {
    const cxn_net *net;
    /* Everything that the kind's reader reads, the probe too. */
    enum cxn_status (*read)(const cxn_fold *fold, const struct cxn_tensors *list,
                            const struct cxn_source *source, struct cxn_error *err);
    /* Writes `path`; what the writer returns. */
    enum cxn_status (*write)(struct cxn_mem *mem, struct cxn_error *err);
    const char *path;
};

/* What each of them has, made up. */
enum { CASE_ANSWERS = CXN_PROBE_VIEWS * 14 };

struct derived_made_up {
    struct cxn_derived_about about;
    struct cxn_probe probe;
    float reference[CASE_ANSWERS], answers[CASE_ANSWERS]; /* `apart` from each other, all alike */
};
enum cxn_status derived_make_up(struct derived_made_up *m, float apart, struct cxn_mem *mem,
                                struct cxn_error *err);

/* And that it comes out of a file as it went in. */
void check_made_up(const struct cxn_derived *d, float apart);

/* What a whole file's bytes are read as; nothing may stay allocated. */
enum cxn_status read_derived(const struct derived_case *c, const void *data, size_t size,
                             struct cxn_mem *mem, struct cxn_error *err);

/* Writes the file and reads its bytes; cxn_free() its data. */
struct cxn_bytes make_derived(const struct derived_case *c);

/* The first `from` of the file's header becomes `to`, and the reader says `text`. */
struct header_case {
    const char *from, *to, *text;
};
void refuse_headers(const struct derived_case *c, const struct header_case *cases, size_t count);

/* Bytes of a tensor become others, and the reader says text. */
struct number_case {
    const char *tensor;
    size_t byte;
    const void *value;
    size_t bytes;
    const char *text;
};
void refuse_numbers(const struct derived_case *c, const struct number_case *cases, size_t count);

/* Cut anywhere, changed anywhere: an error or the same shapes, nothing leaks, little memory. */
void refuse_every_byte(const struct derived_case *c);

/* Every allocation of writing and reading fails once, and from then on. */
void fail_allocations(const struct derived_case *c);

#endif
