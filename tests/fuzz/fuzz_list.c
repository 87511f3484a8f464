/* SPDX-License-Identifier: Apache-2.0 */
/* Image lists, without and with an entry table. */
#include "data/list.h"
#include "fuzz/text.h"

static void check_items(const cxn_list *list)
{
    fuzz_require(list->count > 0);
    for (size_t i = 0; i < list->count; i++) {
        const struct cxn_item *item = &list->items[i];
        const size_t n = strlen(item->name);
        fuzz_require(n >= 1 && n <= 255 && !strchr(item->name, '/'));
        fuzz_require(item->labels >> CXN_FINDING_COUNT == 0);
    }
}

static void read_list(const uint8_t *data, size_t size, const cxn_entries *entries)
{
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    struct cxn_error err = { "" };
    cxn_list *list = NULL;
    const enum cxn_status status =
        cxn_list_parse(&list, &env, "list", data, size, entries, &err);
    fuzz_check_status(status, list, &err);
    if (list) check_items(list);
    cxn_list_close(&list);
    fuzz_check_memory(&mem, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char table[] = "Image Index,Finding Labels,Patient ID\na.png,Mass,3\nb,Edema,4\n";
    static const struct cxn_env env;
    cxn_entries *entries = NULL;
    fuzz_require(cxn_entries_parse(&entries, &env, "t", table, sizeof table - 1, NULL) == CXN_OK);
    read_list(data, size, NULL);
    read_list(data, size, entries);
    cxn_entries_close(&entries);
    return 0;
}
