/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/quantized_pairs.h"

#include <string.h>

#include "base/hex.h"
#include "onnx/about.h"
#include "onnx/proto.h"
#include "quant/quantized_form.h"

static void put_text_pair(struct cxn_wire_out *o, const void *ctx)
{
    const struct cxn_out_pair *p = ctx;
    cxn_wire_put_text(o, CXN_ENTRY_KEY, p->key);
    cxn_wire_put_text(o, CXN_ENTRY_VALUE, p->value);
}

void cxn_onnx_put_pair(struct cxn_wire_out *o, const struct cxn_out_pair *pair)
{
    cxn_wire_put_message(o, CXN_MODEL_METADATA_PROPS, put_text_pair, pair);
}

/* ---- tensors ------------------------------------------------------------------------------ */

struct tensor {
    const char *key;
    const uint8_t *data;
    size_t bytes;
};

static void put_hex_pair(struct cxn_wire_out *o, const void *ctx)
{
    enum { PIECE = 256 };
    const struct tensor *t = ctx;
    char hex[2 * PIECE];
    cxn_wire_put_text(o, CXN_ENTRY_KEY, t->key);
    cxn_wire_put_length(o, CXN_ENTRY_VALUE, 2 * t->bytes);
    for (size_t at = 0, now; at < t->bytes; at += now) {
        now = t->bytes - at < PIECE ? t->bytes - at : PIECE;
        cxn_hex_print(hex, t->data + at, now);
        cxn_wire_put_part(o, hex, 2 * now);
    }
}

static void put_slot(struct cxn_wire_out *o, const struct cxn_slot *slot, const void *data)
{
    struct tensor t = { slot->name, data, cxn_dtype_bytes(slot->dtype) };
    for (uint32_t i = 0; i < slot->rank; i++) t.bytes *= (size_t)slot->dims[i];
    cxn_wire_put_message(o, CXN_MODEL_METADATA_PROPS, put_hex_pair, &t);
}

struct cxn_slot cxn_onnx_pair_slot(const cxn_fold *fold, size_t i)
{
    const struct cxn_slots probe = { .fold = fold }; /* no arrays in front */
    if (i == CXN_PAIR_REFERENCE) return cxn_slots_at(&probe, CXN_SLOT_REFERENCE);
    if (i == CXN_PAIR_ANSWERS) return cxn_slots_at(&probe, CXN_SLOT_ANSWERS);
    const struct cxn_part *stem = &fold->parts[i / CXN_QUANTIZED_ARRAYS];
    switch (i % CXN_QUANTIZED_ARRAYS) {
    case 0: return cxn_slot_of_first(stem, "weight_hi", CXN_DTYPE_I8);
    case 1: return cxn_slot_of_first(stem, "weight_lo", CXN_DTYPE_I8);
    case 2: return cxn_slot_of_second(stem, "m", CXN_DTYPE_F32);
    default: return cxn_slot_of_second(stem, "b", CXN_DTYPE_F32);
    }
}

bool cxn_onnx_is_pair_slot(const cxn_fold *fold, const char *key)
{
    size_t i = 0;
    while (i < CXN_PAIR_SLOTS && strcmp(cxn_onnx_pair_slot(fold, i).name, key) != 0) i++;
    return i < CXN_PAIR_SLOTS;
}

static const void *find_data(const struct cxn_quantized_content *c, size_t i)
{
    if (i == CXN_PAIR_REFERENCE) return c->reference;
    if (i == CXN_PAIR_ANSWERS) return c->answers;
    return cxn_quantized_array_at(c->quantized, i / CXN_QUANTIZED_ARRAYS,
                                  i % CXN_QUANTIZED_ARRAYS).numbers;
}

static void put_tensors(struct cxn_wire_out *o, const struct cxn_quantized_content *c)
{
    for (size_t i = 0; i < CXN_PAIR_SLOTS; i++) {
        const struct cxn_slot slot = cxn_onnx_pair_slot(c->quantized->fold, i);
        put_slot(o, &slot, find_data(c, i));
    }
}

/* ---- all ---------------------------------------------------------------------------------- */

static bool every_model_has(const char *key)
{
    static const char *const keys[] = { "classes", CXN_ONNX_PREPROCESSING, CXN_ONNX_SOURCE_NAME,
                                        CXN_ONNX_SOURCE_SHA256 };
    size_t i = 0;
    while (i < CXN_COUNTOF(keys) && strcmp(keys[i], key) != 0) i++;
    return i < CXN_COUNTOF(keys);
}

void cxn_onnx_put_quantized_pairs(struct cxn_wire_out *o,
                                  const struct cxn_quantized_content *c, const char *put_back)
{
    struct cxn_out_pair pairs[CXN_DERIVED_PAIRS + CXN_QUANTIZED_PAIRS];
    char text[CXN_DERIVED_TEXT_BYTES], images[CXN_COUNT_TEXT_BYTES];
    char sha256[CXN_SHA256_HEX_BYTES];
    const double difference = cxn_probe_compare(c->answers, c->reference,
                                                c->quantized->fold->net->config.classes).most;
    cxn_derived_pairs(&cxn_quantized_kind, &c->derived, difference, text, pairs);
    cxn_quantized_pairs(&c->about, put_back, images, pairs + CXN_DERIVED_PAIRS);
    for (size_t i = 0; i < CXN_COUNTOF(pairs); i++)
        if (!every_model_has(pairs[i].key)) cxn_onnx_put_pair(o, &pairs[i]);
    cxn_onnx_probe_sha256(c->probe, sha256);
    cxn_onnx_put_pair(o, &(struct cxn_out_pair){ CXN_ONNX_PROBE_SHA256, sha256 });
    put_tensors(o, c);
}

/* ---- probe -------------------------------------------------------------------------------- */

enum { PICTURE_BYTES = CXN_PROBE_SIDE * CXN_PROBE_SIDE * CXN_PROBE_CHANNELS };

void cxn_onnx_probe_sha256(const struct cxn_probe *probe, char hex[CXN_SHA256_HEX_BYTES])
{
    cxn_sha256_hex(probe->pixels, PICTURE_BYTES, hex);
}

enum cxn_status cxn_onnx_check_probe(const struct cxn_env *env, const struct cxn_probe *probe,
                                     struct cxn_error *err)
{
    struct cxn_probe drawn;
    const enum cxn_status status = cxn_probe_draw(&drawn, env, err);
    if (status != CXN_OK) return status;
    const bool same = memcmp(drawn.pixels, probe->pixels, PICTURE_BYTES) == 0;
    cxn_probe_close(&drawn);
    if (same) return CXN_OK;
    return cxn_fail(err, CXN_E_FORMAT, "tensor 'probe.picture' is not the picture that this "
                                       "version draws, which an ONNX model has by its hash alone");
}
