/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_cli.c - the real command, driven as a user drives it.
 *
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/command.h"

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == '\n' ? 1 : 0;
    }
    return n;
}

/* ---- help ---- */

static void help_lists_every_command_and_every_exit_code(void)
{
    static const char *const parts[] = {"run ",     "coordinator ", "worker ", "key ",  "check ",
                                        "predict ", "generate ",    "words ",  "help ", "version ",
                                        "129 ",     "130 ",         "143 "};
    CHECK(command_run("help") == 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        CHECK_HAS(command_out, parts[i]);
    }
    CHECK(command_run("--help") == 0);
    CHECK_HAS(command_out, "usage: strads COMMAND");
    CHECK_TEXT(command_err, "");
}

static void every_command_explains_itself(void)
{
    static const char *const names[] = {"run",     "coordinator", "worker", "key",  "check",
                                        "predict", "generate",    "words",  "help", "version"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "usage: strads %s", names[i]);
        CHECK(command_run("%s --help", names[i]) == 0);
        CHECK(strncmp(command_out, usage, strlen(usage)) == 0);
        static char asked[COMMAND_TEXT_BYTES];
        memcpy(asked, command_out, sizeof(asked));
        CHECK(command_run("help %s", names[i]) == 0);
        CHECK_TEXT(command_out, asked);
    }
}

static void help_explains_a_key_a_section_and_all_keys(void)
{
    CHECK(command_run("help lasso.lambda") == 0);
    CHECK_HAS(command_out, "lasso.lambda: ");
    CHECK(command_run("help stop") == 0);
    CHECK_HAS(command_out, "stop.gap: ");
    CHECK_HAS(command_out, "stop.rounds: ");
    CHECK(command_run("help keys") == 0);
    CHECK_HAS(command_out, "app: ");
    CHECK_HAS(command_out, "data.path: ");
    CHECK(command_run("help lasso.lamda") == 2);
    CHECK_HAS(command_err, "did you mean lasso.lambda?");
    CHECK(count_lines(command_err) == 1);
}

static void help_prints_the_page_of_all_keys(void)
{
    CHECK(command_run("help --markdown") == 0);
    CHECK(strncmp(command_out, "# Configuration", 15) == 0);
    CHECK_HAS(command_out, "`schedule.rho`");
    CHECK_HAS(command_out, "`lasso.l1_ratio`");
    CHECK_HAS(command_out, "| 6 | ");
}

static void version_is_one_line(void)
{
    CHECK(command_run("version") == 0);
    CHECK(strncmp(command_out, "strads ", 7) == 0 && count_lines(command_out) == 1);
    CHECK(command_run("--version") == 0);
    CHECK(strncmp(command_out, "strads ", 7) == 0);
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
    static const char *const names[] = {"run",     "coordinator", "worker", "key", "check",
                                        "predict", "generate",    "words",  "help"};
    static char manual[COMMAND_TEXT_BYTES];
    FILE *file = fopen("docs/strads.1", "r");
    REQUIRE(file != NULL);
    manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), ".It Cm %s", names[i]);
        CHECK_HAS(manual, wanted);
        CHECK(command_run("%s --help", names[i]) == 0);
        check_options(command_out, manual);
    }
    CHECK(command_run("help") == 0);
    char *codes = strstr(command_out, "exit codes:\n");
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
        {"run small.yaml --set app=", "--set: app: nothing, where a built-in model program (lasso)",
         2},
        {"run list.yaml", "list.yaml:1:1: app: a list, where a built-in model program (lasso)", 2},
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
        {"generate ratings --rows 3 --cols 3 --out x", "--ratings N is missing", 2},
        {"generate ratings --rows 3 --cols 3 --ratings 7 --out x", "half of all pairs", 2},
        {"generate ratings --rows 3 --cols 3 --ratings 3 --out none/x", "none/x", 4},
        {"generate lda --words 3 --topics 2 --out x", "--documents D is missing", 2},
        {"generate lda --documents 3 --words 3 --topics 65536 --out x", "--topics: '65536'", 2},
        {"generate lda --documents 3 --words 3 --topics 2 --out none/x", "none/x", 4},
        {"words none.txt --out x", "none.txt", 4},
    };
    command_set_up();
    strads_free(suite_file("list.yaml", "app: [lasso]\n"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int code = command_run("%s", cases[i].arguments);
        const bool as_it_should = code == cases[i].code &&
                                  strstr(command_err, cases[i].part) != NULL &&
                                  count_lines(command_err) == 1;
        CHECK(as_it_should);
        if (!as_it_should) {
            fprintf(stderr, "strads %s: exit code %d, said: %s\n", cases[i].arguments, code,
                    command_err);
        }
        CHECK_TEXT(command_out, "");
    }
}

