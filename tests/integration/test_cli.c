/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_cli.c - the real command, driven as a user drives it.
 *
 * STRADS_BIN names the binary. Every case runs in one temporary folder that holds a
 * small generated problem, small.libsvm, and a configuration for it, small.yaml.
 */
#define _XOPEN_SOURCE 700 /* realpath, posix_openpt */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/suite.h"

enum { TEXT_BYTES = 1 << 16, COMMAND_BYTES = 4096 };

static const char small_config[] = "app: lasso\n"
                                   "data:\n"
                                   "  path: small.libsvm\n"
                                   "lasso:\n"
                                   "  lambda_ratio: 0.1\n"
                                   "run:\n"
                                   "  workers: 2\n";

/* What the last strads() left. */
static char out[TEXT_BYTES], err[TEXT_BYTES];

static void slurp(const char *name, char text[TEXT_BYTES])
{
    char path[COMMAND_BYTES];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    FILE *file = fopen(path, "r");
    const size_t n = file != NULL ? fread(text, 1, TEXT_BYTES - 1, file) : 0;
    text[n] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

static bool exists(const char *name)
{
    char path[COMMAND_BYTES];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return access(path, F_OK) == 0;
}

static const char *binary(void)
{
    static char path[COMMAND_BYTES];
    const char *named = getenv("STRADS_BIN");
    if (path[0] == '\0' && (named == NULL || realpath(named, path) == NULL)) {
        fprintf(stderr, "STRADS_BIN must name the strads command\n");
        exit(2);
    }
    return path;
}

/* Runs "strads ARGUMENTS" through the shell in the folder; returns its exit code. */
static STRADS_PRINTF(1, 2) int strads(const char *arguments, ...)
{
    char given[COMMAND_BYTES / 2], command[2 * COMMAND_BYTES];
    va_list list;
    va_start(list, arguments);
    vsnprintf(given, sizeof(given), arguments, list);
    va_end(list);
    snprintf(command, sizeof(command), "cd %s && { %s %s; } >out.txt 2>err.txt </dev/null",
             suite_folder(), binary(), given);
    const int status = system(command);
    slurp("out.txt", out);
    slurp("err.txt", err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Makes the problem and its configuration, once. */
static void set_up(void)
{
    if (!exists("small.yaml")) {
        REQUIRE(strads("generate lasso --rows 60 --cols 200 --entries 20 --informative 5"
                       " --correlation 0.3 --out small") == 0);
        REQUIRE(exists("small.libsvm"));
        strads_free(suite_file("small.yaml", small_config));
    }
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == '\n' ? 1 : 0;
    }
    return n;
}

#define CHECK_HAS(text, part) CHECK(strstr((text), (part)) != NULL)
#define CHECK_LACKS(text, part) CHECK(strstr((text), (part)) == NULL)

/* ---- help ---- */

static void help_lists_every_command_and_every_exit_code(void)
{
    static const char *const parts[] = {"run ",  "check ",   "predict ", "generate ", "words ",
                                        "help ", "version ", "130 ",     "143 "};
    CHECK(strads("help") == 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        CHECK_HAS(out, parts[i]);
    }
    CHECK(strads("--help") == 0);
    CHECK_HAS(out, "usage: strads COMMAND");
    CHECK_TEXT(err, "");
}

static void every_command_explains_itself(void)
{
    static const char *const names[] = {"run",   "check", "predict", "generate",
                                        "words", "help",  "version"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "usage: strads %s", names[i]);
        CHECK(strads("%s --help", names[i]) == 0);
        CHECK(strncmp(out, usage, strlen(usage)) == 0);
        static char asked[TEXT_BYTES];
        memcpy(asked, out, sizeof(asked));
        CHECK(strads("help %s", names[i]) == 0);
        CHECK_TEXT(out, asked);
    }
}

static void help_explains_a_key_a_section_and_all_keys(void)
{
    CHECK(strads("help lasso.lambda") == 0);
    CHECK_HAS(out, "lasso.lambda: ");
    CHECK(strads("help stop") == 0);
    CHECK_HAS(out, "stop.gap: ");
    CHECK_HAS(out, "stop.rounds: ");
    CHECK(strads("help keys") == 0);
    CHECK_HAS(out, "app: ");
    CHECK_HAS(out, "data.path: ");
    CHECK(strads("help lasso.lamda") == 2);
    CHECK_HAS(err, "did you mean lasso.lambda?");
    CHECK(count_lines(err) == 1);
}

static void help_prints_the_page_of_all_keys(void)
{
    CHECK(strads("help --markdown") == 0);
    CHECK(strncmp(out, "# Configuration", 15) == 0);
    CHECK_HAS(out, "`schedule.rho`");
    CHECK_HAS(out, "`lasso.l1_ratio`");
    CHECK_HAS(out, "| 6 | ");
}

static void version_is_one_line(void)
{
    CHECK(strads("version") == 0);
    CHECK(strncmp(out, "strads ", 7) == 0 && count_lines(out) == 1);
    CHECK(strads("--version") == 0);
    CHECK(strncmp(out, "strads ", 7) == 0);
}

/* Checks that the manual has the option of each line "  --name ..." in `help`. */
static void check_options(char *help, const char *manual)
{
    for (char *line = strtok(help, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char name[64], wanted[80];
        if (sscanf(line, "  --%63s", name) == 1) {
            snprintf(wanted, sizeof(wanted), "Fl Fl %s", name);
            CHECK_HAS(manual, wanted);
        }
    }
}

static void the_manual_knows_every_command_option_and_exit_code(void)
{
    static const char *const names[] = {"run", "check", "predict", "generate", "words", "help"};
    static char manual[TEXT_BYTES];
    FILE *file = fopen("docs/strads.1", "r");
    REQUIRE(file != NULL);
    manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), ".It Cm %s", names[i]);
        CHECK_HAS(manual, wanted);
        CHECK(strads("%s --help", names[i]) == 0);
        check_options(out, manual);
    }
    CHECK(strads("help") == 0);
    char *codes = strstr(out, "exit codes:\n");
    REQUIRE(codes != NULL);
    strtok(codes, "\n");
    for (const char *line; (line = strtok(NULL, "\n")) != NULL;) {
        char wanted[128];
        int code = 0, meaning = 0;
        REQUIRE(sscanf(line, "%d %n", &code, &meaning) == 1);
        snprintf(wanted, sizeof(wanted), ".It %d\n%s\n", code, line + meaning);
        CHECK_HAS(manual, wanted);
    }
}

