/* SPDX-License-Identifier: Apache-2.0 */
/* What torch.save says with names of classes and functions. Each has a row in one table; any other
 * name ends the reading with that name. No row ever leads to a call. */
#include <string.h>

#include "base/grow.h"
#include "model/pickle_machine.h"

enum { STORAGES_MAX = CXN_TENSORS_MAX, PICKLED_TENSORS_MAX = CXN_TENSORS_MAX };

enum global_kind {
    GLOBAL_ORDERED_DICT,
    GLOBAL_TENSOR,    /* _rebuild_tensor(storage, offset, size, stride, ...) */
    GLOBAL_PARAMETER, /* _rebuild_parameter(tensor, ...) */
    GLOBAL_SIZE,      /* torch.Size(tuple) */
    GLOBAL_OPAQUE,    /* makes a plain value, which is not needed */
    GLOBAL_DTYPE,     /* torch.float32: a value, not needed */
    GLOBAL_STORAGE,   /* the type of a storage */
};

struct global {
    const char *module, *name;
    enum global_kind kind;
    enum cxn_dtype dtype; /* of GLOBAL_STORAGE */
};

static const struct global globals[] = {
    { "collections", "OrderedDict", GLOBAL_ORDERED_DICT, 0 },
    { "torch._utils", "_rebuild_tensor_v2", GLOBAL_TENSOR, 0 },
    { "torch._utils", "_rebuild_tensor", GLOBAL_TENSOR, 0 },
    { "torch._utils", "_rebuild_parameter", GLOBAL_PARAMETER, 0 },
    { "torch", "Size", GLOBAL_SIZE, 0 },
    { "torch", "FloatStorage", GLOBAL_STORAGE, CXN_DTYPE_F32 },
    { "torch", "DoubleStorage", GLOBAL_STORAGE, CXN_DTYPE_F64 },
    { "torch", "HalfStorage", GLOBAL_STORAGE, CXN_DTYPE_F16 },
    { "torch", "BFloat16Storage", GLOBAL_STORAGE, CXN_DTYPE_BF16 },
    { "torch", "LongStorage", GLOBAL_STORAGE, CXN_DTYPE_I64 },
    { "torch", "IntStorage", GLOBAL_STORAGE, CXN_DTYPE_I32 },
    { "torch", "ShortStorage", GLOBAL_STORAGE, CXN_DTYPE_I16 },
    { "torch", "CharStorage", GLOBAL_STORAGE, CXN_DTYPE_I8 },
    { "torch", "ByteStorage", GLOBAL_STORAGE, CXN_DTYPE_U8 },
    { "torch", "BoolStorage", GLOBAL_STORAGE, CXN_DTYPE_BOOL },
    { "torch", "device", GLOBAL_OPAQUE, 0 },
    { "torch", "float32", GLOBAL_DTYPE, 0 },
    { "torch", "float64", GLOBAL_DTYPE, 0 },
    { "torch", "float16", GLOBAL_DTYPE, 0 },
    { "torch", "bfloat16", GLOBAL_DTYPE, 0 },
    /* a best loss or AUC beside the weights is often a numpy number */
    { "numpy.core.multiarray", "scalar", GLOBAL_OPAQUE, 0 },
    { "numpy._core.multiarray", "scalar", GLOBAL_OPAQUE, 0 },
    { "numpy", "dtype", GLOBAL_OPAQUE, 0 },
    { "_codecs", "encode", GLOBAL_OPAQUE, 0 },
};

/* Modules whose classes appear when a whole module, not its weights, was pickled. */
static const char *const module_classes[] = { "torch.nn.", "torchvision.", "__main__",
                                              "__torch__", "torch.fx.",    "torch.jit." };

static bool is_module_class(const char *module)
{
    for (size_t i = 0; i < CXN_COUNTOF(module_classes); i++)
        if (strncmp(module, module_classes[i], strlen(module_classes[i])) == 0) return true;
    return false;
}

/* The next line of the input, without its newline, into a buffer. */
static bool read_word(struct cxn_machine *m, char *buffer, size_t size)
{
    const size_t left = cxn_cursor_left(&m->in);
    const uint8_t *start = m->in.data + m->in.pos;
    const uint8_t *end = memchr(start, '\n', left < size ? left : size);
    if (!end) return false;
    const size_t n = (size_t)(end - start);
    memcpy(buffer, start, n);
    buffer[n] = '\0';
    m->in.pos += n + 1;
    return strlen(buffer) == n; /* a NUL would hide what follows it */
}

