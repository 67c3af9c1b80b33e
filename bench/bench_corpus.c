/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_corpus.c - how fast corpora are read, from docword or text and from the cache;
 * of files that are given, or a generated one in a temporary folder.
 *
 * usage: bench_corpus [FILE...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "data/corpus.h"

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

static void run(const char *what, const data_corpus_source *source)
{
    struct stat info;
    require(stat(source->path, &info) == 0);
    const double mb = (double) info.st_size * 1e-6;
    double best = 0.0;
    double best_processor = 0.0;
    size_t n = 0;
    for (int i = 0; i < N_RUNS; i++) {
        data_corpus corpus;
        const double start = strads_now();
        const double processor = processor_seconds();
        require(data_corpus_read(&corpus, source) == STRADS_OK);
        const double seconds = strads_now() - start;
        const double busy = processor_seconds() - processor;
        n = corpus.n_tokens;
        best = i == 0 || seconds < best ? seconds : best;
        best_processor = i == 0 || busy < best_processor ? busy : best_processor;
        data_corpus_fini(&corpus);
    }
    printf("{\"bench\":\"corpus\",\"file\":\"%s\",\"case\":\"%s\",\"threads\":%u,\"file_mb\":%.1f,"
           "\"tokens\":%zu,\"seconds\":%.3f,\"mb_per_second\":%.0f,\"mb_per_core_second\":%.0f}\n",
           source->path, what, source->n_threads, mb, n, best, mb / best, mb / best_processor);
}

static void run_all(const char *path, const char *folder)
{
    const uint32_t n_threads = strads_cores();
    data_corpus_source source = {
        .path = path,
        .n_threads = 1,
        .text = {.lower_case = true, .min_length = 3, .min_documents = 5, .max_documents = 0.1}};
    run("file", &source);
    source.n_threads = n_threads;
    if (n_threads > 1) {
        run("file", &source);
    }
    source.cache = folder;
    data_corpus first;
    require(data_corpus_read(&first, &source) == STRADS_OK);
    data_corpus_fini(&first);
    run("cache", &source);
}

static void generate(const char *path)
{
    const data_corpus_design design = {.n_documents = 50000,
                                       .n_words = 20000,
                                       .n_topics = 100,
                                       .length = 100.0,
                                       .alpha = 0.1,
                                       .beta = 0.05,
                                       .seed = 1};
    data_corpus corpus;
    double *topics = NULL;
    require(data_corpus_generate(&corpus, &topics, &design) == STRADS_OK);
    require(data_corpus_write(path, &corpus) == STRADS_OK);
    strads_free(topics);
    data_corpus_fini(&corpus);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/strads-bench-XXXXXX";
    char path[64];
    char command[64];
    require(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/docword", folder);
    if (argc < 2) {
        generate(path);
        run_all(path, folder);
    }
    for (int i = 1; i < argc; i++) {
        run_all(argv[i], folder);
    }
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
