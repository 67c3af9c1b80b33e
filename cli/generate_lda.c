/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/generate_lda.c - `strads generate lda`: documents of known topics. */
#include "cli/cli.h"
#include "data/corpus.h"
#include "data/data.h"

enum { PATH_BYTES = 4096 };

typedef struct lda_request {
    const char *out;
    uint64_t documents, words, topics, seed;
    double length, alpha, beta;
} lda_request;

static int parse(lda_request *request, int argc, char **argv, const char **operands)
{
    const double max_index = UINT32_MAX - 1.0, max_seed = 9007199254740992.0;
    const cli_flag flags[] = {
        {"documents", "D", "how many", .count = &request->documents, .min = 1, .max = max_index,
         .required = true},
        {"words", "W", "of the vocabulary", .count = &request->words, .min = 1, .max = max_index,
         .required = true},
        {"topics", "K", "from 1 to 65535", .count = &request->topics, .min = 1, .max = 65535,
         .required = true},
        {"out", "NAME", "the file to write", .text = &request->out, .required = true},
        {"length", "N", "mean tokens of a document; default 100", .real = &request->length,
         .min = 1, .max = 1e6},
        {"alpha", "A", "of each topic in a document; default 0.1", .real = &request->alpha,
         .min = 1e-6, .max = 1e6},
        {"beta", "B", "of each word in a topic; default 0.05", .real = &request->beta, .min = 1e-6,
         .max = 1e6},
        {"seed", "S", "of the random numbers; default 1", .count = &request->seed, .max = max_seed},
    };
    const cli_usage usage = {
        .command = "generate",
        .operands = {"lda"},
        .help = "Draws topics, and documents from them, by latent Dirichlet allocation, and\n"
                "writes NAME, lines DOCUMENT WORD COUNT; NAME.vocab, its words; and\n"
                "NAME.topics.npy, the topics, a row each. The same options give the same files.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    return cli_parse(&usage, argc, argv, operands);
}

static strads_status name_file(char path[PATH_BYTES], const char *name, const char *suffix)
{
    const int length = snprintf(path, PATH_BYTES, "%s%s", name, suffix);
    if (length < 0 || length >= PATH_BYTES) {
        strads_error("generate: --out: longer than %d bytes", PATH_BYTES);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status write_words(const char *path, const data_corpus *corpus)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t w = 0; w < corpus->n_words; w++) {
        char digits[DATA_ID_BYTES];
        fprintf(data_writer_stream(writer), "%s\n", data_corpus_word(corpus, w, digits));
    }
    return data_writer_commit(writer);
}

static strads_status write_all(const lda_request *request, const data_corpus *corpus,
                               const double *topics)
{
    char vocab[PATH_BYTES];
    char matrix[PATH_BYTES];
    strads_status status = name_file(vocab, request->out, ".vocab");
    if (status == STRADS_OK) {
        status = name_file(matrix, request->out, ".topics.npy");
    }
    if (status == STRADS_OK) {
        status = data_corpus_write(request->out, corpus);
    }
    if (status == STRADS_OK) {
        status = write_words(vocab, corpus);
    }
    if (status == STRADS_OK) {
        status = data_npy_write(matrix, topics, request->topics, corpus->n_words);
    }
    if (status == STRADS_OK) {
        printf("wrote %s: %zu documents, %u words, %zu tokens\nwrote %s\nwrote %s\n", request->out,
               corpus->n_documents, corpus->n_words, corpus->n_tokens, vocab, matrix);
    }
    return status;
}

static strads_status generate(const lda_request *request)
{
    const data_corpus_design design = {.n_documents = (uint32_t) request->documents,
                                       .n_words = (uint32_t) request->words,
                                       .n_topics = (uint32_t) request->topics,
                                       .length = request->length,
                                       .alpha = request->alpha,
                                       .beta = request->beta,
                                       .seed = request->seed};
    data_corpus corpus;
    double *topics = NULL;
    strads_status status = data_corpus_generate(&corpus, &topics, &design);
    if (status != STRADS_OK) {
        return status;
    }
    status = write_all(request, &corpus, topics);
    strads_free(topics);
    data_corpus_fini(&corpus);
    return status;
}

int cli_generate_lda(int argc, char **argv)
{
    lda_request request = {.length = 100.0, .alpha = 0.1, .beta = 0.05, .seed = 1};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = parse(&request, argc, argv, operands);
    return code == CLI_GO_ON ? cli_exit_of(generate(&request)) : code;
}
