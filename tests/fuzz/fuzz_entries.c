/* SPDX-License-Identifier: Apache-2.0 */
/* NIH's Data_Entry CSV. */
#include "data/list.h"
#include "fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_error err = { "" };
    cxn_entries *entries = NULL;
    const enum cxn_status status =
        cxn_entries_parse(&entries, &env, "entries", data, size, &err);
    fuzz_check_status(status, entries, &err);
    if (entries) {
        fuzz_require(cxn_entries_count(entries) > 0);
        const struct cxn_item *item = cxn_entries_find(entries, "a.png");
        fuzz_require(!item || strcmp(item->name, "a.png") == 0);
        fuzz_require(!cxn_entries_find(entries, "x/y"));
    }
    cxn_entries_close(&entries);
    fuzz_check_memory(&mem, size);
    return 0;
}
