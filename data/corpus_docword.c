/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/corpus_docword.c - a corpus from lines "DOCUMENT WORD COUNT".
 *
 * Threads read ranges of bytes, cut at line ends, into pieces: the tokens as they come, and
 * which document they belong to, by runs. Then each document gets its runs in their order, so
 * that the result does not depend on how many pieces there are.
 */
#include <inttypes.h>
#include <string.h>

#include "base/tasks.h"
#include "data/corpus_parts.h"
#include "data/number.h"

enum { MIN_PIECE_BYTES = 1 << 20, HEADER_LINES = 3, FAULT_BYTES = 192, PLAIN_DIGITS = 9 };

/* Tokens that follow each other in a piece and in a document. */
typedef struct token_run {
    uint32_t document, n;
} token_run;

/* What is wrong with a line, said when it is known that none before it is wrong. */
typedef struct fault {
    size_t line; /* 0: nothing */
    char text[FAULT_BYTES];
} fault;

typedef struct piece {
    const struct reading *job;
    uint32_t *tokens; /* of kept documents */
    size_t n_tokens, tokens_room;
    token_run *runs; /* of all documents */
    size_t n_runs, runs_room;
    uint64_t *counts;         /* [n_words] */
    uint64_t n_lines, n_kept; /* tokens that are kept, though not in `tokens` when too many */
    uint32_t document;        /* of the last run, from 1; 0: none */
    bool keeps;               /* that document */
    fault fault;
    strads_status status; /* what has been said already */
} piece;

typedef struct reading {
    const corpus_job *job;
    const char *path;
    corpus_header header;
    data_corpus *corpus;
    uint64_t max_tokens; /* kept ones */
    uint64_t begin, end; /* of the lines, in a file that has ranges */
    piece *pieces;
    size_t n_pieces;
} reading;

/* ---- the header ---- */

/* The end of the line at `text`, or NULL: it is not whole. */
static const char *line_end(const char *text, const char *end)
{
    return memchr(text, '\n', (size_t) (end - text));
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '\r') {
        text++;
    }
    return text;
}

/* A line of nothing but a number; the text goes on to a newline. */
static bool is_number_line(const char *text, double *number)
{
    const char *end = data_number_scan(skip_blanks(text), number);
    return end != NULL && *skip_blanks(end) == '\n';
}

bool corpus_is_docword(const data_input *input)
{
    const char *text = input->begin;
    for (int i = 0; i < HEADER_LINES; i++) {
        const char *end = line_end(text, input->end);
        double number = 0.0;
        if (end == NULL || !is_number_line(text, &number)) {
            return false;
        }
        text = end + 1;
    }
    return true;
}

strads_status corpus_header_read(corpus_header *out, const data_input *input)
{
    static const char *const names[HEADER_LINES] = {"documents", "words", "entries"};
    static const double most[HEADER_LINES] = {UINT32_MAX - 1.0, UINT32_MAX - 1.0, 1e15};
    double value[HEADER_LINES];
    const char *text = input->begin;
    for (int i = 0; i < HEADER_LINES; i++) {
        const bool good = is_number_line(text, &value[i]);
        const char *end = line_end(text, input->end);
        if (!good || !(value[i] >= 1.0 && value[i] <= most[i]) ||
            value[i] != (double) (uint64_t) value[i]) {
            char excerpt[DATA_EXCERPT_BYTES];
            strads_error("%s:%d: '%s': expected the number of %s, from 1 to %.0f", input->path,
                         i + 1, data_excerpt(excerpt, text, end), names[i], most[i]);
            return STRADS_ERR_DATA;
        }
        text = end + 1;
    }
    *out = (corpus_header){.n_documents = (uint64_t) value[0],
                           .n_words = (uint64_t) value[1],
                           .n_entries = (uint64_t) value[2],
                           .bytes = (size_t) (text - input->begin)};
    return STRADS_OK;
}

/* ---- lines ---- */

typedef struct entry {
    uint64_t document, word, count;
} entry;

static bool refuse(piece *p, const data_input *input, const char *line, const char *what,
                   uint64_t most)
{
    char excerpt[DATA_EXCERPT_BYTES];
    const char *end = line + strcspn(line, "\n");
    p->fault.line = data_input_line_number(input);
    snprintf(p->fault.text, sizeof(p->fault.text), "'%s': expected %s from 1 to %" PRIu64,
             data_excerpt(excerpt, line, end), what, most);
    return false;
}

