/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels_sparse.h - sampling in time that goes with the topics that a document has. Part
 * of kernels.c.
 *
 * The chance of topic k is n_dk phi_k + alpha_k phi_k (Yao, Mimno & McCallum 2009). The first part
 * is summed over the document's entries, with phi of the word in the nearest cache. The sum of the
 * second is kept as topics change, by groups, from which one is drawn in two steps.
 */
#ifndef STRADS_LDA_KERNELS_SPARSE_H
#define STRADS_LDA_KERNELS_SPARSE_H

#include "apps/lda/kernels_words.h"

enum {
    GROUP = 16, /* topics */
    LINE = 16,  /* entries of a row */
    N_UNIFORMS = 64,
    ONE = 1 << 16,   /* a count of an entry */
    LOOK_AHEAD = 12, /* tokens after which a document's row is wanted */
    AHEAD_LEAST = 3 * LINE
};

typedef struct sparse {
    lda_sampler *self;
    const lda_slice *slice;
    const lda_rows *rows;
    uint32_t n_groups;
    uint32_t n_ahead; /* entries of a row that are fetched ahead */

    /* of the word */
    float *phi;            /* [n_padded + GROUP], 0 from n_topics on */
    int32_t *counts;       /* [n_padded] */
    float *groups;         /* [groups, padded] sums of alpha_k phi_k */
    float *running;        /* [groups, padded] running sums of them, lane by lane */
    float sum;             /* ... of all */
    bool is_list;          /* what changes is listed */
    uint16_t *list;        /* the topics that it has or had */
    unsigned char *listed; /* [n_topics] */
    uint32_t n_listed;

    /* of a word without tokens */
    float *inverse; /* [n_padded + GROUP] 1 / (n_k + V beta) */
    float *bare;    /* [n_padded] beta / (n_k + V beta) */
    float *bare_groups;
    float bare_sum;
    bool is_bare;   /* phi and groups are those of a word without tokens, counts 0 */
    uint64_t since; /* tokens since they were made */

    /* of the document */
    float *products; /* [entries] running sums of n_dk phi_k, lane by lane */
    float *gathered; /* [entries] phi of its topics */
    uint32_t doc;

    float uniforms[N_UNIFORMS];
    uint32_t n_uniforms; /* not used yet */
} sparse;

static size_t padded_groups(uint32_t n_padded)
{
    return (n_padded / GROUP + LANES - 1) / 16 * 16 + 16;
}

static void lay_out(sparse *it)
{
    const size_t n = it->self->n_padded + 2 * LINE;
    const size_t n_groups = padded_groups(it->self->n_padded);
    float *at = it->self->scratch;
    float **const parts[] = {&it->phi, &it->inverse, &it->bare, &it->products, &it->gathered};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *parts[i] = at;
        at += n;
    }
    it->groups = at;
    it->bare_groups = at + n_groups;
    it->running = at + 2 * n_groups;
    it->counts = (int32_t *) (void *) (at + 3 * n_groups);
    it->list = (uint16_t *) (it->counts + n);
    it->listed = (unsigned char *) (it->list + n);
    memset(it->self->scratch, 0, lda_scratch_floats(it->self->n_topics) * sizeof(float));
}

INLINE float next_uniform(sparse *it)
{
    if (it->n_uniforms == 0) {
        for (uint32_t i = 0; i < N_UNIFORMS; i += LANES) {
            store(it->uniforms + i, uniform(it->self->random));
        }
        it->n_uniforms = N_UNIFORMS;
    }
    return it->uniforms[--it->n_uniforms];
}

INLINE float sum_lanes(lanes v)
{
    return lane_float(prefix(v), LANES - 1);
}

/* ---- words ---- */

/* groups := sums of alpha_k phi_k; returns that of all. */
static float sum_groups(const sparse *it, const float *phi, float *groups)
{
    lanes all_of_them = {0};
    for (uint32_t g = 0; g < it->n_groups; g++) {
        lanes sum = {0};
        for (uint32_t k = g * GROUP; k < (g + 1) * GROUP; k += LANES) {
            sum += load(it->self->alpha + k) * load(phi + k);
        }
        groups[g] = sum_lanes(sum);
        all_of_them += sum;
    }
    return sum_lanes(all_of_them);
}

static void refresh_bare(sparse *it)
{
    const lda_sampler *self = it->self;
    make_inverse(self, it->inverse);
    for (uint32_t k = 0; k < self->n_padded; k += LANES) {
        store(it->bare + k, self->beta * load(it->inverse + k));
    }
    it->bare_sum = sum_groups(it, it->bare, it->bare_groups);
    it->since = 0;
    it->is_bare = false;
}

