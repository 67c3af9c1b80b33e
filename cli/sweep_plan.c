/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/sweep_plan.c - the cases of a sweep: the product of its values, times the seeds. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sweep.h"

/* Numbers from here on are not exact in a configuration. */
static const uint64_t seed_limit = 1ULL << 53;

/* ---- reading the command line ---- */

/* The bytes up to the next comma outside of brackets, or the end. */
static size_t value_bytes(const char *text)
{
    size_t n = 0;
    for (int depth = 0; text[n] != '\0' && (text[n] != ',' || depth > 0); n++) {
        depth += text[n] == '[' ? 1 : text[n] == ']' && depth > 0 ? -1 : 0;
    }
    return n;
}

static const char *trim(const char *text, size_t *n)
{
    while (*n > 0 && isspace((unsigned char) text[0])) {
        text++;
        --*n;
    }
    while (*n > 0 && isspace((unsigned char) text[*n - 1])) {
        --*n;
    }
    return text;
}

static strads_status add_value(sweep_axis *axis, const char *text, size_t n)
{
    text = trim(text, &n);
    if (n == 0) {
        strads_error("--sweep %s: an empty value; null stands for the default", axis->key);
        return STRADS_ERR_USAGE;
    }
    const strads_status status = cli_texts_add(&axis->values, text, n);
    if (status == STRADS_OK) {
        const size_t last = axis->values.n - 1;
        if (cli_texts_find(&axis->values, axis->values.items[last]) < last) {
            strads_error("--sweep %s: %s is given twice", axis->key, axis->values.items[last]);
            return STRADS_ERR_USAGE;
        }
    }
    return status;
}

