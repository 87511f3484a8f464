/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a training: who may begin, go on with and write one, and what is in it after. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/checkpoint_case.h"
#include "unit/unit.h"

static char parent[] = "/tmp/chexnet-run-XXXXXX";
static char folder[64], note[1024];
static struct checkpoint_case small;
static json_t *about;

static void keep_note(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(note, sizeof note, "%s", text);
}

static const struct cxn_log notes = { .write = keep_note };
static const struct cxn_env env = { .log = &notes };

static const char *in_run(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(in_run(name), &st) == 0;
}

static void remove_tree(const char *path)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static char *text_of(const char *name)
{
    struct cxn_bytes bytes;
    assert_int_equal(cxn_file_read(NULL, in_run(name), 1 << 20, &bytes, NULL), CXN_OK);
    char *text = strndup((const char *)bytes.data, bytes.size);
    cxn_free(bytes.data);
    return text;
}

static void put(const char *name, const char *text, const char *how)
{
    FILE *f = fopen(in_run(name), how);
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void flip_byte(const char *name)
{
    FILE *f = fopen(in_run(name), "r+b");
    assert_non_null(f);
    fseek(f, -5, SEEK_END);
    const int c = fgetc(f);
    fseek(f, -5, SEEK_END);
    fputc(c ^ 1, f);
    fclose(f);
}

/* ---- steps of the tests -------------------------------------------------------------------- */

static cxn_run *begin(void)
{
    cxn_run *run = NULL;
    struct cxn_error err = { "" };
    remove_tree(folder);
    if (cxn_run_create(&run, &env, folder, about, &err) != CXN_OK) fail_msg("%s", err.text);
    return run;
}

static cxn_run *go_on(void)
{
    cxn_run *run = NULL;
    struct cxn_json found;
    struct cxn_error err = { "" };
    if (cxn_run_resume(&run, &env, folder, &found, &err) != CXN_OK) fail_msg("%s", err.text);
    assert_true(json_equal(found.root, about));
    cxn_json_close(&found);
    return run;
}

static void add_line(cxn_run *run, uint64_t step)
{
    json_t *line = json_pack("{s:I}", "step", (json_int_t)step);
    assert_int_equal(cxn_run_log(run, line, NULL), CXN_OK);
    json_decref(line);
}

static void save(cxn_run *run, uint64_t step)
{
    struct cxn_error err = { "" };
    checkpoint_case_fill(&small, step);
    add_line(run, step);
    if (cxn_run_save(run, &small.content, &err) != CXN_OK) fail_msg("%s", err.text);
}

/* Loads, compares with what that step has, and says which it was; 0: none was found. */
static uint64_t load(cxn_run *run)
{
    struct cxn_checkpoint c;
    struct cxn_error err = { "" };
    bool found;
    note[0] = '\0';
    if (cxn_run_load(run, small.net, &c, &found, &err) != CXN_OK) fail_msg("%s", err.text);
    const uint64_t step = c.place.step;
    if (found) {
        checkpoint_case_fill(&small, step);
        const char *bad = checkpoint_case_compare(&small, &c);
        if (bad) fail_msg("%s", bad);
    }
    cxn_checkpoint_close(&c);
    return step;
}

static void check_log(const char *want)
{
    char *text = text_of("log.jsonl");
    assert_string_equal(text, want);
    free(text);
}

/* ---- beginning ---------------------------------------------------------------------------- */

static void check_create(enum cxn_status status, const char *sentence)
{
    cxn_run *run = NULL;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_run_create(&run, &env, folder, about, &err), status);
    assert_string_equal(err.text, sentence);
    assert_null(run);
}

static void test_create(void **state)
{
    (void)state;
    char sentence[256];
    cxn_run *run = begin();
    assert_true(is_there("run.json") && is_there("log.jsonl") && is_there("lock"));
    snprintf(sentence, sizeof sentence, "cannot write '%s': another process is training there",
             folder);
    check_create(CXN_E_IO, sentence);
    cxn_run_close(&run);
    assert_null(run);
    cxn_run_close(&run);
    static const char *const holds[] = { "run.json", "log.jsonl", "best.safetensors", "last",
                                         "before" };
    for (size_t i = 0; i < CXN_COUNTOF(holds); i++) {
        remove_tree(folder);
        assert_int_equal(mkdir(folder, 0777), 0);
        put(holds[i], "", "w");
        snprintf(sentence, sizeof sentence, "cannot write '%s': it holds a run already (%s); "
                                            "--resume goes on with it", folder, holds[i]);
        check_create(CXN_E_IO, sentence);
        assert_true(is_there(holds[i]));
        assert_false(is_there("lock"));
    }
    remove_tree(folder);
    assert_int_equal(mkdir(folder, 0777), 0);
    put("last.safetensors.tmp", "mine", "w"); /* a name that a run has leftovers of */
    snprintf(sentence, sizeof sentence, "cannot write '%s': it holds no run, and is not empty "
                                        "('last.safetensors.tmp')", folder);
    check_create(CXN_E_IO, sentence);
    assert_true(is_there("last.safetensors.tmp"));
    assert_false(is_there("lock"));
    unlink(in_run("last.safetensors.tmp"));
    put("lock", "", "w"); /* an empty folder serves; so does one that only a lock was left in */
    assert_int_equal(cxn_run_create(&run, &env, folder, about, NULL), CXN_OK);
    cxn_run_close(&run);
    remove_tree(folder);
}

