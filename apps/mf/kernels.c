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
    FLUSH = 256, /* groups whose squared errors are added up in floats */
    AHEAD = 32,  /* groups; pages come into a core's reach one by one, at some cost each */
    LATER = 16   /* pairs */
};

/* What a step leaves of a row at least; and scales below which are put into the factors. */
static const float KEEP_MIN = 0x1p-4F, SCALE_MIN = 0x1p-10F;

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
 *   p := p + move_p q,  q := q + move_q p
 * It lies in memory, for a load is all that it costs to have one of these numbers from there;
 * fences keep compilers from taking it out of vectors, which goes through the one port that
 * shuffles, and from finding rows again. */
typedef struct ends {
    float *p[MF_GROUP], *q[MF_GROUP];
    float move_p[MF_GROUP], move_q[MF_GROUP];
} ends;

INLINE void move_factors(const ends *to, int i, uint32_t width)
{
    float *const p = to->p[i];
    float *const q = to->q[i];
    const lanes move_p = all_lanes(to->move_p[i]);
    const lanes move_q = all_lanes(to->move_q[i]);
    uint32_t l = 0;
    for (; l + LANES <= width; l += LANES) {
        const lanes old_p = load(p + l);
        const lanes old_q = load(q + l);
        store(p + l, old_p + move_p * old_q);
        store(q + l, old_q + move_q * old_p);
    }
    if (l < width) {
        const eight old_p = load_eight(p + l);
        const eight old_q = load_eight(q + l);
        store_eight(p + l, old_p + first_eight(move_p) * old_q);
        store_eight(q + l, old_q + first_eight(move_q) * old_p);
    }
}

/* Puts a row's scale into its factors. */
static void settle(float *row, uint32_t width)
{
    const float scale = row[width + MF_SCALE];
    for (uint32_t l = 0; l < width; l++) {
        row[l] *= scale;
    }
    row[width + MF_SCALE] = 1.0F;
}

/* ---- what stands behind the factors, one rating a lane ---- */

INLINE void gather(float *const *from, uint32_t width, lanes x[MF_N_MOVED])
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

INLINE void scatter(float *const *to, uint32_t width, lanes x[MF_N_MOVED])
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
    float lambda;        /* where all have the same */
    bool alike;
} train_job;

/* lambda[k] of each of LANES rows: where they differ, which is slower. */
__attribute__((noinline)) static void load_lambdas(float *const *rows, uint32_t width,
                                                   float *lambda)
{
    for (int k = 0; k < LANES; k++) {
        lambda[k] = rows[k][width + MF_LAMBDA];
    }
}

INLINE lanes lambdas(float *const *rows, uint32_t width, const train_job *job)
{
    if (job->alike) {
        return all_lanes(job->lambda);
    }
    float lambda[LANES];
    load_lambdas(rows, width, lambda);
    return load(lambda);
}

/* What both sides' steps begin with. */
typedef struct met {
    lanes e, d;         /* errors; dots */
    lanes scale, norm2; /* of the other side */
} met;

/* Moves the extras x of one side; y are those of the other, from before. The factors
 * are to be x := keep x + move y, so with d = x'y
 *   |x|^2 := keep^2 |x|^2 + 2 keep move d + move^2 |y|^2
 *   |e y - l x|^2 = e^2 |y|^2 - 2 l e d + l^2 |x|^2
 * With scales they are c x and d y, and so
 *   c := keep c,   x := x + (move d / c) y
 * Returns the move of the numbers. */
INLINE lanes move_extras(lanes x[MF_N_MOVED], lanes lambda, const met *of, const train_job *job)
{
    const lanes norm2 = x[MF_NORM2];
    const lanes root = inverse_root(x[MF_SUM]);
    const lanes s = job->eta * root;
    const lanes gradient2 =
        of->e * of->e * of->norm2 + lambda * (lambda * norm2 - 2.0F * (of->e * of->d));
    const lanes keep = larger(1.0F - s * lambda, all_lanes(KEEP_MIN));
    const lanes move = s * of->e;
    x[MF_BIAS] += job->bias_eta * root * (of->e - lambda * x[MF_BIAS]);
    x[MF_SUM] += job->per_factor * positive(gradient2);
    x[MF_NORM2] = keep * keep * norm2 + move * (2.0F * keep * of->d + move * of->norm2);
    x[MF_SCALE] *= keep;
    return move * of->scale * inverse(x[MF_SCALE]);
}

/* ---- a group ---- */