/* ---- refusals ---- */

/* Each is refused with one line that has the given part. */
static void wrong_command_lines_are_refused_in_one_line(void)
{
    static const struct {
        const char *arguments, *part;
        int code;
    } cases[] = {
        {"", "no command", 2},
        {"rnu", "rnu: unknown command, did you mean run?", 2},
        {"xyzzy", "xyzzy: unknown command", 2},
        {"help rn", "did you mean run?", 2},
        {"run", "CONFIG is missing", 2},
        {"run a b", "'b' is one argument too many", 2},
        {"run small.yaml --quite", "unknown option --quite, did you mean --quiet?", 2},
        {"run small.yaml --zzz", "unknown option --zzz", 2},
        {"run small.yaml -x", "unknown option -x", 2},
        {"run small.yaml --workers", "--workers needs a value", 2},
        {"run small.yaml --quiet=3", "--quiet takes no value", 2},
        {"run small.yaml --quiet --verbose", "contradict", 2},
        {"run small.yaml --workers x", "run.workers: 'x'", 2},
        {"run small.yaml --set lasso.lamda=1", "did you mean lasso.lambda?", 2},
        {"run small.yaml --set stop.gap=-1", "stop.gap: '-1'", 2},
        {"run small.yaml --set nonsense", "'nonsense'", 2},
        {"run small.yaml --set app=laso", "'laso'", 2},
        {"run small.yaml --set app=", "app: ", 2},
        {"run small.yaml --set app=./none.so", "none.so", 4},
        {"run none.yaml", "none.yaml", 4},
        {"check none.yaml", "none.yaml", 4},
        {"check", "CONFIG is missing", 2},
        {"predict small", "DATA is missing", 2},
        {"predict none small.libsvm", "none/config.yaml", 4},
        {"generate ridge --rows 3 --cols 3 --out x", "'ridge'", 2},
        {"generate lasso --cols 3 --out x", "--rows N is missing", 2},
        {"generate lasso --rows 0 --cols 3 --out x", "--rows: '0'", 2},
        {"generate lasso --rows -3 --cols 3 --out x", "--rows: '-3'", 2},
        {"generate lasso --rows 3x --cols 3 --out x", "--rows: '3x'", 2},
        {"generate lasso --rows 99999999999999999999 --cols 3 --out x", "--rows: '9999", 2},
        {"generate lasso --rows 3 --cols 3 --out x --correlation 1", "--correlation: '1'", 2},
        {"generate lasso --rows 3 --cols 3 --out x --noise nan", "--noise: 'nan'", 2},
        {"generate lasso --rows 3 --cols 3 --out x --format npz", "'npz'", 2},
        {"generate lasso --rows 3 --cols 3 --out x --entries 1 --format npy", "dense", 2},
        {"generate lasso --rows 3 --cols 3 --out none/x", "none/x", 4},
        {"words none.txt --out x", "none.txt", 4},
    };
    set_up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int code = strads("%s", cases[i].arguments);
        const bool as_it_should =
            code == cases[i].code && strstr(err, cases[i].part) != NULL && count_lines(err) == 1;
        CHECK(as_it_should);
        if (!as_it_should) {
            fprintf(stderr, "strads %s: exit code %d, said: %s\n", cases[i].arguments, code, err);
        }
        CHECK_TEXT(out, "");
    }
}

