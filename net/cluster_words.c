/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/cluster_words.c - sentences about machines, read word by word: a reader holds
 * one word, and the functions take it where it is what they expect.
 */
#include "net/cluster_words.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { WORD_BYTES = 64, SHOWN_BYTES = 80, WHY_BYTES = 512 };

typedef struct reader {
    const net_sentence *of;
    const char *rest;
    char word[WORD_BYTES]; /* "" at the end; a longer word is none that is known */
} reader;

static void advance(reader *in)
{
    static const char blanks[] = " \t\r\n";
    in->rest += strspn(in->rest, blanks);
    const size_t bytes = strcspn(in->rest, blanks);
    const bool fits = bytes < WORD_BYTES;
    snprintf(in->word, WORD_BYTES, "%.*s%s", fits ? (int) bytes : WORD_BYTES - 4, in->rest,
             fits ? "" : "...");
    in->rest += bytes;
}

static bool at_word(const reader *in, const char *word)
{
    return strcmp(in->word, word) == 0;
}

strads_status net_sentence_refuse(const net_sentence *sentence, const char *format, ...)
{
    char why[WHY_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    strads_error("%s: %s: '%.*s%s': %s", sentence->place, sentence->key, SHOWN_BYTES,
                 sentence->text, strlen(sentence->text) > SHOWN_BYTES ? "..." : "", why);
    return STRADS_ERR_USAGE;
}

static strads_status refuse_at(const reader *in, const char *expected, const char *nearest)
{
    const char *hint = nearest != NULL ? "; did you mean " : "";
    const char *mark = nearest != NULL ? "?" : "";
    nearest = nearest != NULL ? nearest : "";
    return in->word[0] == '\0'
               ? net_sentence_refuse(in->of, "ends where %s is expected", expected)
               : net_sentence_refuse(in->of, "'%s' stands where %s is expected%s%s%s", in->word,
                                     expected, hint, nearest, mark);
}

/* The word is none of these, which are all that may stand here. */
static strads_status refuse_word(const reader *in, const char *const *words, size_t n)
{
    char list[WHY_BYTES] = "";
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const char *between = i == 0 ? "" : i + 1 < n ? ", " : " or ";
        bytes += (size_t) snprintf(list + bytes, sizeof(list) - bytes, "%s%s", between, words[i]);
    }
    return refuse_at(in, list, strads_nearest(in->word, words, n));
}

/* ---- machines ---- */

/* Reads the digits at *at, and goes behind them; more than 4 are no worker's number. */
static bool take_digits(const char **at, uint32_t *number)
{
    const size_t n = strspn(*at, "0123456789");
    uint32_t value = 0;
    for (size_t i = 0; i < n && i < 5; i++) {
        value = 10 * value + (uint32_t) ((*at)[i] - '0');
    }
    *at += n;
    *number = n < 5 ? value : UINT32_MAX;
    return n > 0;
}

static strads_status check_worker(const reader *in, uint32_t worker)
{
    const uint32_t last = in->of->n_workers - 1;
    if (worker <= last) {
        return STRADS_OK;
    }
    return net_sentence_refuse(in->of, "'%s' is beyond the last worker, %u: they count from 0",
                               in->word, last);
}

static strads_status take_worker(reader *in, net_machines *out)
{
    const char *at = in->word;
    uint32_t worker = 0;
    if (!take_digits(&at, &worker) || *at != '\0') {
        return refuse_at(in, "the number of one worker (several are workers 0-2, for example)",
                         NULL);
    }
    const strads_status status = check_worker(in, worker);
    if (status == STRADS_OK) {
        *out = (net_machines){worker + 1, worker + 1};
        advance(in);
    }
    return status;
}

