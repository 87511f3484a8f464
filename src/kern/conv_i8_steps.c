/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_i8_steps.h"

#include <string.h>

enum { COLUMNS = CXN_CONV_I8_STEP_COLUMNS, TERMS = CXN_CONV_I8_TERMS, SUMS = COLUMNS * TERMS / 2 };

/* Of steps that wait for a second one: of 4 half as many again stay single, of more no fewer. */
enum { WAITING = 8 };

struct step {
    struct cxn_conv_i8_at at;
    cxn_conv_i8_step w;
    int32_t most[SUMS], least[SUMS]; /* of a lane's sum */
};

struct packer {
    struct cxn_conv_i8_steps *to;
    struct cxn_conv_i8_at *at;
    cxn_conv_i8_step *w;
    size_t room;
    struct step waiting[WAITING];
    size_t waiting_count, next; /* next: to be replaced */
};

static void put(struct packer *p, size_t place, const struct step *step)
{
    p->at[place] = step->at;
    memcpy(p->w[place], step->w, sizeof step->w);
}

static void put_single(struct packer *p, const struct step *step)
{
    put(p, p->room - ++p->to->singles, step);
}

static void put_pair(struct packer *p, const struct step *one, const struct step *other)
{
    put(p, 2 * p->to->pairs, one);
    put(p, 2 * p->to->pairs + 1, other);
    p->to->pairs++;
}

static bool is_pair(const struct step *one, const struct step *other)
{
    int32_t left = 0; /* negative if one is */
    for (size_t i = 0; i < SUMS; i++)
        left |= (INT16_MAX - one->most[i] - other->most[i]) |
                (one->least[i] + other->least[i] - INT16_MIN);
    return left >= 0;
}

/* With the first that it is a pair with; else it waits, in turn instead of another. */
static void add(struct packer *p, const struct step *step)
{
    for (size_t i = 0; i < p->waiting_count; i++) {
        if (!is_pair(&p->waiting[i], step)) continue;
        put_pair(p, &p->waiting[i], step);
        p->waiting[i] = p->waiting[--p->waiting_count];
        return;
    }
    if (p->waiting_count < WAITING) {
        p->waiting[p->waiting_count++] = *step;
    } else {
        put_single(p, &p->waiting[p->next]);
        p->waiting[p->next] = *step;
        p->next = (p->next + 1) % WAITING;
    }
}

/* Bounds of the lanes' sums, from the greatest samples of the four terms. */
static void bound(struct step *step, const uint8_t most[TERMS])
{
    for (size_t i = 0; i < SUMS; i++) {
        const size_t k = 2 * i % TERMS;
        const int32_t first = step->w[2 * i] * most[k], second = step->w[2 * i + 1] * most[k + 1];
        step->most[i] = (first > 0 ? first : 0) + (second > 0 ? second : 0);
        step->least[i] = (first < 0 ? first : 0) + (second < 0 ? second : 0);
    }
}

/* Moves the second weight of each lane whose sum might leave 16 bits to `rest`; false where there
 * is none. One product never leaves them. */
static bool part(struct step *step, struct step *rest)
{
    bool any = false;
    *rest = (struct step){ .at = step->at };
    for (size_t i = 0; i < SUMS; i++) {
        if (step->most[i] <= INT16_MAX && step->least[i] >= INT16_MIN) continue;
        rest->w[2 * i + 1] = step->w[2 * i + 1];
        step->w[2 * i + 1] = 0;
        any = true;
    }
    return any;
}

/* The weights of four terms from the i-th on, as far as there are so many. */
static void read(struct step *step, const struct cxn_conv_i8_weights *weights, size_t first,
                 size_t i)
{
    const size_t outputs = cxn_conv_i8_outputs(COLUMNS, weights->low);
    const size_t left = weights->out - first, count = left < outputs ? left : outputs;
    *step = (struct step){ .at = { (uint16_t)(i / weights->run), (uint16_t)(i % weights->run) } };
    for (size_t k = 0; k < TERMS && i + k < weights->terms; k++) {
        const size_t from = (i + k) * weights->out + first;
        for (size_t o = 0; o < count; o++) step->w[TERMS * o + k] = weights->w[from + o];
        for (size_t o = 0; o < count && weights->low; o++)
            step->w[TERMS * (outputs + o) + k] = weights->low[from + o];
    }
}

void cxn_conv_i8_steps_pack(struct cxn_conv_i8_steps *steps,
                            const struct cxn_conv_i8_weights *weights, size_t first)
{
    char *at = (char *)(steps + 1);
    struct packer p = { .to = steps, .at = (struct cxn_conv_i8_at *)(void *)at,
                        .w = (void *)(at + cxn_conv_i8_at_bytes(weights->terms)),
                        .room = cxn_conv_i8_step_room(weights->terms) };
    steps->pairs = steps->singles = 0;
    for (size_t i = 0; i < weights->terms; i += TERMS) {
        struct step step, rest;
        uint8_t most[TERMS] = { UINT8_MAX, UINT8_MAX, UINT8_MAX, UINT8_MAX };
        for (size_t k = 0; k < TERMS && weights->knot && i + k < weights->terms; k++)
            most[k] = UINT8_MAX - weights->knot[i + k];
        read(&step, weights, first, i);
        bound(&step, most);
        if (part(&step, &rest)) {
            bound(&step, most);
            bound(&rest, most);
            add(&p, &rest);
        }
        add(&p, &step);
    }
    for (size_t i = 0; i < p.waiting_count; i++) put_single(&p, &p.waiting[i]);
}
