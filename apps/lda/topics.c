/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/topics.c - top words, by a bounded heap a topic, and their table. */
#include "apps/lda/topics.h"

#include <stdlib.h>
#include <string.h>

strads_status lda_tops_init(lda_tops *out, size_t n_topics, size_t n_each)
{
    lda_tops made = {.n_topics = n_topics,
                     .n_each = n_each,
                     .tops = strads_alloc_array(n_topics, n_each * sizeof(*made.tops)),
                     .used = strads_calloc(n_topics, sizeof(*made.used))};
    if (made.tops == NULL || made.used == NULL) {
        lda_tops_fini(&made);
        strads_error("lda: no memory for the top words of %zu topics", n_topics);
        return STRADS_ERR_NOMEM;
    }
    *out = made;
    return STRADS_OK;
}

void lda_tops_fini(lda_tops *tops)
{
    strads_free(tops->tops);
    strads_free(tops->used);
    *tops = (lda_tops){.n_topics = 0};
}

/* ---- a heap a topic, whose root is what is replaced next ---- */

static bool is_before(lda_top a, lda_top b)
{
    return a.count > b.count || (a.count == b.count && a.word < b.word);
}

static void sift_up(lda_top *heap, size_t at, lda_top top)
{
    while (at > 0 && is_before(heap[(at - 1) / 2], top)) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = top;
}

static void sift_down(lda_top *heap, size_t n, lda_top top)
{
    size_t at = 0;
    for (size_t child = 1; child < n; child = 2 * at + 1) {
        child += child + 1 < n && is_before(heap[child], heap[child + 1]);
        if (!is_before(top, heap[child])) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = top;
}

void lda_tops_add(lda_tops *tops, size_t topic, uint32_t word, uint32_t count)
{
    lda_top *heap = tops->tops + topic * tops->n_each;
    const lda_top top = {.word = word, .count = count};
    if (count == 0) {
        return;
    }
    if (tops->used[topic] < tops->n_each) {
        sift_up(heap, tops->used[topic]++, top);
    } else if (is_before(top, heap[0])) {
        sift_down(heap, tops->n_each, top);
    }
}

void lda_tops_add_row(lda_tops *tops, uint32_t word, const uint32_t *counts)
{
    for (size_t k = 0; k < tops->n_topics; k++) {
        if (counts[k] > 0) {
            lda_tops_add(tops, k, word, counts[k]);
        }
    }
}

static int by_rank(const void *a, const void *b)
{
    return is_before(*(const lda_top *) a, *(const lda_top *) b) ? -1 : 1;
}

void lda_tops_sort(lda_tops *tops)
{
    for (size_t k = 0; k < tops->n_topics; k++) {
        qsort(tops->tops + k * tops->n_each, tops->used[k], sizeof(*tops->tops), by_rank);
    }
}

/* ---- the table ---- */

typedef struct share {
    double tokens;
    size_t topic;
} share;

static int by_tokens(const void *a, const void *b)
{
    const share *left = a;
    const share *right = b;
    const int order = (left->tokens < right->tokens) - (left->tokens > right->tokens);
    return order != 0 ? order : (left->topic > right->topic) - (left->topic < right->topic);
}

/* Bytes of the first n characters of an UTF-8 text; at most all of them. */
static size_t bytes_of(const char *text, size_t n)
{
    size_t bytes = 0;
    for (; text[bytes] != '\0'; bytes++) {
        const bool begins = (text[bytes] & 0xC0) != 0x80;
        if (begins && n-- == 0) {
            break;
        }
    }
    return bytes;
}

static size_t characters_of(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += (*text & 0xC0) != 0x80;
    }
    return n;
}

/* A vocabulary may hold anything: what would steer a terminal becomes '?'. */
static void put_text(const char *text, size_t bytes, FILE *to)
{
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char c = (unsigned char) text[i];
        fputc(c < ' ' || c == 0x7F ? '?' : c, to);
    }
}

/* The words of a topic as far as they fit into `room` characters. */
static void put_words(const lda_topics_table *table, size_t topic, size_t room, FILE *to)
{
    const lda_top *top = table->tops->tops + topic * table->tops->n_each;
    char made[LDA_WORD_BYTES];
    for (size_t i = 0; i < table->tops->used[topic]; i++) {
        const char *text = table->word(table->context, top[i].word, made);
        const size_t width = characters_of(text) + (i > 0);
        if (width > room && i > 0) {
            break;
        }
        fputs(i > 0 ? " " : "", to);
        put_text(text, bytes_of(text, room), to);
        room -= width < room ? width : room;
    }
    fputc('\n', to);
}

static void put_rows(const lda_topics_table *table, const share *shares, FILE *to)
{
    const size_t n_topics = table->tops->n_topics;
    const bool coherent = table->coherence != NULL;
    const size_t taken = coherent ? 27 : 16; /* characters before the words */
    const size_t n = table->n_rows > 0 && table->n_rows < n_topics ? table->n_rows : n_topics;
    double all = 0.0;
    for (size_t k = 0; k < n_topics; k++) {
        all += table->totals[k];
    }
    fprintf(to, "topic    share  %swords\n", coherent ? "coherence  " : "");
    for (size_t i = 0; i < n; i++) {
        const size_t k = shares[i].topic;
        fprintf(to, "%5zu  %6.2f%%  ", k, all > 0.0 ? 100.0 * shares[i].tokens / all : 0.0);
        if (coherent) {
            fprintf(to, "%9.3f  ", table->coherence[k]);
        }
        put_words(table, k, table->width > 0 ? table->width - taken : SIZE_MAX, to);
    }
}

strads_status lda_topics_print(const lda_topics_table *table, FILE *to)
{
    const size_t n_topics = table->tops->n_topics;
    share *shares = strads_alloc_array(n_topics, sizeof(*shares));
    if (shares == NULL) {
        strads_error("lda: no memory for the table of topics");
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < n_topics; k++) {
        shares[k] = (share){.tokens = table->totals[k], .topic = k};
    }
    qsort(shares, n_topics, sizeof(*shares), by_tokens);
    put_rows(table, shares, to);
    strads_free(shares);
    if (ferror(to)) {
        strads_error("cannot write the table of topics");
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}
