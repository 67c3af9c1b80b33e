/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/corpus_text.c - a corpus from texts.
 *
 * One pass gives each word an id, by first appearance or as the vocabulary says, and keeps
 * the ids of each document. Without a vocabulary the words that are left out are known only
 * then, so that the ids are changed and closed up in a second pass.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/corpus_parts.h"
#include "data/tokens.h"

/* How often a word is met. */
typedef struct word_use {
    uint64_t n_tokens;
    uint32_t n_documents;
    uint32_t last_document; /* from 1: that counted this word */
} word_use;

typedef struct texts {
    const data_corpus_source *source;
    data_corpus *corpus; /* its words are the vocabulary where there is one */
    data_token_rules rules;
    data_ids words, stops; /* words: without a vocabulary */
    word_use *uses;        /* [words.n] */
    uint64_t *lengths;     /* [n_documents] */
    size_t n_documents, n_tokens;
    size_t uses_room, lengths_room, tokens_room;
} texts;

/* ---- words ---- */

/* The id of a new or known word, which is counted. */
static strads_status count_word(texts *all, const data_token *token, uint32_t *id)
{
    const uint32_t n = all->words.n;
    strads_status status = n < DATA_UNSEEN - 1 ? STRADS_OK : STRADS_ERR_NOMEM;
    if (status == STRADS_OK) {
        status = data_ids_add(&all->words, token->text, token->n_bytes, id);
    }
    if (status == STRADS_OK) {
        status = strads_reserve(&all->uses, &all->uses_room, all->words.n, sizeof(*all->uses));
    }
    if (status != STRADS_OK) {
        return status;
    }
    word_use *use = &all->uses[*id];
    if (*id == n) {
        *use = (word_use){.n_tokens = 0};
    }
    use->n_documents += use->last_document != (uint32_t) all->n_documents;
    use->last_document = (uint32_t) all->n_documents;
    use->n_tokens++;
    return STRADS_OK;
}

static strads_status keep_token(texts *all, uint32_t id)
{
    const strads_status status = strads_reserve(&all->corpus->tokens, &all->tokens_room,
                                                all->n_tokens + 1, sizeof(*all->corpus->tokens));
    if (status == STRADS_OK) {
        all->corpus->tokens[all->n_tokens++] = id;
        all->lengths[all->n_documents - 1]++;
    }
    return status;
}

static strads_status take_known_word(texts *all, const data_token *token)
{
    const uint32_t id = data_ids_find_text(&all->corpus->words, token->text, token->n_bytes);
    all->corpus->n_unknown += id == DATA_UNSEEN;
    return id == DATA_UNSEEN ? STRADS_OK : keep_token(all, id);
}

static strads_status take_any_word(texts *all, const data_token *token)
{
    uint32_t id = 0;
    if (token->n_characters < all->source->text.min_length ||
        data_ids_find_text(&all->stops, token->text, token->n_bytes) != DATA_UNSEEN) {
        return STRADS_OK;
    }
    const strads_status status = count_word(all, token, &id);
    return status == STRADS_OK ? keep_token(all, id) : status;
}

/* ---- documents ---- */

static strads_status begin_document(texts *all, const char *path)
{
    if (all->n_documents == UINT32_MAX - 1) {
        strads_error("%s: more than %u documents", path, UINT32_MAX - 1);
        return STRADS_ERR_DATA;
    }
    if (strads_reserve(&all->lengths, &all->lengths_room, all->n_documents + 1,
                       sizeof(*all->lengths)) != STRADS_OK) {
        return data_no_memory(path);
    }
    all->lengths[all->n_documents++] = 0;
    return STRADS_OK;
}

/* Adds a line to the document that began last. */
static strads_status take_line(void *context, const data_input *input, char *line, char *end)
{
    texts *all = context;
    data_token token;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && data_token_next(&token, &line, end, &all->rules)) {
        status =
            all->source->vocab != NULL ? take_known_word(all, &token) : take_any_word(all, &token);
    }
    return status == STRADS_OK ? status : data_no_memory(input->path);
}

static strads_status take_document(void *context, const data_input *input, char *line, char *end)
{
    const strads_status status = begin_document(context, input->path);
    return status == STRADS_OK ? take_line(context, input, line, end) : status;
}