static strads_status check_key(const sweep_plan *plan, const char *key)
{
    const char *problem = NULL;
    if (strcmp(key, "run.seed") == 0) {
        problem = "use --repeat N, which counts on from run.seed";
    } else if (strcmp(key, "run.out") == 0) {
        problem = "every case has a folder of its own, which --out DIR keeps";
    }
    for (size_t i = 0; i + 1 < plan->n_axes; i++) {
        problem = strcmp(plan->axes[i].key, key) == 0 ? "swept twice" : problem;
    }
    if (problem != NULL) {
        strads_error("--sweep %s: %s", key, problem);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status add_axis(sweep_plan *plan, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0') {
        strads_error("--sweep: '%s': expected key=a,b,c", text);
        return STRADS_ERR_USAGE;
    }
    strads_status status =
        strads_reserve(&plan->axes, &plan->room, plan->n_axes + 1, sizeof(*plan->axes));
    if (status != STRADS_OK) {
        return status;
    }
    sweep_axis *axis = &plan->axes[plan->n_axes++];
    *axis = (sweep_axis){.key = strads_strdup(text)};
    if (axis->key == NULL) {
        return STRADS_ERR_NOMEM;
    }
    axis->key[equals - text] = '\0';
    status = check_key(plan, axis->key);
    const char *at = equals;
    while (status == STRADS_OK && at[0] != '\0') {
        const size_t n = value_bytes(at + 1);
        status = add_value(axis, at + 1, n);
        at += 1 + n;
    }
    return status;
}

static strads_status count_cases(sweep_plan *plan)
{
    plan->n_cases = plan->n_seeds;
    for (size_t i = 0; i < plan->n_axes && plan->n_cases <= SWEEP_MAX_CASES; i++) {
        plan->n_cases *= plan->axes[i].values.n; /* at most 1e6 times the texts of a command line */
    }
    if (plan->n_cases > SWEEP_MAX_CASES) {
        strads_error("--sweep: more than %d cases", SWEEP_MAX_CASES);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status sweep_plan_init(sweep_plan *plan, const cli_texts *sweeps, uint64_t n_seeds,
                              bool curve)
{
    sweep_plan made = {.first_seed = 1, .n_seeds = n_seeds, .curve = curve};
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < sweeps->n; i++) {
        status = add_axis(&made, sweeps->items[i]);
    }
    if (status == STRADS_OK) {
        status = count_cases(&made);
    }
    if (status != STRADS_OK) {
        sweep_plan_fini(&made);
        return status;
    }
    *plan = made;
    return STRADS_OK;
}

void sweep_plan_fini(sweep_plan *plan)
{
    for (size_t i = 0; i < plan->n_axes; i++) {
        cli_texts_fini(&plan->axes[i].values);
        strads_free(plan->axes[i].key);
    }
    strads_free(plan->axes);
    strads_free(plan->driver);
    strads_free(plan->folder);
    *plan = (sweep_plan){0};
}

/* ---- one case ---- */

/* By how much the number of a case grows from a value of the axis to the next. */
static size_t stride(const sweep_plan *plan, size_t axis)
{
    size_t cases = plan->n_seeds;
    for (size_t i = axis + 1; i < plan->n_axes; i++) {
        cases *= plan->axes[i].values.n;
    }
    return cases;
}

const char *sweep_plan_value(const sweep_plan *plan, size_t index, size_t axis)
{
    const cli_texts *values = &plan->axes[axis].values;
    return values->items[index / stride(plan, axis) % values->n];
}

const char *sweep_plan_value_of(const sweep_plan *plan, size_t index, const char *key)
{
    for (size_t i = 0; i < plan->n_axes; i++) {
        if (strcmp(plan->axes[i].key, key) == 0) {
            return sweep_plan_value(plan, index, i);
        }
    }
    return NULL;
}

const char *sweep_plan_seed(const sweep_plan *plan, size_t index, char text[SWEEP_SEED_BYTES])
{
    snprintf(text, SWEEP_SEED_BYTES, "%llu",
             (unsigned long long) (plan->first_seed + index % plan->n_seeds));
    return text;
}

size_t sweep_plan_find(const sweep_plan *plan, char *const *cells)
{
    const uint64_t seed = strtoull(cells[plan->n_axes], NULL, 10);
    size_t index = seed - plan->first_seed;
    char text[SWEEP_SEED_BYTES];
    if (seed < plan->first_seed || index >= plan->n_seeds ||
        strcmp(sweep_plan_seed(plan, index, text), cells[plan->n_axes]) != 0) {
        return plan->n_cases;
    }
    for (size_t i = 0; i < plan->n_axes; i++) {
        const size_t value = cli_texts_find(&plan->axes[i].values, cells[i]);
        if (value == plan->axes[i].values.n) {
            return plan->n_cases;
        }
        index += value * stride(plan, i);
    }
    return index;
}

strads_status sweep_plan_record(const sweep_plan *plan, size_t index, const sweep_facts *facts,
                                sweep_record *record)
{
    char seed[SWEEP_SEED_BYTES];
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < plan->n_axes; i++) {
        status = sweep_record_put(record, plan->axes[i].key, sweep_plan_value(plan, index, i));
    }
    const char *const names[] = {"run.seed", "measurement", "status", "error"};
    const char *const cells[] = {sweep_plan_seed(plan, index, seed), facts->measurement,
                                 facts->status, facts->error};
    for (size_t i = 0; status == STRADS_OK && i < 4; i++) {
        if (plan->curve || i != 1) {
            status = sweep_record_put(record, names[i], cells[i]);
        }
    }
    return status;
}

static void write_encoded(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char) *text;
        if (isalnum(byte) || strchr("._+-", byte) != NULL) {
            putc(byte, to);
        } else {
            fprintf(to, "%%%02X", byte);
        }
    }
}

strads_status sweep_plan_name(const sweep_plan *plan, size_t index, bool as_file, char **out)
{
    char seed[SWEEP_SEED_BYTES], *name = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&name, &bytes);
    if (to == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < plan->n_axes; i++) {
        const char *value = sweep_plan_value(plan, index, i);
        fprintf(to, "%s=", plan->axes[i].key);
        if (as_file) {
            write_encoded(to, value);
        } else {
            fputs(value, to);
        }
        putc(as_file ? ',' : ' ', to);
    }
    fprintf(to, "run.seed=%s", sweep_plan_seed(plan, index, seed));
    fflush(to);
    if (as_file && bytes > NAME_MAX) {
        rewind(to);
        fprintf(to, "case-%zu%c", index + 1, '\0');
    }
    char *copy = fclose(to) == 0 ? strads_strdup(name) : NULL;
    free(name);
    if (copy == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *out = copy;
    return STRADS_OK;
}

