/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prepared cache, finished or not. The first byte chooses: bit 0 corrects the checksums of header
 * and index (else nothing behind them is ever reached), bit 1 takes the rest as an unfinished file
 * to go on with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "data/cache.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], path[96], partial[96];

static void remove_files(void)
{
    unlink(path);
    unlink(partial);
    rmdir(folder);
}

static void make_folder(void)
{
    if (folder[0]) return;
    snprintf(folder, sizeof folder, "%s/chexnet-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) abort();
    snprintf(path, sizeof path, "%s/c", folder);
    snprintf(partial, sizeof partial, "%s/c.partial", folder);
    atexit(remove_files);
}

static void write_file(const char *to, const uint8_t *data, size_t size)
{
    const int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    close(fd);
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void correct_checksums(uint8_t *data, size_t size)
{
    if (size < CXN_CACHE_HEADER_BYTES) return;
    const uint64_t at = get_u64(data + 24), n = get_u64(data + 32);
    if (at <= size && n <= size - at) put_u32(data + 40, cxn_crc32(0, data + at, (size_t)n));
    put_u32(data + 60, cxn_crc32(0, data, 60));
}

static void ignore(void *ctx, const struct cxn_cache_entry *e)
{
    *(size_t *)ctx += strlen(e->name);
}

static void go_on(const struct cxn_env *env)
{
    size_t seen = 0;
    cxn_cache_writer *writer;
    if (cxn_cache_writer_open(&writer, env, path, ignore, &seen, NULL) != CXN_OK) return;
    struct cxn_cache_entry e = { .name = "new", .status = CXN_E_IO, .data_bytes = 3 };
    const struct cxn_cache_entry *const entries[] = { &e };
    if (cxn_cache_writer_append(writer, &e, (const uint8_t *)"why", NULL) != CXN_OK ||
        cxn_cache_writer_finish(writer, entries, 1, NULL) != CXN_OK)
        abort();
    cxn_cache_writer_close(&writer);
    cxn_cache *cache; /* what was made of it must be whole */
    if (cxn_cache_open(&cache, env, path, NULL) != CXN_OK || !cxn_cache_find(cache, "new")) abort();
    cxn_cache_close(&cache);
}

static void read_cache(const struct cxn_env *env)
{
    cxn_cache *cache;
    if (cxn_cache_open(&cache, env, path, NULL) != CXN_OK) return;
    static const char *const names[] = { "a.png", "b.png", "new" };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        struct cxn_picture picture;
        unsigned notes;
        cxn_cache_read(cache, names[i], &picture, &notes, NULL);
        cxn_picture_close(&picture);
    }
    cxn_cache_close(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    make_folder();
    struct cxn_mem mem;
    cxn_mem_init(&mem, (size_t)64 << 20);
    const struct cxn_env env = { .mem = &mem };
    uint8_t *copy = malloc(size);
    if (!copy) abort();
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1) correct_checksums(copy, size - 1);
    write_file(data[0] & 2 ? partial : path, copy, size - 1);
    free(copy);
    if (data[0] & 2) go_on(&env);
    else read_cache(&env);
    unlink(partial);
    if (mem.blocks != 0) abort();
    return 0;
}
