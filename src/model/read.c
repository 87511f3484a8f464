/* SPDX-License-Identifier: Apache-2.0 */
/* Which reader a weights file gets: its content decides, never its name. */
#include <string.h>

#include "model/tensors.h"

static bool is_tar(const uint8_t head[512], size_t n)
{
    return n == 512 && memcmp(head + 257, "ustar", 5) == 0;
}

/* Eight bytes of header length whose top two are zero, or JSON right behind them. */
static bool may_be_safetensors(const uint8_t *head, size_t n)
{
    return n >= 8 && ((n > 8 && head[8] == '{') || (head[6] == 0 && head[7] == 0));
}

static enum cxn_status read_by_content(struct cxn_tensors *list, const struct cxn_source *source,
                                       struct cxn_error *err)
{
    uint8_t head[512] = { 0 };
    const size_t n = source->size_bytes < sizeof head ? (size_t)source->size_bytes : sizeof head;
    const enum cxn_status status = cxn_source_read(source, 0, head, n, err);
    if (status != CXN_OK) return status;
    if (n == 0) return cxn_fail(err, CXN_E_FORMAT, "an empty file, expected weights");
    if (memcmp(head, "PK\3\4", 4) == 0) return cxn_pth_zip_read(list, source, err);
    if (memcmp(head, cxn_pth_magic, sizeof cxn_pth_magic) == 0)
        return cxn_pth_legacy_read(list, source, err);
    if (is_tar(head, n))
        return cxn_fail(err, CXN_E_FORMAT, "a tar archive, a form of .pth that is not read: load "
                                           "it with PyTorch and save its state_dict");
    if (may_be_safetensors(head, n)) return cxn_safetensors_read(list, source, err);
    if (head[0] == 0x80)
        return cxn_fail(err, CXN_E_FORMAT, "a pickle, but not one of torch.save: expected its "
                                           "magic number 0x1950a86a20f9469cfc6c in protocol 2");
    return cxn_fail(err, CXN_E_FORMAT, "not a weights file: expected safetensors, a .pth of "
                                       "PyTorch's torch.save, or ONNX");
}

enum cxn_status cxn_tensors_open(struct cxn_tensors *list, struct cxn_mem *mem,
                                 const struct cxn_source *source, struct cxn_error *err)
{
    *list = (struct cxn_tensors){ .mem = mem };
    const enum cxn_status status = read_by_content(list, source, err);
    return status == CXN_OK ? cxn_tensors_check_unique(list, err) : status;
}