static void make_bare(sparse *it)
{
    memcpy(it->phi, it->bare, it->self->n_padded * sizeof(float));
    memcpy(it->groups, it->bare_groups, it->n_groups * sizeof(float));
    it->is_bare = true;
}

/* What the counts of topic k add to a bare word. */
INLINE void add_topic(sparse *it, uint32_t k)
{
    const float more = (float) it->counts[k] * it->inverse[k];
    it->phi[k] = it->bare[k] + more;
    it->groups[k / GROUP] += it->self->alpha[k] * more;
    it->sum += it->self->alpha[k] * more;
}

INLINE void list_topic(sparse *it, uint32_t k)
{
    if (it->listed[k] == 0) {
        it->listed[k] = 1;
        it->list[it->n_listed++] = (uint16_t) k;
    }
}

/* phi and its sums, from the counts. */
static void make_word(sparse *it)
{
    const lda_sampler *self = it->self;
    if (it->is_list) {
        if (!it->is_bare) {
            make_bare(it);
        }
        it->sum = it->bare_sum;
        for (uint32_t i = 0; i < it->n_listed; i++) {
            add_topic(it, it->list[i]);
        }
    } else {
        for (uint32_t k = 0; k < self->n_padded; k += LANES) {
            const lanes counts = __builtin_convertvector(*(ints_at *) (it->counts + k), lanes);
            store(it->phi + k, load(it->bare + k) + counts * load(it->inverse + k));
        }
        it->sum = sum_groups(it, it->phi, it->groups);
    }
    it->is_bare = false;
    it->doc = UINT32_MAX;
}

static void enter_word(sparse *it, uint32_t word)
{
    const lda_place *place = &it->slice->places[word];
    const uint32_t *row = it->slice->column + place->offset;
    if (it->since >= it->self->lag) {
        refresh_bare(it);
    }
    it->is_list = place->form == LDA_LIST;
    if (it->is_list) {
        for (uint32_t i = 0; i < row[0]; i++) {
            const uint32_t k = row[1 + i] & (ONE - 1);
            it->counts[k] = (int32_t) (row[1 + i] / ONE);
            list_topic(it, k);
        }
    } else {
        read_array(place, it->slice->column, it->self->n_padded, it->counts);
    }
    make_word(it);
}

/* Packs the counts; they are 0 then, and the word is bare, where this takes little. */
static void leave_word_sparse(sparse *it, uint32_t word)
{
    const lda_place *place = &it->slice->places[word];
    uint32_t *row = it->slice->column + place->offset;
    if (!it->is_list) {
        write_array(place, it->slice->column, it->self->n_padded, it->counts);
        memset(it->counts, 0, it->self->n_padded * sizeof(*it->counts));
        return;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < it->n_listed; i++) {
        const uint32_t k = it->list[i];
        if (it->counts[k] > 0 && n < place->capacity) {
            row[++n] = k | (uint32_t) it->counts[k] * ONE;
        }
        it->counts[k] = 0;
        it->listed[k] = 0;
        it->phi[k] = it->bare[k];
        it->groups[k / GROUP] = it->bare_groups[k / GROUP];
    }
    row[0] = n;
    it->n_listed = 0;
    it->is_bare = true;
}

/* ---- a token ---- */

/* A document's row, and the token that is drawn in it. */
typedef struct row {
    uint32_t *entries;
    uint32_t n;
    uint32_t old, at_old; /* the token's topic, and its entry */
    float phi_old;        /* the topic's phi without the token */
    lanes sums;           /* of products, lane by lane */
} row;

/* The products of the entries; with `again` phi is what was gathered for the token before. */
INLINE void multiply(sparse *it, row *r, bool first, bool again)
{
    lanes sums = {0};
    uint32_t at_old = 0;
    for (uint32_t j = 0; j < r->n; j += LANES) {
        const words entries = *(const words_at *) (r->entries + j);
        lanes phi;
        if (again) {
            phi = load(it->gathered + j);
        } else {
            phi = gather(it->phi, r->entries + j);
            store(it->gathered + j, phi);
        }
        ints counts = (ints) (entries >> 16);
        if (!first) {
            const ints hot = (ints) ((entries & (ONE - 1)) == r->old);
            const uint32_t hits = bits(hot);
            counts += hot;
            phi = choose(hot, all(r->phi_old), phi);
            at_old = hits != 0 ? j + (uint32_t) __builtin_ctz(hits) : at_old;
        }
        sums += phi * __builtin_convertvector(counts, lanes);
        store(it->products + j, sums);
    }
    r->sums = sums;
    r->at_old = at_old;
}

