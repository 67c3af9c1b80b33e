/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_words.c - any bytes as documents; what is written is readable. */
#include "tests/fuzz/fuzz_file.h"

static const char *const suffixes[] = {".libsvm", ".test.libsvm", ".words"};

static void check_output(const char *prefix, const data_words_counts *counts, size_t which)
{
    char path[96];
    const size_t n_rows[] = {counts->n_train, counts->n_test};
    snprintf(path, sizeof(path), "%s%s", prefix, suffixes[which]);
    data_regression data = {0};
    const data_source source = {.path = path, .format = DATA_LIBSVM, .n_cols = counts->n_words};
    fuzz_require(data_regression_read(&data, &source) == STRADS_OK);
    fuzz_require(data.x.n_rows == n_rows[which]);
    fuzz_check_matrix(&data.x);
    data_regression_fini(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const size_t live = strads_mem_live();
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "/tmp/strads-fuzz-words-%ld", (long) getpid());
    const data_words_options options = {
        .min_documents = 1 + n % 2, .test_fraction = n % 3 == 0 ? 0.0 : 0.5, .seed = n};
    data_words_counts counts = {0};
    if (data_words_convert(fuzz_file(bytes, n), prefix, &options, &counts) == STRADS_OK) {
        check_output(prefix, &counts, 0);
        if (options.test_fraction > 0.0) {
            check_output(prefix, &counts, 1);
        }
        for (size_t i = 0; i < 3; i++) {
            char path[96];
            snprintf(path, sizeof(path), "%s%s", prefix, suffixes[i]);
            unlink(path);
        }
    }
    fuzz_require(strads_mem_live() == live);
    return 0;
}
