/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/kernels.c - the inner loops, once for all instruction sets: the build
 * compiles this file with KERNEL_ISA = portable, avx2, avx512 and the flags to match.
 *
 * The ratings of a group, which are apart in rows and columns, go together in three
 * steps: all their dots, added up across lanes together; errors and steps, one rating a
 * lane; then the factors, which are still in the nearest cache. Widths up to 128 are
 * constants, so that their loops can be unrolled.
 */
#include "apps/mf/kernels.h"

#include <math.h>
#include <stdatomic.h>

#include "apps/mf/kernels_lanes.h"

#define NAME_(a, b) a##b
#define NAME(a, b) NAME_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

enum {
    QUARTERS = LANES / 4,
    FLUSH = 256 /* groups whose squared errors are added up in floats */
};

/* ---- across lanes ---- */

/* In each quarter, row i column j := row j column i. */
INLINE void transpose(lanes v[4])
{
    const lanes a = SHUFFLE(v[0], v[1], 0, 4, 1, 5);
    const lanes b = SHUFFLE(v[0], v[1], 2, 6, 3, 7);
    const lanes c = SHUFFLE(v[2], v[3], 0, 4, 1, 5);
    const lanes d = SHUFFLE(v[2], v[3], 2, 6, 3, 7);
    v[0] = SHUFFLE(a, c, 0, 1, 4, 5);
    v[1] = SHUFFLE(a, c, 2, 3, 6, 7);
    v[2] = SHUFFLE(b, d, 0, 1, 4, 5);
    v[3] = SHUFFLE(b, d, 2, 3, 6, 7);
}

/* In each quarter, element i of the result is the sum of v[i]'s four. */
INLINE lanes add_across(const lanes v[4])
{
    const lanes a = SHUFFLE(v[0], v[1], 0, 4, 1, 5) + SHUFFLE(v[0], v[1], 2, 6, 3, 7);
    const lanes b = SHUFFLE(v[2], v[3], 0, 4, 1, 5) + SHUFFLE(v[2], v[3], 2, 6, 3, 7);
    return SHUFFLE(a, b, 0, 1, 4, 5) + SHUFFLE(a, b, 2, 3, 6, 7);
}

INLINE float add_lanes(lanes v)
{
    float sum = 0.0F;
    for (int i = 0; i < LANES; i++) {
        sum += v[i];
    }
    return sum;
}

/* ---- factors ---- */

/* Partial sums of p[i]'q[i] for four pairs, four to a quarter: element i of a quarter is
 * a part of dot i. */
INLINE lanes four_dots(const float *const p[4], const float *const q[4], uint32_t width)
{
    lanes sum[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        uint32_t l = 0;
        for (; l + LANES <= width; l += LANES) {
            sum[i] += load(p[i] + l) * load(q[i] + l);
        }
        if (l < width) {
            sum[i] += widen(load_eight(p[i] + l)) * widen(load_eight(q[i] + l));
        }
    }
    return add_across(sum);
}

/* What one step on a group leaves to the next: the rows of its ratings, and how they move,
 *   p := keep_p p + move_p q,  q := keep_q q + move_q p
 * It lies in memory, for a load is all that it costs to have one of these numbers from there;
 * fences keep compilers from taking it out of vectors, which goes through the one port that
 * shuffles, and from doing the sums again. */
typedef struct ends {
    float *p[MF_GROUP], *q[MF_GROUP];
    float keep_p[MF_GROUP], move_p[MF_GROUP], keep_q[MF_GROUP], move_q[MF_GROUP];
} ends;

INLINE void move_factors(const ends *to, int i, uint32_t width)
{
    float *const p = to->p[i];
    float *const q = to->q[i];
    const lanes keep_p = all_lanes(to->keep_p[i]);
    const lanes move_p = all_lanes(to->move_p[i]);
    const lanes keep_q = all_lanes(to->keep_q[i]);
    const lanes move_q = all_lanes(to->move_q[i]);
    uint32_t l = 0;
    for (; l + LANES <= width; l += LANES) {
        const lanes old_p = load(p + l);
        const lanes old_q = load(q + l);
        store(p + l, keep_p * old_p + move_p * old_q);
        store(q + l, keep_q * old_q + move_q * old_p);
    }
    if (l < width) {
        const eight old_p = load_eight(p + l);
        const eight old_q = load_eight(q + l);
        store_eight(p + l, first_eight(keep_p) * old_p + first_eight(move_p) * old_q);
        store_eight(q + l, first_eight(keep_q) * old_q + first_eight(move_q) * old_p);
    }
}

/* ---- what stands behind the factors, one rating a lane ---- */

