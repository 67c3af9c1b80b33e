/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/generate.c - `strads generate`: problems of any size with a known answer. */
#include <string.h>

#include "cli/cli.h"
#include "data/data.h"

typedef struct generate_request {
    const char *prefix;
    const char *format;
    uint64_t rows, cols, entries, informative, seed;
    double correlation, shared, noise;
} generate_request;

static const uint64_t unset = UINT64_MAX;

/* ---- writing ---- */

enum { PATH_BYTES = 4096 };

static strads_status name_file(char path[PATH_BYTES], const char *prefix, const char *suffix)
{
    const int length = snprintf(path, PATH_BYTES, "%s%s", prefix, suffix);
    if (length < 0 || length >= PATH_BYTES) {
        strads_error("generate: --out: longer than %d bytes", PATH_BYTES);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status write_vector(const generate_request *request, const char *suffix,
                                  const double *values, size_t n)
{
    char path[PATH_BYTES];
    strads_status status = name_file(path, request->prefix, suffix);
    if (status == STRADS_OK) {
        status = data_npy_write(path, values, n, 0);
    }
    if (status == STRADS_OK) {
        printf("wrote %s\n", path);
    }
    return status;
}

typedef struct generate_format {
    const char *name;
    const char *suffix;
    bool with_y; /* y goes to a file of its own */
    strads_status (*write)(const char *path, const data_regression *data);
} generate_format;

static strads_status write_matrix_market(const char *path, const data_regression *data)
{
    return data_matrix_market_write(path, &data->x);
}

static strads_status write_npy(const char *path, const data_regression *data)
{
    return data_npy_write(path, data->x.value, data->x.n_rows, data->x.n_cols);
}

static const generate_format formats[] = {
    {"libsvm", ".libsvm", false, data_libsvm_write},
    {"matrix_market", ".mtx", true, write_matrix_market},
    {"npy", ".npy", true, write_npy},
};

static const generate_format *find_format(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

static strads_status write_problem(const generate_request *request, const generate_format *format,
                                   const data_regression *data, const double *coefficients)
{
    char path[PATH_BYTES];
    strads_status status = name_file(path, request->prefix, format->suffix);
    if (status == STRADS_OK) {
        status = format->write(path, data);
    }
    if (status == STRADS_OK) {
        printf("wrote %s: %zu x %zu, %zu entries\n", path, data->x.n_rows, data->x.n_cols,
               data_matrix_entries(&data->x));
        if (format->with_y) {
            status = write_vector(request, ".y.npy", data->y, data->x.n_rows);
        }
    }
    if (status == STRADS_OK) {
        status = write_vector(request, ".coefficients.npy", coefficients, data->x.n_cols);
    }
    return status;
}

/* ---- the command ---- */

static strads_status generate(const generate_request *request)
{
    const generate_format *format = find_format(request->format);
    if (format == NULL) {
        strads_error("generate: --format: '%s' is none of libsvm, matrix_market, npy",
                     request->format);
        return STRADS_ERR_USAGE;
    }
    if (format->write == write_npy && request->entries > 0) {
        strads_error("generate: --format npy holds dense designs only, --entries is %llu",
                     (unsigned long long) request->entries);
        return STRADS_ERR_USAGE;
    }
    const uint64_t few = request->cols < 10 ? request->cols : 10;
    const data_lasso_design design = {
        .n_rows = request->rows,
        .n_cols = request->cols,
        .column_entries = request->entries,
        .correlation = request->correlation,
        .shared = request->shared,
        .n_informative = request->informative == unset ? few : request->informative,
        .noise = request->noise,
        .seed = request->seed};
    data_regression data;
    double *coefficients = NULL;
    strads_status status = data_lasso_generate(&data, &coefficients, &design);
    if (status != STRADS_OK) {
        return status;
    }
    status = write_problem(request, format, &data, coefficients);
    strads_free(coefficients);
    data_regression_fini(&data);
    return status;
}

static int parse(generate_request *request, int argc, char **argv, const char **operands)
{
    const double max_index = UINT32_MAX - 1.0, max_seed = 9007199254740992.0;
    const cli_flag flags[] = {
        {"rows", "N", "samples", .count = &request->rows, .min = 1, .max = max_index,
         .required = true},
        {"cols", "P", "variables", .count = &request->cols, .min = 1, .max = max_index,
         .required = true},
        {"out", "PREFIX", "how the names of the files written begin", .text = &request->prefix,
         .required = true},
        {"entries", "K", "nonzeros a column; 0, the default: dense", .count = &request->entries,
         .max = max_index},
        {"correlation", "R", "of neighbouring columns, below 1; default 0",
         .real = &request->correlation, .max = 1.0, .below_max = true},
        {"shared", "S", "share of sparse columns on the rows of the one before; default 0",
         .real = &request->shared, .max = 1.0},
        {"informative", "M", "true nonzero coefficients; default 10",
         .count = &request->informative, .max = max_index},
        {"noise", "X", "standard deviation over the signal's; default 0.1", .real = &request->noise,
         .max = 1e6},
        {"seed", "S", "of the random numbers; default 1", .count = &request->seed, .max = max_seed},
        {"format", "F", "libsvm (the default), matrix_market or npy", .text = &request->format},
    };
    const cli_usage usage = {
        .command = "generate",
        .operands = {"lasso"},
        .help = "Writes a regression with correlated columns of norm 1 and few true coefficients:\n"
                "PREFIX.libsvm, or PREFIX.mtx with PREFIX.y.npy, or PREFIX.npy with PREFIX.y.npy;\n"
                "and PREFIX.coefficients.npy. The same options give the same files anywhere.\n"
                "Ratings of items by users, and documents of known topics: see\n"
                "`strads generate ratings --help` and `strads generate lda --help`.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return cli_parse(&usage, argc, argv, operands);
}

int cli_generate(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "ratings") == 0) {
        return cli_generate_ratings(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], "lda") == 0) {
        return cli_generate_lda(argc, argv);
    }
    generate_request request = {.format = "libsvm", .informative = unset, .noise = 0.1, .seed = 1};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = parse(&request, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (strcmp(operands[0], "lasso") != 0) {
        strads_error("generate: '%s' cannot be generated, only lasso, ratings and lda can",
                     operands[0]);
        return CLI_USAGE;
    }
    return cli_exit_of(generate(&request));
}
