/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper of tests/base_faults.sh: write_file PATH writes 300,000 known bytes as the library writes
 * its files; exit status and text as the command's. "pool THREADS" tells how many threads came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"

static enum cxn_status write_lines(const char *path, struct cxn_error *err)
{
    cxn_out *out = NULL;
    const enum cxn_status status = cxn_out_open(&out, path, err);
    if (status != CXN_OK) return status;
    for (int i = 0; i < 30000; i++) cxn_out_printf(out, "%09d\n", i);
    return cxn_out_commit(&out, err);
}

static void add_one(void *ctx, size_t index, unsigned thread)
{
    (void)thread;
    ((size_t *)ctx)[index]++;
}

static enum cxn_status use_pool(unsigned threads, struct cxn_error *err)
{
    size_t done[100] = { 0 };
    cxn_pool *pool = NULL;
    enum cxn_status status = cxn_pool_open(&pool, threads, err);
    if (status != CXN_OK) return status;
    printf("%u threads\n", cxn_pool_threads(pool));
    cxn_pool_run(pool, 100, add_one, done);
    cxn_pool_close(&pool);
    for (size_t i = 0; i < 100; i++)
        if (done[i] != 1) status = CXN_E_INTERNAL;
    return status;
}

int main(int argc, char **argv)
{
    struct cxn_error err = { "" };
    enum cxn_status status = CXN_E_ARG;
    if (argc == 2) status = write_lines(argv[1], &err);
    else if (argc == 3) status = use_pool((unsigned)strtoul(argv[2], NULL, 10), &err);
    if (status != CXN_OK) fprintf(stderr, "%s\n", err.text);
    return cxn_status_exit(status);
}