enum cxn_status cxn_machine_global(struct cxn_machine *m)
{
    char module[128], name[128];
    if (!read_word(m, module, sizeof module) || !read_word(m, name, sizeof name))
        return cxn_machine_fail(m, CXN_E_FORMAT, "a name without an end, or over 127 bytes");
    /* storages that were on a GPU become CPU storages */
    const char *where = strcmp(module, "torch.cuda") == 0 && strstr(name, "Storage") ? "torch"
                                                                                     : module;
    for (uint32_t i = 0; i < CXN_COUNTOF(globals); i++) {
        if (strcmp(globals[i].module, where) != 0 || strcmp(globals[i].name, name) != 0) continue;
        return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_GLOBAL,
                                                               .as.index = i });
    }
    if (is_module_class(module))
        return cxn_machine_fail(m, CXN_E_FORMAT,
                                "a whole pickled module (%s.%s), not weights; save its state_dict "
                                "instead: torch.save(model.state_dict(), 'weights.pth')",
                                module, name);
    return cxn_machine_fail(m, CXN_E_FORMAT, "refused name %s.%s: only tensors, numbers, strings "
                                             "and containers are read", module, name);
}

/* ---- arguments ---------------------------------------------------------------------------- */

static const struct cxn_pickle_value *value_of(const struct cxn_machine *m, uint32_t index)
{
    return &m->p->values[index];
}

/* The first n items of a tuple; false when it has fewer. */
static bool take_items(const struct cxn_machine *m, const struct cxn_pickle_value *tuple,
                       uint32_t *items, size_t n)
{
    if (tuple->kind != CXN_PICKLE_TUPLE || tuple->count < n) return false;
    uint32_t link = tuple->as.items.first;
    for (size_t i = 0; i < n; i++) {
        items[i] = m->p->links[link].value;
        link = m->p->links[link].next;
    }
    return true;
}

static bool take_size(const struct cxn_machine *m, uint32_t index, uint64_t *out)
{
    const struct cxn_pickle_value *v = value_of(m, index);
    if (v->kind != CXN_PICKLE_INT || v->as.number < 0) return false;
    *out = (uint64_t)v->as.number;
    return true;
}

/* A tuple of non-negative integers. */
static bool take_sizes(const struct cxn_machine *m, uint32_t index, uint64_t *out, uint32_t *rank)
{
    const struct cxn_pickle_value *tuple = value_of(m, index);
    uint32_t items[CXN_TENSOR_RANK_MAX];
    if (tuple->count > CXN_TENSOR_RANK_MAX || !take_items(m, tuple, items, tuple->count))
        return false;
    for (uint32_t i = 0; i < tuple->count; i++)
        if (!take_size(m, items[i], &out[i])) return false;
    *rank = tuple->count;
    return true;
}

/* ---- storages and tensors ----------------------------------------------------------------- */

static bool is_text(const struct cxn_machine *m, const struct cxn_pickle_value *v, const char *s)
{
    return v->kind == CXN_PICKLE_TEXT && v->as.text.size == strlen(s) &&
           memcmp(m->p->bytes + v->as.text.at, s, strlen(s)) == 0;
}

/* ("storage", type, key, location, numel), in the legacy form with None behind it. */
static bool take_storage(const struct cxn_machine *m, const struct cxn_pickle_value *id,
                         struct cxn_pickle_storage *storage)
{
    uint32_t items[6];
    if (!take_items(m, id, items, 5) || id->count > 6) return false;
    const struct cxn_pickle_value *type = value_of(m, items[1]), *key = value_of(m, items[2]);
    if (id->count == 6) {
        take_items(m, id, items, 6);
        if (value_of(m, items[5])->kind != CXN_PICKLE_NONE) return false;
    }
    if (!is_text(m, value_of(m, items[0]), "storage")) return false;
    if (type->kind != CXN_PICKLE_GLOBAL || globals[type->as.index].kind != GLOBAL_STORAGE)
        return false;
    if (key->kind != CXN_PICKLE_TEXT) return false;
    if (value_of(m, items[3])->kind != CXN_PICKLE_TEXT) return false;
    storage->key = key->as.text;
    storage->dtype = globals[type->as.index].dtype;
    return take_size(m, items[4], &storage->count);
}