/* The entry in whose part of the products u falls. */
INLINE uint32_t find_entry(const sparse *it, const row *r, lanes ends, float u)
{
    const uint32_t lane = n_below(ends, all(u));
    const lanes rest = all(u) - up(ends);
    ints chunk = {0};
    for (uint32_t j = 0; j + LANES < r->n; j += LANES) {
        chunk -= load(it->products + j) <= rest;
    }
    return (uint32_t) lane_of(chunk, lane) * LANES + lane;
}

/* The topic of the group in whose part of alpha_k phi_k u falls. */
INLINE uint32_t find_in_group(const sparse *it, uint32_t group, float u)
{
    enum { N = GROUP / LANES };
    lanes parts[N];
    lanes sums = {0};
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t k = group * GROUP + i * LANES;
        sums += load(it->self->alpha + k) * load(it->phi + k);
        parts[i] = sums;
    }
    const lanes ends = prefix(sums);
    const uint32_t lane = n_below(ends, all(u));
    const lanes rest = all(u) - up(ends);
    ints chunk = {0};
    for (uint32_t i = 0; i + 1 < N; i++) {
        chunk -= parts[i] <= rest;
    }
    return group * GROUP + (uint32_t) lane_of(chunk, lane) * LANES + lane;
}

/* The topic in whose part of alpha_k phi_k u falls. */
INLINE uint32_t find_smooth(sparse *it, float u)
{
    lanes sums = {0};
    for (uint32_t g = 0; g < it->n_groups; g += LANES) {
        sums += load(it->groups + g);
        store(it->running + g, sums);
    }
    const lanes ends = prefix(sums);
    const uint32_t lane = n_below(ends, all(u));
    const lanes rest = all(u) - up(ends);
    ints chunk = {0};
    for (uint32_t g = 0; g < it->n_groups; g += LANES) {
        chunk -= load(it->running + g) <= rest;
    }
    const uint32_t group = (uint32_t) lane_of(chunk, lane) * LANES + lane;
    if (group >= it->n_groups) {
        return it->self->n_topics; /* rounding: there is no such group */
    }
    const float before = group < LANES ? 0.0F : it->running[group - LANES];
    return find_in_group(it, group, lane_float(rest, lane) - before);
}

enum { NOWHERE = UINT32_MAX >> 1 };

/* Draws a topic; *at: its entry, NOWHERE: it was not looked for. */
INLINE uint32_t draw_topic(sparse *it, const row *r, bool first, uint32_t *at)
{
    const lanes ends = prefix(r->sums);
    const float inside = lane_float(ends, LANES - 1);
    for (;;) {
        float u = next_uniform(it) * (inside + it->sum);
        if (u < inside) {
            *at = find_entry(it, r, ends, u);
            const uint32_t entry = r->entries[*at];
            const uint32_t topic = entry & (ONE - 1);
            if (__builtin_expect(entry < (topic == r->old ? 2 * ONE : ONE), 0)) {
                continue; /* rounding: there is no other token */
            }
            return topic;
        }
        u -= inside;
        const uint32_t topic = find_smooth(it, u);
        *at = NOWHERE;
        if (topic >= it->self->n_topics) {
            continue; /* rounding */
        }
        /* phi still counts the token: the draw is taken back as often as that made it. */
        if (!first && topic == r->old &&
            next_uniform(it) * it->phi[topic] < it->phi[topic] - r->phi_old) {
            continue;
        }
        return topic;
    }
}

INLINE uint32_t look_for(const row *r, uint32_t topic)
{
    for (uint32_t j = 0; j < r->n; j += LANES) {
        const words entries = *(const words_at *) (r->entries + j);
        const uint32_t hits = bits((ints) ((entries & (ONE - 1)) == topic));
        if (hits != 0) {
            return j + (uint32_t) __builtin_ctz(hits);
        }
    }
    return NOWHERE;
}

INLINE void add_to_word(sparse *it, uint32_t topic, int32_t n, float phi)
{
    const float more = it->self->alpha[topic] * (phi - it->phi[topic]);
    it->phi[topic] = phi;
    it->groups[topic / GROUP] += more;
    it->sum += more;
    it->counts[topic] += n;
    it->self->changes[topic] += n;
}

/* Takes an entry with one token away, or gives it to another topic. */
INLINE void put_entry(sparse *it, row *r, uint32_t at, uint32_t entry, float phi)
{
    put_word(r->entries, at, entry);
    put_float(it->gathered, at, phi);
}

