/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "base/utf8.h"
#include "model/pickle_machine.h"

/* Far above any checkpoint (DenseNet-121 with Adam makes 20,000 values), and low enough that the
 * worst file stays below 64 MiB. */
enum { VALUES_MAX = 1 << 19, LINKS_MAX = 1 << 20, STACK_MAX = 1 << 19, MEMO_MAX = 1 << 20 };

enum cxn_status cxn_machine_fail(struct cxn_machine *m, enum cxn_status code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return cxn_fail(m->err, code, "pickle: byte %zu: %s", m->at, text);
}

static enum cxn_status fail_limit(struct cxn_machine *m, const char *what, size_t limit)
{
    return cxn_machine_fail(m, CXN_E_LIMIT, "more than %zu %s", limit, what);
}

static enum cxn_status fail_memory(struct cxn_machine *m, size_t bytes)
{
    return cxn_fail_nomem(m->err, m->p->mem, bytes, "the values of a pickle");
}

/* ---- stack and values --------------------------------------------------------------------- */

static size_t stack_floor(const struct cxn_machine *m)
{
    return m->mark_count > 0 ? m->marks[m->mark_count - 1] : 0;
}

enum cxn_status cxn_machine_push_index(struct cxn_machine *m, uint32_t value)
{
    if (m->depth >= STACK_MAX) return fail_limit(m, "values on the stack", STACK_MAX);
    uint32_t *stack = cxn_grow(m->p->mem, m->stack, &m->stack_capacity, m->depth + 1, STACK_MAX,
                               sizeof *stack);
    if (!stack) return fail_memory(m, m->depth * sizeof *stack);
    m->stack = stack;
    stack[m->depth++] = value;
    return CXN_OK;
}

enum cxn_status cxn_machine_push(struct cxn_machine *m, const struct cxn_pickle_value *value)
{
    struct cxn_pickle *p = m->p;
    if (p->value_count >= VALUES_MAX) return fail_limit(m, "values", VALUES_MAX);
    struct cxn_pickle_value *values = cxn_grow(p->mem, p->values, &p->value_capacity,
                                               p->value_count + 1, VALUES_MAX, sizeof *values);
    if (!values) return fail_memory(m, p->value_count * sizeof *values);
    p->values = values;
    values[p->value_count] = *value;
    return cxn_machine_push_index(m, (uint32_t)p->value_count++);
}

enum cxn_status cxn_machine_pop(struct cxn_machine *m, uint32_t *value)
{
    if (m->depth <= stack_floor(m))
        return cxn_machine_fail(m, CXN_E_FORMAT, "a value is missing on the stack");
    *value = m->stack[--m->depth];
    return CXN_OK;
}

static enum cxn_status push_empty(struct cxn_machine *m, enum cxn_pickle_kind kind)
{
    return cxn_machine_push(m, &(struct cxn_pickle_value){
                                   .kind = (uint8_t)kind,
                                   .as.items = { CXN_PICKLE_END, CXN_PICKLE_END } });
}

enum cxn_status cxn_machine_append(struct cxn_machine *m, uint32_t container, uint32_t item)
{
    struct cxn_pickle *p = m->p;
    if (p->link_count >= LINKS_MAX) return fail_limit(m, "items", LINKS_MAX);
    struct cxn_pickle_link *links = cxn_grow(p->mem, p->links, &p->link_capacity,
                                             p->link_count + 1, LINKS_MAX, sizeof *links);
    if (!links) return fail_memory(m, p->link_count * sizeof *links);
    p->links = links;
    struct cxn_pickle_value *c = &p->values[container];
    const uint8_t inner = p->values[item].depth;
    if (inner >= PICKLE_DEPTH_MAX) return fail_limit(m, "containers nested", PICKLE_DEPTH_MAX);
    if (c->depth <= inner) c->depth = (uint8_t)(inner + 1);
    const uint32_t link = (uint32_t)p->link_count++;
    links[link] = (struct cxn_pickle_link){ .value = item, .next = CXN_PICKLE_END };
    if (c->count++ == 0) c->as.items.first = link;
    else links[c->as.items.last].next = link;
    c->as.items.last = link;
    return CXN_OK;
}

