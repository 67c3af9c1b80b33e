/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_arguments.c - what a command line sets, and what is refused. */
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "tests/support/suite.h"

enum { MOST = 8 };

/* Where the flags of a command `try` write, and what came of a line. */
typedef struct attempt {
    const char *line[MOST]; /* up to NULL */
    bool loud;
    const char *name;
    uint64_t count;
    double share;
    cli_texts sets;
    const char *operands[CLI_MAX_OPERANDS];
    int code;
} attempt;

static void parse(void *context)
{
    attempt *self = context;
    static char words[MOST + 1][32]; /* lent to name and operands */
    char *argv[MOST + 2] = {words[0]};
    int argc = 1;
    snprintf(words[0], sizeof(words[0]), "try");
    for (; self->line[argc - 1] != NULL; argc++) {
        snprintf(words[argc], sizeof(words[argc]), "%s", self->line[argc - 1]);
        argv[argc] = words[argc];
    }
    const cli_flag flags[] = {
        {"loud", NULL, "", .on = &self->loud},
        {"name", "NAME", "", .text = &self->name, .required = true},
        {"count", "N", "", .count = &self->count, .min = 1, .max = 100},
        {"share", "X", "", .real = &self->share, .min = 0, .max = 1, .below_max = true},
        {"set", "KEY=VALUE", "", .texts = &self->sets},
        {"out", "DIR", "", .texts = &self->sets, .key = "run.out"}};
    const cli_usage usage = {.command = "try",
                             .operands = {"CONFIG", "[MORE]"},
                             .help = "",
                             .flags = flags,
                             .n_flags = sizeof(flags) / sizeof(flags[0])};
    self->code = cli_parse(&usage, argc, argv, self->operands);
}

static void flags_and_operands_come_in_any_order(void)
{
    attempt self = {.line = {"--set=a=1", "--name=me", "x.yaml", "--count", "100", "--loud", NULL},
                    .share = 0.5};
    const size_t live = strads_mem_live();
    parse(&self);
    CHECK(self.code == CLI_GO_ON);
    CHECK(self.loud && self.count == 100 && self.share == 0.5);
    CHECK(self.sets.n == 1);
    CHECK_TEXT(self.name, "me");
    CHECK_TEXT(self.operands[0], "x.yaml");
    CHECK(self.operands[1] == NULL);
    cli_texts_fini(&self.sets);
    CHECK(strads_mem_live() == live);
}

/* "--out DIR" is "run.out=DIR", and what is given later comes later. */
static void a_flag_may_stand_for_a_key(void)
{
    attempt self = {.line = {"c", "d", "--name", "", "--out", "here", "--set=run.out=there", NULL}};
    parse(&self);
    CHECK(self.code == CLI_GO_ON);
    REQUIRE(self.sets.n == 2);
    CHECK_TEXT(self.sets.items[0], "run.out=here");
    CHECK_TEXT(self.sets.items[1], "run.out=there");
    CHECK(cli_texts_find(&self.sets, "run.out=there") == 1);
    CHECK(cli_texts_find(&self.sets, "run.out=nowhere") == 2);
    cli_texts_fini(&self.sets);
    CHECK(self.sets.n == 0 && self.sets.items == NULL);
}

static void a_wrong_line_is_refused_with_the_word_that_is_wrong(void)
{
    static const struct {
        const char *line[MOST], *says;
    } cases[] = {
        {{"--name", "x"}, "try: CONFIG is missing"},
        {{"a", "b", "c", "--name=x"}, "try: 'c' is one argument too many"},
        {{"a"}, "try: --name NAME is missing"},
        {{"a", "--name"}, "try: --name needs a value, NAME"},
        {{"a", "--loud=yes"}, "try: --loud takes no value"},
        {{"a", "--cuont=1"}, "try: unknown option --cuont=1, did you mean --count?"},
        {{"a", "--zzzzzz"}, "try: unknown option --zzzzzz; see strads help try"},
        {{"a", "-z"}, "try: unknown option -z"},
        {{"a", "--count=0"}, "--count: '0' is not a whole number from 1 to 100"},
        {{"a", "--count=101"}, "--count: '101' is not"},
        {{"a", "--count=-1"}, "--count: '-1' is not"},
        {{"a", "--count=+1"}, "--count: '+1' is not"},
        {{"a", "--count= 1"}, "--count: ' 1' is not"},
        {{"a", "--count=1x"}, "--count: '1x' is not"},
        {{"a", "--count="}, "--count: '' is not"},
        {{"a", "--count=99999999999999999999"}, "--count: '99999999999999999999' is not"},
        {{"a", "--share=1"}, "--share: '1' is not a number from 0 to below 1"},
        {{"a", "--share=-0.1"}, "--share: '-0.1' is not"},
        {{"a", "--share=nan"}, "--share: 'nan' is not"},
        {{"a", "--share=0.5 "}, "--share: '0.5 ' is not"},
        {{"a", "--share="}, "--share: '' is not"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        attempt self = {.count = 7, .share = 0.25};
        memcpy(self.line, cases[i].line, sizeof(self.line));
        const size_t errors = strads_log_n_errors();
        char *said = suite_stderr_of(parse, &self);
        const bool told = self.code == CLI_USAGE && strstr(said, cases[i].says) != NULL &&
                          strads_log_n_errors() == errors + 1;
        CHECK(told);
        CHECK(self.count == 7 && self.share == 0.25);
        if (!told) {
            printf("wanted '%s', got %d with: %s\n", cases[i].says, self.code, said);
        }
        strads_free(said);
    }
}

static void a_line_without_memory_is_refused(void)
{
    const size_t live = strads_mem_live();
    int code = CLI_NOMEM;
    for (size_t n = 1; code != CLI_GO_ON && n < 20; n++) {
        attempt self = {.line = {"c", "--name=x", "--set", "a=1", "--out", "d", NULL}};
        strads_mem_fail_after(n);
        parse(&self);
        strads_mem_fail_after(0);
        code = self.code;
        CHECK(code == CLI_GO_ON || code == CLI_NOMEM);
        cli_texts_fini(&self.sets);
        CHECK(strads_mem_live() == live);
    }
    CHECK(code == CLI_GO_ON);
}

SUITE("cli/arguments",
      {"flags and operands come in any order", flags_and_operands_come_in_any_order},
      {"a flag may stand for a key", a_flag_may_stand_for_a_key},
      {"a wrong line is refused with the word that is wrong",
       a_wrong_line_is_refused_with_the_word_that_is_wrong},
      {"a line without memory is refused", a_line_without_memory_is_refused})
