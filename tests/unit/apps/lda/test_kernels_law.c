/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_kernels_law.c - what the samplers draw has the chances that it should
 * have: on a few tokens all assignments are enumerated, and those drawn are counted.
 *
 * These cases fail where a sampler leaves the token itself in n_k: its sweeps come out 0.11 (two
 * topics) to 0.2 (three) away from their law in total variation, and after SWEEPS of them the
 * assignments 0.08 to 0.1 from the posterior.
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/lda_law.h"
#include "tests/support/suite.h"

enum {
    SAMPLES = SUITE_SANITIZED ? 2000 : 10000,
    SWEEPS = 6,
    AT_ONCE = 64 /* a lag longer than all of it */
};

/* Seeds are fixed, so that it does not fail by chance, on whatever machine. */
static const double P_LEAST = 1e-5;

/* Words that come again in a document, and in others. */
static const lda_case_token ten[] = {{0, 0}, {0, 0}, {0, 1}, {1, 0}, {1, 2},
                                     {1, 2}, {1, 3}, {2, 0}, {2, 1}, {2, 3}};
static const lda_case_token six[] = {{0, 0}, {0, 1}, {1, 0}, {1, 0}, {2, 1}, {2, 2}};
/* No word twice in documents of one stream, whether there are two or three. */
static const lda_case_token seven[] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 3}, {2, 3}};
static const double uneven[] = {0.9, 0.2, 0.4};

typedef struct sampler {
    lda_rows_form form;
    bool spread;
    uint32_t lag;
} sampler;

/* Those that go by totals which are never late. */
static const sampler exact[] = {
    {LDA_ROWS_DENSE, false, 1}, {LDA_ROWS_SPARSE, false, 1}, {LDA_ROWS_LONG, false, 1}};

static lda_case_design two_topics(const sampler *of)
{
    return (lda_case_design){.form = of->form,
                             .spread = of->spread,
                             .lag = of->lag,
                             .n_topics = 2,
                             .n_docs = 3,
                             .n_words = 4,
                             .n_columns = 2,
                             .tokens = ten,
                             .n_tokens = 10,
                             .alpha = uneven,
                             .beta = 0.3,
                             .seed = 7};
}

static lda_case_design three_topics(const sampler *of)
{
    lda_case_design design = two_topics(of);
    design.n_topics = design.n_words = 3;
    design.tokens = six;
    design.n_tokens = 6;
    return design;
}

/* Whether the states counted are of this law; frees both. */
static bool agree(double *law, double *counted, const lda_case_design *design,
                  const lda_kernels *kernels)
{
    const uint32_t n = lda_law_n_states(design);
    const double p = lda_law_p_value(law, counted, n, SAMPLES);
    if (!(p >= P_LEAST)) {
        printf("%s, form %d, lag %u, %u topics: p %g, distance %.3f\n",
               design->form == LDA_ROWS_LONG ? "long" : kernels->name, (int) design->form,
               design->lag, design->n_topics, p, lda_law_distance(law, counted, n, SAMPLES));
    }
    strads_free(law);
    strads_free(counted);
    return p >= P_LEAST;
}

static double *zeros(const lda_case_design *design)
{
    double *counted = strads_calloc(lda_law_n_states(design), sizeof(*counted));
    REQUIRE(counted != NULL);
    return counted;
}

static uint32_t draw_state(const double *law, double u)
{
    uint32_t state = 0;
    for (; u >= law[state] && law[state + 1] > 0.0; state++) {
        u -= law[state];
    }
    return state;
}

/* How many variants there are of this sampler; the last of two that share it is not counted. */
static size_t variants_of(lda_rows_form form, const lda_kernels *variants[LDA_CASE_VARIANTS])
{
    const size_t n = lda_case_variants(variants);
    const bool shares =
        form == LDA_ROWS_DENSE && n > 1 && variants[n - 1]->dense == variants[n - 2]->dense;
    return form == LDA_ROWS_LONG ? 1 : n - shares;
}

/* ---- the posterior ---- */

/* What is drawn from the posterior, and swept, is of the posterior still. All samples are
 * independent; a wrong sampler is nearly where it would end after these sweeps. */
static bool keeps_posterior(const lda_case_design *design, const lda_kernels *kernels)
{
    lda_case self;
    uint16_t topics[LDA_LAW_TOKENS];
    double *law = lda_law_posterior(design);
    double *counted = zeros(design);
    strads_random random = strads_random_start(11, design->n_topics);
    lda_case_init(&self, design);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        lda_law_topics(design, draw_state(law, strads_random_uniform(&random)), topics);
        lda_case_set(&self, topics);
        for (uint32_t sweep = 0; sweep < SWEEPS; sweep++) {
            (void) lda_case_sweep(&self, kernels, false);
        }
        lda_case_get(&self, topics);
        counted[lda_law_number(design, topics)] += 1.0;
    }
    lda_case_fini(&self);
    return agree(law, counted, design, kernels);
}