static strads_status take_range(reader *in, net_machines *out)
{
    const char *at = in->word;
    uint32_t first = 0, last = 0;
    const bool is_range = take_digits(&at, &first) && *at++ == '-' && take_digits(&at, &last);
    if (!is_range || *at != '\0' || first > last) {
        return refuse_at(in, "a range of workers such as 0-2 (one is worker 3, for example)", NULL);
    }
    const strads_status status = check_worker(in, last);
    if (status == STRADS_OK) {
        *out = (net_machines){first + 1, last + 1};
        advance(in);
    }
    return status;
}

static strads_status take_machines(reader *in, net_machines *out)
{
    static const char *const words[] = {"coordinator", "worker", "workers"};
    if (at_word(in, "coordinator")) {
        *out = (net_machines){NET_COORDINATOR, NET_COORDINATOR};
        advance(in);
        return STRADS_OK;
    }
    if (at_word(in, "worker")) {
        advance(in);
        return take_worker(in, out);
    }
    if (!at_word(in, "workers")) {
        return refuse_word(in, words, sizeof(words) / sizeof(words[0]));
    }
    advance(in);
    if (in->word[0] >= '0' && in->word[0] <= '9') {
        return take_range(in, out);
    }
    *out = (net_machines){1, in->of->n_workers};
    return STRADS_OK;
}

/* ---- clauses: a word and its number ---- */

typedef enum clause_id { AT, BY, FROM, TO, EVERY, FOR, LATENCY, BANDWIDTH, N_CLAUSES } clause_id;

typedef struct clause {
    const char *word;
    double min, max;
    const char *takes;
} clause;

static const clause clauses[N_CLAUSES] = {
    [AT] = {"at", 0, 1e9, "a time from 0 to 1e9 seconds"},
    [BY] = {"by", 1, 1e6, "a factor from 1 to 1e6"},
    [FROM] = {"from", 0, 1e9, "a time from 0 to 1e9 seconds"},
    [TO] = {"to", 0, 1e9, "a time from 0 to 1e9 seconds"},
    [EVERY] = {"every", 1e-6, 1e9, "a time from 1e-6 to 1e9 seconds"},
    [FOR] = {"for", 1e-6, 1e9, "a time from 1e-6 to 1e9 seconds"},
    [LATENCY] = {"latency", 0, 3600, "a time from 0 to 3600 seconds"},
    [BANDWIDTH] = {"bandwidth", 1e-6, 1e6, "a rate from 1e-6 to 1e6 Gbit/s"},
};

/* The clauses of a set of bits, by their words; returns how many. */
static size_t words_of(unsigned set, const char *words[N_CLAUSES])
{
    size_t n = 0;
    for (int k = 0; k < N_CLAUSES; k++) {
        if (set >> k & 1) {
            words[n++] = clauses[k].word;
        }
    }
    return n;
}

static strads_status take_number(reader *in, clause_id k, double *out)
{
    double number = 0.0;
    if (!strads_parse_number(in->word, &number) || number < clauses[k].min ||
        number > clauses[k].max) {
        return refuse_at(in, clauses[k].takes, NULL);
    }
    *out = number;
    advance(in);
    return STRADS_OK;
}

/* Takes all that is left: every clause of `required`, others of `optional`, in any
 * order. values[k] is set for those that are there. */
static strads_status take_clauses(reader *in, unsigned required, unsigned optional,
                                  double values[N_CLAUSES])
{
    const char *words[N_CLAUSES];
    unsigned left = required | optional;
    while (in->word[0] != '\0') {
        int k = 0;
        if (left == 0) {
            return refuse_at(in, "the end", NULL);
        }
        while (k < N_CLAUSES && !((left >> k & 1) && at_word(in, clauses[k].word))) {
            k++;
        }
        if (k == N_CLAUSES) {
            return refuse_word(in, words, words_of(left, words));
        }
        advance(in);
        const strads_status status = take_number(in, (clause_id) k, &values[k]);
        if (status != STRADS_OK) {
            return status;
        }
        left &= ~(1U << k);
    }
    const size_t n_missing = words_of(left & required, words);
    return n_missing == 0 ? STRADS_OK : refuse_at(in, words[0], NULL);
}