INLINE void find_rows(const mf_group *group, const train_job *job, ends *at)
{
    for (int i = 0; i < MF_GROUP; i++) {
        at->p[i] = job->rows + (size_t) group->row[i] * MF_LINE;
        at->q[i] = job->columns + (size_t) group->column[i] * MF_LINE;
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

/* What a group's steps come to, one rating a lane. */
typedef struct outcome {
    lanes squares; /* sums of e^2 */
    lanes least;   /* of the scales */
} outcome;

/* Moves the extras of LANES ratings from h on, whose numbers have the dots d, and says how these
 * are to move. */
INLINE outcome steps(const mf_group *group, int h, lanes d, const train_job *job, ends *at,
                     uint32_t width)
{
    lanes x[MF_N_MOVED];
    lanes y[MF_N_MOVED];
    gather(at->p + h, width, x);
    gather(at->q + h, width, y);
    d *= x[MF_SCALE] * y[MF_SCALE];
    const lanes e = load(group->r + h) - (d + x[MF_BIAS] + y[MF_BIAS]);
    const met of_x = {e, d, y[MF_SCALE], y[MF_NORM2]};
    const met of_y = {e, d, x[MF_SCALE], x[MF_NORM2]};
    store(at->move_p + h, move_extras(x, lambdas(at->p + h, width, job), &of_x, job));
    store(at->move_q + h, move_extras(y, lambdas(at->q + h, width, job), &of_y, job));
    const outcome all = {e * e, smaller(x[MF_SCALE], y[MF_SCALE])};
    scatter(at->p + h, width, x);
    scatter(at->q + h, width, y);
    return all;
}

/* Rows whose scale has become small, which are few. */
__attribute__((noinline, cold)) static void settle_group(const ends *at, uint32_t width)
{
    for (int i = 0; i < MF_GROUP; i++) {
        if (at->p[i][width + MF_SCALE] < SCALE_MIN) {
            settle(at->p[i], width);
        }
        if (at->q[i][width + MF_SCALE] < SCALE_MIN) {
            settle(at->q[i], width);
        }
    }
}

/* Rows come as a stream: the next one's lines are asked for while factors are moved, when hardly
 * any other is. Columns are in the nearest cache mostly, or in a round that is there soon. */
INLINE void fetch(const float *row, uint32_t width)
{
    for (uint32_t l = 0; l < width + MF_N_MOVED; l += MF_LINE) {
        __builtin_prefetch(row + l, 1, 3);
    }
}

/* Dots, steps and moves of a whole group, one after another, keep the processor busier
 * than vector by vector: each of the three waits for the one before. Returns e^2, added
 * up to LANES. */
INLINE lanes train_group(const mf_group *group, const train_job *job, ends *at, const ends *next,
                         uint32_t width)
{
    lanes d[MF_GROUP / LANES];
    outcome all = {{0}, all_lanes(1.0F)};
    for (int v = 0; v < MF_GROUP / LANES; v++) {
        d[v] = dots(at, v * LANES, width);
    }
    for (int v = 0; v < MF_GROUP / LANES; v++) {
        const outcome some = steps(group, v * LANES, d[v], job, at, width);
        all.squares += some.squares;
        all.least = smaller(all.least, some.least);
    }
    atomic_signal_fence(memory_order_seq_cst);
    if (group->row[MF_GROUP - 1] != 0) { /* it is full, as nearly all are: no branch in between */
#pragma GCC unroll 16
        for (int i = 0; i < MF_GROUP; i++) {
            fetch(next->p[i], width);
            move_factors(at, i, width);
        }
    } else {
        for (int i = 0; i < MF_GROUP && group->row[i] != 0; i++) {
            move_factors(at, i, width);
        }
    }
    if (is_any_below(all.least, all_lanes(SCALE_MIN))) {
        settle_group(at, width);
    }
    return all.squares;
}

INLINE double train_groups(const mf_group *groups, size_t n_groups, const train_job *job,
                           uint32_t width)
{
    double sum = 0.0;
    ends at[2]; /* of this group and of the next */
    if (n_groups > 0) {
        find_rows(groups, job, at);
    }
    for (size_t g = 0; g < n_groups;) {
        const size_t end = n_groups - g < FLUSH ? n_groups : g + FLUSH;
        lanes squares = {0};
        for (; g < end; g++) {
            ends *next = &at[(g + 1) % 2];
            const mf_group *ahead = &groups[g + AHEAD < n_groups ? g + AHEAD : g];
            __builtin_prefetch(&ahead->r);
            __builtin_prefetch(&ahead->row);
            find_rows(&groups[g + 1 < n_groups ? g + 1 : g], job, next);
            squares += train_group(&groups[g], job, &at[g % 2], next, width);
        }
        sum += (double) add_lanes(squares);
    }
    return sum;
}

/* ---- widths that are constants ---- */

typedef double train_function(const mf_group *groups, size_t n_groups, const train_job *job);

#define TRAIN(width)                                                                               \
    static double train_##width(const mf_group *groups, size_t n_groups, const train_job *job)     \
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
    const train_job job = {.rows = rows,
                           .columns = columns,
                           .eta = step->eta,
                           .bias_eta = step->biases ? step->eta : 0.0F,
                           .per_factor = 1.0F / (float) layout->rank,
                           .alike = step->alike,
                           .lambda = step->lambda};
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
        for (size_t i = 0; i < 4 && k + i < n; i++) {
            settle(rows + (k + i) * layout->stride, layout->width);
        }
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
    const uint32_t at = layout->width + MF_SCALE;
    mf_errors sum = {0.0, 0.0};
    for (size_t k = 0; k < n; k += 4) {
        const float *p[4];
        const float *q[4];
        float dot[4];
        for (size_t i = 0; i < 4; i++) {
            const mf_pair *pair = &pairs[k + i < n ? k + i : k];
            const mf_pair *later = &pairs[k + i + LATER < n ? k + i + LATER : k];
            fetch(rows + (size_t) later->row * layout->stride, layout->width);
            p[i] = rows + (size_t) pair->row * layout->stride;
            q[i] = columns + (size_t) pair->column * layout->stride;
        }
        add_four_dots(p, q, layout->width, dot);
        for (size_t i = 0; i < 4 && k + i < n; i++) {
            const float x = p[i][at] * q[i][at] * dot[i] + p[i][bias] + q[i][bias];
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