static void bad_data_and_output_have_exit_codes_of_their_own(void)
{
    set_up();
    strads_free(suite_file("bad.libsvm", "1 1:2\n1 2:x\n"));
    CHECK(strads("run small.yaml --out bad --set data.path=bad.libsvm") == 3);
    CHECK_HAS(err, "bad.libsvm:2");
    CHECK(count_lines(err) == 1);
    strads_free(suite_file("file", "not a folder\n"));
    CHECK(strads("run small.yaml --quiet --out file/below") == 4);
    CHECK_HAS(err, "file/below");
    CHECK(count_lines(err) == 1);
    CHECK(strads("help >/dev/full") == 4);
    CHECK_HAS(err, "standard output");
}

/* ---- running ---- */

static void a_run_tells_what_came_out_and_where_it_is(void)
{
    set_up();
    CHECK(strads("run small.yaml --out run1") == 0);
    CHECK_HAS(out, "lasso converged");
    CHECK_HAS(out, "relative, the goal is 1e-06");
    CHECK_HAS(out, "of 200 values are not zero");
    CHECK_HAS(out, "strads predict run1 DATA");
    CHECK_LACKS(err, "\033");
    CHECK_LACKS(err, "error");
    static char summary[TEXT_BYTES];
    slurp("run1/summary.json", summary);
    CHECK_HAS(summary, "\"converged\"");
    CHECK(exists("run1/config.yaml"));
    CHECK(exists("run1/journal.jsonl"));
    CHECK(exists("run1/coefficients.csv"));
    CHECK(exists("run1/coefficients.npy"));
}

static void a_quiet_run_says_nothing(void)
{
    set_up();
    CHECK(strads("run small.yaml --quiet --out quiet") == 0);
    CHECK_TEXT(out, "");
    CHECK_TEXT(err, "");
    CHECK(exists("quiet/summary.json"));
}

static void a_limit_before_the_goal_has_its_exit_code(void)
{
    set_up();
    CHECK(strads("run small.yaml --out limited --set stop.rounds=1 --set schedule.round=1") == 6);
    CHECK_HAS(out, "stopped: a limit");
    static char summary[TEXT_BYTES];
    slurp("limited/summary.json", summary);
    CHECK_HAS(summary, "\"stopped\"");
}