/* Has the tokens that come belong to the document. */
static bool begin_run(piece *p, uint64_t document)
{
    if (strads_reserve(&p->runs, &p->runs_room, p->n_runs + 1, sizeof(*p->runs)) != STRADS_OK) {
        p->status = data_no_memory(p->job->path);
        return false;
    }
    p->document = (uint32_t) document;
    p->keeps = corpus_keeps(p->job->corpus, p->document - 1);
    p->runs[p->n_runs++] = (token_run){.document = p->document - 1};
    return true;
}

static bool keep_tokens(piece *p, uint32_t word, size_t count)
{
    p->n_kept += count;
    if (p->n_kept > p->job->max_tokens) {
        return true;
    }
    if (strads_reserve(&p->tokens, &p->tokens_room, p->n_tokens + count, sizeof(*p->tokens)) !=
        STRADS_OK) {
        p->status = data_no_memory(p->job->path);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        p->tokens[p->n_tokens + i] = word;
    }
    p->n_tokens += count;
    return true;
}

/* False: reading ends, for the piece says why. */
static bool take_entry(piece *p, const data_input *input, const char *line, const entry *e)
{
    const corpus_header *header = &p->job->header;
    if (e->document - 1 >= header->n_documents) {
        return refuse(p, input, line, "a document", header->n_documents);
    }
    if (e->word - 1 >= header->n_words) {
        return refuse(p, input, line, "a word", header->n_words);
    }
    if (e->count - 1 >= CORPUS_COUNT_MAX) {
        return refuse(p, input, line, "a count", CORPUS_COUNT_MAX);
    }
    if ((e->document != p->document || p->runs[p->n_runs - 1].n > UINT32_MAX - e->count) &&
        !begin_run(p, e->document)) {
        return false;
    }
    p->n_lines++;
    p->counts[e->word - 1] += e->count;
    p->runs[p->n_runs - 1].n += (uint32_t) e->count;
    return !p->keeps || keep_tokens(p, (uint32_t) e->word - 1, e->count);
}

/* Scans a few digits and the separator behind them; NULL: it is not so plain. */
static inline const char *scan_plain(const char *text, char separator, uint64_t *out)
{
    uint32_t value = 0;
    const char *p = text;
    for (; (unsigned char) (*p - '0') < 10; p++) {
        value = 10 * value + (uint32_t) (*p - '0');
    }
    *out = value;
    return *p == separator && p > text && p - text <= PLAIN_DIGITS ? p + 1 : NULL;
}

/* "DOCUMENT WORD COUNT\n" with single blanks; returns the end, or NULL. */
static inline const char *scan_plain_line(const char *text, entry *out)
{
    text = scan_plain(text, ' ', &out->document);
    text = text != NULL ? scan_plain(text, ' ', &out->word) : NULL;
    return text != NULL ? scan_plain(text, '\n', &out->count) : NULL;
}

/* Any line. */
static bool take_line(piece *p, const data_input *input, const char *line)
{
    uint64_t field[3];
    const char *text = skip_blanks(line);
    if (*text == '\n') {
        return true;
    }
    for (size_t i = 0; i < 3 && text != NULL; i++) {
        const char *begin = skip_blanks(text);
        text = i > 0 && begin == text ? NULL : data_number_scan_index(begin, &field[i]);
    }
    if (text == NULL || *skip_blanks(text) != '\n') {
        char excerpt[DATA_EXCERPT_BYTES];
        p->fault.line = data_input_line_number(input);
        snprintf(p->fault.text, sizeof(p->fault.text),
                 "'%s': expected DOCUMENT WORD COUNT, whole numbers from 1 on",
                 data_excerpt(excerpt, line, line + strcspn(line, "\n")));
        return false;
    }
    const entry e = {.document = field[0], .word = field[1], .count = field[2]};
    return take_entry(p, input, line, &e);
}

