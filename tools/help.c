/* SPDX-License-Identifier: Apache-2.0 */
/* Help, manual page and shell completion, all from the tables. */
#include <string.h>

#include "command.h"

enum { TEXT_BYTES = 256, COLUMNS = 80, HELP_COLUMN = 27 };

/* What an option is for, with all that its row says of its values. */
static void describe_option(const struct opt_row *r, char text[TEXT_BYTES])
{
    char room[CHOICES_BYTES];
    const char *choices = opt_choices(r, room);
    const bool any = choices[0] == '\0';
    snprintf(text, TEXT_BYTES, "%s%s%s%s%s%s%s%s%s", r->help, any ? "" : " (", choices,
             any ? "" : ")", r->initial ? " [" : "", r->initial ? r->initial : "",
             r->initial ? "]" : "", r->required ? " (needed)" : "",
             r->repeats ? " (may be repeated)" : "");
}

/* The cursor stands in HELP_COLUMN; lines that follow begin there too. */
static void print_wrapped(FILE *to, const char *text)
{
    const size_t room = COLUMNS - HELP_COLUMN;
    while (strlen(text) > room) {
        size_t n = room;
        while (n > 0 && text[n] != ' ') n--;
        if (n == 0) break; /* a word wider than the column stays whole */
        fprintf(to, "%.*s\n%*s", (int)n, text, HELP_COLUMN, "");
        text += n + 1;
    }
    fprintf(to, "%s\n", text);
}

static void print_row(FILE *to, const struct opt_row *r)
{
    char left[64], text[TEXT_BYTES], letter[] = { '-', r->letter, ',', ' ', '\0' };
    snprintf(left, sizeof left, "%s--%s%s%s", r->letter ? letter : "", r->name,
             r->value ? " " : "", r->value ? r->value : "");
    describe_option(r, text);
    fprintf(to, "  %-*s ", HELP_COLUMN - 3, left);
    print_wrapped(to, text);
}

static void print_rows(FILE *to, const struct opt_row *rows)
{
    for (; rows && rows->name; rows++) print_row(to, rows);
}

void print_overview(FILE *to)
{
    fprintf(to,
            "chexnet %s: chest X-rays in, 14 findings out\n\n"
            "usage: chexnet COMMAND [OPTION...] [OPERAND...]\n\n",
            cxn_version());
    for (size_t i = 0; i < command_count; i++)
        fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to,
            "\n`chexnet COMMAND --help` explains one, with an example. `chexnet --version` tells\n"
            "the version; --man and --completion print the manual page and that of bash.\n"
            "Exit status: 0 done, 1 internal failure, 2 usage, 3 wrong content or over a limit,\n"
            "4 file missing or not writable, 5 not enough memory, 6 peer process lost.\n\n"
            RESEARCH_USE "\n");
}

void print_help(FILE *to, const struct command *c)
{
    fprintf(to, "chexnet %s: %s\n\nusage: chexnet %s [OPTION...]%s%s\n", c->name, c->summary,
            c->name, c->operands ? " " : "", c->operands ? c->operands : "");
    if (c->details) fprintf(to, "\n%s\n", c->details);
    fputs("\noptions:\n", to);
    print_rows(to, c->options);
    print_rows(to, common_options);
    fprintf(to, "\nexample:\n  %s\n\n" RESEARCH_USE "\n", c->example);
}

/* roff treats backslashes, and dots or quotes that begin a line, as commands. */
static void print_roff(FILE *to, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", to);
        if (*text == '\\') fputs("\\e", to);
        else if (*text == '-') fputs("\\-", to);
        else fputc(*text, to);
        start = *text == '\n';
    }
}

static void print_man_rows(FILE *to, const struct opt_row *r)
{
    char text[TEXT_BYTES];
    for (; r && r->name; r++) {
        fputs(".TP\n.B ", to);
        if (r->letter) fprintf(to, "\\-%c, ", r->letter);
        print_roff(to, "--");
        print_roff(to, r->name);
        if (r->value) fprintf(to, " \\fI%s\\fR", r->value);
        fputc('\n', to);
        describe_option(r, text);
        print_roff(to, text);
        fputc('\n', to);
    }
}

void print_man(FILE *to)
{
    fprintf(to,
            ".TH CHEXNET 1 \"\" \"chexnet %s\"\n"
            ".SH NAME\nchexnet \\- chest X\\-ray classification\n"
            ".SH SYNOPSIS\n.B chexnet\n.I COMMAND\n[OPTION...] [OPERAND...]\n.SH COMMANDS\n",
            cxn_version());
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];
        fprintf(to, ".SS chexnet %s %s\n", c->name, c->operands ? c->operands : "");
        print_roff(to, c->summary);
        fputs(".\n.PP\n", to);
        if (c->details) print_roff(to, c->details);
        fputc('\n', to);
        print_man_rows(to, c->options);
        fputs(".PP\nExample:\n.nf\n", to);
        print_roff(to, c->example);
        fputs("\n.fi\n", to);
    }
    fputs(".SH COMMON OPTIONS\n", to);
    print_man_rows(to, common_options);
    fputs(".SH NOTES\n" RESEARCH_USE "\n", to);
}

static void print_words(FILE *to, const struct opt_row *r)
{
    for (; r && r->name; r++) fprintf(to, " --%s", r->name);
}

void print_completion(FILE *to)
{
    fputs("_chexnet() {\n    local words\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words='", to);
    for (size_t i = 0; i < command_count; i++) fprintf(to, "%s ", commands[i]->name);
    fputs("--help --version'\n    else\n        case ${COMP_WORDS[1]} in\n", to);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(to, "        %s) words='", commands[i]->name);
        print_words(to, commands[i]->options);
        print_words(to, common_options);
        fputs("' ;;\n", to);
    }
    fputs("        esac\n    fi\n"
          "    case ${COMP_WORDS[COMP_CWORD]} in\n"
          "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n"
          "    *) [ \"$COMP_CWORD\" -eq 1 ] &&\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n"
          "    esac\n}\ncomplete -o default -F _chexnet chexnet\n", to);
}
