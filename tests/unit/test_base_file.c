/* SPDX-License-Identifier: Apache-2.0 */
/* Files, and what of them needs no fault of the system; faults are in tests/base_faults.sh. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "unit/unit.h"

static char folder[] = "/tmp/cxn-test-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Entries of a folder; with remove, they are removed. */
static int count_entries(const char *path, int remove_them)
{
    DIR *dir = opendir(path);
    int n = 0;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        n++;
        if (remove_them) remove(e->d_name);
    }
    closedir(dir);
    return n;
}

static int clean_folder(void **state)
{
    (void)state;
    count_entries(".", 1);
    return 0;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text)
{
    struct cxn_error err;
    cxn_out *out = NULL;
    assert_int_equal(cxn_out_open(&out, path, &err), CXN_OK);
    cxn_out_write(out, text, strlen(text));
    assert_int_equal(cxn_out_commit(&out, &err), CXN_OK);
    assert_null(out);
}

static void assert_holds(const char *path, const char *text)
{
    struct cxn_bytes bytes;
    struct cxn_error err;
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &bytes, &err), CXN_OK);
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
    cxn_free(bytes.data);
}

static void test_written_is_read_back(void **state)
{
    (void)state;
    struct cxn_error err;
    cxn_out *out = NULL;
    assert_int_equal(cxn_out_open(&out, "a", &err), CXN_OK);
    char *large = malloc(200000);
    assert_non_null(large);
    memset(large, 'x', 200000);
    size_t size = 0;
    for (int i = 0; i < 3000; i++) { /* small pieces, one that fills the buffer, larger ones */
        cxn_out_printf(out, "%d,", i);
        size += (size_t)snprintf(NULL, 0, "%d,", i);
        if (i % 500 == 0) {
            const size_t n = i == 0 ? 65536 - 2 : i == 500 ? 65536 : 200000 - (size_t)i;
            cxn_out_write(out, large, n);
            size += n;
        }
    }
    cxn_out_write(out, NULL, 0);
    assert_int_equal(cxn_out_size(out), size);
    assert_int_equal(count_entries(".", 0), 1);
    assert_int_equal(access("a", F_OK), -1); /* not yet under its name */
    assert_int_equal(cxn_out_commit(&out, &err), CXN_OK);
    assert_int_equal(count_entries(".", 0), 1);

    struct cxn_bytes bytes;
    assert_int_equal(cxn_file_read(NULL, "a", size, &bytes, &err), CXN_OK);
    assert_int_equal(bytes.size, size);
    size_t at = 0;
    for (int i = 0; i < 3000; i++) {
        char text[16];
        const int n = snprintf(text, sizeof text, "%d,", i);
        assert_memory_equal(bytes.data + at, text, (size_t)n);
        at += (size_t)n;
        if (i % 500 == 0) {
            const size_t more = i == 0 ? 65536 - 2 : i == 500 ? 65536 : 200000 - (size_t)i;
            assert_memory_equal(bytes.data + at, large, more);
            at += more;
        }
    }
    assert_int_equal(at, size);
    cxn_free(bytes.data);
    free(large);
}

static void test_abort_leaves_everything_as_it_was(void **state)
{
    (void)state;
    struct cxn_error err;
    put("a", "before");
    cxn_out *out = NULL;
    assert_int_equal(cxn_out_open(&out, "a", &err), CXN_OK);
    cxn_out_write(out, "after", 5);
    assert_holds("a", "before");
    cxn_out_abort(&out);
    assert_null(out);
    cxn_out_abort(&out);
    cxn_out_abort(NULL);
    assert_holds("a", "before");
    assert_int_equal(count_entries(".", 0), 1);
    put("a", "after");
    assert_holds("a", "after");
}