/* Takes the plain lines that are held, up to the last newline; false: the piece says why. */
static bool take_plain_lines(piece *p, data_input *input)
{
    const char *last = input->end;
    while (last > input->begin && last[-1] != '\n') {
        last--;
    }
    bool good = true;
    while (good && input->begin < last) {
        entry e;
        const char *next = scan_plain_line(input->begin, &e);
        if (next == NULL) {
            break;
        }
        input->line++;
        good = take_entry(p, input, input->begin, &e);
        input->begin += next - input->begin;
    }
    return good;
}

static void read_lines(piece *p, data_input *input)
{
    char *line = NULL;
    size_t length = 0;
    do {
        if (!take_plain_lines(p, input)) {
            return;
        }
        p->status = data_input_line(input, &line, &length);
    } while (p->status == STRADS_OK && line != NULL && take_line(p, input, line));
}

/* ---- pieces ---- */

static uint64_t cut_at(const reading *job, size_t i)
{
    const uint64_t n = job->end - job->begin;
    return job->begin + n / job->n_pieces * i + n % job->n_pieces * i / job->n_pieces;
}

/* What fails is noted in the piece. */
static strads_status read_ranges(void *context, size_t first, size_t last)
{
    reading *job = context;
    for (size_t i = first; i < last; i++) {
        piece *p = &job->pieces[i];
        data_input input;
        p->status = data_input_open_range(&input, job->path, cut_at(job, i), cut_at(job, i + 1));
        if (p->status == STRADS_OK) {
            read_lines(p, &input);
            data_input_close(&input);
        }
    }
    return STRADS_OK;
}

static void drop_pieces(reading *job)
{
    for (size_t i = 0; i < job->n_pieces; i++) {
        strads_free(job->pieces[i].tokens);
        strads_free(job->pieces[i].runs);
        strads_free(job->pieces[i].counts);
    }
    strads_free(job->pieces);
}

static strads_status make_pieces(reading *job, size_t n)
{
    job->pieces = strads_calloc(n, sizeof(*job->pieces));
    job->n_pieces = job->pieces != NULL ? n : 0;
    bool good = job->pieces != NULL;
    for (size_t i = 0; i < n && good; i++) {
        piece *p = &job->pieces[i];
        p->job = job;
        p->counts = strads_calloc(job->header.n_words, sizeof(*p->counts));
        good = p->counts != NULL;
    }
    return good ? STRADS_OK : data_no_memory(job->path);
}

static size_t count_pieces(const reading *job)
{
    const uint64_t most = (job->end - job->begin) / MIN_PIECE_BYTES + 1;
    return job->job->source->n_threads == 0 && most < job->job->n_threads ? (size_t) most
                                                                          : job->job->n_threads;
}

static strads_status read_pieces(reading *job, data_input *input)
{
    const bool has_ranges = data_input_has_ranges(input, &job->end);
    job->begin = (uint64_t) (input->begin - input->buffer) + job->header.bytes;
    strads_status status = make_pieces(job, has_ranges ? count_pieces(job) : 1);
    if (status == STRADS_OK && has_ranges) {
        status = strads_parallel_for(job->job->n_threads, job->n_pieces, read_ranges, job);
        return status == STRADS_ERR_NOMEM ? data_no_memory(job->path) : status;
    }
    if (status == STRADS_OK) {
        input->begin += job->header.bytes;
        input->line = HEADER_LINES;
        read_lines(&job->pieces[0], input);
    }
    return status;
}