/* The container under the items from stack place `from` on takes them over. */
static enum cxn_status append_from(struct cxn_machine *m, size_t from, enum cxn_pickle_kind kind)
{
    if (from == 0 || from <= stack_floor(m) || m->depth < from)
        return cxn_machine_fail(m, CXN_E_FORMAT, "a value is missing on the stack");
    const uint32_t container = m->stack[from - 1];
    if (m->p->values[container].kind != kind)
        return cxn_machine_fail(m, CXN_E_FORMAT, "items added to something that is not a %s",
                                kind == CXN_PICKLE_DICT ? "dict" : "list");
    if (kind == CXN_PICKLE_DICT && (m->depth - from) % 2 != 0)
        return cxn_machine_fail(m, CXN_E_FORMAT, "a key without a value");
    for (size_t i = from; i < m->depth; i++) {
        const enum cxn_status status = cxn_machine_append(m, container, m->stack[i]);
        if (status != CXN_OK) return status;
    }
    m->depth = from;
    return CXN_OK;
}

/* ---- instructions ------------------------------------------------------------------------- */

static enum cxn_status push_number(struct cxn_machine *m, enum cxn_pickle_kind kind, int64_t v)
{
    return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = (uint8_t)kind, .as.number = v });
}

static enum cxn_status run_proto(struct cxn_machine *m)
{
    const uint8_t version = cxn_cursor_u8(&m->in);
    if (version == 2) return CXN_OK;
    return cxn_machine_fail(m, CXN_E_FORMAT, "protocol %u; torch.save's own, 2, is read", version);
}

static enum cxn_status run_none(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_NONE, 0);
}
static enum cxn_status run_true(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_BOOL, 1);
}
static enum cxn_status run_false(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_BOOL, 0);
}

static enum cxn_status run_int1(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_INT, cxn_cursor_u8(&m->in));
}

static enum cxn_status run_int2(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_INT, cxn_cursor_u16le(&m->in));
}

static enum cxn_status run_int4(struct cxn_machine *m)
{
    return push_number(m, CXN_PICKLE_INT, (int32_t)cxn_cursor_u32le(&m->in));
}

/* LONG1: two's complement of up to eight bytes here. */
static enum cxn_status run_long1(struct cxn_machine *m)
{
    const uint8_t n = cxn_cursor_u8(&m->in);
    if (n > 8) return cxn_machine_fail(m, CXN_E_FORMAT, "a number of %u bytes, at most 8", n);
    const uint8_t *digits = cxn_cursor_bytes(&m->in, n);
    uint64_t v = digits && n > 0 && (digits[n - 1] & 0x80) ? UINT64_MAX : 0;
    for (size_t i = n; digits && i-- > 0;) v = v << 8 | digits[i];
    return push_number(m, CXN_PICKLE_INT, (int64_t)v);
}

static enum cxn_status run_float(struct cxn_machine *m)
{
    struct cxn_pickle_value v = { .kind = CXN_PICKLE_FLOAT };
    uint64_t bits = (uint64_t)cxn_cursor_u32be(&m->in) << 32;
    bits |= cxn_cursor_u32be(&m->in);
    memcpy(&v.as.real, &bits, sizeof bits);
    return cxn_machine_push(m, &v);
}

static enum cxn_status push_text(struct cxn_machine *m, uint32_t n)
{
    const size_t at = m->in.pos;
    const uint8_t *s = cxn_cursor_bytes(&m->in, n);
    if (!s)
        return cxn_machine_fail(m, CXN_E_FORMAT, "a string of %u bytes, %zu are left", n,
                                m->in.size - at);
    if (!cxn_utf8_is_valid(s, n))
        return cxn_machine_fail(m, CXN_E_FORMAT, "a string that is not UTF-8");
    return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_TEXT,
                                                           .as.text = { (uint32_t)at, n } });
}

static enum cxn_status run_text4(struct cxn_machine *m)
{
    const uint32_t n = cxn_cursor_u32le(&m->in);
    return push_text(m, n);
}

static enum cxn_status run_text1(struct cxn_machine *m) /* as Python 2 wrote strings */
{
    const uint8_t n = cxn_cursor_u8(&m->in);
    return push_text(m, n);
}

static enum cxn_status run_empty_tuple(struct cxn_machine *m)
{
    return push_empty(m, CXN_PICKLE_TUPLE);
}
static enum cxn_status run_empty_list(struct cxn_machine *m)
{
    return push_empty(m, CXN_PICKLE_LIST);
}
static enum cxn_status run_empty_dict(struct cxn_machine *m)
{
    return push_empty(m, CXN_PICKLE_DICT);
}

