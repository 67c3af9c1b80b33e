/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/journal.c - the run's folder. */
#include "strads/journal.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"

struct journal {
    char *folder;
    FILE *lines; /* journal.jsonl */
};

struct strads_summary {
    json_t *object; /* the facts, then the program's own numbers */
};

static const char *const names[] = {"config.yaml", "journal.jsonl", "summary.json"};
enum { NAME_CONFIG, NAME_JOURNAL, NAME_SUMMARY, N_NAMES };

/* "FOLDER/NAME"; for strads_free. */
static char *path_of(const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", folder, name);
    }
    return path;
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* Makes `folder` and the folders above it. */
static strads_status make_folders(char *folder)
{
    for (char *end = strchr(folder + 1, '/');; end = strchr(end + 1, '/')) {
        if (end != NULL) {
            *end = '\0';
        }
        const bool there = mkdir(folder, 0777) == 0 || (errno == EEXIST && is_folder(folder));
        if (!there) {
            strads_error("%s: cannot make the run's folder: %s", folder, strerror(errno));
        }
        if (end != NULL) {
            *end = '/';
        }
        if (!there) {
            return STRADS_ERR_IO;
        }
        if (end == NULL) {
            return STRADS_OK;
        }
    }
}

static strads_status remove_old(const char *folder)
{
    for (int i = 0; i < N_NAMES; i++) {
        char *path = path_of(folder, names[i]);
        if (path == NULL) {
            return STRADS_ERR_NOMEM;
        }
        const bool refused = unlink(path) != 0 && errno != ENOENT;
        if (refused) {
            strads_error("%s: cannot remove the file of an earlier run: %s", path, strerror(errno));
        }
        strads_free(path);
        if (refused) {
            return STRADS_ERR_IO;
        }
    }
    return STRADS_OK;
}

static strads_status write_config(const char *folder, const strads_config *config)
{
    char *path = path_of(folder, names[NAME_CONFIG]);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    data_writer *writer = NULL;
    strads_status status = data_writer_open(&writer, path);
    if (status == STRADS_OK) {
        status = strads_config_print(config, data_writer_stream(writer));
        if (status == STRADS_OK) {
            status = data_writer_commit(writer);
        } else {
            data_writer_abandon(writer);
        }
    }
    strads_free(path);
    return status;
}

static strads_status open_lines(journal *book)
{
    char *path = path_of(book->folder, names[NAME_JOURNAL]);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    book->lines = fopen(path, "w");
    if (book->lines == NULL) {
        strads_error("%s: cannot write: %s", path, strerror(errno));
    }
    strads_free(path);
    return book->lines == NULL ? STRADS_ERR_IO : STRADS_OK;
}

strads_status journal_open(journal **out, const char *folder, const strads_config *config)
{
    journal *book = strads_calloc(1, sizeof(*book));
    if (book == NULL) {
        return STRADS_ERR_NOMEM;
    }
    book->folder = strads_strdup(folder);
    strads_status status = book->folder == NULL ? STRADS_ERR_NOMEM : make_folders(book->folder);
    if (status == STRADS_OK) {
        status = remove_old(folder);
    }
    if (status == STRADS_OK) {
        status = write_config(folder, config);
    }
    if (status == STRADS_OK) {
        status = open_lines(book);
    }
    if (status != STRADS_OK) {
        journal_close(book);
        return status;
    }
    *out = book;
    return STRADS_OK;
}

void journal_close(journal *book)
{
    if (book == NULL) {
        return;
    }
    if (book->lines != NULL) {
        fclose(book->lines);
    }
    strads_free(book->folder);
    strads_free(book);
}

/* JSON has no infinity and no NaN. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t) value);
}

static strads_status cannot_write(const journal *book, int name)
{
    strads_error("%s/%s: cannot write: %s", book->folder, names[name], strerror(errno));
    return STRADS_ERR_IO;
}

/* NULL for NULL. */
static json_t *tables_object(const table_totals *tables, uint32_t n_workers)
{
    if (tables == NULL) {
        return NULL;
    }
    const ssp_stats *sum = &tables->sum;
    const uint32_t worst = table_totals_waited_most(tables, n_workers);
    json_t *behind = json_array();
    uint32_t n = SSP_BINS;
    while (n > 1 && sum->seen[n - 1] == 0) {
        n--;
    }
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(behind, count(sum->seen[i]));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "behind", behind,
                     "copied", count(sum->n_copied), "fetched", count(sum->n_fetched), "forgotten",
                     count(sum->n_forgotten), "bytes", count(sum->bytes_out), "bytes_in",
                     count(sum->bytes_in), "waits", count(sum->n_waits), "wait_seconds",
                     number(sum->wait_seconds), "waited_most_for", count(worst),
                     "waited_most_seconds",
                     number(tables->waited_for == NULL ? 0.0 : tables->waited_for[worst]));
}

