/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: once on no bytes, then on each file of the folders given,
 * in the order of their names. Any compiler and sanitizer can so repeat the seeds and what once
 * failed. The name is printed first, so that the last line before a crash tells the input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    /* Exactly as long as the input, so that a sanitizer sees the first byte read beyond it. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    const int good = file && data && fread(data, 1, size, file) == size;
    if (file) fclose(file);
    if (good) {
        printf("%s\n", path);
        fflush(stdout);
        LLVMFuzzerTestOneInput(data, size);
    } else {
        fprintf(stderr, "replay: cannot read '%s'\n", path);
    }
    free(data);
    return good;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Files run, or -1 after an error. A folder that is not there holds no files. */
static long run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_visible, alphasort);
    long ran = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (ran < 0) continue;
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) continue;
        ran = run_file(path, (size_t)st.st_size) ? ran + 1 : -1;
    }
    free(entries);
    return ran;
}

int main(int argc, char **argv)
{
    long total = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        const long ran = run_folder(argv[i]);
        if (ran < 0) return 1;
        total += ran;
    }
    printf("%ld inputs\n", total);
    if (total > 0) return 0;
    fputs("replay: no input found; a target needs seeds in tests/fuzz/corpus/\n", stderr);
    return 1;
}
