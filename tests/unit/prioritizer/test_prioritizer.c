/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_prioritizer.c - what holds for every policy. */
#include "prioritizer/prioritizer.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "prioritizer/policy.h"
#include "tests/support/suite.h"

/* A policy, and the floor of its draws as a share of the mean. */
typedef struct way {
    prio_policy policy;
    double eta;
} way;

static const way ways[] = {
    {PRIO_SAMPLED, 0.0}, {PRIO_SAMPLED, 0.01}, {PRIO_SAMPLED, 10.0},
    {PRIO_GREEDY, 0.0},  {PRIO_UNIFORM, 0.0},  {PRIO_CYCLIC, 0.0},
};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]), MOST = 3000 };

static prioritizer *create(const way *by, uint32_t n_vars)
{
    prioritizer *prio = NULL;
    const prio_options options = {
        .policy = by->policy, .n_vars = n_vars, .seed = 1 + (uint64_t) (by - ways)};
    REQUIRE_OK(prio_create(&prio, &options));
    return prio;
}

static size_t draw(prioritizer *prio, const way *by, size_t n, uint32_t *vars)
{
    const prio_total left = prio_left(prio);
    return prio_draw(prio, n, prio_floor(&left, by->eta), vars);
}

static bool draws_by_score(const way *by)
{
    return by->policy == PRIO_GREEDY || (by->policy == PRIO_SAMPLED && by->eta == 0.0);
}

/* ---- random operations against a model of flags ---- */

typedef struct model {
    const way *by;
    prioritizer *prio;
    strads_random random;
    uint32_t n_vars;
    float scores[MOST];
    bool out[MOST];
    uint32_t list[MOST]; /* the variables that are out */
    size_t n_out;
} model;

static float any_score(strads_random *random)
{
    const uint64_t kind = strads_random_below(random, 200);
    if (kind == 0) {
        return PRIO_RETIRED;
    }
    const float size = (float) pow(10.0, 60.0 * strads_random_uniform(random) - 30.0);
    return kind < 40 ? 0.0F : kind < 80 ? -size : size;
}

static void set_model_score(model *m, uint32_t var, float score)
{
    if (m->scores[var] != PRIO_RETIRED) {
        m->scores[var] = score;
    }
}

static void draw_some(model *m)
{
    size_t n_open = 0;
    size_t n_positive = 0;
    for (uint32_t var = 0; var < m->n_vars; var++) {
        n_open += !m->out[var] && m->scores[var] != PRIO_RETIRED;
        n_positive += !m->out[var] && m->scores[var] > 0.0F;
    }
    uint32_t vars[MOST];
    const size_t wanted = strads_random_below(&m->random, 2 * (uint64_t) m->n_vars + 1);
    const size_t n_most = draws_by_score(m->by) ? n_positive : n_open;
    const size_t n = draw(m->prio, m->by, wanted, vars);
    CHECK(n == (wanted < n_most ? wanted : n_most));
    for (size_t i = 0; i < n; i++) {
        REQUIRE(vars[i] < m->n_vars);
        CHECK(!m->out[vars[i]] && m->scores[vars[i]] != PRIO_RETIRED);
        CHECK(!draws_by_score(m->by) || m->scores[vars[i]] > 0.0F);
        m->out[vars[i]] = true;
        m->list[m->n_out++] = vars[i];
    }
}

static void claim_one(model *m)
{
    const uint32_t var = (uint32_t) strads_random_below(&m->random, m->n_vars);
    const bool open = !m->out[var] && m->scores[var] != PRIO_RETIRED;
    CHECK(prio_claim(m->prio, var) == open);
    if (open) {
        m->out[var] = true;
        m->list[m->n_out++] = var;
    }
}

static void return_some(model *m)
{
    const size_t n = strads_random_below(&m->random, m->n_out + 1);
    for (size_t i = 0; i < n; i++) {
        const size_t k = i + strads_random_below(&m->random, m->n_out - i);
        const uint32_t var = m->list[k];
        m->list[k] = m->list[i];
        m->list[i] = var;
        m->out[var] = false;
    }
    prio_return(m->prio, m->list, n);
    m->n_out -= n;
    memmove(m->list, m->list + n, m->n_out * sizeof(m->list[0]));
}