static void assignments_are_of_the_posterior(void)
{
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        const lda_kernels *variants[LDA_CASE_VARIANTS];
        const size_t n = variants_of(exact[i].form, variants);
        for (size_t v = 0; v < n; v++) {
            const lda_case_design two = two_topics(&exact[i]);
            const lda_case_design three = three_topics(&exact[i]);
            CHECK(keeps_posterior(&two, variants[v]));
            CHECK(keeps_posterior(&three, variants[v]));
        }
    }
}

/* ---- a sweep ---- */

/* A worker's documents, and what it is to meet. */
typedef struct part {
    uint32_t limits[2]; /* low <= d < high */
    uint32_t column;
} part;

/* Adds the draw of the how manieth token of a sub in a block; false: there are not so many. */
static bool add_draw(const lda_case *self, const part *of, uint32_t s, uint32_t block, uint64_t at,
                     lda_law_sweep *sweep)
{
    const uint64_t *starts = self->subs[s].starts;
    const uint64_t end = starts[self->words.firsts[block + 1]];
    for (uint64_t i = starts[self->words.firsts[block]]; i < end; i++) {
        const uint32_t token = self->ids[s][i];
        const uint32_t doc = self->design.tokens[token].doc;
        if (doc >= of->limits[0] && doc < of->limits[1] && at-- == 0) {
            sweep->draws[sweep->n++].token = token;
            return true;
        }
    }
    return false;
}

/* Adds the draws of a part: in each turn a token of every stream at a time. They see the draws
 * `seen`, and those of the part in turns before; with lag 1 also in steps before. Returns what the
 * worker sees then. */
static uint32_t add_draws(const lda_case *self, const part *of, uint32_t seen, lda_law_sweep *sweep)
{
    const uint32_t n = self->n_sub;
    const uint32_t before = (1U << sweep->n) - 1;
    const bool late = self->design.lag > 1 && self->design.form != LDA_ROWS_LONG;
    for (uint32_t turn = 0; turn < n; turn++) {
        bool more = true;
        for (uint64_t step = 0; more; step++) {
            const uint32_t at = sweep->n;
            more = false;
            for (uint32_t s = 0; s < n; s++) {
                more |= add_draw(self, of, s, of->column * n + (s + turn) % n, step, sweep);
            }
            for (uint32_t i = at; i < sweep->n; i++) {
                sweep->draws[i].sees = seen;
            }
            seen |= late ? 0 : ((1U << sweep->n) - 1) & ~before;
        }
        seen |= ((1U << sweep->n) - 1) & ~before;
    }
    return seen;
}

static const uint16_t start_of_ten[] = {0, 1, 0, 1, 0, 1, 1, 0, 0, 1};
static const uint16_t start_of_three[] = {0, 1, 2, 0, 1, 2, 0};

static const uint16_t *start_of(const lda_case_design *design)
{
    return design->n_topics == 2 ? start_of_ten : start_of_three;
}

static void start(lda_case *self, bool first)
{
    static const uint16_t none[LDA_LAW_TOKENS] = {UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX,
                                                  UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX,
                                                  UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX};
    lda_case_set(self, first ? none : start_of(&self->design));
}

/* Whether one sweep from the start, or that gives the first topics, has the enumerated law. */
static bool sweeps_by_law(const lda_case_design *design, const lda_kernels *kernels, bool first)
{
    lda_case self;
    uint16_t topics[LDA_LAW_TOKENS];
    double *counted = zeros(design);
    lda_law_sweep sweep = {.from = first ? NULL : start_of(design)};
    uint32_t seen = 0;
    lda_case_init(&self, design);
    for (uint32_t c = 0; c < design->n_columns; c++) {
        const part all = {.limits = {0, design->n_docs}, .column = c};
        seen = add_draws(&self, &all, seen, &sweep);
    }
    REQUIRE(sweep.n == design->n_tokens);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        start(&self, first);
        (void) lda_case_sweep(&self, kernels, first);
        lda_case_get(&self, topics);
        counted[lda_law_number(design, topics)] += 1.0;
    }
    lda_case_fini(&self);
    return agree(lda_law_of(design, &sweep), counted, design, kernels);
}

static void check_sweeps(const lda_case_design *design)
{
    const lda_kernels *variants[LDA_CASE_VARIANTS];
    const size_t n = variants_of(design->form, variants);
    for (size_t v = 0; v < n; v++) {
        CHECK(sweeps_by_law(design, variants[v], false));
        CHECK(sweeps_by_law(design, variants[v], true));
    }
}

static void a_sweep_draws_one_token_after_another(void)
{
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        const lda_case_design two = two_topics(&exact[i]);
        const lda_case_design three = three_topics(&exact[i]);
        check_sweeps(&two);
        check_sweeps(&three);
    }
}

