/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_data.c - speed and peak memory of the readers, on generated files in
 * a temporary folder. Each case runs in a process of its own, so that its peak is
 * its own.
 *
 * usage: bench_data [COLUMNS]    (of the sparse file; default 100000)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/data.h"

enum { ROWS = 5000, COLUMN_ENTRIES = 25, DENSE_ROWS = 1000, DENSE_COLS = 10000 };

static size_t n_sparse_cols = 100000;
static char folder[] = "/tmp/strads-bench-XXXXXX";

typedef struct file {
    const char *what;
    char path[64];
} file;

static file files[] = {{.what = "libsvm_sparse"}, {.what = "matrix_market_coordinate"},
                       {.what = "libsvm_dense"},  {.what = "matrix_market_array"},
                       {.what = "npy_fortran"},   {.what = "csv_dense"}};
enum { N_FILES = sizeof(files) / sizeof(files[0]), MOST_THREADS = 2 };

/* A file is read in each of these ways. */
static const struct {
    const char *name;
    uint32_t n_threads;
    const char *cache;
} ways[] = {{"text", 1, NULL},
            {"text", MOST_THREADS, NULL},
            {"text, and cached", MOST_THREADS, ""},
            {"cache", 1, ""},
            {"cache", MOST_THREADS, ""}};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };

static double peak_rss_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double) usage.ru_maxrss * 1024e-6;
}

static void require(strads_status status)
{
    if (status != STRADS_OK) {
        exit(1);
    }
}

static void write_csv(const char *path, const data_regression *data)
{
    FILE *to = fopen(path, "w");
    if (to == NULL) {
        exit(1);
    }
    for (size_t j = 0; j < data->x.n_cols; j++) {
        fprintf(to, "x%zu,", j);
    }
    fprintf(to, "y\n");
    for (size_t i = 0; i < data->x.n_rows; i++) {
        for (size_t j = 0; j < data->x.n_cols; j++) {
            fprintf(to, "%.17g,", data->x.value[j * data->x.n_rows + i]);
        }
        fprintf(to, "%.17g\n", data->y[i]);
    }
    if (fclose(to) != 0) {
        exit(1);
    }
}

static void make_files(size_t unused)
{
    (void) unused;
    data_lasso_design design = {.n_rows = ROWS,
                                .n_cols = n_sparse_cols,
                                .column_entries = COLUMN_ENTRIES,
                                .correlation = 0.9,
                                .shared = 0.9,
                                .n_informative = 100,
                                .noise = 0.3,
                                .seed = 1};
    data_regression data;
    const double start = strads_now();
    require(data_lasso_generate(&data, NULL, &design));
    printf("{\"bench\":\"data\",\"case\":\"generate_sparse\",\"entries\":%zu,\"seconds\":%.3f}\n",
           data_matrix_entries(&data.x), strads_now() - start);
    require(data_libsvm_write(files[0].path, &data));
    require(data_matrix_market_write(files[1].path, &data.x));
    data_regression_fini(&data);

    design.n_rows = DENSE_ROWS;
    design.n_cols = DENSE_COLS;
    design.column_entries = 0;
    const double dense_start = strads_now();
    require(data_lasso_generate(&data, NULL, &design));
    printf("{\"bench\":\"data\",\"case\":\"generate_dense\",\"entries\":%zu,\"seconds\":%.3f}\n",
           data_matrix_entries(&data.x), strads_now() - dense_start);
    require(data_libsvm_write(files[2].path, &data));
    require(data_matrix_market_write(files[3].path, &data.x));
    require(data_npy_write(files[4].path, data.x.value, DENSE_ROWS, DENSE_COLS));
    write_csv(files[5].path, &data);
    data_regression_fini(&data);
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* Reads file i / N_WAYS in way i % N_WAYS. */
static void read_file(size_t i)
{
    const file *f = &files[i / N_WAYS];
    const size_t way = i % N_WAYS;
    const data_source source = {.path = f->path,
                                .target = f == &files[5] ? "y" : NULL,
                                .n_threads = ways[way].n_threads,
                                .cache = ways[way].cache};
    struct stat info;
    data_regression data;
    data_size size;
    require(data_regression_measure(&size, &source));
    const double base_mb = peak_rss_mb();
    const double start = strads_now();
    const double processor_start = processor_seconds();
    require(data_regression_read(&data, &source));
    const double seconds = strads_now() - start;
    const double processor = processor_seconds() - processor_start;
    const double peak_mb = peak_rss_mb() - base_mb;
    if (stat(f->path, &info) != 0) {
        exit(1);
    }
    printf("{\"bench\":\"data\",\"case\":\"read_%s\",\"from\":\"%s\",\"threads\":%u,"
           "\"file_mb\":%.1f,\"seconds\":%.3f,\"processor_seconds\":%.3f,"
           "\"mb_per_processor_second\":%.0f,\"result_mb\":%.1f,\"peak_mb\":%.1f,"
           "\"estimated_peak_mb\":%.1f,\"peak_over_result\":%.3f}\n",
           f->what, ways[way].name, ways[way].n_threads, (double) info.st_size * 1e-6, seconds,
           processor, (double) info.st_size * 1e-6 / processor, (double) size.bytes * 1e-6, peak_mb,
           (double) size.peak_bytes * 1e-6, peak_mb / ((double) size.bytes * 1e-6));
    data_regression_fini(&data);
}

/* Runs body(i) in a child; false when it failed. */
static bool in_child(void (*body)(size_t i), size_t i)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        body(i);
        exit(0);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        n_sparse_cols = strtoul(argv[1], NULL, 10);
    }
    if (mkdtemp(folder) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    for (size_t i = 0; i < N_FILES; i++) {
        snprintf(files[i].path, sizeof(files[i].path), "%s/%s", folder, files[i].what);
    }
    char cache[80];
    bool good = in_child(make_files, 0);
    for (size_t i = 0; i < N_FILES; i++) {
        for (size_t way = 0; way < N_WAYS; way++) {
            good = good && in_child(read_file, i * N_WAYS + way);
        }
        unlink(files[i].path);
        snprintf(cache, sizeof(cache), "%s.matrix", files[i].path);
        unlink(cache);
    }
    rmdir(folder);
    return good ? 0 : 1;
}
