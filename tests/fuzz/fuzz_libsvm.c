/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_libsvm.c - any bytes as a libsvm file. */
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_read(bytes, n, DATA_LIBSVM);
    return 0;
}
