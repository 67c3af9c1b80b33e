/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/words.c - `strads words`: lines of text with a target become a sparse problem. */
#include "cli/cli.h"
#include "data/data.h"

static int convert(const char *path, const char *prefix, const data_words_options *options)
{
    data_words_counts counts;
    const strads_status status = data_words_convert(path, prefix, options, &counts);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    printf("%zu documents, %zu words, %zu entries: %s.libsvm, %s.words\n", counts.n_train,
           counts.n_words, counts.n_entries, prefix, prefix);
    if (options->test_fraction > 0.0) {
        printf("%zu documents for testing: %s.test.libsvm\n", counts.n_test, prefix);
    }
    return CLI_DONE;
}

int cli_words(int argc, char **argv)
{
    uint64_t min_documents = 1, seed = 1;
    double test_fraction = 0.0;
    const char *prefix = NULL;
    const cli_flag flags[] = {
        {"out", "PREFIX", "how the names of the files written begin", .text = &prefix,
         .required = true},
        {"min-documents", "N", "drops words of fewer documents; default 1", .count = &min_documents,
         .min = 1, .max = UINT32_MAX},
        {"test-fraction", "F", "share of documents kept for testing; 0", .real = &test_fraction,
         .min = 0, .max = 1, .below_max = true},
        {"seed", "S", "of the draw of documents for testing; default 1", .count = &seed, .min = 0,
         .max = 9007199254740992.0},
    };
    const cli_usage usage = {
        .command = "words",
        .operands = {"IN"},
        .help =
            "Reads lines \"TARGET<TAB>TEXT\" from IN and writes PREFIX.libsvm, a row a line with\n"
            "a 1 for every word in it, and PREFIX.words, the word of each column; with\n"
            "--test-fraction also PREFIX.test.libsvm.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    const data_words_options options = {
        .min_documents = (uint32_t) min_documents, .test_fraction = test_fraction, .seed = seed};
    return convert(operands[0], prefix, &options);
}
