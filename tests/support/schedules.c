/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/schedules.c - draws a case, runs it, judges it. */
#include "tests/support/schedules.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/toy.h"

enum { N_SETTINGS = 10, TEXT = 64 };

typedef struct drawn_case {
    toy_shape shape;
    char texts[N_SETTINGS][TEXT];
    const char *settings[N_SETTINGS];
    double rho; /* 1: the rounds are not checked */
} drawn_case;

static uint32_t below(strads_random *random, uint32_t n)
{
    return (uint32_t) strads_random_below(random, n);
}

static void draw_shape(strads_random *random, uint32_t max_vars, toy_shape *shape)
{
    static const double noises[] = {0.01, 0.3, 1.0, 3.0};
    shape->n_vars = 1 + below(random, max_vars);
    shape->n_rows = 2 + below(random, 2 * shape->n_vars);
    shape->n_copies = 1 + below(random, 6);
    shape->noise = noises[below(random, 4)];
    shape->ridge = 0.5 + strads_random_uniform(random);
    shape->seed = strads_random_bits(random);
}

static drawn_case draw_case(uint64_t seed, uint32_t max_vars, uint32_t max_workers)
{
    static const char *const kinds[] = {"structure_aware", "random", "cyclic", "custom"};
    static const char *const priorities[] = {"violation", "delta", "greedy"};
    static const double rhos[] = {0.05, 0.2, 0.6, 1.0};
    strads_random random = strads_random_start(seed, 1);
    drawn_case drawn = {.rho = 1.0};
    draw_shape(&random, max_vars, &drawn.shape);
    const uint32_t kind = below(&random, 2) == 0 ? 0 : below(&random, 4);
    const uint32_t priority = below(&random, 3);
    const uint32_t round = below(&random, 4) == 0 ? 0 : 1 + below(&random, 30);
    const uint32_t factor = below(&random, 5);
    const double rho = rhos[below(&random, 4)];
    const uint32_t pipeline = round > 0 ? below(&random, 2) : 0;
    if (kind == 0 && (round > 0 || priority == 1)) {
        drawn.rho = rho;
    }
    snprintf(drawn.texts[0], TEXT, "schedule.kind=%s", kinds[kind]);
    snprintf(drawn.texts[1], TEXT, "schedule.priority=%s", priorities[priority]);
    snprintf(drawn.texts[2], TEXT, "schedule.round=%u", round);
    snprintf(drawn.texts[3], TEXT, "schedule.candidates=%u", round * factor);
    snprintf(drawn.texts[4], TEXT, "schedule.rho=%g", rho);
    snprintf(drawn.texts[5], TEXT, "schedule.eta=%g", 0.001 + below(&random, 2));
    snprintf(drawn.texts[6], TEXT, "schedule.pipeline=%u", pipeline);
    snprintf(drawn.texts[7], TEXT, "run.workers=%u", 1 + below(&random, max_workers));
    snprintf(drawn.texts[8], TEXT, "run.seed=%u", below(&random, 1000));
    snprintf(drawn.texts[9], TEXT, "stop.gap=1e-6");
    return drawn;
}

static const char *judge(const toy_problem *problem, const drawn_case *drawn)
{
    static char text[TEXT];
    const strads_app app = toy_app();
    strads_result result;
    const strads_status status = toy_run(problem, &app, drawn->settings, N_SETTINGS, &result);
    if (status != STRADS_OK) {
        return strads_status_name(status);
    }
    if (result.verdict != STRADS_CONVERGED) {
        return strads_verdict_name(result.verdict);
    }
    const double f = toy_objective(problem->optimum);
    const double excess = (toy_objective(toy_values()) - f) / f;
    if (!(excess < 1e-5)) {
        snprintf(text, sizeof(text), "the objective is off by %g", excess);
        return text;
    }
    return toy_complaint(problem, drawn->rho);
}

bool schedules_try(uint64_t seed, uint32_t max_vars, uint32_t max_workers)
{
    drawn_case drawn = draw_case(seed, max_vars, max_workers);
    for (int i = 0; i < N_SETTINGS; i++) {
        drawn.settings[i] = drawn.texts[i];
    }
    toy_problem *problem = toy_create(&drawn.shape);
    const char *wrong = judge(problem, &drawn);
    if (wrong != NULL) {
        printf("seed %llu, %u x %u, %u copies, noise %g:", (unsigned long long) seed,
               drawn.shape.n_rows, drawn.shape.n_vars, drawn.shape.n_copies, drawn.shape.noise);
        for (int i = 0; i < N_SETTINGS; i++) {
            printf(" %s", drawn.settings[i]);
        }
        printf(": %s\n", wrong);
    }
    toy_destroy(problem);
    return wrong == NULL;
}
