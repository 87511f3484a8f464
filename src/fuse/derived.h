/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_FUSE_DERIVED_H
#define CXN_FUSE_DERIVED_H

#include "base/hash.h"
#include "fuse/fold.h"
#include "fuse/probe.h"
#include "model/safetensors.h"
#include "model/tensors.h"

/*
 * What the files of models that are derived from weights have in common, optimised and quantised
 * ones: safetensors with arrays of each part of the folded graph, what they were made from, and a
 * probe picture with its answers. docs/formats.md is the contract.
 */

enum { CXN_SOURCE_NAME_BYTES = 256, CXN_WORD_BYTES = 32 };

/* What the metadata of each kind tells. */
struct cxn_derived_about {
    char source_name[CXN_SOURCE_NAME_BYTES]; /* a file name without its folder */
    char source_sha256[CXN_SHA256_HEX_BYTES];
    char version[CXN_WORD_BYTES]; /* of the library that wrote it */
    char level[CXN_WORD_BYTES];   /* of the kernels that gave the probe's answers */
};

/* One kind, and one precision of it. */
struct cxn_derived_kind {
    const char *format; /* "optimized" */
    const char *folded; /* a text about what was folded into what */
    const struct cxn_engine *engine; /* the one that it is for; its name is the precision */
};

/* ---- tensors ------------------------------------------------------------------------------ */

enum { CXN_SLOT_NAME_BYTES = CXN_NET_NAME_BYTES + 16 };

/* A tensor as the file has it. */
struct cxn_slot {
    char name[CXN_SLOT_NAME_BYTES]; /* "": the part has no such array */
    enum cxn_dtype dtype;
    uint32_t rank;
    uint64_t dims[4];
};

/* All of a kind's, each_count for every part; behind all parts stand these three. */
enum { CXN_SLOT_PICTURE, CXN_SLOT_REFERENCE, CXN_SLOT_ANSWERS, CXN_SLOTS_PROBE };

struct cxn_slots {
    const cxn_fold *fold;
    size_t each_count;
    const void *form; /* make()'s own */
    struct cxn_slot (*make)(const struct cxn_slots *slots, size_t part, size_t array);
};

size_t cxn_slots_count(const struct cxn_slots *slots);
struct cxn_slot cxn_slots_at(const struct cxn_slots *slots, size_t i);

/* A slot PART.NAME of the shape of the part's first array, or of its second one, [out]. */
struct cxn_slot cxn_slot_of_first(const struct cxn_part *part, const char *name,
                                  enum cxn_dtype dtype);
struct cxn_slot cxn_slot_of_second(const struct cxn_part *part, const char *name,
                                   enum cxn_dtype dtype);

/* The number of the tensor of that name, looked for from `hint` on; SIZE_MAX: there is none. A file
 * as written has them nearly in the order of the slots. */
size_t cxn_slot_find(const struct cxn_tensors *list, const char *name, size_t hint);
/* CXN_E_FORMAT where that tensor is of another shape or type. */
enum cxn_status cxn_slot_check(const struct cxn_tensors *list, size_t item,
                               const struct cxn_slot *slot, struct cxn_error *err);

/* ---- numbers ------------------------------------------------------------------------------ */

/* Number i is not finite: CXN_E_FORMAT that says so. */
enum cxn_status cxn_fail_infinite(struct cxn_error *err, const char *tensor, size_t i,
                                  double value);

/* Number i is not one of those expected: CXN_E_FORMAT that says so. */
enum cxn_status cxn_fail_number(struct cxn_error *err, const char *tensor, size_t i, double value,
                                const char *expected);

/* Number of the first of them that is not finite, or count. */
size_t cxn_find_infinite(const float *numbers, size_t count);

/* ---- metadata ----------------------------------------------------------------------------- */

extern const char cxn_derived_preprocessing[]; /* the value of that key */

/* All metadata that each kind has, in the order of the file; borrows what it is given.
 * difference: of the probe's answers from the reference's. */
enum { CXN_DERIVED_PAIRS = 11, CXN_DERIVED_TEXT_BYTES = 512 };

void cxn_derived_pairs(const struct cxn_derived_kind *kind, const struct cxn_derived_about *about,
                       double difference, char text[CXN_DERIVED_TEXT_BYTES],
                       struct cxn_out_pair pairs[CXN_DERIVED_PAIRS]);

