/* SPDX-License-Identifier: Apache-2.0 */
#include "derived_case.h"

#include <unistd.h>

#include "base/file.h"
#include "unit/unit.h"

/* ---- files -------------------------------------------------------------------------------- */

enum cxn_status derived_make_up(struct derived_made_up *m, float apart, struct cxn_mem *mem,
                                struct cxn_error *err)
{
    const struct cxn_env env = { .mem = mem };
    *m = (struct derived_made_up){ .about = { .source_name = "small.pth", .version = "0.1.0",
                                              .level = "c" } };
    memset(m->about.source_sha256, 'a', sizeof m->about.source_sha256 - 1);
    for (size_t i = 0; i < CASE_ANSWERS; i++) {
        m->reference[i] = 0.25f;
        m->answers[i] = 0.25f + apart;
    }
    return cxn_probe_draw(&m->probe, &env, err);
}

void check_made_up(const struct cxn_derived *d, float apart)
{
    struct derived_made_up want;
    struct cxn_probe stored;
    const size_t bytes = (size_t)CXN_PROBE_SIDE * CXN_PROBE_SIDE * (CXN_PROBE_CHANNELS + 1);
    assert_true(cxn_derived_is(d->list));
    assert_int_equal(derived_make_up(&want, apart, NULL, NULL), CXN_OK);
    assert_string_equal(d->about.source_name, want.about.source_name);
    assert_string_equal(d->about.source_sha256, want.about.source_sha256);
    assert_string_equal(d->about.version, want.about.version);
    assert_string_equal(d->about.level, want.about.level);
    assert_memory_equal(d->reference, want.reference, sizeof want.reference);
    assert_memory_equal(d->answers, want.answers, sizeof want.answers);
    assert_int_equal(cxn_derived_probe(d, &stored, NULL), CXN_OK);
    assert_memory_equal(want.probe.pixels, stored.pixels, bytes);
    cxn_probe_close(&want.probe);
    cxn_probe_close(&stored);
}

enum cxn_status read_derived(const struct derived_case *c, const void *data, size_t size,
                             struct cxn_mem *mem, struct cxn_error *err)
{
    const struct cxn_source source = cxn_source_memory(data, size);
    struct cxn_tensors list;
    cxn_fold *fold = NULL;
    err->text[0] = '\0';
    enum cxn_status status = cxn_tensors_open(&list, mem, &source, err);
    if (status == CXN_OK) status = cxn_fold_open(&fold, c->net, mem, err);
    if (status == CXN_OK) status = c->read(fold, &list, &source, err);
    cxn_fold_close(&fold);
    cxn_tensors_close(&list);
    assert_true((status == CXN_OK) == (err->text[0] == '\0'));
    assert_int_equal(mem->blocks, 0);
    return status;
}

struct cxn_bytes make_derived(const struct derived_case *c)
{
    struct cxn_bytes bytes;
    struct cxn_error err = { "" };
    if (c->write(NULL, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_int_equal(cxn_file_read(NULL, c->path, 4 << 20, &bytes, &err), CXN_OK);
    return bytes;
}

/* ---- hostile files ------------------------------------------------------------------------ */

/* The file with the first `from` of its header replaced. */
static struct cxn_bytes edit(const struct cxn_bytes *file, const char *from, const char *to)
{
    uint64_t n;
    memcpy(&n, file->data, sizeof n);
    const char *header = (const char *)file->data + sizeof n;
    const char *at = memmem(header, n, from, strlen(from));
    if (!at) fail_msg("no '%s' in the header", from);
    const size_t before = (size_t)(at - header), behind = before + strlen(from);
    const uint64_t m = n - strlen(from) + strlen(to);
    struct cxn_bytes e = { .size = file->size - n + m };
    e.data = malloc(e.size);
    assert_non_null(e.data);
    uint8_t *p = e.data;
    memcpy(p, &m, sizeof m);
    memcpy(p += sizeof m, header, before);
    memcpy(p += before, to, strlen(to));
    memcpy(p += strlen(to), header + behind, file->size - sizeof n - behind);
    return e;
}

static void expect(const struct derived_case *c, const struct cxn_bytes *file, const char *text)
{
    struct cxn_mem mem;
    struct cxn_error err;
    cxn_mem_init(&mem, 0);
    assert_int_equal(read_derived(c, file->data, file->size, &mem, &err), CXN_E_FORMAT);
    if (!strstr(err.text, text)) fail_msg("'%s', expected '%s'", err.text, text);
    assert_true(mem.peak_bytes < 4 << 20);
}

void refuse_headers(const struct derived_case *c, const struct header_case *cases, size_t count)
{
    struct cxn_bytes file = make_derived(c);
    for (size_t i = 0; i < count; i++) {
        struct cxn_bytes e = edit(&file, cases[i].from, cases[i].to);
        expect(c, &e, cases[i].text);
        free(e.data);
    }
    cxn_free(file.data);
}

/* Where a tensor's bytes begin in the file. */
static size_t find_tensor(const struct cxn_bytes *file, const char *name)
{
    const struct cxn_source source = cxn_source_memory(file->data, file->size);
    struct cxn_tensors list;
    size_t at = 0;
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, NULL), CXN_OK);
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(cxn_tensors_name(&list, i), name) == 0)
            at = (size_t)list.items[i].offset_bytes;
    cxn_tensors_close(&list);
    if (at == 0) fail_msg("no tensor '%s'", name);
    return at;
}