static void test_create_refused(void **state)
{
    (void)state;
    char sentence[256], deep[96];
    struct cxn_error err = { "" };
    cxn_run *run = NULL;
    remove_tree(folder);
    snprintf(deep, sizeof deep, "%s/none/run", parent);
    snprintf(sentence, sizeof sentence, "cannot make '%s': No such file or directory", deep);
    assert_int_equal(cxn_run_create(&run, &env, deep, about, &err), CXN_E_IO);
    assert_string_equal(err.text, sentence);
    /* A run.json that cannot be written leaves nothing, the folder neither. */
    assert_int_equal(cxn_run_create(&run, &env, folder, NULL, &err), CXN_E_ARG);
    assert_false(is_there("."));
    FILE *f = fopen(folder, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(cxn_run_create(&run, &env, folder, about, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "Not a directory"));
    unlink(folder);
}

static void test_resume_refused(void **state)
{
    (void)state;
    struct cxn_json found;
    struct cxn_error err = { "" };
    cxn_run *run = NULL;
    remove_tree(folder);
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(cxn_run_resume(&run, &env, folder, &found, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "run.json': No such file or directory"));
    assert_false(is_there("lock")); /* nothing is left in a folder that is no run */
    run = begin();
    cxn_run_close(&run);
    char *text = text_of("run.json");
    for (size_t n = 0; n + 1 < strlen(text); n++) { /* without its last LF it is whole */
        char part[256];
        snprintf(part, sizeof part, "%.*s", (int)n, text);
        put("run.json", part, "w");
        assert_int_equal(cxn_run_resume(&run, &env, folder, &found, &err), CXN_E_FORMAT);
        assert_non_null(strstr(err.text, "/run.json: JSON: "));
        assert_null(run);
    }
    free(text);
    put("run.json", "{}", "w");
    unlink(in_run("log.jsonl"));
    assert_int_equal(symlink("/dev/null", in_run("log.jsonl")), 0);
    assert_int_equal(cxn_run_resume(&run, &env, folder, &found, &err), CXN_E_IO);
    assert_non_null(strstr(err.text, "log.jsonl'"));
}

/* ---- going on ------------------------------------------------------------------------------ */

static void test_log(void **state)
{
    (void)state;
    cxn_run *run = begin();
    add_line(run, 1);
    assert_int_equal(cxn_run_log(run, NULL, NULL), CXN_E_ARG);
    save(run, 2);
    add_line(run, 3);
    cxn_run_close(&run);
    put("log.jsonl", "{\"step\":4,\"lo", "a"); /* as a killed writer leaves it */
    run = go_on();
    assert_int_equal(load(run), 2);
    assert_string_equal(note, "");
    check_log("{\"step\":1}\n{\"step\":2}\n");
    add_line(run, 3);
    save(run, 4);
    check_log("{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
    cxn_run_close(&run);
    /* Changed by others: told, and continued behind the last whole line. */
    put("log.jsonl", "{\"step\":1}\n{\"st", "w");
    run = go_on();
    assert_int_equal(load(run), 4);
    assert_non_null(strstr(note, "log.jsonl: no line ends at byte 44, as the checkpoint has it; "
                                 "going on behind byte 11 of 15"));
    check_log("{\"step\":1}\n");
    cxn_run_close(&run);
    put("log.jsonl", "{\"step\":1}\n{\"steps\":\"no line ends at byte 44\"}\n{\"step\":9}\n", "w");
    run = go_on();
    assert_int_equal(load(run), 4);
    check_log("{\"step\":1}\n"); /* and nothing of what stands behind */
    cxn_run_close(&run);
    put("log.jsonl", "no line at all", "w");
    run = go_on();
    assert_int_equal(load(run), 4);
    check_log("");
    save(run, 5);
    cxn_run_close(&run);
    unlink(in_run("log.jsonl"));
    run = go_on();
    assert_int_equal(load(run), 5);
    assert_non_null(strstr(note, "no line ends at byte 11"));
    cxn_run_close(&run);
}

static void test_before_the_first_checkpoint(void **state)
{
    (void)state;
    cxn_run *run = begin();
    add_line(run, 1);
    cxn_run_close(&run);
    run = go_on();
    assert_int_equal(load(run), 0);
    check_log("");
    save(run, 1);
    assert_false(is_there("before"));
    assert_int_equal(load(run), 1);
    save(run, 2);
    assert_true(is_there("before"));
    assert_int_equal(load(run), 2);
    cxn_run_close(&run);
}

static void test_broken_last(void **state)
{
    (void)state;
    static const char *const files[] = { "last/SHA256SUMS", "last/state.json",
                                         "last/moments.safetensors", "last/average.safetensors",
                                         "last/weights.safetensors" };
    for (size_t i = 0; i < CXN_COUNTOF(files); i++) {
        cxn_run *run = begin();
        save(run, 1);
        save(run, 2);
        cxn_run_close(&run);
        if (i % 2 == 0) flip_byte(files[i]);
        else assert_int_equal(truncate(in_run(files[i]), 100), 0);
        run = go_on();
        assert_int_equal(load(run), 1);
        assert_non_null(strstr(note, files[i]));
        assert_non_null(strstr(note, "/before, step 1"));
        check_log("{\"step\":1}\n");
        /* The broken one does not take the place of the whole one. */
        save(run, 3);
        assert_int_equal(load(run), 3);
        cxn_run_close(&run);
        flip_byte("last/state.json");
        run = go_on();
        assert_int_equal(load(run), 1);
        save(run, 4);
        save(run, 5);
        cxn_run_close(&run);
        flip_byte("last/state.json");
        run = go_on();
        assert_int_equal(load(run), 4);
        cxn_run_close(&run);
    }
}

static void test_both_broken(void **state)
{
    (void)state;
    cxn_run *run = begin();
    struct cxn_checkpoint c;
    struct cxn_error err = { "" };
    bool found;
    save(run, 1);
    flip_byte("last/weights.safetensors");
    assert_int_equal(cxn_run_load(run, small.net, &c, &found, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "/last/weights.safetensors: SHA-256 is "));
    assert_false(found);
    save(run, 2);
    flip_byte("last/state.json");
    flip_byte("before/state.json");
    assert_int_equal(cxn_run_load(run, small.net, &c, &found, &err), CXN_E_FORMAT);
    assert_non_null(strstr(err.text, "/last/state.json: SHA-256 is "));
    check_log("{\"step\":1}\n{\"step\":2}\n"); /* not cut */
    cxn_run_close(&run);
}

/* What killed writers leave is removed at the next start; what others put there is not. */
static void test_leftovers(void **state)
{
    (void)state;
    cxn_run *run = begin();
    save(run, 1);
    cxn_run_close(&run);
    put("best.safetensors.123-0.tmp", "x", "w");
    put("run.json.77-3.tmp", "x", "w");
    put("mine.tmp", "x", "w");
    put("lastly.tmp", "x", "w");
    assert_int_equal(mkdir(in_run("last.tmp"), 0777), 0);
    put("last.tmp/weights.safetensors.1-0.tmp", "x", "w");
    assert_int_equal(mkdir(in_run("before.tmp"), 0777), 0);
    assert_int_equal(symlink("/etc/passwd", in_run("before.tmp/state.json")), 0);
    run = go_on();
    assert_false(is_there("best.safetensors.123-0.tmp") || is_there("run.json.77-3.tmp"));
    assert_false(is_there("last.tmp") || is_there("before.tmp"));
    assert_true(is_there("mine.tmp") && is_there("lastly.tmp"));
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    assert_int_equal(load(run), 1);
    cxn_run_close(&run);
}

static void test_best(void **state)
{
    (void)state;
    static const struct cxn_out_pair metadata[] = { { "classes", "a,b" } };
    cxn_run *run = begin();
    struct cxn_error err = { "" };
    struct cxn_tensors list;
    struct cxn_bytes bytes;
    assert_int_equal(cxn_run_save_best(run, small.net, &small.content.weights, metadata, 1, &err),
                     CXN_OK);
    assert_int_equal(cxn_file_read(NULL, in_run("best.safetensors"), 1 << 20, &bytes, NULL),
                     CXN_OK);
    const struct cxn_source source = cxn_source_memory(bytes.data, bytes.size);
    assert_int_equal(cxn_tensors_open(&list, NULL, &source, NULL), CXN_OK);
    assert_int_equal(list.pair_count, 1);
    assert_string_equal(cxn_tensors_text(&list, list.pairs[0].value_at), "a,b");
    cxn_tensors_close(&list);
    cxn_free(bytes.data);
    struct cxn_span wrong = small.content.weights;
    wrong.count = 7;
    assert_int_equal(cxn_run_save_best(run, small.net, &wrong, NULL, 0, &err), CXN_E_ARG);
    /* The checkpoint knows the best by its hash: one that is gone, or is another, is told. */
    save(run, 1);
    cxn_run_close(&run);
    run = go_on();
    assert_int_equal(load(run), 1);
    assert_string_equal(note, "");
    save(run, 2);
    cxn_run_close(&run);
    put("best.safetensors", "x", "a");
    run = go_on();
    assert_int_equal(load(run), 2); /* the hash went on from the checkpoint before */
    assert_non_null(strstr(note, "/best.safetensors: SHA-256 is "));
    cxn_run_close(&run);
    unlink(in_run("best.safetensors"));
    run = go_on();
    assert_int_equal(load(run), 2);
    assert_non_null(strstr(note, "/best.safetensors: missing, the checkpoint tells of one; "));
    cxn_run_close(&run);
}

/* ---- memory -------------------------------------------------------------------------------- */

static enum cxn_status whole_life(struct cxn_mem *mem)
{
    const struct cxn_env limited = { .mem = mem };
    cxn_run *run = NULL;
    struct cxn_json found = { 0 };
    struct cxn_checkpoint c = { 0 };
    bool there;
    remove_tree(folder);
    enum cxn_status status = cxn_run_create(&run, &limited, folder, about, NULL);
    if (status == CXN_OK) status = cxn_run_save(run, &small.content, NULL);
    cxn_run_close(&run);
    if (status == CXN_OK) status = cxn_run_resume(&run, &limited, folder, &found, NULL);
    if (status == CXN_OK) status = cxn_run_load(run, small.net, &c, &there, NULL);
    if (status == CXN_OK) status = cxn_run_save(run, &small.content, NULL);
    cxn_checkpoint_close(&c);
    cxn_json_close(&found);
    cxn_run_close(&run);
    return status;
}

static void test_memory_faults(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        enum cxn_status status = CXN_E_NOMEM;
        size_t at = 1;
        for (; status != CXN_OK; at++) {
            struct cxn_mem mem;
            cxn_mem_init(&mem, 0);
            mem.fail_at = at;
            mem.fail_after = after == 1;
            status = whole_life(&mem);
            assert_int_equal(mem.blocks, 0);
            assert_true(status == CXN_E_NOMEM || status == CXN_OK);
            assert_false(is_there("last.tmp"));
        }
        assert_true(at > 30);
    }
}

/* ---- what others do to the folder --------------------------------------------------------- */

/* The name of the lock is all that others can take away: it is taken anew, or another has it. */
static void test_removed_lock(void **state)
{
    (void)state;
    char sentence[256];
    struct cxn_json found;
    struct cxn_error err = { "" };
    cxn_run *run = begin(), *other = NULL;
    snprintf(sentence, sizeof sentence, "cannot write '%s': another process is training there",
             folder);
    assert_int_equal(unlink(in_run("lock")), 0);
    save(run, 1);
    assert_int_equal(cxn_run_resume(&other, &env, folder, &found, &err), CXN_E_IO);
    assert_string_equal(err.text, sentence);
    assert_int_equal(unlink(in_run("lock")), 0);
    other = go_on();
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(cxn_run_save(run, &small.content, &err), CXN_E_IO);
        assert_string_equal(err.text, sentence);
        assert_int_equal(cxn_run_log(run, about, &err), CXN_E_IO);
    }
    cxn_run_close(&run);
    save(other, 2);
    assert_int_equal(load(other), 2);
    cxn_run_close(&other);
}

