/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_counts.c - any bytes as a .npy file of counts: what is taken is in the file. */
#include <string.h>

#include "data/counts.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    data_counts counts;
    if (data_counts_map(&counts, fuzz_file(bytes, n)) == STRADS_OK) {
        const size_t bytes_of_values = counts.n_rows * counts.n_cols * sizeof(*counts.values);
        fuzz_require(bytes_of_values < n);
        fuzz_require(memcmp(counts.values, bytes + n - bytes_of_values, bytes_of_values) == 0);
        data_counts_fini(&counts);
    }
    return 0;
}