/* ---- sentences ---- */

enum {
    AT_BIT = 1U << AT,
    BY_BIT = 1U << BY,
    SPAN_BITS = 1U << FROM | 1U << TO,
    SPELL_BITS = 1U << EVERY | 1U << FOR,
    LINK_BITS = 1U << LATENCY | 1U << BANDWIDTH
};

static const struct {
    const char *word;
    net_fault_kind kind;
    unsigned required, optional;
} verbs[] = {
    {"lose", NET_FAULT_LOSE, AT_BIT, 0},
    {"slow", NET_FAULT_SLOW, BY_BIT, SPAN_BITS},
    {"cut", NET_FAULT_CUT, 0, SPAN_BITS},
    {"straggle", NET_FAULT_STRAGGLE, BY_BIT | SPELL_BITS, SPAN_BITS},
};
enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static strads_status take_verb(reader *in, size_t *out)
{
    const char *words[N_VERBS];
    for (size_t i = 0; i < N_VERBS; i++) {
        words[i] = verbs[i].word;
        if (at_word(in, words[i])) {
            *out = i;
            advance(in);
            return STRADS_OK;
        }
    }
    return refuse_word(in, words, N_VERBS);
}

strads_status net_fault_read(net_fault *out, const net_sentence *sentence)
{
    reader in = {.of = sentence, .rest = sentence->text};
    net_machines who = {0, 0};
    size_t verb = 0;
    double values[N_CLAUSES] = {[BY] = 1.0, [TO] = INFINITY};
    assert(sentence->n_workers > 0);
    advance(&in);
    strads_status status = take_verb(&in, &verb);
    if (status == STRADS_OK) {
        status = take_machines(&in, &who);
    }
    if (status == STRADS_OK) {
        status = take_clauses(&in, verbs[verb].required, verbs[verb].optional, values);
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (values[FROM] > values[TO]) {
        return net_sentence_refuse(sentence, "from %g is after to %g", values[FROM], values[TO]);
    }
    if (values[FOR] > values[EVERY]) {
        return net_sentence_refuse(sentence, "for %g is longer than every %g", values[FOR],
                                   values[EVERY]);
    }
    const net_fault_kind kind = verbs[verb].kind;
    *out = (net_fault){.kind = kind,
                       .first = who.first,
                       .last = who.last,
                       .from = kind == NET_FAULT_LOSE ? values[AT] : values[FROM],
                       .to = values[TO],
                       .factor = values[BY],
                       .every = values[EVERY],
                       .span = values[FOR]};
    return STRADS_OK;
}

strads_status net_link_rule_read(net_link_rule *out, const net_sentence *sentence, net_link usual)
{
    static const char *const to[] = {"to"};
    reader in = {.of = sentence, .rest = sentence->text};
    net_link_rule links = {.link = usual};
    double values[N_CLAUSES] = {[LATENCY] = -1.0, [BANDWIDTH] = -1.0};
    assert(sentence->n_workers > 0);
    advance(&in);
    strads_status status = take_machines(&in, &links.a);
    if (status == STRADS_OK) {
        status = at_word(&in, "to") ? STRADS_OK : refuse_word(&in, to, 1);
    }
    if (status == STRADS_OK) {
        advance(&in);
        status = take_machines(&in, &links.b);
    }
    if (status == STRADS_OK && in.word[0] == '\0') {
        static const char *const words[] = {"latency", "bandwidth"};
        status = refuse_word(&in, words, 2);
    }
    if (status == STRADS_OK) {
        status = take_clauses(&in, 0, LINK_BITS, values);
    }
    if (status != STRADS_OK) {
        return status;
    }
    links.link.latency = values[LATENCY] >= 0.0 ? values[LATENCY] : usual.latency;
    links.link.bandwidth = values[BANDWIDTH] > 0.0 ? values[BANDWIDTH] * NET_GBIT : usual.bandwidth;
    *out = links;
    return STRADS_OK;
}
