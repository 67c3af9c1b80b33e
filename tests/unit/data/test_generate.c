/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_generate.c - the statistics of generated regressions. */
#include "tests/unit/data/reading.h"

enum { ROWS = 400, COLS = 3000, ENTRIES = 20, INFORMATIVE = 30 };

static const data_lasso_design sparse = {.n_rows = ROWS,
                                         .n_cols = COLS,
                                         .column_entries = ENTRIES,
                                         .correlation = 0.8,
                                         .shared = 0.7,
                                         .n_informative = INFORMATIVE,
                                         .noise = 0.3,
                                         .seed = 11};

static data_lasso_design dense(void)
{
    data_lasso_design design = sparse;
    design.column_entries = 0;
    return design;
}

static data_regression generate(const data_lasso_design *design, double **b)
{
    data_regression d = {0};
    REQUIRE_OK(data_lasso_generate(&d, b, design));
    return d;
}

/* x_j'x_k, slowly */
static double dot(const data_matrix *x, size_t j, size_t k)
{
    double sum = 0.0;
    for (size_t i = 0; i < x->n_rows; i++) {
        sum += at(x, i, j) * at(x, i, k);
    }
    return sum;
}

static void columns_have_unit_norm_and_ascending_rows(void)
{
    data_regression d = generate(&sparse, NULL);
    REQUIRE(data_matrix_entries(&d.x) == (size_t) COLS * ENTRIES);
    for (size_t j = 0; j < COLS; j++) {
        CHECK(d.x.col_start[j] == (int64_t) (j * ENTRIES));
        for (size_t k = j * ENTRIES + 1; k < (j + 1) * ENTRIES; k++) {
            CHECK(d.x.row[k - 1] < d.x.row[k] && d.x.row[k] < ROWS);
        }
    }
    for (size_t j = 0; j < 50; j++) {
        CHECK_NEAR(dot(&d.x, j, j), 1.0, 1e-14);
    }
    data_regression_fini(&d);
    const data_lasso_design design = dense();
    d = generate(&design, NULL);
    CHECK(d.x.col_start == NULL);
    CHECK_NEAR(dot(&d.x, COLS - 1, COLS - 1), 1.0, 1e-14);
    data_regression_fini(&d);
}

static void shared_supports_and_correlations_are_as_asked(void)
{
    data_regression d = generate(&sparse, NULL);
    size_t n_shared = 0;
    double correlation = 0.0;
    for (size_t j = 1; j < COLS; j++) {
        if (memcmp(d.x.row + j * ENTRIES, d.x.row + (j - 1) * ENTRIES,
                   ENTRIES * sizeof(*d.x.row)) == 0) {
            n_shared++;
            correlation += dot(&d.x, j, j - 1);
        }
    }
    CHECK_NEAR((double) n_shared / COLS, 0.7, 0.04);
    CHECK_NEAR(correlation / (double) n_shared, 0.8, 0.03);
    data_regression_fini(&d);
    const data_lasso_design design = dense();
    d = generate(&design, NULL);
    double near = 0.0;
    double far = 0.0;
    for (size_t j = 2; j < COLS; j++) {
        near += dot(&d.x, j, j - 1) / COLS;
        far += dot(&d.x, j, j - 2) / COLS;
    }
    CHECK_NEAR(near, 0.8, 0.02);
    CHECK_NEAR(far, 0.64, 0.03);
    data_regression_fini(&d);
}

static void the_target_is_x_times_b_and_noise(void)
{
    const data_lasso_design dense_design = dense();
    const data_lasso_design *designs[] = {&sparse, &dense_design};
    for (size_t k = 0; k < 2; k++) {
        double *b = NULL;
        data_regression d = generate(designs[k], &b);
        size_t n_informative = 0;
        double residual = 0.0;
        double signal = 0.0;
        for (size_t i = 0; i < ROWS; i++) {
            double fit = 0.0;
            for (size_t j = 0; j < COLS; j++) {
                fit += b[j] != 0.0 ? b[j] * at(&d.x, i, j) : 0.0;
            }
            signal += fit * fit;
            residual += (d.y[i] - fit) * (d.y[i] - fit);
        }
        for (size_t j = 0; j < COLS; j++) {
            n_informative += b[j] != 0.0;
        }
        CHECK(n_informative == INFORMATIVE);
        CHECK_NEAR(sqrt(residual / signal), 0.3, 0.05);
        data_regression_fini(&d);
        strads_free(b);
    }
}