static void totals_are_as_late_as_the_lag_lets_them_be(void)
{
    static const sampler late[] = {{LDA_ROWS_SPARSE, false, AT_ONCE}, {LDA_ROWS_DENSE, true, 1}};
    static const sampler streams = {LDA_ROWS_DENSE, true, AT_ONCE};
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        const lda_case_design two = two_topics(&late[i]);
        const lda_case_design three = three_topics(&late[i]);
        check_sweeps(&two);
        check_sweeps(&three);
    }
    lda_case_design design = three_topics(&streams);
    design.tokens = seven;
    design.n_tokens = 7;
    design.n_words = 4;
    check_sweeps(&design);
}

/* ---- two workers ---- */

enum { STEPS = 2 };

/* Documents 0 and 1 are the first worker's, which meets columns 0 and 1; the others are the
 * second's, which meets them the other way round. */
static part part_of(uint32_t worker, uint32_t step)
{
    return (part){.limits = {worker == 0 ? 0 : 2, worker == 0 ? 2 : 3},
                  .column = (worker + step) % STEPS};
}

/* A worker goes by what it has changed, and by what the other one had before the step; with
 * `stale` by nothing of this sweep. Who of the two works first makes no difference. */
static void sweep_side_by_side(lda_case *self, const lda_kernels *kernels, bool stale, bool first)
{
    const uint32_t n_topics = self->design.n_topics;
    double base[LDA_LAW_TOPICS];
    double changed[2][STEPS][LDA_LAW_TOPICS] = {{{0.0}}}; /* by worker */
    memcpy(base, self->known, n_topics * sizeof(*base));
    for (uint32_t step = 0; step <= STEPS; step++) {
        for (uint32_t w = 0; w < 2; w++) {
            const part mine = part_of(w, step);
            for (uint32_t k = 0; k < n_topics; k++) {
                const double own = changed[w][0][k] + changed[w][1][k];
                const double others = changed[1 - w][0][k] + (step > 1) * changed[1 - w][1][k];
                const bool sees = step == STEPS || (step > 0 && !stale);
                self->known[k] = base[k] + own + (sees ? others : 0.0);
            }
            memset(self->sampler.changes, 0, n_topics * sizeof(*self->sampler.changes));
            lda_case_tell(self);
            if (step < STEPS) {
                (void) lda_case_meet(self, kernels, mine.column, first, mine.limits);
            }
            for (uint32_t k = 0; k < n_topics && step < STEPS; k++) {
                changed[w][step][k] = self->sampler.changes[k];
            }
        }
    }
}

static double *law_side_by_side(const lda_case *self, bool stale, bool first)
{
    lda_law_sweep sweep = {.from = first ? NULL : start_of(&self->design)};
    uint32_t own[2] = {0, 0};
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t before = (1U << sweep.n) - 1;
        for (uint32_t w = 0; w < 2; w++) {
            const part mine = part_of(w, step);
            const uint32_t from = sweep.n;
            (void) add_draws(self, &mine, stale ? own[w] : before, &sweep);
            own[w] |= ((1U << sweep.n) - 1) & ~((1U << from) - 1);
        }
    }
    REQUIRE(sweep.n == self->design.n_tokens);
    return lda_law_of(&self->design, &sweep);
}

static bool two_sweep_by_law(const lda_case_design *design, const lda_kernels *kernels, bool stale,
                             bool first)
{
    lda_case self;
    uint16_t topics[LDA_LAW_TOKENS];
    double *counted = zeros(design);
    lda_case_init(&self, design);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        start(&self, first);
        sweep_side_by_side(&self, kernels, stale, first);
        lda_case_get(&self, topics);
        counted[lda_law_number(design, topics)] += 1.0;
    }
    CHECK(lda_case_adds_up(&self, design->n_docs));
    double *law = law_side_by_side(&self, stale, first);
    lda_case_fini(&self);
    return agree(law, counted, design, kernels);
}

static void workers_side_by_side_know_what_the_others_had_done_before(void)
{
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        const lda_case_design two = two_topics(&exact[i]);
        const lda_case_design three = three_topics(&exact[i]);
        const lda_kernels *variants[LDA_CASE_VARIANTS];
        const size_t n = variants_of(two.form, variants);
        for (size_t v = 0; v < n; v++) {
            CHECK(two_sweep_by_law(&two, variants[v], false, false));
            CHECK(two_sweep_by_law(&two, variants[v], true, false));
            CHECK(two_sweep_by_law(&three, variants[v], true, true));
        }
    }
}

SUITE("lda kernels law", {"assignments are of the posterior", assignments_are_of_the_posterior},
      {"a sweep draws one token after another", a_sweep_draws_one_token_after_another},
      {"totals are as late as the lag lets them be", totals_are_as_late_as_the_lag_lets_them_be},
      {"workers side by side know what the others had done before",
       workers_side_by_side_know_what_the_others_had_done_before})