static strads_status take_stop_words(void *context, const data_input *input, char *line, char *end)
{
    texts *all = context;
    data_token token;
    uint32_t index = 0;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && data_token_next(&token, &line, end, &all->rules)) {
        status = data_ids_add(&all->stops, token.text, token.n_bytes, &index);
    }
    return status == STRADS_OK ? status : data_no_memory(input->path);
}

/* Hands over all lines of a file. */
static strads_status read_lines(texts *all, const char *path, data_line_taker take)
{
    data_input input;
    strads_status status = data_input_open(&input, path);
    if (status == STRADS_OK) {
        data_input_skip_mark(&input);
        status = data_input_lines(&input, take, all);
        data_input_close(&input);
    }
    return status;
}

/* ---- folders ---- */

static char *join_path(const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + sizeof("/");
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", folder, name);
    }
    return path;
}

/* Adds a file's name, unless it is hidden or no regular file. NOMEM is not said. */
static strads_status add_name(data_ids *names, const char *folder, const char *name)
{
    struct stat about;
    uint32_t index = 0;
    if (name[0] == '.') {
        return STRADS_OK;
    }
    char *path = join_path(folder, name);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const bool is_document = stat(path, &about) == 0 && S_ISREG(about.st_mode);
    strads_free(path);
    return is_document ? data_ids_add(names, name, strlen(name), &index) : STRADS_OK;
}