/* A key whose value is copied. */
struct cxn_derived_word {
    const char *key;
    char *value;
    size_t bytes; /* of value: 1 to bytes - 1 are taken */
    const char *refused, *expected; /* bytes that it must not have; a text for errors */
};

/* A value that is missing, where it is NULL, or not as expected: CXN_E_FORMAT. */
enum cxn_status cxn_derived_fail(const char *key, const char *value, const char *expected,
                                 struct cxn_error *err);

const char *cxn_derived_value(const struct cxn_tensors *list, const char *key); /* or NULL */
enum cxn_status cxn_derived_take(const struct cxn_tensors *list,
                                 const struct cxn_derived_word *word, struct cxn_error *err);

/* The same for 64 hex digits. */
enum cxn_status cxn_derived_take_sha256(const struct cxn_tensors *list, const char *key,
                                        char value[CXN_SHA256_HEX_BYTES], struct cxn_error *err);

/* ---- reading ------------------------------------------------------------------------------ */

/* A file that is open, and what of it all kinds have. Zeroed is a closed one. */
struct cxn_derived {
    struct cxn_derived_about about;
    const struct cxn_tensors *list; /* this and the next: borrowed */
    const struct cxn_source *source;
    struct cxn_slots slots;
    size_t *item_of; /* [cxn_slots_count()] number in the list */
    float *reference, *answers; /* of the probe, [CXN_PROBE_VIEWS][classes] */
};

/* Whether the list is one of these, of whichever kind: it has metadata of this project's. */
bool cxn_derived_is(const struct cxn_tensors *list);

/*
 * The steps of opening one, all of untrusted input; each is CXN_OK or CXN_E_FORMAT in a text that
 * does not name the file, or what it says.
 */
/* list and source are borrowed. First of all, so that a file of a later form is called that. */
enum cxn_status cxn_derived_begin(struct cxn_derived *d, const char *format,
                                  const struct cxn_tensors *list, const struct cxn_source *source,
                                  struct cxn_error *err);
/* The tensors: all of them, no others, of those shapes and types. CXN_E_NOMEM. */
enum cxn_status cxn_derived_match(struct cxn_derived *d, const struct cxn_slots *slots,
                                  struct cxn_error *err);
/* The probe's answers, which are probabilities within the engine's bound, and the metadata of
 * cxn_derived_pairs(), those in `more`, and no other. CXN_E_IO, CXN_E_NOMEM. */
enum cxn_status cxn_derived_finish(struct cxn_derived *d, const struct cxn_derived_kind *kind,
                                   const struct cxn_out_pair *more, size_t more_count,
                                   struct cxn_error *err);
void cxn_derived_close(struct cxn_derived *d);

/* A tensor that was matched. */
const struct cxn_tensor *cxn_derived_tensor(const struct cxn_derived *d, size_t slot);
const char *cxn_derived_name(const struct cxn_derived *d, size_t slot);
/* Its bytes as they are; CXN_E_IO. */
enum cxn_status cxn_derived_read(const struct cxn_derived *d, size_t slot, void *dst,
                                 struct cxn_error *err);
/* CXN_E_FORMAT that names the first of the tensor's numbers that is not finite. */
enum cxn_status cxn_derived_check_finite(const struct cxn_derived *d, size_t slot,
                                         const float *numbers, struct cxn_error *err);

/* Opens the probe with the file's picture. CXN_E_IO, CXN_E_NOMEM. */
enum cxn_status cxn_derived_probe(const struct cxn_derived *d, struct cxn_probe *probe,
                                  struct cxn_error *err);

/* ---- writing ------------------------------------------------------------------------------ */

/* What is to be written; borrowed. */
struct cxn_derived_content {
    struct cxn_slots slots;
    const struct cxn_out_pair *pairs;
    size_t pair_count;
    const struct cxn_probe *probe;
    const float *reference, *answers; /* [CXN_PROBE_VIEWS][classes] */
    const void *from; /* read()'s own */
    /* Fills in one array of a part; what it returns ends the writing. */
    enum cxn_status (*read)(const void *from, const struct cxn_slot *slot, size_t part,
                            size_t array, void *data, struct cxn_error *err);
};

/* CXN_OK; CXN_E_NOMEM; what content->read() or cxn_safetensors_write() returns. */
enum cxn_status cxn_derived_write(const struct cxn_env *env, const char *path,
                                  const struct cxn_derived_content *content,
                                  struct cxn_error *err);

#endif
