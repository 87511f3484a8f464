/* SPDX-License-Identifier: Apache-2.0 */
/* The command: a table of verbs, each in a file of its own, all on the public headers alone. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_out.h"
#include "options.h"
#include "stop.h"

/* Each is defined in cmd_<name>.c. */
extern const struct command cmd_bench;
extern const struct command cmd_calibrate;
extern const struct command cmd_compare;
extern const struct command cmd_cpu;
extern const struct command cmd_export;
extern const struct command cmd_infer;
extern const struct command cmd_inspect;
extern const struct command cmd_optimize;
extern const struct command cmd_phantom;
extern const struct command cmd_predict;
extern const struct command cmd_prepare;
extern const struct command cmd_quantize;
extern const struct command cmd_selftest;
extern const struct command cmd_stats;
extern const struct command cmd_train;

/* In the order of a first use. */
const struct command *const commands[] = {
    &cmd_phantom,
    &cmd_stats,
    &cmd_prepare,
    &cmd_train,
    &cmd_infer,
    &cmd_predict,
    &cmd_compare,
    &cmd_optimize,
    &cmd_calibrate,
    &cmd_quantize,
    &cmd_selftest,
    &cmd_export,
    &cmd_bench,
    &cmd_inspect,
    &cmd_cpu,
    NULL,
};
const size_t command_count = sizeof commands / sizeof commands[0] - 1;

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static bool error_is_told;

void leave_error_to_others(void)
{
    error_is_told = true;
}

static int report(enum cxn_status status, const struct cxn_error *err)
{
    if (status != CXN_OK && !error_is_told) {
        fputs("chexnet: ", stderr);
        print_safe(stderr, err->text[0] ? err->text : cxn_status_name(status));
        fputc('\n', stderr);
    }
    return cxn_status_exit(status);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct cxn_error err = { "" };
    struct invocation inv;
    enum cxn_status status = invocation_open(&inv, command, argc, argv, &err);
    if (status == CXN_OK && opt_given(&inv, "help")) print_help(stdout, command);
    else if (status == CXN_OK) status = command->run(&inv, &err);
    if (status == CXN_OK) status = finish_stdout(&err);
    invocation_close(&inv);
    const int exit_status = report(status, &err);
    if (status == CXN_E_STOPPED) stop_by_signal();
    return exit_status;
}

/* Words that are not commands: questions about the program itself. */
static bool answer_about(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        print_overview(stdout);
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        printf("chexnet %s\n", cxn_version());
    else if (strcmp(word, "--man") == 0) print_man(stdout);
    else if (strcmp(word, "--completion") == 0) print_completion(stdout);
    else return false;
    return true;
}

/* A file opened while stdout is closed would take its number and receive what is printed; so the
 * number is taken here by something that cannot be written. A reader that went away is an error
 * like a full disk, after which temporary files are removed, not the end of the process; so is a
 * file that grows over RLIMIT_FSIZE. */
static void guard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0) _exit(1);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv)
{
    guard_streams();
    json_watch();
    struct cxn_error err = { "" };
    if (argc < 2) {
        print_overview(stderr);
        return cxn_status_exit(CXN_E_ARG);
    }
    const struct command *command = find_command(argv[1]);
    if (command) return run_command(command, argc - 1, argv + 1);
    if (answer_about(argv[1])) return report(finish_stdout(&err), &err);
    return report(usage_error(&err, "unknown command '%s' (see chexnet --help)", argv[1]), &err);
}