static void return_them_all(model *m)
{
    if (strads_random_below(&m->random, 8) == 0) {
        prio_return_all(m->prio);
        memset(m->out, 0, sizeof(m->out));
        m->n_out = 0;
    }
}

/* Any variables, those that are out too, some more than once. */
static void update_some(model *m)
{
    uint32_t vars[MOST];
    float scores[MOST];
    const size_t n = strads_random_below(&m->random, m->n_vars + 1);
    for (size_t i = 0; i < n; i++) {
        vars[i] = (uint32_t) strads_random_below(&m->random, m->n_vars);
        scores[i] = any_score(&m->random);
        set_model_score(m, vars[i], scores[i]);
    }
    prio_update(m->prio, vars, n, scores);
}

static void set_some(model *m)
{
    float scores[MOST];
    const uint32_t first = (uint32_t) strads_random_below(&m->random, m->n_vars + 1);
    const uint32_t n = (uint32_t) strads_random_below(&m->random, m->n_vars - first + 1);
    for (uint32_t i = 0; i < n; i++) {
        scores[i] = any_score(&m->random);
        set_model_score(m, first + i, scores[i]);
    }
    prio_set_range(m->prio, first, n, scores);
}

static void check_state(const model *m)
{
    uint32_t n_positive = 0;
    for (uint32_t var = 0; var < m->n_vars; var++) {
        const bool open = !m->out[var] && m->scores[var] != PRIO_RETIRED;
        CHECK(prio_score(m->prio, var) == m->scores[var]);
        CHECK(prio_pool_has(&m->prio->pool, var) == open);
        n_positive += open && m->scores[var] > 0.0F;
    }
    CHECK(m->prio->n_positive == n_positive);
    CHECK(prio_left(m->prio).n_positive == n_positive);
    CHECK(prio_left(m->prio).n_open == m->prio->pool.n_open);
    if (m->prio->options.policy == PRIO_SAMPLED) {
        const prio_sum_tree *tree = &m->prio->state.tree;
        prio_sum_tree fresh;
        REQUIRE_OK(prio_sum_tree_init(&fresh, m->n_vars, tree->scores, tree->open));
        prio_sum_tree_refresh_range(&fresh, 0, m->n_vars);
        for (uint32_t level = 0; level < fresh.n_levels; level++) {
            CHECK(memcmp(fresh.sums[level], tree->sums[level],
                         fresh.n_nodes[level] * sizeof(double)) == 0);
        }
        prio_sum_tree_fini(&fresh);
    }
}

/* Few variables, so that all operations meet each other. Some 10^5 variables are
 * drawn, returned and changed a case. */
static void the_books_are_right_after_any_operations(void)
{
    static const uint32_t sizes[] = {1, 2, 17, 700, MOST};
    static void (*const operations[])(model *) = {draw_some,       claim_one,   return_some,
                                                  return_them_all, update_some, set_some};
    for (size_t k = 0; k < N_WAYS * 5; k++) {
        static model m;
        const uint32_t n_vars = sizes[k % 5];
        m = (model){.by = &ways[k / 5], .random = strads_random_start(k, 1), .n_vars = n_vars};
        m.prio = create(m.by, n_vars);
        for (uint32_t var = 0; var < n_vars; var++) {
            m.scores[var] = 1.0F;
        }
        for (int step = 0; step < 400; step++) {
            operations[strads_random_below(&m.random, 6)](&m);
            if (step % 16 == 0) {
                check_state(&m);
            }
        }
        check_state(&m);
        prio_destroy(m.prio);
    }
}

/* ---- edges ---- */