static void the_configuration_printed_loads_to_itself(void)
{
    set_up();
    CHECK(strads("run small.yaml --print-config --workers 3 --set stop.gap=1e-7 --out run2") == 0);
    CHECK_HAS(out, "workers: 3");
    CHECK_HAS(out, "run2");
    CHECK(!exists("run2"));
    static char printed[TEXT_BYTES];
    memcpy(printed, out, sizeof(printed));
    strads_free(suite_file("printed.yaml", printed));
    CHECK(strads("run printed.yaml --print-config") == 0);
    CHECK_TEXT(out, printed);
}

static void check_estimates_the_memory_without_running(void)
{
    set_up();
    CHECK(strads("check small.yaml --set run.out=run3") == 0);
    CHECK_HAS(out, "memory: about ");
    CHECK_HAS(out, "small.yaml: in order");
    CHECK(!exists("run3"));
    CHECK(strads("check small.yaml --set data.path=none.libsvm") == 4);
    CHECK_HAS(err, "none.libsvm");
}

static void predict_applies_the_model_of_a_run(void)
{
    set_up();
    REQUIRE(strads("run small.yaml --quiet --out model") == 0);
    CHECK(strads("predict model small.libsvm") == 0);
    CHECK(count_lines(out) == 60);
    static char to_stdout[TEXT_BYTES], to_file[TEXT_BYTES];
    memcpy(to_stdout, out, sizeof(to_stdout));
    CHECK(strads("predict model small.libsvm --out predicted.txt") == 0);
    CHECK_TEXT(out, "");
    slurp("predicted.txt", to_file);
    CHECK_TEXT(to_file, to_stdout);
    CHECK(strads("predict model none.libsvm --out nothing.txt") == 4);
    CHECK(!exists("nothing.txt"));
}

/* ---- making problems ---- */

static void generate_writes_every_format_and_the_same_twice(void)
{
    static char first[TEXT_BYTES], second[TEXT_BYTES];
    const char *sparse = "generate lasso --rows 20 --cols 8 --entries 4 --seed 7";
    const char *dense = "generate lasso --rows 20 --cols 8 --correlation 0.5";
    CHECK(strads("%s --out a", sparse) == 0);
    CHECK(exists("a.libsvm") && exists("a.coefficients.npy"));
    CHECK(strads("%s --out b", sparse) == 0);
    slurp("a.libsvm", first);
    slurp("b.libsvm", second);
    CHECK_TEXT(first, second);
    CHECK(count_lines(first) == 20);
    CHECK(strads("%s --out c --format matrix_market", sparse) == 0);
    CHECK(exists("c.mtx") && exists("c.y.npy") && exists("c.coefficients.npy"));
    CHECK(strads("%s --out d --format npy", dense) == 0);
    CHECK(exists("d.npy") && exists("d.y.npy") && exists("d.coefficients.npy"));
}

static void every_generated_format_leads_to_the_same_model(void)
{
    static const char *const runs[] = {"e.libsvm", "e.mtx --set data.y=e.y.npy",
                                       "e.npy --set data.y=e.y.npy"};
    static const char *const formats[] = {"libsvm", "matrix_market", "npy"};
    static char models[3][TEXT_BYTES];
    set_up();
    for (size_t i = 0; i < 3; i++) {
        CHECK(strads("generate lasso --rows 20 --cols 8 --out e --format %s", formats[i]) == 0);
        CHECK(strads("run small.yaml --quiet --workers 1 --out e%zu --set data.path=%s", i,
                     runs[i]) == 0);
        char name[64];
        snprintf(name, sizeof(name), "e%zu/coefficients.csv", i);
        slurp(name, models[i]);
        CHECK(count_lines(models[i]) > 1);
    }
    CHECK_TEXT(models[1], models[0]);
    CHECK_TEXT(models[2], models[0]);
}

static void words_turns_lines_into_a_problem(void)
{
    strads_free(suite_file("lines.txt", "1\tRed fox\n2\tred dog\n3\tA fox, a dog\n"));
    CHECK(strads("words lines.txt --out w --min-documents 2") == 0);
    CHECK_HAS(out, "3 documents, 3 words");
    static char words[TEXT_BYTES];
    slurp("w.words", words);
    CHECK_TEXT(words, "dog\nfox\nred\n");
    CHECK(exists("w.libsvm") && !exists("w.test.libsvm"));
}

