/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli/cli.h - what the commands of `strads` share: their table, their arguments, a
 * configuration with its model program, and the exit codes.
 *
 * Every command is a function main calls with its own arguments, argv[0] being its
 * name; it returns the exit code. All of them answer --help.
 */
#ifndef STRADS_CLI_H
#define STRADS_CLI_H

#include "strads/run.h"

/* ---- exit codes ---- */

typedef enum cli_exit {
    CLI_DONE = 0,    /* the goal was met, or the command did what it was asked */
    CLI_FAILED = 1,  /* any failure that has no code of its own */
    CLI_USAGE = 2,   /* command line or configuration */
    CLI_DATA = 3,    /* content of an input file */
    CLI_IO = 4,      /* a file cannot be opened, read or written */
    CLI_NOMEM = 5,   /* out of memory */
    CLI_LIMIT = 6,   /* a limit ended the run before its goal */
    CLI_SIGNAL = 128 /* plus the number of the signal that ended the run */
} cli_exit;

/* The table behind `strads help`, docs/CONFIG.md and the man page. */
typedef struct cli_exit_row {
    int code;
    const char *meaning;
} cli_exit_row;

const cli_exit_row *cli_exit_rows(size_t *n);

int cli_exit_of(strads_status status);

/* ---- commands ---- */

typedef struct cli_command {
    const char *name;
    const char *help; /* one line */
    int (*run)(int argc, char **argv);
} cli_command;

const cli_command *cli_commands(size_t *n);
const cli_command *cli_command_find(const char *name); /* NULL: there is none */
const char *cli_command_nearest(const char *name);     /* NULL: nothing is close */

int cli_run(int argc, char **argv);
int cli_coordinator(int argc, char **argv);
int cli_worker(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_predict(int argc, char **argv);
int cli_generate(int argc, char **argv);
int cli_generate_ratings(int argc, char **argv); /* the kind of problem in argv[1] */
int cli_generate_lda(int argc, char **argv);
int cli_words(int argc, char **argv);
int cli_help(int argc, char **argv);

/* ---- arguments ---- */

/* A growing list of texts that are copied; {0} is an empty one. */
typedef struct cli_texts {
    char **items;
    size_t n, room;
} cli_texts;

STRADS_MUST_CHECK strads_status cli_texts_add(cli_texts *texts, const char *text, size_t n_bytes);
size_t cli_texts_find(const cli_texts *texts, const char *text); /* n: it is not there */
void cli_texts_clear(cli_texts *texts);
void cli_texts_fini(cli_texts *texts);

/* One --option. Exactly one of the targets is set, and says what the option takes;
 * a target keeps its value when the option is not given. */
typedef struct cli_flag {
    const char *name;  /* without the dashes */
    const char *value; /* what its argument is called in the help; NULL with `on` */
    const char *help;

    bool *on;
    const char **text;
    uint64_t *count; /* a whole number from min to max */
    double *real;    /* a finite number from min to max, below max where below_max */
    strads_config *config;
    cli_texts *texts; /* what it is given, each time */

    const char *key; /* with config and texts: stands for KEY=VALUE; NULL: takes it whole */
    double min, max;
    bool below_max;
    bool required;
} cli_flag;

enum { CLI_MAX_FLAGS = 16, CLI_MAX_OPERANDS = 2 };

typedef struct cli_usage {
    const char *command;
    const char *operands[CLI_MAX_OPERANDS]; /* what must be given, in order; "[X]": may be */
    const char *help;                       /* lines that end in newlines */
    const cli_flag *flags;
    size_t n_flags; /* <= CLI_MAX_FLAGS */
} cli_usage;

enum { CLI_GO_ON = -1 };

/* Fills the flags' targets and operands[CLI_MAX_OPERANDS]. Returns CLI_GO_ON, or the
 * code to exit with: --help was answered, or an error logged. */
int cli_parse(const cli_usage *usage, int argc, char **argv, const char **operands);

/* How much is said, by the options --quiet, --verbose and --trace. */
void cli_set_level(bool quiet, bool verbose, bool trace);

/* ---- a configuration and its app ---- */

typedef struct cli_session {
    strads_config *config;
    const strads_app *app;
} cli_session;

/* Makes an empty configuration, for the flags to write to. Pair with close. */
STRADS_MUST_CHECK strads_status cli_session_init(cli_session *session);

/* Sets every key=value of the texts. */
STRADS_MUST_CHECK strads_status cli_session_set(cli_session *session, const cli_texts *sets);

/* Loads the file, finds the app it names, and resolves the configuration. */
STRADS_MUST_CHECK strads_status cli_session_load(cli_session *session, const char *path);

/* The same with text in memory, which `name` stands for in messages. */
STRADS_MUST_CHECK strads_status cli_session_load_text(cli_session *session, const char *name,
                                                      const char *text);

/* Resolves the framework's keys alone; the session has no app. */
STRADS_MUST_CHECK strads_status cli_session_load_none(cli_session *session);

void cli_session_close(cli_session *session);

/* Runs the model program as a loaded session says; returns the exit code. */
int cli_solve(const cli_session *session, bool quiet);

/* ---- signals ---- */

/* From now on the first SIGINT, SIGTERM or SIGHUP (unless it is ignored, as by nohup) ends
 * what runs in good order, a second one at once; SIGUSR1 tells what is waited for. */
void cli_catch_signals(void);

/* The number of the one that came; 0: none did. */
int cli_caught_signal(void);

/* The built-in model programs, at most CLI_MAX_APPS. */
enum { CLI_MAX_APPS = 8 };
const strads_app *const *cli_apps(size_t *n);

#endif