static void one_variable_is_drawn_and_returned(void)
{
    for (size_t k = 0; k < N_WAYS; k++) {
        prioritizer *prio = create(&ways[k], 1);
        for (int round = 0; round < 3; round++) {
            uint32_t vars[4] = {9, 9, 9, 9};
            CHECK(draw(prio, &ways[k], 0, vars) == 0 && vars[0] == 9);
            CHECK(draw(prio, &ways[k], 4, vars) == 1 && vars[0] == 0 && vars[1] == 9);
            CHECK(draw(prio, &ways[k], 1, vars) == 0);
            prio_return(prio, vars, 1);
        }
        prio_destroy(prio);
    }
}

static void more_than_there_are_gives_all(void)
{
    enum { J = 1000 };
    for (size_t k = 0; k < N_WAYS; k++) {
        prioritizer *prio = create(&ways[k], J);
        uint32_t vars[2 * J];
        bool seen[J] = {false};
        CHECK(draw(prio, &ways[k], 2 * J, vars) == J);
        for (size_t i = 0; i < J; i++) {
            CHECK(!seen[vars[i]]);
            seen[vars[i]] = true;
        }
        prio_destroy(prio);
    }
}

static void scores_of_zero_are_drawn_unless_scores_alone_count(void)
{
    enum { J = 40 };
    const float zeros[J] = {0.0F};
    for (size_t k = 0; k < N_WAYS; k++) {
        uint32_t vars[J];
        prioritizer *prio = create(&ways[k], J);
        prio_set_range(prio, 0, J, zeros);
        CHECK(draw(prio, &ways[k], J, vars) == (draws_by_score(&ways[k]) ? 0 : J));
        prio_destroy(prio);
    }
}

static void the_retired_never_come_back(void)
{
    enum { J = 300 };
    float retired[J];
    float ones[J];
    uint32_t vars[J];
    for (size_t i = 0; i < J; i++) {
        retired[i] = PRIO_RETIRED;
        ones[i] = 1.0F;
    }
    for (size_t k = 0; k < N_WAYS; k++) {
        prioritizer *prio = create(&ways[k], J);
        REQUIRE(draw(prio, &ways[k], 50, vars) == 50);
        prio_set_range(prio, 0, J, retired); /* those that are out too */
        CHECK(draw(prio, &ways[k], J, vars + 50) == 0);
        prio_return(prio, vars, 50);
        CHECK(draw(prio, &ways[k], J, vars) == 0);
        prio_set_range(prio, 0, J, ones);
        prio_update(prio, (uint32_t[]){7}, 1, ones);
        CHECK(prio_score(prio, 7) == PRIO_RETIRED);
        CHECK(draw(prio, &ways[k], J, vars) == 0);
        prio_destroy(prio);
    }
}

static void a_variable_that_is_out_comes_back_with_its_new_score(void)
{
    uint32_t vars[2];
    for (size_t k = 0; k < N_WAYS; k++) {
        if (!draws_by_score(&ways[k])) {
            continue;
        }
        prioritizer *prio = create(&ways[k], 2);
        prio_update(prio, (uint32_t[]){0}, 1, (float[]){0.0F});
        CHECK(draw(prio, &ways[k], 2, vars) == 1 && vars[0] == 1);
        prio_update(prio, vars, 1, (float[]){5.0F});
        CHECK(draw(prio, &ways[k], 2, vars) == 0);
        prio_update(prio, (uint32_t[]){1}, 1, (float[]){-5.0F});
        prio_return(prio, (uint32_t[]){1}, 1);
        CHECK(draw(prio, &ways[k], 2, vars) == 0 && prio_score(prio, 1) == -5.0F);
        prio_destroy(prio);
    }
}

static void the_same_seed_gives_the_same_draws(void)
{
    enum { J = 5000, N = 100 };
    for (size_t k = 0; k < N_WAYS; k++) {
        prioritizer *a = create(&ways[k], J);
        prioritizer *b = create(&ways[k], J);
        for (int round = 0; round < 20; round++) {
            uint32_t vars_a[N];
            uint32_t vars_b[N];
            REQUIRE(draw(a, &ways[k], N, vars_a) == N && draw(b, &ways[k], N, vars_b) == N);
            CHECK(memcmp(vars_a, vars_b, sizeof(vars_a)) == 0);
            prio_return(a, vars_a, N / 2);
            prio_return(b, vars_b, N / 2);
        }
        prio_destroy(a);
        prio_destroy(b);
    }
}