/* The document's row after the token has gone from old to topic, which has entry `at`. */
INLINE uint32_t move_entry(sparse *it, row *r, uint32_t topic, uint32_t at, bool first)
{
    const float phi = it->phi[topic];
    uint32_t n = r->n;
    const bool was_last = !first && r->entries[r->at_old] < 2 * ONE;
    if (!first && !was_last) {
        add_word(r->entries, r->at_old, -(uint32_t) ONE);
        put_float(it->gathered, r->at_old, it->phi[r->old]);
    }
    if (at != NOWHERE) {
        add_word(r->entries, at, ONE);
        put_float(it->gathered, at, phi);
        if (was_last) {
            n--;
            if (r->at_old != n) {
                put_entry(it, r, r->at_old, r->entries[n], it->gathered[n]);
            }
            put_entry(it, r, n, it->self->n_topics, 0.0F);
        }
    } else if (was_last) {
        put_entry(it, r, r->at_old, topic | ONE, phi);
    } else {
        put_entry(it, r, n++, topic | ONE, phi);
    }
    return n;
}

INLINE void look_ahead(const sparse *it, uint64_t token)
{
    const uint32_t soon = it->slice->docs[token + LOOK_AHEAD];
    const uint32_t later = it->slice->docs[token + 2 * LOOK_AHEAD];
    const uint32_t *row_soon = it->rows->entries + (size_t) it->rows->lines[soon] * LINE;
    /* As much as rows have on average. To go by the length of each would be a guess each time. */
    for (uint32_t j = 0; j < AHEAD_LEAST; j += LINE) {
        __builtin_prefetch(row_soon + j, 1);
    }
    for (uint32_t j = AHEAD_LEAST; j < it->n_ahead; j += LINE) {
        __builtin_prefetch(row_soon + j, 1);
    }
    __builtin_prefetch(it->rows->lines + later);
    __builtin_prefetch(it->rows->n_entries + later, 1);
}

INLINE bool sample_token(sparse *it, uint64_t token, bool first)
{
    const uint32_t doc = it->slice->docs[token];
    row r = {.entries = it->rows->entries + (size_t) it->rows->lines[doc] * LINE,
             .n = it->rows->n_entries[doc],
             .old = first ? it->self->n_topics : it->slice->topics[token]};
    const float less = it->phi[r.old] - it->inverse[r.old];
    r.phi_old = less / (1.0F - it->inverse[r.old]);
    if (doc == it->doc) {
        multiply(it, &r, first, true);
    } else {
        multiply(it, &r, first, false);
    }
    it->doc = doc;
    uint32_t at = 0;
    const uint32_t topic = draw_topic(it, &r, first, &at);
    if (topic == r.old) {
        return false;
    }
    it->slice->topics[token] = (uint16_t) topic;
    add_to_word(it, topic, 1, it->phi[topic] + it->inverse[topic]);
    if (!first) {
        add_to_word(it, r.old, -1, less);
    }
    if (it->is_list) {
        list_topic(it, topic);
    }
    if (at == NOWHERE) {
        at = look_for(&r, topic);
    }
    it->rows->n_entries[doc] = (uint16_t) move_entry(it, &r, topic, at, first);
    return true;
}

INLINE uint64_t run_slice(sparse *it, bool first)
{
    uint64_t n_moved = 0;
    for (uint32_t word = it->slice->first; word < it->slice->end; word++) {
        uint64_t next = 0;
        uint64_t end = 0;
        tokens_of(it->slice, word, &next, &end);
        if (next == end) {
            continue;
        }
        enter_word(it, word);
        while (next < end) {
            if (it->since >= it->self->lag) {
                refresh_bare(it);
                make_word(it);
            }
            const uint64_t room = it->self->lag - it->since;
            const uint64_t stop = end - next > room ? next + room : end;
            it->since += stop - next;
            for (; next < stop; next++) {
                look_ahead(it, next);
                n_moved += sample_token(it, next, first);
            }
        }
        leave_word_sparse(it, word);
    }
    return n_moved;
}

static uint64_t sample_sparse(lda_sampler *self, const lda_slice *slice, bool first)
{
    sparse it = {.self = self,
                 .slice = slice,
                 .rows = slice->rows,
                 .n_groups = self->n_padded / GROUP,
                 .n_ahead = lda_row_entries(slice),
                 .doc = UINT32_MAX};
    lay_out(&it);
    refresh_bare(&it);
    return first ? run_slice(&it, true) : run_slice(&it, false);
}

#endif
