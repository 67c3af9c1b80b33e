/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/generate_ratings.c - `strads generate ratings`: a planted matrix factorisation. */
#include "cli/cli.h"
#include "data/ratings.h"

typedef struct ratings_request {
    const char *out;
    uint64_t rows, cols, ratings, rank, seed;
    double noise;
} ratings_request;

static int parse(ratings_request *request, int argc, char **argv, const char **operands)
{
    const double max_index = UINT32_MAX - 1.0, max_seed = 9007199254740992.0;
    const cli_flag flags[] = {
        {"rows", "U", "users", .count = &request->rows, .min = 1, .max = max_index,
         .required = true},
        {"cols", "I", "items", .count = &request->cols, .min = 1, .max = max_index,
         .required = true},
        {"ratings", "N", "how many, at most half of all pairs", .count = &request->ratings,
         .min = 1, .max = max_index, .required = true},
        {"out", "PATH", "the file to write", .text = &request->out, .required = true},
        {"rank", "K", "of the factors, up to 1024; default 8", .count = &request->rank,
         .max = 1024},
        {"noise", "S", "standard deviation; default 0.5", .real = &request->noise, .max = 1e6},
        {"seed", "S", "of the random numbers; default 1", .count = &request->seed, .max = max_seed},
    };
    const cli_usage usage = {
        .command = "generate",
        .operands = {"ratings"},
        .help = "Writes lines USER ITEM RATING: factors of users and items, multiplied, plus\n"
                "biases and noise. A few users and items have most of the ratings. The same\n"
                "options give the same file.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return cli_parse(&usage, argc, argv, operands);
}

static strads_status generate(const ratings_request *request)
{
    const data_ratings_design design = {.n_rows = request->rows,
                                        .n_columns = request->cols,
                                        .n = request->ratings,
                                        .rank = (uint32_t) request->rank,
                                        .noise = request->noise,
                                        .seed = request->seed};
    data_ratings ratings;
    strads_status status = data_ratings_generate(&ratings, &design);
    if (status != STRADS_OK) {
        return status;
    }
    status = data_ratings_write(request->out, &ratings);
    if (status == STRADS_OK) {
        printf("wrote %s: %zu x %zu, %zu ratings\n", request->out, design.n_rows, design.n_columns,
               ratings.n);
    }
    data_ratings_fini(&ratings);
    return status;
}

int cli_generate_ratings(int argc, char **argv)
{
    ratings_request request = {.rank = 8, .noise = 0.5, .seed = 1};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = parse(&request, argc, argv, operands);
    return code == CLI_GO_ON ? cli_exit_of(generate(&request)) : code;
}
