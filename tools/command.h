/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_COMMAND_H
#define CXN_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <chexnet/chexnet.h>

/* ---- the tables --------------------------------------------------------------------------- */

/* One option of a command. The same row parses it and writes help, man page and completion. */
struct opt_row {
    const char *name;    /* without the dashes */
    char letter;         /* a short form of it; 0: none */
    const char *value;   /* name of its value in the help, NULL for a switch */
    const char *choices; /* "ten|center": what it may be; NULL: anything, or what list_choices()
                            writes where the library knows them; room for CHOICES_BYTES */
    void (*list_choices)(char *choices);
    const char *initial; /* value when it is not given, NULL: none */
    const char *help;    /* one line, no full stop */
    bool repeats;        /* may be given several times */
    bool required;
};

enum { OPT_ROWS_MAX = 48, CHOICES_BYTES = 128 };

/* What the option may be, "" for anything: the row's choices, or those listed into `room`. */
const char *opt_choices(const struct opt_row *row, char room[CHOICES_BYTES]);

struct invocation;

struct command {
    const char *name;
    const char *summary;  /* one line for the list of commands */
    const char *operands; /* e.g. "MODEL FILE...", NULL for none */
    int operands_min, operands_max; /* -1: any number */
    const char *details;  /* paragraphs of the help; may be NULL */
    const char *example;  /* one or more full command lines */
    const struct opt_row *options; /* ends with a zeroed row; common options are added */
    enum cxn_status (*run)(const struct invocation *inv, struct cxn_error *err);
};

extern const struct command *const commands[]; /* ends with NULL */
extern const size_t command_count;

/* ---- what a command sees ------------------------------------------------------------------ */

struct invocation {
    const struct command *command;
    char **operands;
    int operand_count;
    struct opt_values *values;
};

/* The value given last, or the row's initial value; NULL where there is neither. */
const char *opt_text(const struct invocation *inv, const char *name);
bool opt_given(const struct invocation *inv, const char *name);
/* All values of an option that repeats, in order. */
size_t opt_all(const struct invocation *inv, const char *name, const char *const **values);

/* Whole values only, within lo..hi; CXN_E_ARG with a text otherwise. *out keeps its value where
 * the option is not given and has no initial value. */
enum cxn_status opt_u64(const struct invocation *inv, const char *name, uint64_t lo, uint64_t hi,
                        uint64_t *out, struct cxn_error *err);

enum cxn_status opt_double(const struct invocation *inv, const char *name, double lo, double hi,
                           double *out, struct cxn_error *err);

/* Write the sentence and hand the code back, for errors of the command line itself. */
enum cxn_status usage_error(struct cxn_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A context from the common options --threads, --memory-limit and --cpu; its notes go to stderr. */
enum cxn_status open_context(const struct invocation *inv, cxn_context **ctx,
                             struct cxn_error *err);

/* ---- help (help.c) ------------------------------------------------------------------------ */

void print_overview(FILE *to);
void print_help(FILE *to, const struct command *command);
void print_man(FILE *to);
void print_completion(FILE *to); /* bash */

/* Options that every command has; they follow the command's own. */
extern const struct opt_row common_options[];

/* ---- output (output.c) -------------------------------------------------------------------- */

/* The error that this command returns is printed by another process of its job: not here too. */
void leave_error_to_others(void);

/* As every output ends, and every JSON object says. */
#define RESEARCH_USE "Research use only, not a medical device."

/* A stranger's text: control characters, which a terminal obeys, are written as \xNN. */
void print_safe(FILE *to, const char *text);

/* A line that is rewritten in place, on stderr, and only where that is a terminal. */
struct progress {
    bool on;
    double started, shown; /* seconds */
};
void progress_start(struct progress *p);
/* "12 of 850 images, 3.1 images/s, 4:30 left" and what the caller adds; at most ten times a
 * second. */
void progress_show(struct progress *p, size_t done, size_t total, double images_per_second,
                   const char *more);
/* "bench: 40 %" the same way, where the work has no images to count. */
void progress_share(struct progress *p, const char *what, double share);
/* Any other line the same way. */
void progress_line(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void progress_end(struct progress *p); /* clears the line */
double progress_seconds(const struct progress *p);

/* Ends stdout: CXN_E_IO when anything written to it was lost (a full disk, a closed pipe). */
enum cxn_status finish_stdout(struct cxn_error *err);

#endif