static enum cxn_status run_mark(struct cxn_machine *m)
{
    if (m->mark_count >= PICKLE_MARKS_MAX) return fail_limit(m, "open marks", PICKLE_MARKS_MAX);
    m->marks[m->mark_count++] = m->depth;
    return CXN_OK;
}

static enum cxn_status pop_mark(struct cxn_machine *m, size_t *from)
{
    if (m->mark_count == 0) return cxn_machine_fail(m, CXN_E_FORMAT, "no mark on the stack");
    *from = m->marks[--m->mark_count];
    return CXN_OK;
}

/* The values from stack place `from` on become one tuple. */
static enum cxn_status make_tuple(struct cxn_machine *m, size_t from)
{
    const size_t to = m->depth;
    enum cxn_status status = push_empty(m, CXN_PICKLE_TUPLE);
    for (size_t i = from; i < to && status == CXN_OK; i++)
        status = cxn_machine_append(m, m->stack[to], m->stack[i]);
    if (status != CXN_OK) return status;
    m->stack[from] = m->stack[to];
    m->depth = from + 1;
    return CXN_OK;
}

static enum cxn_status run_tuple(struct cxn_machine *m)
{
    size_t from = 0;
    const enum cxn_status status = pop_mark(m, &from);
    return status == CXN_OK ? make_tuple(m, from) : status;
}

static enum cxn_status make_small_tuple(struct cxn_machine *m, size_t n)
{
    if (m->depth - stack_floor(m) < n)
        return cxn_machine_fail(m, CXN_E_FORMAT, "a value is missing on the stack");
    return make_tuple(m, m->depth - n);
}

static enum cxn_status run_tuple1(struct cxn_machine *m) { return make_small_tuple(m, 1); }
static enum cxn_status run_tuple2(struct cxn_machine *m) { return make_small_tuple(m, 2); }
static enum cxn_status run_tuple3(struct cxn_machine *m) { return make_small_tuple(m, 3); }

static enum cxn_status run_append(struct cxn_machine *m)
{
    return append_from(m, m->depth > 0 ? m->depth - 1 : 0, CXN_PICKLE_LIST);
}

static enum cxn_status run_set_item(struct cxn_machine *m)
{
    return append_from(m, m->depth > 1 ? m->depth - 2 : 0, CXN_PICKLE_DICT);
}

static enum cxn_status run_appends(struct cxn_machine *m)
{
    size_t from = 0;
    const enum cxn_status status = pop_mark(m, &from);
    return status == CXN_OK ? append_from(m, from, CXN_PICKLE_LIST) : status;
}

static enum cxn_status run_set_items(struct cxn_machine *m)
{
    size_t from = 0;
    const enum cxn_status status = pop_mark(m, &from);
    return status == CXN_OK ? append_from(m, from, CXN_PICKLE_DICT) : status;
}

static enum cxn_status memo_put(struct cxn_machine *m, uint32_t slot)
{
    if (m->depth <= stack_floor(m))
        return cxn_machine_fail(m, CXN_E_FORMAT, "nothing to remember on the stack");
    if (slot >= MEMO_MAX)
        return cxn_machine_fail(m, CXN_E_LIMIT, "memo number %u, at most %d", slot, MEMO_MAX - 1);
    uint32_t *memo = cxn_grow(m->p->mem, m->memo, &m->memo_capacity, (size_t)slot + 1, MEMO_MAX,
                              sizeof *memo);
    if (!memo) return fail_memory(m, (size_t)slot * sizeof *memo);
    m->memo = memo;
    for (; m->memo_count <= slot; m->memo_count++) memo[m->memo_count] = CXN_PICKLE_END;
    memo[slot] = m->stack[m->depth - 1];
    return CXN_OK;
}

static enum cxn_status memo_get(struct cxn_machine *m, uint32_t slot)
{
    if (slot >= m->memo_count || m->memo[slot] == CXN_PICKLE_END)
        return cxn_machine_fail(m, CXN_E_FORMAT, "memo number %u is not set", slot);
    return cxn_machine_push_index(m, m->memo[slot]);
}

static enum cxn_status run_put1(struct cxn_machine *m)
{
    return memo_put(m, cxn_cursor_u8(&m->in));
}
static enum cxn_status run_put4(struct cxn_machine *m)
{
    return memo_put(m, cxn_cursor_u32le(&m->in));
}
static enum cxn_status run_get1(struct cxn_machine *m)
{
    return memo_get(m, cxn_cursor_u8(&m->in));
}
static enum cxn_status run_get4(struct cxn_machine *m)
{
    return memo_get(m, cxn_cursor_u32le(&m->in));
}