/* Those that are journaled; NULL: there are none, or no memory. */
static json_t *measures_object(const journal_entry *entry)
{
    json_t *object = NULL;
    for (size_t i = 0; i < entry->app->n_measures; i++) {
        const strads_measure *measure = &entry->app->measures[i];
        if (measure->journaled) {
            object = object == NULL ? json_object() : object;
            (void) json_object_set_new(object, measure->name, number(entry->measures[i]));
        }
    }
    return object;
}

strads_status journal_add(journal *book, const journal_entry *entry)
{
    const strads_progress *progress = entry->progress;
    json_t *line =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o*, s:o*}", "round",
                  count(progress->round), "seconds", number(progress->seconds), "objective",
                  number(progress->objective), "gap", number(progress->gap), "nonzeros",
                  count(progress->nonzeros), "active", count(progress->active), "updates",
                  count(progress->updates), "passes", number(progress->passes), "measures",
                  measures_object(entry), "ssp", tables_object(entry->tables, entry->n_workers));
    if (line == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const int refused = json_dumpf(line, book->lines, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(line);
    if (refused != 0 || putc('\n', book->lines) == EOF || fflush(book->lines) != 0) {
        return cannot_write(book, NAME_JOURNAL);
    }
    return STRADS_OK;
}

/* ---- the summary ---- */

static double peak_rss_mb(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double) usage.ru_maxrss / 1024.0 : NAN;
}

/* NULL for NULL. */
static json_t *machines_object(const net_sim_account *mean)
{
    if (mean == NULL) {
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "computing", number(mean->computing),
                     "idle", number(mean->idle), "waiting", number(mean->waiting), "exchanging",
                     number(mean->exchanging), "sending", number(mean->sending), "messages",
                     count(mean->n_messages), "bytes", count(mean->n_bytes));
}

static json_t *facts_object(const summary_facts *facts)
{
    const strads_result *result = facts->result;
    const strads_progress *last = &result->last;
    json_t *seconds =
        json_pack("{s:o, s:o, s:o}", "load", number(result->load_seconds), "solve",
                  number(result->solve_seconds), "total", number(result->total_seconds));
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, "
        "s:o, s:o*}",
        "app", facts->app->name, "version", STRADS_VERSION, "status",
        strads_verdict_name(result->verdict), "workers", count(facts->run->n_workers), "driver",
        facts->run->driver, "seed", count(facts->run->seed), "seconds", seconds, "objective",
        number(last->objective), "gap", number(last->gap), "nonzeros", count(last->nonzeros),
        "rounds", count(last->round), "updates", count(last->updates), "scored",
        count(last->scored), "products", count(last->products), "passes", number(last->passes),
        "guarded", count(result->guarded), "peak_rss_mb", number(peak_rss_mb()), "overhead_seconds",
        number(result->overhead_seconds), "overhead_fraction", number(result->overhead_fraction),
        "machines", machines_object(facts->machines));
}

strads_status strads_summary_create(strads_summary **out, const summary_facts *facts)
{
    strads_summary *summary = strads_calloc(1, sizeof(*summary));
    if (summary == NULL) {
        return STRADS_ERR_NOMEM;
    }
    summary->object = facts_object(facts);
    if (summary->object == NULL) {
        strads_free(summary);
        return STRADS_ERR_NOMEM;
    }
    *out = summary;
    return STRADS_OK;
}

void strads_summary_destroy(strads_summary *summary)
{
    if (summary != NULL) {
        json_decref(summary->object);
        strads_free(summary);
    }
}

strads_status strads_summary_add(strads_summary *summary, const char *name, double value)
{
    if (json_object_get(summary->object, name) != NULL) {
        strads_error("summary.json: there is a %s already; the program needs another name", name);
        return STRADS_ERR_APP;
    }
    return json_object_set_new(summary->object, name, number(value)) == 0 ? STRADS_OK
                                                                          : STRADS_ERR_NOMEM;
}

strads_status strads_summary_add_rows(strads_summary *summary, const char *name,
                                      const double *values, size_t n_rows, size_t n_cols)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < n_rows && rows != NULL; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < n_cols; k++) {
            json_array_append_new(row, number(values[i * n_cols + k]));
        }
        json_array_append_new(rows, row);
    }
    if (json_object_get(summary->object, name) != NULL) {
        json_decref(rows);
        strads_error("summary.json: there is a %s already; the program needs another name", name);
        return STRADS_ERR_APP;
    }
    return json_object_set_new(summary->object, name, rows) == 0 ? STRADS_OK : STRADS_ERR_NOMEM;
}

strads_status journal_summarize(journal *book, const summary_facts *facts, strads_summary *summary)
{
    json_t *known = facts_object(facts);
    char *path = path_of(book->folder, names[NAME_SUMMARY]);
    data_writer *writer = NULL;
    strads_status status = STRADS_ERR_NOMEM;
    if (known == NULL || path == NULL || json_object_update(summary->object, known) != 0) {
        goto done;
    }
    status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        goto done;
    }
    FILE *to = data_writer_stream(writer);
    /* Errors of the stream are the writer's to see. */
    (void) json_dumpf(summary->object, to, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putc('\n', to);
    status = data_writer_commit(writer);

done:
    strads_free(path);
    json_decref(known);
    return status;
}