static strads_status list_names(data_ids *names, const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        strads_error("cannot open %s: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    strads_status status = STRADS_OK;
    for (const struct dirent *file = readdir(folder); file != NULL && status == STRADS_OK;
         file = readdir(folder)) {
        status = add_name(names, path, file->d_name);
    }
    closedir(folder);
    return status == STRADS_OK ? status : data_no_memory(path);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* out := the same texts in alphabetical order. NOMEM is not said. */
static strads_status sort_names(data_ids *out, const data_ids *names)
{
    const char **sorted = strads_alloc_array(names->n, sizeof(*sorted));
    if (sorted == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < names->n; i++) {
        sorted[i] = names->text + names->start[i];
    }
    qsort(sorted, names->n, sizeof(*sorted), by_text);
    strads_status status = STRADS_OK;
    for (uint32_t i = 0, index = 0; i < names->n && status == STRADS_OK; i++) {
        status = data_ids_add(out, sorted[i], strlen(sorted[i]), &index);
    }
    strads_free(sorted);
    return status;
}

strads_status corpus_folder_list(data_ids *out, const char *path)
{
    data_ids names = {.n = 0};
    data_ids sorted = {.n = 0};
    strads_status status = list_names(&names, path);
    if (status == STRADS_OK && sort_names(&sorted, &names) != STRADS_OK) {
        status = data_no_memory(path);
    }
    data_ids_fini(&names);
    if (status == STRADS_OK && sorted.n == 0) {
        strads_error("%s: has no files: expected texts, a document each", path);
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        data_ids_fini(&sorted);
        return status;
    }
    *out = sorted;
    return STRADS_OK;
}

static strads_status read_folder(texts *all)
{
    const char *folder = all->source->path;
    data_ids *names = &all->corpus->names;
    strads_status status = corpus_folder_list(names, folder);
    for (uint32_t i = 0; status == STRADS_OK && i < names->n; i++) {
        char *path = join_path(folder, names->text + names->start[i]);
        if (path == NULL) {
            return data_no_memory(folder);
        }
        status = begin_document(all, path);
        if (status == STRADS_OK) {
            status = read_lines(all, path, take_line);
        }
        strads_free(path);
    }
    return status;
}

/* ---- the words that stay ---- */

typedef struct ranked {
    uint64_t n_tokens;
    const char *text;
    uint32_t id;
} ranked;

static int by_use(const void *a, const void *b)
{
    const ranked *left = a;
    const ranked *right = b;
    if (left->n_tokens != right->n_tokens) {
        return left->n_tokens > right->n_tokens ? -1 : 1;
    }
    return strcmp(left->text, right->text);
}

/* list[*n] := the words that are in enough documents, and not in too many, in their order. */
static void rank_words(const texts *all, ranked *list, size_t *n)
{
    const data_text_options *options = &all->source->text;
    const double most = options->max_documents * (double) all->n_documents * (1.0 + 1e-12);
    *n = 0;
    for (uint32_t i = 0; i < all->words.n; i++) {
        const word_use *use = &all->uses[i];
        if (use->n_documents >= options->min_documents && use->n_documents <= most) {
            list[(*n)++] = (ranked){
                .n_tokens = use->n_tokens, .text = all->words.text + all->words.start[i], .id = i};
        }
    }
    qsort(list, *n, sizeof(*list), by_use);
}

/* Makes the vocabulary of list[n], and map[id] the new ids of words, or DATA_UNSEEN. */
static strads_status name_words(texts *all, const ranked *list, size_t n, uint32_t *map)
{
    for (uint32_t i = 0; i < all->words.n; i++) {
        map[i] = DATA_UNSEEN;
    }
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        status =
            data_ids_add(&all->corpus->words, list[i].text, strlen(list[i].text), &map[list[i].id]);
    }
    return status;
}

/* Gives tokens their new ids, and closes up where words are left out. */
static void map_tokens(texts *all, const uint32_t *map)
{
    uint32_t *tokens = all->corpus->tokens;
    size_t from = 0;
    size_t to = 0;
    for (size_t d = 0; d < all->n_documents; d++) {
        const size_t end = from + all->lengths[d];
        const size_t begin = to;
        for (; from < end; from++) {
            tokens[to] = map[tokens[from]];
            to += tokens[to] != DATA_UNSEEN;
        }
        all->lengths[d] = to - begin;
    }
    all->n_tokens = to;
}

static strads_status settle_words(texts *all)
{
    size_t n = 0;
    ranked *list = strads_alloc_array(all->words.n, sizeof(*list));
    uint32_t *map = strads_alloc_array(all->words.n, sizeof(*map));
    strads_status status = list != NULL && map != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
    if (status == STRADS_OK) {
        rank_words(all, list, &n);
        status = name_words(all, list, n, map);
    }
    if (status == STRADS_OK) {
        map_tokens(all, map);
    }
    strads_free(list);
    strads_free(map);
    return status;
}

/* ---- the whole ---- */

static strads_status count_tokens(texts *all)
{
    data_corpus *corpus = all->corpus;
    corpus->n_documents = all->n_documents;
    corpus->n_words = corpus->words.n;
    corpus->counts = strads_calloc(corpus->n_words, sizeof(*corpus->counts));
    if (corpus->counts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < all->n_tokens; i++) {
        corpus->counts[corpus->tokens[i]]++;
    }
    return corpus_measure_documents(corpus, all->lengths);
}

static void say_nothing_stays(const texts *all)
{
    const data_corpus_source *source = all->source;
    if (source->vocab != NULL) {
        strads_error("%s: none of the words of %zu documents are in %s", source->path,
                     all->n_documents, source->vocab);
    } else {
        strads_error("%s: none of the words of %zu documents stay; docword would begin with three "
                     "lines of one number each",
                     source->path, all->n_documents);
    }
}

/* Makes the corpus of what was read. */
static strads_status finish(texts *all)
{
    const char *path = all->source->path;
    strads_status status = all->source->vocab == NULL ? settle_words(all) : STRADS_OK;
    if (status == STRADS_OK && all->n_tokens == 0) {
        say_nothing_stays(all);
        return STRADS_ERR_DATA;
    }
    if (status == STRADS_OK) {
        status = count_tokens(all);
    }
    return status == STRADS_OK ? status : data_no_memory(path);
}

static strads_status read_texts(texts *all, data_input *input)
{
    const data_corpus_source *source = all->source;
    strads_status status = STRADS_OK;
    if (source->vocab == NULL && source->text.stop_words != NULL) {
        status = read_lines(all, source->text.stop_words, take_stop_words);
    }
    if (status != STRADS_OK) {
        return status;
    }
    status = input != NULL ? data_input_lines(input, take_document, all) : read_folder(all);
    if (status == STRADS_OK && all->n_documents == 0) {
        strads_error("%s: is empty: expected a corpus", source->path);
        status = STRADS_ERR_DATA;
    }
    return status;
}

strads_status corpus_text_read(data_corpus *out, data_input *input, const corpus_job *job)
{
    texts all = {.source = job->source,
                 .corpus = out,
                 .rules = {.lower_case = job->source->text.lower_case, .utf8 = true}};
    strads_status status = read_texts(&all, input);
    if (status == STRADS_OK) {
        status = finish(&all);
    }
    data_ids_fini(&all.words);
    data_ids_fini(&all.stops);
    strads_free(all.uses);
    strads_free(all.lengths);
    return status;
}