void refuse_numbers(const struct derived_case *c, const struct number_case *cases, size_t count)
{
    struct cxn_bytes file = make_derived(c);
    for (const struct number_case *n = cases; n < cases + count; n++) {
        uint8_t *at = file.data + find_tensor(&file, n->tensor) + n->byte, saved[8];
        memcpy(saved, at, n->bytes);
        memcpy(at, n->value, n->bytes);
        expect(c, &file, n->text);
        memcpy(at, saved, n->bytes);
    }
    cxn_free(file.data);
}

void refuse_every_byte(const struct derived_case *c)
{
    struct cxn_bytes file = make_derived(c);
    struct cxn_mem mem;
    struct cxn_error err;
    uint64_t header;
    size_t refused = 0;
    memcpy(&header, file.data, sizeof header);
    cxn_mem_init(&mem, 0);
    for (size_t size = 0; size < file.size; size += size < 600 ? 1 : 997) {
        uint8_t *exact = copy_exactly(file.data, size);
        assert_int_equal(read_derived(c, exact, size, &mem, &err), CXN_E_FORMAT);
        free(exact);
    }
    for (size_t at = 0; at < header; at += at < 3000 ? 1 : 7) {
        file.data[at] ^= 0x01;
        const enum cxn_status status = read_derived(c, file.data, file.size, &mem, &err);
        file.data[at] ^= 0x01;
        assert_true(status == CXN_OK || status == CXN_E_FORMAT || status == CXN_E_LIMIT);
        refused += status != CXN_OK;
    }
    assert_true(refused > 2500);
    assert_int_equal(read_derived(c, file.data, file.size, &mem, &err), CXN_OK);
    assert_true(mem.peak_bytes < 4 << 20);
    cxn_free(file.data);
}

/* ---- what can fail ------------------------------------------------------------------------ */

void fail_allocations(const struct derived_case *c)
{
    struct cxn_bytes file = make_derived(c);
    struct cxn_error err;
    for (int writing = 0; writing < 2; writing++)
        for (int after = 0; after < 2; after++) {
            enum cxn_status status = CXN_E_NOMEM;
            size_t n = 0;
            while (status == CXN_E_NOMEM) {
                struct cxn_mem mem;
                cxn_mem_init(&mem, 0);
                mem.fail_at = ++n;
                mem.fail_after = after;
                unlink(c->path);
                status = writing ? c->write(&mem, &err)
                                 : read_derived(c, file.data, file.size, &mem, &err);
                assert_int_equal(mem.blocks, 0);
                if (status == CXN_OK) break;
                assert_non_null(strstr(err.text, "no memory for"));
                assert_int_not_equal(access(c->path, F_OK), 0);
            }
            assert_int_equal(status, CXN_OK);
            assert_true(n > 8);
        }
    cxn_free(file.data);
}