static void bad_data_and_output_have_exit_codes_of_their_own(void)
{
    command_set_up();
    strads_free(suite_file("bad.libsvm", "1 1:2\n1 2:x\n"));
    CHECK(command_run("run small.yaml --out bad --set data.path=bad.libsvm") == 3);
    CHECK_HAS(command_err, "bad.libsvm:2");
    CHECK(count_lines(command_err) == 1);
    strads_free(suite_file("file", "not a folder\n"));
    CHECK(command_run("run small.yaml --quiet --out file/below") == 4);
    CHECK_HAS(command_err, "file: cannot make the run's folder");
    CHECK(count_lines(command_err) == 1);
    CHECK(command_run("help >/dev/full") == 4);
    CHECK_HAS(command_err, "standard output");
}

/* ---- running ---- */

static void a_run_tells_what_came_out_and_where_it_is(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --out run1") == 0);
    CHECK_HAS(command_out, "lasso converged");
    CHECK_HAS(command_out, "relative, the goal is 1e-06");
    CHECK_HAS(command_out, "of 200 values are not zero");
    CHECK_HAS(command_out, "strads predict run1 DATA");
    CHECK_LACKS(command_err, "\033");
    CHECK_LACKS(command_err, "error");
    static char summary[COMMAND_TEXT_BYTES];
    command_read("run1/summary.json", summary);
    CHECK_HAS(summary, "\"converged\"");
    CHECK(command_left("run1/config.yaml"));
    CHECK(command_left("run1/journal.jsonl"));
    CHECK(command_left("run1/coefficients.csv"));
    CHECK(command_left("run1/coefficients.npy"));
}

static void a_quiet_run_says_nothing(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --quiet --out quiet") == 0);
    CHECK_TEXT(command_out, "");
    CHECK_TEXT(command_err, "");
    CHECK(command_left("quiet/summary.json"));
}

static void a_limit_before_the_goal_has_its_exit_code(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --out limited --set stop.rounds=1 --set schedule.round=1") ==
          6);
    CHECK_HAS(command_out, "stopped: a limit");
    static char summary[COMMAND_TEXT_BYTES];
    command_read("limited/summary.json", summary);
    CHECK_HAS(summary, "\"stopped\"");
}

static void the_configuration_printed_loads_to_itself(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --print-config --workers 3 --set stop.gap=1e-7 --out run2") ==
          0);
    CHECK_HAS(command_out, "workers: 3");
    CHECK_HAS(command_out, "run2");
    CHECK(!command_left("run2"));
    static char printed[COMMAND_TEXT_BYTES];
    memcpy(printed, command_out, sizeof(printed));
    strads_free(suite_file("printed.yaml", printed));
    CHECK(command_run("run printed.yaml --print-config") == 0);
    CHECK_TEXT(command_out, printed);
}

static void check_estimates_the_memory_without_running(void)
{
    command_set_up();
    CHECK(command_run("check small.yaml --set run.out=run3") == 0);
    CHECK_HAS(command_out, "memory: about ");
    CHECK_HAS(command_out, "small.yaml: in order");
    CHECK(!command_left("run3"));
    CHECK(command_run("check small.yaml --set data.path=none.libsvm") == 4);
    CHECK_HAS(command_err, "none.libsvm");
}

static void predict_applies_the_model_of_a_run(void)
{
    command_set_up();
    REQUIRE(command_run("run small.yaml --quiet --out model") == 0);
    CHECK(command_run("predict model small.libsvm") == 0);
    CHECK(count_lines(command_out) == 60);
    static char to_stdout[COMMAND_TEXT_BYTES], to_file[COMMAND_TEXT_BYTES];
    memcpy(to_stdout, command_out, sizeof(to_stdout));
    CHECK(command_run("predict model small.libsvm --out predicted.txt") == 0);
    CHECK_TEXT(command_out, "");
    command_read("predicted.txt", to_file);
    CHECK_TEXT(to_file, to_stdout);
    CHECK(command_run("predict model none.libsvm --out nothing.txt") == 4);
    CHECK(!command_left("nothing.txt"));
}

/* ---- making problems ---- */

