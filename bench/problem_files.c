/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/problem_files.c - turns a problem folder of plain binary arrays into files
 * that strads reads.
 *
 *   problem_files FOLDER OUT
 *
 * FOLDER holds y.f64 and either X.f64 (dense, column-major) or indptr.i64,
 * indices.i32, data.f64 (CSC), all little-endian. Writes OUT.libsvm, or OUT.npy and
 * OUT.y.npy.
 */
#include <stdlib.h>
#include <string.h>

#include "data/data.h"

static void *read_all(const char *folder, const char *name, size_t *bytes)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *bytes = (size_t) ftell(file);
    rewind(file);
    void *array = strads_alloc(*bytes);
    if (array == NULL || fread(array, 1, *bytes, file) != *bytes) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    fclose(file);
    return array;
}

static strads_status convert(const char *folder, const char *out)
{
    char path[1024];
    size_t bytes = 0;
    data_regression problem = {.y = read_all(folder, "y.f64", &bytes)};
    problem.x.n_rows = bytes / sizeof(double);
    problem.x.col_start = read_all(folder, "indptr.i64", &bytes);
    strads_status status = STRADS_OK;
    if (problem.y == NULL) {
        fprintf(stderr, "%s: there is no y.f64\n", folder);
        return STRADS_ERR_DATA;
    }
    if (problem.x.col_start != NULL) {
        problem.x.n_cols = bytes / sizeof(int64_t) - 1;
        problem.x.row = read_all(folder, "indices.i32", &bytes);
        problem.x.value = read_all(folder, "data.f64", &bytes);
        snprintf(path, sizeof(path), "%s.libsvm", out);
        status = data_libsvm_write(path, &problem);
    } else {
        problem.x.value = read_all(folder, "X.f64", &bytes);
        problem.x.n_cols = bytes / sizeof(double) / problem.x.n_rows;
        snprintf(path, sizeof(path), "%s.npy", out);
        status = data_npy_write(path, problem.x.value, problem.x.n_rows, problem.x.n_cols);
        snprintf(path, sizeof(path), "%s.y.npy", out);
        status =
            status == STRADS_OK ? data_npy_write(path, problem.y, problem.x.n_rows, 0) : status;
    }
    data_regression_fini(&problem);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER OUT\n", argv[0]);
        return 2;
    }
    return convert(argv[1], argv[2]) == STRADS_OK ? 0 : 1;
}
