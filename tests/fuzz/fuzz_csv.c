/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_csv.c - any bytes as a CSV file, by one thread and by more. */
#include <string.h>

#include "tests/fuzz/fuzz_file.h"

static void read_by_threads(const uint8_t *bytes, size_t n)
{
    data_source source = {.path = fuzz_file(bytes, n), .format = DATA_CSV, .n_threads = 1};
    data_regression one = {.y = NULL};
    data_regression more = {.y = NULL};
    const strads_status status = data_regression_read(&one, &source);
    source.n_threads = 3;
    fuzz_require(data_regression_read(&more, &source) == status);
    if (status == STRADS_OK) {
        fuzz_require(one.x.n_rows == more.x.n_rows && one.x.n_cols == more.x.n_cols);
        fuzz_require(memcmp(one.y, more.y, one.x.n_rows * sizeof(*one.y)) == 0);
        const size_t n_values = data_matrix_entries(&one.x);
        fuzz_require(n_values == data_matrix_entries(&more.x));
        fuzz_require(memcmp(one.x.value, more.x.value, n_values * sizeof(*one.x.value)) == 0);
        for (size_t j = 0; j < one.x.n_cols; j++) {
            fuzz_require(strcmp(one.names[j], more.names[j]) == 0);
        }
    }
    data_regression_fini(&one);
    data_regression_fini(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_read(bytes, n, DATA_CSV);
    read_by_threads(bytes, n);
    return 0;
}
