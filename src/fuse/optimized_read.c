/* SPDX-License-Identifier: Apache-2.0 */
/* Optimised files are untrusted input, as all weights are. */
#include "fuse/optimized_form.h"

/* ---- numbers ------------------------------------------------------------------------------ */

enum { PIECE_BYTES = 16384 };

static enum cxn_status read_bf16(const struct cxn_source *source, uint64_t at, size_t count,
                                 float *dst, struct cxn_error *err)
{
    uint16_t piece[PIECE_BYTES / sizeof(uint16_t)];
    enum cxn_status status = CXN_OK;
    for (size_t done = 0, now; status == CXN_OK && done < count; done += now) {
        now = count - done < CXN_COUNTOF(piece) ? count - done : CXN_COUNTOF(piece);
        status = cxn_source_read(source, at + done * sizeof *piece, piece, now * sizeof *piece,
                                 err);
        if (status == CXN_OK) cxn_dtype_to_f32(CXN_DTYPE_BF16, piece, dst + done, now);
    }
    return status;
}

static enum cxn_status read_numbers(const struct cxn_optimized *o, size_t slot, float *dst,
                                    struct cxn_error *err)
{
    const struct cxn_tensor *t = cxn_derived_tensor(&o->derived, slot);
    const enum cxn_status status =
        t->dtype == CXN_DTYPE_BF16
            ? read_bf16(o->derived.source, t->offset_bytes, (size_t)t->count, dst, err)
            : cxn_derived_read(&o->derived, slot, dst, err);
    if (status != CXN_OK) return status;
    return cxn_derived_check_finite(&o->derived, slot, dst, err);
}

static enum cxn_status read_part(const struct cxn_fold_source *source, const struct cxn_part *part,
                                 float *first, float *second, struct cxn_error *err)
{
    const struct cxn_optimized *o = source->from;
    const size_t slot = 2 * (size_t)(part - source->fold->parts);
    const enum cxn_status status = read_numbers(o, slot, first, err);
    if (status != CXN_OK || part->second_count == 0) return status;
    return read_numbers(o, slot + 1, second, err);
}

struct cxn_fold_source cxn_optimized_source(const struct cxn_optimized *o)
{
    return (struct cxn_fold_source){ .fold = o->derived.slots.fold, .from = o, .read = read_part };
}

enum cxn_status cxn_optimized_check(const struct cxn_optimized *o, struct cxn_error *err)
{
    const struct cxn_fold_source source = cxn_optimized_source(o);
    struct cxn_mem *mem = o->derived.list->mem;
    const size_t most = cxn_optimized_scratch(source.fold);
    float *scratch = cxn_alloc(mem, most, sizeof *scratch);
    if (!scratch) return cxn_fail_nomem(err, mem, most * sizeof *scratch, "a tensor");
    enum cxn_status status = CXN_OK;
    for (size_t i = 0; status == CXN_OK && i < source.fold->count; i++) {
        const struct cxn_part *part = &source.fold->parts[i];
        status = read_part(&source, part, scratch, scratch + part->first_count, err);
    }
    cxn_free(scratch);
    return status;
}

/* ---- open --------------------------------------------------------------------------------- */

static enum cxn_status take_precision(struct cxn_optimized *o, struct cxn_error *err)
{
    static const char key[] = "precision";
    const char *value = cxn_derived_value(o->derived.list, key);
    if (value && cxn_precision_parse(value, &o->precision, NULL) == CXN_OK) return CXN_OK;
    return cxn_derived_fail(key, value, "fp32 or bf16", err);
}

enum cxn_status cxn_optimized_open(struct cxn_optimized *o, const cxn_fold *fold,
                                   const struct cxn_tensors *list, const struct cxn_source *source,
                                   struct cxn_error *err)
{
    *o = (struct cxn_optimized){ 0 };
    const struct cxn_slots slots = cxn_optimized_slots(fold, &o->precision);
    enum cxn_status status = cxn_derived_begin(&o->derived, "optimized", list, source, err);
    if (status == CXN_OK) status = take_precision(o, err);
    if (status == CXN_OK) status = cxn_derived_match(&o->derived, &slots, err);
    if (status != CXN_OK) return status;
    const struct cxn_derived_kind kind = cxn_optimized_kind(o->precision);
    return cxn_derived_finish(&o->derived, &kind, NULL, 0, err);
}

void cxn_optimized_close(struct cxn_optimized *o)
{
    cxn_derived_close(&o->derived);
    *o = (struct cxn_optimized){ 0 };
}