/* ---- its configuration ---- */

static strads_status set(strads_config *config, const char *key, const char *value)
{
    const size_t bytes = strlen(key) + strlen(value) + 2;
    char *assignment = strads_alloc(bytes);
    if (assignment == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(assignment, bytes, "%s=%s", key, value);
    const strads_status status = strads_config_set(config, assignment);
    strads_free(assignment);
    return status;
}

static strads_status set_case(const sweep_plan *plan, size_t index, const char *folder,
                              strads_config *config)
{
    char seed[SWEEP_SEED_BYTES];
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < plan->n_axes; i++) {
        status = set(config, plan->axes[i].key, sweep_plan_value(plan, index, i));
    }
    if (status == STRADS_OK && folder != NULL) {
        status = set(config, "run.out", folder);
    }
    if (status == STRADS_OK && folder != NULL) {
        status = set(config, "run.seed", sweep_plan_seed(plan, index, seed));
    }
    return status;
}

strads_status sweep_plan_session(const sweep_plan *plan, size_t index, const sweep_request *request,
                                 const char *folder, cli_session *session)
{
    cli_session made;
    strads_status status = cli_session_init(&made);
    if (status != STRADS_OK) {
        return status;
    }
    status = cli_session_set(&made, &request->sets);
    if (status == STRADS_OK) {
        status = set_case(plan, index, folder, made.config);
    }
    if (status == STRADS_OK) {
        status = cli_session_load(&made, request->config);
    }
    if (status != STRADS_OK) {
        cli_session_close(&made);
        return status;
    }
    *session = made;
    return STRADS_OK;
}

/* ---- checking ---- */

static strads_status check_not_set(const sweep_plan *plan, const cli_texts *sets)
{
    for (size_t i = 0; i < plan->n_axes; i++) {
        const char *key = plan->axes[i].key;
        const size_t n = strlen(key);
        for (size_t k = 0; k < sets->n; k++) {
            if (strncmp(sets->items[k], key, n) == 0 && sets->items[k][n] == '=') {
                strads_error("--sweep %s: also set to one value, %s", key, sets->items[k]);
                return STRADS_ERR_USAGE;
            }
        }
    }
    return STRADS_OK;
}

/* Takes what all cases share from the first. */
static strads_status take_base(sweep_plan *plan, const strads_config *config)
{
    plan->first_seed = (uint64_t) strads_config_int(config, "run.seed");
    if (plan->n_seeds > seed_limit - plan->first_seed) {
        strads_error("--repeat: %llu seeds from run.seed %llu on go beyond 2^53",
                     (unsigned long long) plan->n_seeds, (unsigned long long) plan->first_seed);
        return STRADS_ERR_USAGE;
    }
    plan->driver = strads_strdup(strads_config_text(config, "run.driver"));
    if (strcmp(strads_config_place(config, "run.out"), "--set") == 0) {
        plan->folder = strads_strdup(strads_config_text(config, "run.out"));
        if (plan->folder == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    return plan->driver != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
}

static strads_status check_case(sweep_plan *plan, size_t index, const sweep_request *request)
{
    cli_session session;
    strads_status status = sweep_plan_session(plan, index, request, NULL, &session);
    if (status == STRADS_OK) {
        status = index == 0 ? take_base(plan, session.config) : STRADS_OK;
        cli_session_close(&session);
    }
    return status;
}

strads_status sweep_plan_check(sweep_plan *plan, const sweep_request *request)
{
    strads_status first = check_not_set(plan, &request->sets);
    if (first == STRADS_OK) {
        first = check_case(plan, 0, request);
    }
    if (first != STRADS_OK) {
        return first;
    }
    for (size_t i = 0; i < plan->n_axes; i++) {
        for (size_t k = 1; k < plan->axes[i].values.n; k++) {
            const strads_status status = check_case(plan, k * stride(plan, i), request);
            first = first == STRADS_OK ? status : first;
        }
    }
    return first;
}