/* ---- signals and terminals ---- */

/* Starts a run of its own process group that ends only after a long time, stderr
 * going to `to`. */
static pid_t start_endless(int to)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        if (chdir(suite_folder()) == 0 && dup2(to, STDERR_FILENO) >= 0 &&
            dup2(open("out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO) >= 0) {
            execl(binary(), "strads", "run", "small.yaml", "--out", "endless", "--set",
                  "stop.gap=0", "--set", "stop.seconds=100", "--set", "schedule.kind=cyclic",
                  (char *) NULL);
        }
        _exit(127);
    }
    return child;
}

/* Reads until the run has shown that it runs; returns the bytes read. */
static void await_progress(int from, char text[TEXT_BYTES])
{
    size_t n = 0;
    text[0] = '\0';
    while (n < TEXT_BYTES - 1 && strstr(text, "updates/s") == NULL) {
        const ssize_t taken = read(from, text + n, TEXT_BYTES - 1 - n);
        if (taken <= 0) {
            break;
        }
        n += (size_t) taken;
        text[n] = '\0';
    }
}

static void a_signal_ends_the_run_with_what_it_has(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    static char said[TEXT_BYTES], summary[TEXT_BYTES];
    set_up();
    for (size_t i = 0; i < 2; i++) {
        int ends[2], status = 0;
        REQUIRE(pipe(ends) == 0);
        const pid_t child = start_endless(ends[1]);
        close(ends[1]);
        await_progress(ends[0], said);
        CHECK_HAS(said, "updates/s");
        CHECK(kill(child, signals[i]) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + signals[i]);
        CHECK(kill(-child, 0) != 0 && errno == ESRCH);
        close(ends[0]);
        slurp("endless/summary.json", summary);
        CHECK_HAS(summary, "\"stopped\"");
        CHECK(exists("endless/coefficients.npy"));
        slurp("out.txt", out);
        CHECK_HAS(out, "stopped: interrupted");
    }
}

static void a_terminal_sees_one_line_redrawn(void)
{
    set_up();
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    setenv("TERM", "xterm", 1);
    const pid_t child = start_endless(terminal);
    close(terminal);
    static char said[TEXT_BYTES];
    await_progress(master, said);
    CHECK_HAS(said, "round ");
    const char *line = strstr(said, "updates/s");
    CHECK(line != NULL && strchr(said, '\n') == NULL);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    close(master);
}

SUITE("integration/cli",
      {"help lists every command and every exit code",
       help_lists_every_command_and_every_exit_code},
      {"every command explains itself", every_command_explains_itself},
      {"help explains a key, a section and all keys", help_explains_a_key_a_section_and_all_keys},
      {"help prints the page of all keys", help_prints_the_page_of_all_keys},
      {"version is one line", version_is_one_line},
      {"the manual knows every command, option and exit code",
       the_manual_knows_every_command_option_and_exit_code},
      {"wrong command lines are refused in one line", wrong_command_lines_are_refused_in_one_line},
      {"bad data and output have exit codes of their own",
       bad_data_and_output_have_exit_codes_of_their_own},
      {"a run tells what came out and where it is", a_run_tells_what_came_out_and_where_it_is},
      {"a quiet run says nothing", a_quiet_run_says_nothing},
      {"a limit before the goal has its exit code", a_limit_before_the_goal_has_its_exit_code},
      {"the configuration printed loads to itself", the_configuration_printed_loads_to_itself},
      {"check estimates the memory without running", check_estimates_the_memory_without_running},
      {"predict applies the model of a run", predict_applies_the_model_of_a_run},
      {"generate writes every format, and the same twice",
       generate_writes_every_format_and_the_same_twice},
      {"every generated format leads to the same model",
       every_generated_format_leads_to_the_same_model},
      {"words turns lines into a problem", words_turns_lines_into_a_problem},
      {"a signal ends the run with what it has", a_signal_ends_the_run_with_what_it_has},
      {"a terminal sees one line redrawn", a_terminal_sees_one_line_redrawn})