static void test_two_writers_do_not_mix(void **state)
{
    (void)state;
    struct cxn_error err;
    cxn_out *first = NULL, *second = NULL;
    assert_int_equal(cxn_out_open(&first, "a", &err), CXN_OK);
    assert_int_equal(cxn_out_open(&second, "a", &err), CXN_OK);
    cxn_out_write(first, "first", 5);
    cxn_out_write(second, "second", 6);
    assert_int_equal(cxn_out_commit(&first, &err), CXN_OK);
    assert_holds("a", "first");
    assert_int_equal(cxn_out_commit(&second, &err), CXN_OK);
    assert_holds("a", "second");
    assert_int_equal(count_entries(".", 0), 1);
}

static void refuse(const char *path, const char *sentence)
{
    struct cxn_error err = { "" };
    cxn_out *out = NULL;
    const int before = count_entries(".", 0);
    assert_int_equal(cxn_out_open(&out, path, &err), CXN_E_IO);
    assert_string_equal(err.text, sentence);
    assert_null(out);
    assert_int_equal(count_entries(".", 0), before);
}

static void test_wrong_targets_are_refused_when_opening(void **state)
{
    (void)state;
    put("file", "text");
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(symlink("missing", "dangling"), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    refuse("dir", "cannot write 'dir': it exists and is not a regular file");
    refuse("link", "cannot write 'link': it exists and is not a regular file");
    refuse("dangling", "cannot write 'dangling': it exists and is not a regular file");
    refuse("fifo", "cannot write 'fifo': it exists and is not a regular file");
    refuse("missing/a", "cannot write 'missing/a': No such file or directory");
    refuse("file/a", "cannot write 'file/a': Not a directory");
    assert_holds("file", "text");
}

static void test_target_that_vanishes_meanwhile(void **state)
{
    (void)state;
    struct cxn_error err = { "" };
    cxn_out *out = NULL;
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(cxn_out_open(&out, "dir/a", &err), CXN_OK);
    assert_int_equal(mkdir("dir/a", 0777), 0); /* a folder takes the final name */
    cxn_out_write(out, "x", 1);
    assert_int_equal(cxn_out_commit(&out, &err), CXN_E_IO);
    assert_string_equal(err.text, "cannot write 'dir/a': Is a directory");
    assert_null(out);
    assert_int_equal(rmdir("dir/a"), 0);
    assert_int_equal(rmdir("dir"), 0); /* so no temporary file is left in it */
}

static void refuse_reading(const char *path, const char *sentence)
{
    struct cxn_error err = { "" };
    struct cxn_bytes bytes = { 0 };
    assert_int_equal(cxn_file_read(NULL, path, 100, &bytes, &err), CXN_E_IO);
    assert_string_equal(err.text, sentence);
    assert_null(bytes.data);
}

static void test_only_regular_files_are_read(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    refuse_reading("missing", "cannot open 'missing': No such file or directory");
    refuse_reading("dir", "cannot read 'dir': not a regular file");
    refuse_reading("fifo", "cannot read 'fifo': not a regular file"); /* without waiting */
    refuse_reading("/dev/zero", "cannot read '/dev/zero': not a regular file");
}

static void test_limits_come_before_memory(void **state)
{
    (void)state;
    put("a", "12345");
    struct cxn_error err;
    struct cxn_mem mem;
    struct cxn_bytes bytes;
    cxn_mem_init(&mem, 4096);
    assert_int_equal(cxn_file_read(&mem, "a", 4, &bytes, &err), CXN_E_LIMIT);
    assert_string_equal(err.text, "a: 5 bytes, at most 4 are read");
    assert_int_equal(mem.calls, 0);
    assert_int_equal(truncate("a", (off_t)1 << 40), 0); /* sparse */
    assert_int_equal(cxn_file_read(&mem, "a", SIZE_MAX, &bytes, &err), CXN_E_NOMEM);
    assert_non_null(strstr(err.text, "a: no memory for the file: 1048576.0 MiB wanted"));
    assert_null(bytes.data);
    assert_int_equal(truncate("a", 0), 0);
    assert_int_equal(cxn_file_read(&mem, "a", 0, &bytes, &err), CXN_OK);
    assert_int_equal(bytes.size, 0);
    assert_non_null(bytes.data);
    cxn_free(bytes.data);
    assert_int_equal(mem.blocks, 0);
}

static void test_a_file_that_shrinks_is_told(void **state)
{
    (void)state;
    put("a", "0123456789");
    struct cxn_file f;
    struct cxn_error err;
    char got[16];
    assert_int_equal(cxn_file_open(&f, "a", &err), CXN_OK);
    assert_true(f.size_bytes == 10);
    assert_int_equal(cxn_file_pread(&f, "a", 3, got, 4, &err), CXN_OK);
    assert_memory_equal(got, "3456", 4);
    assert_int_equal(truncate("a", 5), 0);
    assert_int_equal(cxn_file_pread(&f, "a", 3, got, 4, &err), CXN_E_IO);
    assert_string_equal(err.text, "cannot read 'a': it ends 2 bytes early");
    assert_int_equal(cxn_file_pread(&f, "a", UINT64_MAX, got, 1, &err), CXN_E_IO);
    cxn_file_close(&f);
    cxn_file_close(&f);
}

static void test_times_have_nanoseconds_and_far_dates(void **state)
{
    (void)state;
    put("a", "");
    struct cxn_file_stamp stamp;
    struct cxn_error err;
    const struct timespec near[2] = { { 1, 0 }, { 1700000000, 123456789 } };
    assert_int_equal(utimensat(AT_FDCWD, "a", near, 0), 0);
    assert_int_equal(cxn_file_stamp("a", &stamp, &err), CXN_OK);
    assert_true(stamp.mtime_ns == INT64_C(1700000000123456789));
    assert_int_equal(stamp.size_bytes, 0);
    const struct timespec far[2] = { { 1, 0 }, { 15000000000, 5 } }; /* the year 2445 */
    assert_int_equal(utimensat(AT_FDCWD, "a", far, 0), 0);
    assert_int_equal(cxn_file_stamp("a", &stamp, &err), CXN_OK); /* no undefined overflow */
    assert_int_equal(cxn_file_stamp("missing", &stamp, &err), CXN_E_IO);
    assert_string_equal(err.text, "cannot examine 'missing': No such file or directory");
}

static void test_the_clock_runs(void **state)
{
    (void)state;
    const double start = cxn_clock_seconds();
    usleep(20000);
    const double seconds = cxn_clock_seconds() - start;
    assert_true(seconds >= 0.02 && seconds < 10);
}

/* The peak grows with what is touched, and is this program's own: a child that a large process
 * starts reports its own. main() below answers as that child. */
static void test_peak_memory_is_the_processs_own(void **state)
{
    (void)state;
    const size_t large = (size_t)96 << 20;
    char *p = mmap(NULL, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    memset(p, 1, large);
    assert_true(cxn_peak_rss_bytes() >= large);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "test", "peak-below-64-MiB", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    munmap(p, large);
#ifdef CXN_SANITIZED
    puts("skipped: peak memory of a child (a sanitizer's shadow memory counts)");
#else
    assert_int_equal(status, 0);
#endif
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "peak-below-64-MiB") == 0) {
        const size_t peak = cxn_peak_rss_bytes();
        return peak > 0 && peak < (size_t)64 << 20 ? 0 : 1;
    }
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, clean_folder, clean_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_written_is_read_back),
        IN_FOLDER(test_abort_leaves_everything_as_it_was),
        IN_FOLDER(test_two_writers_do_not_mix),
        IN_FOLDER(test_wrong_targets_are_refused_when_opening),
        IN_FOLDER(test_target_that_vanishes_meanwhile),
        IN_FOLDER(test_only_regular_files_are_read),
        IN_FOLDER(test_limits_come_before_memory),
        IN_FOLDER(test_a_file_that_shrinks_is_told),
        IN_FOLDER(test_times_have_nanoseconds_and_far_dates),
        cmocka_unit_test(test_the_clock_runs),
        cmocka_unit_test(test_peak_memory_is_the_processs_own),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