static void the_seed_decides_everything(void)
{
    data_lasso_design other = sparse;
    other.seed++;
    data_regression a = generate(&sparse, NULL);
    data_regression b = generate(&sparse, NULL);
    data_regression c = generate(&other, NULL);
    const size_t n = (size_t) COLS * ENTRIES;
    CHECK(memcmp(a.x.value, b.x.value, n * sizeof(double)) == 0);
    CHECK(memcmp(a.x.row, b.x.row, n * sizeof(uint32_t)) == 0);
    CHECK(memcmp(a.y, b.y, ROWS * sizeof(double)) == 0);
    CHECK(memcmp(a.x.value, c.x.value, n * sizeof(double)) != 0);
    data_regression_fini(&a);
    data_regression_fini(&b);
    data_regression_fini(&c);
}

static void the_smallest_designs_are_generated(void)
{
    static const data_lasso_design designs[] = {
        {.n_rows = 1, .n_cols = 1},
        {.n_rows = 1, .n_cols = 1, .column_entries = 1, .n_informative = 1, .noise = 1},
        {.n_rows = 5, .n_cols = 7, .column_entries = 5, .n_informative = 7, .shared = 1}};
    for (size_t i = 0; i < 3; i++) {
        data_regression d = generate(&designs[i], NULL);
        CHECK(isfinite(d.y[0]) && d.x.n_cols == designs[i].n_cols);
        data_regression_fini(&d);
    }
}

typedef struct generating {
    data_lasso_design design;
    size_t fail_after;
    strads_status status;
} generating;

static void generate_and_drop(void *context)
{
    generating *g = context;
    data_regression d = {0};
    double *b = NULL;
    strads_mem_fail_after(g->fail_after);
    g->status = data_lasso_generate(&d, &b, &g->design);
    strads_mem_fail_after(0);
    data_regression_fini(&d);
    strads_free(b);
}

static void designs_that_make_no_sense_are_refused(void)
{
    data_lasso_design wrong[8];
    for (size_t i = 0; i < 8; i++) {
        wrong[i] = sparse;
    }
    wrong[0].n_rows = 0;
    wrong[1].n_cols = UINT32_MAX;
    wrong[2].column_entries = ROWS + 1;
    wrong[3].correlation = 1.0;
    wrong[4].shared = -0.1;
    wrong[5].n_informative = COLS + 1;
    wrong[6].noise = NAN;
    wrong[7].correlation = NAN;
    for (size_t i = 0; i < 8; i++) {
        generating g = {.design = wrong[i]};
        char *message = suite_stderr_of(generate_and_drop, &g);
        CHECK_STATUS(g.status, STRADS_ERR_USAGE);
        CHECK(strstr(message, "generate lasso: ") != NULL);
        strads_free(message);
    }
}

static void no_memory_leaves_nothing_allocated(void)
{
    const data_lasso_design designs[] = {sparse, dense()};
    const size_t live = strads_mem_live();
    for (size_t i = 0; i < 2; i++) {
        generating g = {.design = designs[i], .status = STRADS_ERR_NOMEM};
        for (g.fail_after = 1; g.status == STRADS_ERR_NOMEM; g.fail_after++) {
            strads_free(suite_stderr_of(generate_and_drop, &g));
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(g.status, STRADS_OK);
        CHECK(g.fail_after > 7);
    }
}

SUITE("data/generate",
      {"columns have unit norm and ascending rows", columns_have_unit_norm_and_ascending_rows},
      {"shared supports and correlations are as asked",
       shared_supports_and_correlations_are_as_asked},
      {"the target is X times b and noise", the_target_is_x_times_b_and_noise},
      {"the seed decides everything", the_seed_decides_everything},
      {"the smallest designs are generated", the_smallest_designs_are_generated},
      {"designs that make no sense are refused", designs_that_make_no_sense_are_refused},
      {"no memory leaves nothing allocated", no_memory_leaves_nothing_allocated})
