/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_npy.c - any bytes as a .npy file. */
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_read(bytes, n, DATA_NPY);
    return 0;
}