enum cxn_status cxn_machine_persistent_id(struct cxn_machine *m)
{
    struct cxn_pickle *p = m->p;
    struct cxn_pickle_storage storage;
    uint32_t id;
    const enum cxn_status status = cxn_machine_pop(m, &id);
    if (status != CXN_OK) return status;
    if (!take_storage(m, value_of(m, id), &storage))
        return cxn_machine_fail(m, CXN_E_FORMAT, "a persistent id that is not ('storage', type, "
                                                 "key, location, size)");
    /* Storages are sorted by key: one long key shared by all of them would take minutes. */
    if (storage.key.size > CXN_TENSOR_NAME_MAX)
        return cxn_machine_fail(m, CXN_E_LIMIT, "a storage key of %u bytes, at most %d",
                                storage.key.size, CXN_TENSOR_NAME_MAX);
    if (p->storage_count >= STORAGES_MAX)
        return cxn_machine_fail(m, CXN_E_LIMIT, "more than %d storages", STORAGES_MAX);
    struct cxn_pickle_storage *storages =
        cxn_grow(p->mem, p->storages, &p->storage_capacity, p->storage_count + 1, STORAGES_MAX,
                 sizeof *storages);
    if (!storages)
        return cxn_fail_nomem(m->err, p->mem, p->storage_count * sizeof *storages, "storages");
    p->storages = storages;
    storages[p->storage_count] = storage;
    return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_STORAGE,
                                                           .as.index =
                                                               (uint32_t)p->storage_count++ });
}

/* The last element lies within `count` elements; an empty tensor lies anywhere. */
static bool lies_within(const struct cxn_pickle_tensor *t, uint64_t count)
{
    uint64_t last = t->offset;
    for (uint32_t i = 0; i < t->rank; i++)
        if (t->dims[i] == 0) return t->offset <= count;
    for (uint32_t i = 0; i < t->rank; i++) {
        uint64_t step;
        if (__builtin_mul_overflow(t->dims[i] - 1, t->strides[i], &step)) return false;
        if (__builtin_add_overflow(last, step, &last)) return false;
    }
    return last < count;
}

static enum cxn_status rebuild_tensor(struct cxn_machine *m, const struct cxn_pickle_value *args)
{
    struct cxn_pickle *p = m->p;
    struct cxn_pickle_tensor t = { 0 };
    uint32_t items[4], stride_rank;
    if (!take_items(m, args, items, 4) || value_of(m, items[0])->kind != CXN_PICKLE_STORAGE ||
        !take_size(m, items[1], &t.offset) || !take_sizes(m, items[2], t.dims, &t.rank) ||
        !take_sizes(m, items[3], t.strides, &stride_rank) || stride_rank != t.rank)
        return cxn_machine_fail(m, CXN_E_FORMAT,
                                "a tensor that is not (storage, offset, size, stride) with up to "
                                "%d sizes >= 0", CXN_TENSOR_RANK_MAX);
    t.storage = value_of(m, items[0])->as.index;
    if (!lies_within(&t, p->storages[t.storage].count))
        return cxn_machine_fail(m, CXN_E_FORMAT, "a tensor reaches beyond its storage of %llu "
                                                 "elements",
                                (unsigned long long)p->storages[t.storage].count);
    if (p->tensor_count >= PICKLED_TENSORS_MAX)
        return cxn_machine_fail(m, CXN_E_LIMIT, "more than %d tensors", PICKLED_TENSORS_MAX);
    struct cxn_pickle_tensor *tensors = cxn_grow(p->mem, p->tensors, &p->tensor_capacity,
                                                 p->tensor_count + 1, PICKLED_TENSORS_MAX,
                                                 sizeof *tensors);
    if (!tensors)
        return cxn_fail_nomem(m->err, p->mem, p->tensor_count * sizeof *tensors, "tensors");
    p->tensors = tensors;
    tensors[p->tensor_count] = t;
    return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_TENSOR,
                                                           .as.index =
                                                               (uint32_t)p->tensor_count++ });
}

/* ---- REDUCE and BUILD --------------------------------------------------------------------- */