typedef enum cxn_status run_fn(struct cxn_machine *m);

enum { STOP = '.' };

static run_fn *const instructions[256] = {
    [0x80] = run_proto,     ['N'] = run_none,        [0x88] = run_true,
    [0x89] = run_false,     ['K'] = run_int1,        ['M'] = run_int2,
    ['J'] = run_int4,       [0x8a] = run_long1,      ['G'] = run_float,
    ['X'] = run_text4,      ['U'] = run_text1,       ['T'] = run_text4,
    [')'] = run_empty_tuple, [']'] = run_empty_list, ['}'] = run_empty_dict,
    ['('] = run_mark,       ['t'] = run_tuple,       [0x85] = run_tuple1,
    [0x86] = run_tuple2,    [0x87] = run_tuple3,     ['a'] = run_append,
    ['e'] = run_appends,    ['s'] = run_set_item,    ['u'] = run_set_items,
    ['q'] = run_put1,       ['r'] = run_put4,        ['h'] = run_get1,
    ['j'] = run_get4,       ['c'] = cxn_machine_global, ['R'] = cxn_machine_reduce,
    ['b'] = cxn_machine_build, ['Q'] = cxn_machine_persistent_id,
};

static enum cxn_status finish(struct cxn_machine *m)
{
    if (m->mark_count > 0 || m->depth != 1)
        return cxn_machine_fail(m, CXN_E_FORMAT, "it stops with %zu values and %zu open marks, "
                                                 "expected one value", m->depth, m->mark_count);
    m->p->root = m->stack[0];
    m->p->end = m->in.pos;
    return CXN_OK;
}

static enum cxn_status run_all(struct cxn_machine *m)
{
    for (;;) {
        m->at = m->in.pos;
        if (cxn_cursor_left(&m->in) == 0)
            return cxn_machine_fail(m, CXN_E_FORMAT, "it ends without STOP");
        const uint8_t code = cxn_cursor_u8(&m->in);
        if (code == STOP) return finish(m);
        if (!instructions[code])
            return cxn_machine_fail(m, CXN_E_FORMAT, "instruction 0x%02x, which torch.save does "
                                                     "not use in protocol 2", code);
        const enum cxn_status status = instructions[code](m);
        if (status != CXN_OK) return status;
        if (m->in.failed)
            return cxn_machine_fail(m, CXN_E_FORMAT, "it ends within an instruction");
    }
}

enum cxn_status cxn_pickle_open(struct cxn_pickle *p, struct cxn_mem *mem, const uint8_t *bytes,
                                size_t size, size_t start, struct cxn_error *err)
{
    *p = (struct cxn_pickle){ .mem = mem, .bytes = bytes };
    if (size > CXN_PICKLE_MAX_BYTES || start > size)
        return cxn_fail(err, CXN_E_LIMIT, "pickle: %zu bytes, at most %d", size,
                        CXN_PICKLE_MAX_BYTES);
    struct cxn_machine m = { .p = p, .in = cxn_cursor_make(bytes, size), .err = err };
    cxn_cursor_seek(&m.in, start);
    const enum cxn_status status = run_all(&m);
    cxn_free(m.stack);
    cxn_free(m.memo);
    return status;
}

void cxn_pickle_close(struct cxn_pickle *p)
{
    cxn_free(p->values);
    cxn_free(p->links);
    cxn_free(p->storages);
    cxn_free(p->tensors);
    *p = (struct cxn_pickle){ .mem = p->mem };
}

enum cxn_status cxn_pickle_find(const struct cxn_pickle *p, const struct cxn_pickle_value *dict,
                                const char *key, const struct cxn_pickle_value **value,
                                struct cxn_error *err)
{
    const size_t n = strlen(key);
    *value = NULL;
    for (uint32_t link = dict->as.items.first, next; link != CXN_PICKLE_END; link = next) {
        const struct cxn_pickle_value *k = cxn_pickle_at(p, link, &next);
        const struct cxn_pickle_value *v = cxn_pickle_at(p, next, &next);
        if (k->kind != CXN_PICKLE_TEXT || k->as.text.size != n ||
            memcmp(p->bytes + k->as.text.at, key, n) != 0)
            continue;
        if (*value) return cxn_fail(err, CXN_E_FORMAT, "pickle: key '%s' is there twice", key);
        *value = v;
    }
    return CXN_OK;
}