INLINE void gather(float *const *from, uint32_t width, lanes x[MF_N_EXTRA])
{
    for (int i = 0; i < 4; i++) {
        quad rows[QUARTERS];
        for (int k = 0; k < QUARTERS; k++) {
            rows[k] = quad_load(from[4 * k + i] + width);
        }
        x[i] = join(rows);
    }
    transpose(x);
}

INLINE void scatter(float *const *to, uint32_t width, lanes x[MF_N_EXTRA])
{
    transpose(x);
    for (int i = 0; i < 4; i++) {
        quad rows[QUARTERS];
        split(x[i], rows);
        for (int k = 0; k < QUARTERS; k++) {
            quad_store(to[4 * k + i] + width, rows[k]);
        }
    }
}

/* What all groups of a block have in common. */
typedef struct train_job {
    float *rows, *columns;
    float eta, bias_eta; /* bias_eta: eta, or 0 without biases */
    float per_factor;    /* 1 / rank */
    ends at;             /* of the group that is worked on */
} train_job;

/* Moves the extras x of one side; y are those of the other, from before. The factors
 * are to be x := keep x + move y, so with d = x'y
 *   |x|^2 := keep^2 |x|^2 + 2 keep move d + move^2 |y|^2
 *   |e y - l x|^2 = e^2 |y|^2 - 2 l e d + l^2 |x|^2 */
INLINE void move_extras(lanes x[MF_N_EXTRA], lanes y_norm2, lanes e, lanes d, const train_job *job,
                        lanes *keep, lanes *move)
{
    const lanes lambda = x[MF_LAMBDA];
    const lanes norm2 = x[MF_NORM2];
    const lanes root = inverse_root(x[MF_SUM]);
    const lanes s = job->eta * root;
    const lanes gradient2 = e * e * y_norm2 + lambda * (lambda * norm2 - 2.0F * (e * d));
    *keep = 1.0F - s * lambda;
    *move = s * e;
    x[MF_BIAS] += job->bias_eta * root * (e - lambda * x[MF_BIAS]);
    x[MF_SUM] += job->per_factor * positive(gradient2);
    x[MF_NORM2] = *keep * *keep * norm2 + *move * (2.0F * *keep * d + *move * y_norm2);
}

/* ---- a group ---- */

INLINE void find_rows(const mf_group *group, train_job *job)
{
    for (int i = 0; i < MF_GROUP; i++) {
        job->at.p[i] = job->rows + (size_t) group->row[i] * MF_LINE;
        job->at.q[i] = job->columns + (size_t) group->column[i] * MF_LINE;
    }
    atomic_signal_fence(memory_order_seq_cst);
}

/* The dots of LANES ratings from h on; 0 where they are padding. */
INLINE lanes dots(const ends *at, int h, uint32_t width)
{
    lanes part[QUARTERS] = {{0}};
#pragma GCC unroll 4
    for (int k = 0; k < QUARTERS; k++) {
        const float *p[4];
        const float *q[4];
        for (int i = 0; i < 4; i++) {
            p[i] = at->p[h + 4 * k + i];
            q[i] = at->q[h + 4 * k + i];
        }
        part[k] = four_dots(p, q, width);
    }
    return add_quarters(part);
}

/* Moves the extras of LANES ratings from h on, whose values are r and dots d, says how their
 * factors are to move, and returns their e^2. */
INLINE lanes steps(lanes r, lanes d, int h, train_job *job, uint32_t width)
{
    ends *at = &job->at;
    lanes x[MF_N_EXTRA];
    lanes y[MF_N_EXTRA];
    gather(at->p + h, width, x);
    gather(at->q + h, width, y);
    const lanes e = r - (d + x[MF_BIAS] + y[MF_BIAS]);
    const lanes x_norm2 = x[MF_NORM2];
    lanes keep;
    lanes move;
    move_extras(x, y[MF_NORM2], e, d, job, &keep, &move);
    store(at->keep_p + h, keep);
    store(at->move_p + h, move);
    move_extras(y, x_norm2, e, d, job, &keep, &move);
    store(at->keep_q + h, keep);
    store(at->move_q + h, move);
    scatter(at->p + h, width, x);
    scatter(at->q + h, width, y);
    return e * e;
}

/* Dots, steps and moves of a whole group, one after another, keep the processor busier
 * than vector by vector: each of the three waits for the one before. Returns e^2, added
 * up to LANES. */
INLINE lanes train_group(const mf_group *group, train_job *job, uint32_t width)
{
    lanes d[MF_GROUP / LANES];
    lanes squares = {0};
    find_rows(group, job);
    for (int v = 0; v < MF_GROUP / LANES; v++) {
        d[v] = dots(&job->at, v * LANES, width);
    }
    for (int v = 0; v < MF_GROUP / LANES; v++) {
        squares += steps(load(group->r + v * LANES), d[v], v * LANES, job, width);
    }
    atomic_signal_fence(memory_order_seq_cst);
    if (group->row[MF_GROUP - 1] != 0) { /* it is full, as nearly all are: no branch in between */
#pragma GCC unroll 16
        for (int i = 0; i < MF_GROUP; i++) {
            move_factors(&job->at, i, width);
        }
        return squares;
    }
    for (int i = 0; i < MF_GROUP && group->row[i] != 0; i++) {
        move_factors(&job->at, i, width);
    }
    return squares;
}