static void generate_writes_every_format_and_the_same_twice(void)
{
    static char first[COMMAND_TEXT_BYTES], second[COMMAND_TEXT_BYTES];
    const char *sparse = "generate lasso --rows 20 --cols 8 --entries 4 --seed 7";
    const char *dense = "generate lasso --rows 20 --cols 8 --correlation 0.5";
    CHECK(command_run("%s --out a", sparse) == 0);
    CHECK(command_left("a.libsvm") && command_left("a.coefficients.npy"));
    CHECK(command_run("%s --out b", sparse) == 0);
    command_read("a.libsvm", first);
    command_read("b.libsvm", second);
    CHECK_TEXT(first, second);
    CHECK(count_lines(first) == 20);
    CHECK(command_run("%s --out c --format matrix_market", sparse) == 0);
    CHECK(command_left("c.mtx") && command_left("c.y.npy") && command_left("c.coefficients.npy"));
    CHECK(command_run("%s --out d --format npy", dense) == 0);
    CHECK(command_left("d.npy") && command_left("d.y.npy") && command_left("d.coefficients.npy"));
}

static void generated_ratings_are_lines_and_the_same_twice(void)
{
    static char first[COMMAND_TEXT_BYTES], second[COMMAND_TEXT_BYTES];
    const char *ratings = "generate ratings --rows 20 --cols 8 --ratings 60 --rank 2 --seed 7";
    CHECK(command_run("%s --out r", ratings) == 0);
    CHECK_HAS(command_out, "wrote r: 20 x 8, 60 ratings");
    CHECK(command_run("%s --out s", ratings) == 0);
    command_read("r", first);
    command_read("s", second);
    CHECK_TEXT(first, second);
    CHECK(count_lines(first) == 60);
}

static void generated_documents_are_a_corpus_and_the_same_twice(void)
{
    static char first[COMMAND_TEXT_BYTES], second[COMMAND_TEXT_BYTES];
    const char *lda = "generate lda --documents 5 --words 8 --topics 2 --length 20 --seed 7";
    CHECK(command_run("%s --out l", lda) == 0);
    CHECK_HAS(command_out, "wrote l: 5 documents, 8 words, ");
    CHECK(command_run("%s --out m", lda) == 0);
    command_read("l", first);
    command_read("m", second);
    CHECK_TEXT(first, second);
    CHECK(strncmp(first, "5\n8\n", 4) == 0);
    CHECK(count_lines(first) == 3 + (size_t) atoi(first + 4));
    command_read("l.vocab", first);
    CHECK_TEXT(first, "w1\nw2\nw3\nw4\nw5\nw6\nw7\nw8\n");
    CHECK(command_left("l.topics.npy"));
}

static void every_generated_format_leads_to_the_same_model(void)
{
    static const char *const runs[] = {"e.libsvm", "e.mtx --set data.y=e.y.npy",
                                       "e.npy --set data.y=e.y.npy"};
    static const char *const formats[] = {"libsvm", "matrix_market", "npy"};
    static char models[3][COMMAND_TEXT_BYTES];
    command_set_up();
    for (size_t i = 0; i < 3; i++) {
        CHECK(command_run("generate lasso --rows 20 --cols 8 --out e --format %s", formats[i]) ==
              0);
        CHECK(command_run("run small.yaml --quiet --workers 1 --out e%zu --set data.path=%s", i,
                          runs[i]) == 0);
        char name[64];
        snprintf(name, sizeof(name), "e%zu/coefficients.csv", i);
        command_read(name, models[i]);
        CHECK(count_lines(models[i]) > 1);
    }
    CHECK_TEXT(models[1], models[0]);
    CHECK_TEXT(models[2], models[0]);
}

static void words_turns_lines_into_a_problem(void)
{
    strads_free(suite_file("lines.txt", "1\tRed fox\n2\tred dog\n3\tA fox, a dog\n"));
    CHECK(command_run("words lines.txt --out w --min-documents 2") == 0);
    CHECK_HAS(command_out, "3 documents, 3 words");
    static char words[COMMAND_TEXT_BYTES];
    command_read("w.words", words);
    CHECK_TEXT(words, "dog\nfox\nred\n");
    CHECK(command_left("w.libsvm") && !command_left("w.test.libsvm"));
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
      {"generated ratings are lines, and the same twice",
       generated_ratings_are_lines_and_the_same_twice},
      {"generated documents are a corpus, and the same twice",
       generated_documents_are_a_corpus_and_the_same_twice},
      {"every generated format leads to the same model",
       every_generated_format_leads_to_the_same_model},
      {"words turns lines into a problem", words_turns_lines_into_a_problem})