/* ---- memory ---- */

static void nine_bytes_a_variable_are_enough(void)
{
    enum { J = 1000000 };
    for (size_t k = 0; k < N_WAYS; k++) {
        prioritizer *prio = create(&ways[k], J);
        CHECK(prio_bytes(prio) <= 9 * (size_t) J);
        CHECK(prio_bytes(prio) >= 4 * (size_t) J);
        prio_destroy(prio);
    }
}

static void create_with_failures(void *context)
{
    const way *by = context;
    const prio_options options = {.policy = by->policy, .n_vars = 100};
    const size_t live = strads_mem_live();
    prioritizer *prio = NULL;
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    while (n_failed < 10 && status != STRADS_OK) {
        strads_mem_fail_after(n_failed + 1);
        status = prio_create(&prio, &options);
        strads_mem_fail_after(0);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            CHECK(prio == NULL && strads_mem_live() == live);
            n_failed++;
        }
    }
    CHECK(n_failed >= 3);
    prio_destroy(prio);
    CHECK(strads_mem_live() == live);
}

static void create_survives_the_failure_of_every_allocation(void)
{
    for (size_t k = 0; k < N_WAYS; k++) {
        way by = ways[k];
        char *text = suite_stderr_of(create_with_failures, &by);
        CHECK(strstr(text, "no memory for 100 variables") != NULL);
        strads_free(text);
    }
    prio_destroy(NULL);
}

/* ---- programming errors ---- */

static void update_with(float score)
{
    prioritizer *prio = create(&ways[0], 3);
    prio_update(prio, (uint32_t[]){1}, 1, &score);
}

static void give_nan(void)
{
    update_with(NAN);
}

static void give_infinity(void)
{
    update_with(INFINITY);
}

static void set_nan(void)
{
    prioritizer *prio = create(&ways[4], 3);
    prio_set_range(prio, 1, 2, (float[]){1.0F, NAN});
}

static void return_what_is_not_out(void)
{
    prioritizer *prio = create(&ways[0], 3);
    prio_return(prio, (uint32_t[]){1}, 1);
}

static void update_what_is_not_there(void)
{
    prioritizer *prio = create(&ways[0], 3);
    prio_update(prio, (uint32_t[]){3}, 1, (float[]){1.0F});
}

static bool aborts(void (*body)(void))
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        (void) close(STDERR_FILENO); /* the assertion's message */
        body();
        _exit(0);
    }
    int how = 0;
    REQUIRE(waitpid(child, &how, 0) == child);
    return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT;
}

static void mistakes_of_the_caller_are_asserted(void)
{
    CHECK(aborts(give_nan));
    CHECK(aborts(give_infinity));
    CHECK(aborts(set_nan));
    CHECK(aborts(return_what_is_not_out));
    CHECK(aborts(update_what_is_not_there));
}

SUITE("prioritizer/prioritizer",
      {"the books are right after any operations", the_books_are_right_after_any_operations},
      {"one variable is drawn and returned", one_variable_is_drawn_and_returned},
      {"more than there are gives all", more_than_there_are_gives_all},
      {"scores of zero are drawn unless scores alone count",
       scores_of_zero_are_drawn_unless_scores_alone_count},
      {"the retired never come back", the_retired_never_come_back},
      {"a variable that is out comes back with its new score",
       a_variable_that_is_out_comes_back_with_its_new_score},
      {"the same seed gives the same draws", the_same_seed_gives_the_same_draws},
      {"nine bytes a variable are enough", nine_bytes_a_variable_are_enough},
      {"create survives the failure of every allocation",
       create_survives_the_failure_of_every_allocation},
      {"mistakes of the caller are asserted", mistakes_of_the_caller_are_asserted})