INLINE double train_groups(const mf_group *groups, size_t n_groups, train_job *job, uint32_t width)
{
    double sum = 0.0;
    for (size_t g = 0; g < n_groups;) {
        const size_t end = n_groups - g < FLUSH ? n_groups : g + FLUSH;
        lanes squares = {0};
        for (; g < end; g++) {
            squares += train_group(&groups[g], job, width);
        }
        sum += (double) add_lanes(squares);
    }
    return sum;
}

/* ---- widths that are constants ---- */

typedef double train_function(const mf_group *groups, size_t n_groups, train_job *job);

#define TRAIN(width)                                                                               \
    static double train_##width(const mf_group *groups, size_t n_groups, train_job *job)     \
    {                                                                                              \
        return train_groups(groups, n_groups, job, width);                                         \
    }

TRAIN(8)
TRAIN(16)
TRAIN(24)
TRAIN(32)
TRAIN(40)
TRAIN(48)
TRAIN(56)
TRAIN(64)
TRAIN(72)
TRAIN(80)
TRAIN(88)
TRAIN(96)
TRAIN(104)
TRAIN(112)
TRAIN(120)
TRAIN(128)

/* Of width 8 (i + 1). */
static train_function *const train_width[] = {
    train_8,  train_16, train_24, train_32, train_40,  train_48,  train_56,  train_64,
    train_72, train_80, train_88, train_96, train_104, train_112, train_120, train_128,
};

static double train(const mf_layout *layout, const mf_group *groups, size_t n_groups, float *rows,
                    float *columns, const mf_step *step)
{
    train_job job = {.rows = rows,
                     .columns = columns,
                     .eta = step->eta,
                     .bias_eta = step->biases ? step->eta : 0.0F,
                     .per_factor = 1.0F / (float) layout->rank};
    const uint32_t kind = layout->width / 8 - 1;
    if (kind < sizeof(train_width) / sizeof(*train_width)) {
        return train_width[kind](groups, n_groups, &job);
    }
    return train_groups(groups, n_groups, &job, layout->width);
}

/* ---- once an epoch ---- */

/* p[i]'q[i] for four pairs. */
INLINE void add_four_dots(const float *const p[4], const float *const q[4], uint32_t width,
                          float dot[4])
{
    const lanes part = four_dots(p, q, width);
    quad quarters[QUARTERS];
    split(part, quarters);
    for (int k = 1; k < QUARTERS; k++) {
        quarters[0] += quarters[k];
    }
    quad_store(dot, quarters[0]);
}

static double norms(const mf_layout *layout, float *rows, size_t n)
{
    double sum = 0.0;
    for (size_t k = 0; k < n; k += 4) {
        const float *p[4];
        float norm2[4];
        for (size_t i = 0; i < 4; i++) {
            p[i] = rows + (k + i < n ? k + i : k) * layout->stride;
        }
        add_four_dots(p, p, layout->width, norm2);
        for (size_t i = 0; i < 4 && k + i < n; i++) {
            rows[(k + i) * layout->stride + layout->width + MF_NORM2] = norm2[i];
            sum += (double) norm2[i];
        }
    }
    return sum;
}

static mf_errors errors(const mf_layout *layout, const float *rows, const float *columns,
                        const mf_pair *pairs, size_t n, mf_scale scale)
{
    const uint32_t bias = layout->width + MF_BIAS;
    mf_errors sum = {0.0, 0.0};
    for (size_t k = 0; k < n; k += 4) {
        const float *p[4];
        const float *q[4];
        float dot[4];
        for (size_t i = 0; i < 4; i++) {
            const mf_pair *pair = &pairs[k + i < n ? k + i : k];
            p[i] = rows + (size_t) pair->row * layout->stride;
            q[i] = columns + (size_t) pair->column * layout->stride;
        }
        add_four_dots(p, q, layout->width, dot);
        for (size_t i = 0; i < 4 && k + i < n; i++) {
            const float x = dot[i] + p[i][bias] + q[i][bias];
            const double e = (double) (pairs[k + i].value - (scale.mean + scale.unit * x));
            sum.squared += e * e;
            sum.absolute += fabs(e);
        }
    }
    return sum;
}

const mf_kernels NAME(mf_kernels_, KERNEL_ISA) = {
    .name = TEXT(KERNEL_ISA),
    .train = train,
    .norms = norms,
    .errors = errors,
};
