/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_ratings.c - how fast ratings are read, from text and from the cache, and
 * split; of a file that is given, or a generated one in a temporary folder.
 *
 * usage: bench_ratings [FILE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "data/ratings.h"

enum { N_RUNS = 3 };

static void require(bool good)
{
    if (!good) {
        exit(1);
    }
}

/* Seconds of all cores. */
static double processor_seconds(void)
{
    return (double) clock() / CLOCKS_PER_SEC;
}

static void run(const char *what, const data_ratings_source *source)
{
    struct stat info;
    require(stat(source->path, &info) == 0);
    const double mb = (double) info.st_size * 1e-6;
    double best = 0.0;
    double best_processor = 0.0;
    double best_split = 0.0;
    size_t n = 0;
    for (int i = 0; i < N_RUNS; i++) {
        data_ratings train;
        data_ratings test;
        const double start = strads_now();
        const double processor = processor_seconds();
        require(data_ratings_read(&train, source) == STRADS_OK);
        const double seconds = strads_now() - start;
        const double busy = processor_seconds() - processor;
        n = train.n;
        const double split = strads_now();
        require(data_ratings_split(&train, &test, 0.1, 1) == STRADS_OK);
        const double split_seconds = strads_now() - split;
        best = i == 0 || seconds < best ? seconds : best;
        best_processor = i == 0 || busy < best_processor ? busy : best_processor;
        best_split = i == 0 || split_seconds < best_split ? split_seconds : best_split;
        data_ratings_fini(&train);
        data_ratings_fini(&test);
    }
    printf("{\"bench\":\"ratings\",\"case\":\"%s\",\"threads\":%u,\"file_mb\":%.1f,\"ratings\":%zu,"
           "\"seconds\":%.3f,\"mb_per_second\":%.0f,\"mb_per_core_second\":%.0f,"
           "\"split_seconds\":%.3f}\n",
           what, source->n_threads, mb, n, best, mb / best, mb / best_processor, best_split);
}

static void run_all(const char *path, const char *folder)
{
    const uint32_t n_threads = strads_cores();
    data_ratings_source source = {.path = path, .n_threads = 1};
    run("text", &source);
    if (n_threads > 1) {
        source.n_threads = n_threads;
        run("text", &source);
    }
    source.texts[DATA_USERS] = source.texts[DATA_ITEMS] = true;
    run("text_ids", &source);
    source.texts[DATA_USERS] = source.texts[DATA_ITEMS] = false;
    source.cache = folder;
    data_ratings first;
    require(data_ratings_read(&first, &source) == STRADS_OK);
    data_ratings_fini(&first);
    run("cache", &source);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/strads-bench-XXXXXX";
    char path[64];
    char command[64];
    require(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/ratings", folder);
    if (argc < 2) {
        const data_ratings_design design = {
            .n_rows = 20000, .n_columns = 5000, .n = 2000000, .rank = 8, .noise = 0.5, .seed = 1};
        data_ratings ratings;
        require(data_ratings_generate(&ratings, &design) == STRADS_OK);
        require(data_ratings_write(path, &ratings) == STRADS_OK);
        data_ratings_fini(&ratings);
    }
    run_all(argc < 2 ? path : argv[1], folder);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