/* OrderedDict(), or, as Python 2 wrote it, OrderedDict([[key, value], ...]). */
static enum cxn_status make_dict(struct cxn_machine *m, const struct cxn_pickle_value *args)
{
    const uint32_t arg_count = args->count;
    uint32_t list = 0;
    take_items(m, args, &list, 1);
    const struct cxn_pickle_value pairs = arg_count > 0 ? *value_of(m, list)
                                                        : (struct cxn_pickle_value){ 0 };
    enum cxn_status status = cxn_machine_push(
        m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_DICT,
                                       .as.items = { CXN_PICKLE_END, CXN_PICKLE_END } });
    if (status != CXN_OK || arg_count == 0) return status;
    if (arg_count > 1 || pairs.kind != CXN_PICKLE_LIST)
        return cxn_machine_fail(m, CXN_E_FORMAT, "an OrderedDict of something else than pairs");
    const uint32_t dict = m->stack[m->depth - 1];
    for (uint32_t link = pairs.as.items.first; link != CXN_PICKLE_END && status == CXN_OK;
         link = m->p->links[link].next) {
        const struct cxn_pickle_value pair = *value_of(m, m->p->links[link].value);
        if ((pair.kind != CXN_PICKLE_LIST && pair.kind != CXN_PICKLE_TUPLE) || pair.count != 2)
            return cxn_machine_fail(m, CXN_E_FORMAT, "an OrderedDict of something else than pairs");
        status = cxn_machine_append(m, dict, m->p->links[pair.as.items.first].value);
        if (status == CXN_OK)
            status = cxn_machine_append(m, dict, m->p->links[pair.as.items.last].value);
    }
    return status;
}

/* A function that hands back its first argument, when that is of the right kind. */
static enum cxn_status pass_through(struct cxn_machine *m, const struct cxn_pickle_value *args,
                                    enum cxn_pickle_kind kind)
{
    uint32_t first;
    if (!take_items(m, args, &first, 1) || value_of(m, first)->kind != kind)
        return cxn_machine_fail(m, CXN_E_FORMAT, "wrong arguments of a tensor or size");
    return cxn_machine_push_index(m, first);
}

enum cxn_status cxn_machine_reduce(struct cxn_machine *m)
{
    uint32_t args_at, function_at;
    enum cxn_status status = cxn_machine_pop(m, &args_at);
    if (status == CXN_OK) status = cxn_machine_pop(m, &function_at);
    if (status != CXN_OK) return status;
    const struct cxn_pickle_value *args = value_of(m, args_at);
    const struct cxn_pickle_value *function = value_of(m, function_at);
    if (function->kind != CXN_PICKLE_GLOBAL || args->kind != CXN_PICKLE_TUPLE)
        return cxn_machine_fail(m, CXN_E_FORMAT, "REDUCE of something that is not a known function "
                                                 "with a tuple");
    switch (globals[function->as.index].kind) {
    case GLOBAL_ORDERED_DICT: return make_dict(m, args);
    case GLOBAL_TENSOR: return rebuild_tensor(m, args);
    case GLOBAL_PARAMETER: return pass_through(m, args, CXN_PICKLE_TENSOR);
    case GLOBAL_SIZE: return pass_through(m, args, CXN_PICKLE_TUPLE);
    case GLOBAL_OPAQUE:
        return cxn_machine_push(m, &(struct cxn_pickle_value){ .kind = CXN_PICKLE_OPAQUE });
    case GLOBAL_DTYPE:
    case GLOBAL_STORAGE: break;
    }
    return cxn_machine_fail(m, CXN_E_FORMAT, "REDUCE of a type that is not a function");
}

/* Attributes: of a state_dict, its _metadata, which is not needed. */
enum cxn_status cxn_machine_build(struct cxn_machine *m)
{
    uint32_t state, target;
    enum cxn_status status = cxn_machine_pop(m, &state);
    if (status == CXN_OK) status = cxn_machine_pop(m, &target);
    if (status != CXN_OK) return status;
    const bool dict = value_of(m, target)->kind == CXN_PICKLE_DICT &&
                      value_of(m, state)->kind == CXN_PICKLE_DICT;
    if (!dict && value_of(m, target)->kind != CXN_PICKLE_OPAQUE)
        return cxn_machine_fail(m, CXN_E_FORMAT, "attributes of something that has none");
    return cxn_machine_push_index(m, target);
}