/* Says the first thing that is wrong. */
static strads_status check_pieces(const reading *job)
{
    uint64_t n_lines = 0;
    uint64_t n_kept = 0;
    for (size_t i = 0; i < job->n_pieces; i++) {
        const piece *p = &job->pieces[i];
        if (p->status != STRADS_OK) {
            return p->status;
        }
        if (p->fault.line > 0) {
            strads_error("%s:%zu: %s", job->path, p->fault.line, p->fault.text);
            return STRADS_ERR_DATA;
        }
        n_lines += p->n_lines;
        n_kept += p->n_kept;
    }
    if (n_lines != job->header.n_entries) {
        strads_error("%s:%d: states %" PRIu64 " entries, but %" PRIu64 " follow", job->path,
                     HEADER_LINES, job->header.n_entries, n_lines);
        return STRADS_ERR_DATA;
    }
    if (n_kept > job->max_tokens) {
        strads_error("%s: %" PRIu64 " tokens are more than memory holds", job->path, n_kept);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

/* ---- joining ---- */

/* Copies the tokens of kept documents [first, last), counting starts up. */
static strads_status place_tokens(void *context, size_t first, size_t last)
{
    const reading *job = context;
    data_corpus *corpus = job->corpus;
    for (size_t i = 0; i < job->n_pieces; i++) {
        const piece *p = &job->pieces[i];
        const uint32_t *from = p->tokens;
        for (size_t r = 0; r < p->n_runs; r++) {
            const token_run *run = &p->runs[r];
            if (!corpus_keeps(corpus, run->document)) {
                continue;
            }
            const size_t k = corpus_n_kept_before(corpus, run->document);
            if (k >= first && k < last) {
                memcpy(corpus->tokens + corpus->starts[k], from, run->n * sizeof(*from));
                corpus->starts[k] += run->n;
            }
            from += run->n;
        }
    }
    return STRADS_OK;
}

static strads_status join_documents(reading *job)
{
    data_corpus *corpus = job->corpus;
    uint64_t *lengths = strads_calloc(corpus->n_documents, sizeof(*lengths));
    if (lengths == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < job->n_pieces; i++) {
        for (size_t r = 0; r < job->pieces[i].n_runs; r++) {
            const token_run *run = &job->pieces[i].runs[r];
            lengths[run->document] += run->n;
        }
    }
    strads_status status = corpus_measure_documents(corpus, lengths);
    strads_free(lengths);
    if (status != STRADS_OK) {
        return status;
    }
    corpus->tokens = strads_alloc_array(corpus->starts[corpus->n_kept], sizeof(*corpus->tokens));
    if (corpus->tokens == NULL) {
        return STRADS_ERR_NOMEM;
    }
    status = strads_parallel_for(job->job->n_threads, corpus->n_kept, place_tokens, job);
    memmove(corpus->starts + 1, corpus->starts, corpus->n_kept * sizeof(*corpus->starts));
    corpus->starts[0] = 0;
    return status;
}

static strads_status join_pieces(reading *job)
{
    data_corpus *corpus = job->corpus;
    corpus->n_words = (uint32_t) job->header.n_words;
    corpus->counts = job->pieces[0].counts;
    job->pieces[0].counts = NULL;
    for (size_t i = 1; i < job->n_pieces; i++) {
        for (uint32_t w = 0; w < corpus->n_words; w++) {
            corpus->counts[w] += job->pieces[i].counts[w];
        }
    }
    const strads_status status = join_documents(job);
    return status == STRADS_ERR_NOMEM ? data_no_memory(job->path) : status;
}

/* ---- the whole ---- */

/* Whether what the header states fits, beside each other, into memory and vocabulary. */
static strads_status check_header(reading *job)
{
    const corpus_header *header = &job->header;
    const data_corpus_source *source = job->job->source;
    const uint64_t fixed = sizeof(uint64_t) * (header->n_documents + header->n_words + 1);
    if (fixed > job->job->max_bytes) {
        strads_error("%s:1: %" PRIu64 " documents of %" PRIu64 " words are more than memory holds",
                     job->path, header->n_documents, header->n_words);
        return STRADS_ERR_NOMEM;
    }
    if (source->vocab != NULL && job->corpus->words.n != header->n_words) {
        strads_error("%s:2: states %" PRIu64 " words, but %s has %u", job->path, header->n_words,
                     source->vocab, job->corpus->words.n);
        return STRADS_ERR_DATA;
    }
    /* As pieces have them, and in order. */
    job->max_tokens = (job->job->max_bytes - fixed) / (2 * sizeof(uint32_t));
    return STRADS_OK;
}

strads_status corpus_docword_read(data_corpus *out, data_input *input, const corpus_job *job)
{
    reading r = {.job = job, .path = input->path, .corpus = out};
    strads_status status = corpus_header_read(&r.header, input);
    if (status == STRADS_OK) {
        out->n_documents = r.header.n_documents;
        status = check_header(&r);
    }
    if (status == STRADS_OK) {
        status = read_pieces(&r, input);
    }
    if (status == STRADS_OK) {
        status = check_pieces(&r);
    }
    if (status == STRADS_OK) {
        status = join_pieces(&r);
    }
    drop_pieces(&r);
    return status;
}
