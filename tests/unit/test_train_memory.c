/* SPDX-License-Identifier: Apache-2.0 */
/* test_train_memory STRIDE: cxn_train() of the shrunken network where memory ends. Every STRIDE-th
 * allocation is refused once; with 1, each. */
#include <chexnet/data.h>
#include <chexnet/train.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/context.h"
#include "api/train_job.h"
#include "small_net.h"
#include "unit/unit.h"

enum { PATH_BYTES = 512 };

static size_t stride;

/* Who refuses: the budget of the context, or malloc() as libjansson calls it. */
enum refuser { BUDGET, JANSSON };

struct fixture {
    char dir[PATH_BYTES / 4];
    char images[PATH_BYTES / 2], train[PATH_BYTES / 2], val[PATH_BYTES / 2], run[PATH_BYTES / 2];
    char *weights; /* of a training that lacked nothing */
    size_t weights_bytes;
};

static size_t json_calls, json_fail_at;

/* What it takes and is not given back is AddressSanitizer's to find. */
static void *json_take(size_t bytes)
{
    return ++json_calls == json_fail_at ? NULL : malloc(bytes);
}

static enum cxn_status train(const struct fixture *f, cxn_context *ctx, bool resume,
                             struct cxn_error *err)
{
    static const struct cxn_train_setting settings[] = {
        { "batch", "2" }, { "shards", "2" }, { "max-steps", "2" }, { "save-every", "1" },
        { "crops", "center" }, { "ema", "0.5" }
    };
    const char *const images = f->images;
    const struct cxn_train_options fresh = {
        .images = &images, .image_count = 1, .train = f->train, .val = f->val, .out = f->run,
        .settings = settings, .setting_count = CXN_COUNTOF(settings)
    };
    const struct cxn_train_options again = { .resume = f->run };
    return cxn_train_network(ctx, &small_config, resume ? &again : &fresh, NULL, err);
}

static cxn_context *open_context(void)
{
    const struct cxn_options options = { .threads = 1 };
    cxn_context *ctx = NULL;
    assert_int_equal(cxn_context_open(&ctx, &options, NULL), CXN_OK);
    return ctx;
}

static char *weights_of(const struct fixture *f, size_t *bytes)
{
    char path[PATH_BYTES], *p = malloc(1 << 20);
    snprintf(path, sizeof path, "%s/last/weights.safetensors", f->run);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_non_null(p);
    *bytes = fread(p, 1, 1 << 20, file);
    assert_true(*bytes > 1000 && *bytes < 1 << 20);
    fclose(file);
    return p;
}

/* Entries of the RUN; -1: there is none. No name may be an unfinished file's. */
static int entries_of(const struct fixture *f)
{
    DIR *dir = opendir(f->run);
    int count = 0;
    if (!dir) return -1;
    for (const struct dirent *e; (e = readdir(dir)) != NULL; count++) {
        const size_t n = strlen(e->d_name);
        if (n > 4 && strcmp(e->d_name + n - 4, ".tmp") == 0) fail_msg("left: %s", e->d_name);
    }
    closedir(dir);
    return count - 2; /* . and .. */
}

/* What is left is nothing, or a run that goes on to the same bits. */
static void check_left(const struct fixture *f)
{
    struct cxn_error err = { "" };
    if (entries_of(f) <= 0) return;
    cxn_context *ctx = open_context();
    size_t bytes;
    if (train(f, ctx, true, &err) != CXN_OK) fail_msg("resume: %s", err.text);
    cxn_context_close(&ctx);
    char *weights = weights_of(f, &bytes);
    assert_int_equal(bytes, f->weights_bytes);
    assert_memory_equal(weights, f->weights, bytes);
    free(weights);
}

static void remove_run(const struct fixture *f)
{
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -rf '%s'", f->run);
    assert_int_equal(system(command), 0);
}

/* Allocation number n fails; false where there are fewer. */
static bool refuse(const struct fixture *f, enum refuser who, size_t n)
{
    struct cxn_error err = { "" };
    cxn_context *ctx = open_context();
    remove_run(f);
    json_calls = 0;
    if (who == BUDGET) ctx->mem.fail_at = n;
    else json_fail_at = n;
    const enum cxn_status status = train(f, ctx, false, &err);
    const bool reached = (who == BUDGET ? atomic_load(&ctx->mem.calls) : json_calls) >= n;
    json_fail_at = 0;
    if (atomic_load(&ctx->mem.blocks) != 0 || atomic_load(&ctx->mem.used_bytes) != 0)
        fail_msg("allocation %zu of %d: memory is lost", n, (int)who);
    cxn_context_close(&ctx);
    if (reached && status != CXN_E_NOMEM)
        fail_msg("allocation %zu of %d: status %d, '%s'", n, (int)who, (int)status, err.text);
    if (reached && err.text[0] == '\0') fail_msg("allocation %zu: no text", n);
    if (reached) check_left(f);
    return reached;
}

static void allocations_may_fail(void **state)
{
    size_t n = 1;
    while (refuse(*state, BUDGET, n)) n += stride;
    print_message("%zu allocations\n", n - 1);
    assert_true(n > 50);
}

/* There are thousands: one for each number in a checkpoint's header. */
static void allocations_of_json_may_fail(void **state)
{
    size_t n = 1, tried = 0;
    for (; refuse(*state, JANSSON, n); n += (n < 200 ? 1 : 401) * stride) tried++;
    print_message("%zu allocations\n", tried);
    assert_true(tried > 200 / stride);
}

/* The first names of a list of phantoms. */
static void write_list(const struct fixture *f, const char *path, size_t skip, size_t count)
{
    char source[PATH_BYTES], line[256];
    snprintf(source, sizeof source, "%s/set/train_list.txt", f->dir);
    FILE *from = fopen(source, "r"), *to = fopen(path, "w");
    assert_non_null(from);
    assert_non_null(to);
    for (size_t i = 0; i < skip + count; i++) {
        assert_non_null(fgets(line, sizeof line, from));
        if (i >= skip) fputs(line, to);
    }
    fclose(from);
    fclose(to);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char set[PATH_BYTES];
    assert_non_null(f);
    json_set_alloc_funcs(json_take, free);
    snprintf(f->dir, sizeof f->dir, "/tmp/cxn_train_memory_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(set, sizeof set, "%s/set", f->dir);
    snprintf(f->images, sizeof f->images, "%s/set/images", f->dir);
    snprintf(f->train, sizeof f->train, "%s/train.txt", f->dir);
    snprintf(f->val, sizeof f->val, "%s/val.txt", f->dir);
    snprintf(f->run, sizeof f->run, "%s/run", f->dir);
    cxn_context *ctx = open_context();
    const struct cxn_phantom_options phantom = { .out = set, .images = 10, .size = 256,
                                                 .balanced = 1, .seed = 3 };
    assert_int_equal(cxn_phantom(ctx, &phantom, NULL), CXN_OK);
    write_list(f, f->train, 0, 4);
    write_list(f, f->val, 4, 2);
    assert_int_equal(train(f, ctx, false, NULL), CXN_OK);
    cxn_context_close(&ctx);
    f->weights = weights_of(f, &f->weights_bytes);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    const int status = system(command);
    free(f->weights);
    free(f);
    return status;
}

int main(int argc, char **argv)
{
    stride = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (stride == 0) return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_may_fail),
        cmocka_unit_test(allocations_of_json_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
