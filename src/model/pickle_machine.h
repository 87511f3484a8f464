/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_MODEL_PICKLE_MACHINE_H
#define CXN_MODEL_PICKLE_MACHINE_H

#include "base/cursor.h"
#include "model/pickle.h"

/* The stack machine behind cxn_pickle_open(); shared by pickle.c and pickle_torch.c alone. */

enum { PICKLE_MARKS_MAX = 64, PICKLE_DEPTH_MAX = 64 };

struct cxn_machine {
    struct cxn_pickle *p;
    struct cxn_cursor in;
    size_t at; /* of the instruction being executed */
    struct cxn_error *err;
    uint32_t *stack;
    size_t depth, stack_capacity;
    uint32_t *memo;
    size_t memo_count, memo_capacity; /* set entries lie below memo_count */
    size_t marks[PICKLE_MARKS_MAX];   /* stack depths */
    size_t mark_count;
};

enum cxn_status cxn_machine_fail(struct cxn_machine *m, enum cxn_status code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The top value taken off; CXN_E_FORMAT when there is none above the last mark. */
enum cxn_status cxn_machine_pop(struct cxn_machine *m, uint32_t *value);
enum cxn_status cxn_machine_push(struct cxn_machine *m, const struct cxn_pickle_value *value);
enum cxn_status cxn_machine_push_index(struct cxn_machine *m, uint32_t value);

/* Behind the items of a container. */
enum cxn_status cxn_machine_append(struct cxn_machine *m, uint32_t container, uint32_t item);

/* GLOBAL, REDUCE, BUILD and BINPERSID: what torch.save says with classes and functions. */
enum cxn_status cxn_machine_global(struct cxn_machine *m);
enum cxn_status cxn_machine_reduce(struct cxn_machine *m);
enum cxn_status cxn_machine_build(struct cxn_machine *m);
enum cxn_status cxn_machine_persistent_id(struct cxn_machine *m);

#endif