/* As notebooks, file managers and file servers put into folders that they show. */
static void test_folders_of_others(void **state)
{
    (void)state;
    cxn_run *run = begin();
    for (uint64_t step = 1; step <= 5; step++) {
        save(run, step);
        assert_int_equal(mkdir(in_run("last/.hidden"), 0777), 0);
        assert_int_equal(mkdir(in_run("last/.hidden/deeper"), 0777), 0);
        put("last/.hidden/deeper/file", "text", "w");
    }
    cxn_run_close(&run);
    assert_false(is_there("before.tmp") || is_there("last.tmp"));
    run = go_on();
    assert_int_equal(load(run), 5);
    cxn_run_close(&run);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(parent)) return -1;
    snprintf(folder, sizeof folder, "%s/run", parent);
    about = json_pack("{s:s, s:[i, f], s:{s:s}}", "lr", "1e-4", "a", 1, 0.25, "build", "cc", "gcc");
    return about && checkpoint_case_open(&small, &checkpoint_config, CXN_NUMBER_F32, 5) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(about);
    checkpoint_case_close(&small);
    remove_tree(parent);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),      cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_resume_refused), cmocka_unit_test(test_log),
        cmocka_unit_test(test_before_the_first_checkpoint),
        cmocka_unit_test(test_broken_last), cmocka_unit_test(test_both_broken),
        cmocka_unit_test(test_leftovers),   cmocka_unit_test(test_best),
        cmocka_unit_test(test_removed_lock), cmocka_unit_test(test_folders_of_others),
        cmocka_unit_test(test_memory_faults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
