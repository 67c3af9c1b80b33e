/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/base.h - what every other part stands on: status codes, messages to the
 * user, memory, the configuration of a run, and the processes that load its data.
 *
 * A fallible function returns a strads_status and sets its out-parameters on
 * success only. Whoever first decides on an error says so once with
 * strads_error(); callers pass the status on. A wrong argument that only a
 * programming mistake can produce is asserted, not returned.
 */
#ifndef STRADS_BASE_H
#define STRADS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STRADS_API __attribute__((visibility("default")))
#define STRADS_MUST_CHECK __attribute__((warn_unused_result))
#define STRADS_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* ---- status ---- */

typedef enum strads_status {
    STRADS_OK = 0,
    STRADS_ERR_USAGE,   /* the command line or the configuration is wrong */
    STRADS_ERR_DATA,    /* an input file's content is wrong */
    STRADS_ERR_IO,      /* a file cannot be opened, read or written */
    STRADS_ERR_NOMEM,   /* no memory */
    STRADS_ERR_NUMERIC, /* a value that must be finite is not */
    STRADS_ERR_AGAIN,   /* a bounded queue is full: try later */
    STRADS_ERR_CLOSED,  /* the peer, or the run, has ended */
    STRADS_ERR_APP,     /* the model program broke a rule of its interface */
    STRADS_ERR_SYSTEM,  /* the operating system refused (threads, signals) */
    STRADS_N_STATUSES   /* how many there are; not a status */
} strads_status;

/* A short name of `status`, "bad data" for example; never NULL. */
STRADS_API const char *strads_status_name(strads_status status);

/* ---- messages: one line each, on stderr ---- */

typedef enum strads_log_level {
    STRADS_LOG_ERROR,
    STRADS_LOG_WARN,
    STRADS_LOG_INFO,
    STRADS_LOG_DEBUG,
    STRADS_LOG_TRACE
} strads_log_level;

/* Messages above `level` are dropped. The default is STRADS_LOG_INFO. */
STRADS_API void strads_log_set_level(strads_log_level level);
STRADS_API strads_log_level strads_log_get_level(void);

/* Writes "strads: error: <message>\n" in one write ("warning", "debug" and "trace"
 * alike; info has no such word). Bytes that are not printable become '?', and what
 * exceeds 2047 bytes ends in "...". Any thread may call; errno is kept. */
STRADS_API void strads_log(strads_log_level level, const char *format, ...) STRADS_PRINTF(2, 3);

/* How many errors have been logged so far: a program that fails must not be silent. */
STRADS_API size_t strads_log_n_errors(void);

#define strads_error(...) strads_log(STRADS_LOG_ERROR, __VA_ARGS__)
#define strads_warn(...) strads_log(STRADS_LOG_WARN, __VA_ARGS__)
#define strads_info(...) strads_log(STRADS_LOG_INFO, __VA_ARGS__)
#define strads_debug(...) strads_log(STRADS_LOG_DEBUG, __VA_ARGS__)

/* ---- memory ---- */

/* As malloc, calloc (whose product is checked), realloc and free; the result is
 * aligned to 16 bytes. Zero bytes give a pointer that may be freed. NULL when
 * there is no memory; the caller reports it or passes NOMEM on. */
STRADS_API void *strads_alloc(size_t bytes) STRADS_MUST_CHECK;
STRADS_API void *strads_calloc(size_t count, size_t bytes) STRADS_MUST_CHECK;
STRADS_API void *strads_realloc(void *memory, size_t bytes) STRADS_MUST_CHECK;
STRADS_API void strads_free(void *memory);

/* Gives the memory of an allocation, or of a part of it, back to the system by whole pages while
 * it lasts: what was in it is lost. */
STRADS_API void strads_discard(void *memory, size_t bytes);

/* Has the system provide all pages of an allocation now, at once, which is cheaper than
 * at the first touch of each. What is in it stays. */
STRADS_API void strads_populate(void *memory, size_t bytes);

/* Bytes of memory in the machine; 0: not known. */
STRADS_API double strads_machine_bytes(void);

/* count * bytes for strads_alloc; NULL too when the product overflows. */
STRADS_API void *strads_alloc_array(size_t count, size_t bytes) STRADS_MUST_CHECK;

/* Makes room for n elements of `bytes` each in *array, which has room for *capacity;
 * what is in it stays. *array is an object pointer of any type, NULL at first. On
 * NOMEM nothing changes. */
STRADS_API STRADS_MUST_CHECK strads_status strads_reserve(void *array, size_t *capacity, size_t n,
                                                          size_t bytes);

/* Copies a string; owned by the caller, for strads_free. NULL: no memory. */
STRADS_API char *strads_strdup(const char *text) STRADS_MUST_CHECK;

/* The one of words[n] that a misspelt `word` may mean; NULL: none is close. */
STRADS_API const char *strads_nearest(const char *word, const char *const *words, size_t n);

/* ---- configuration ---- */

typedef enum strads_option_type {
    STRADS_INT,    /* a whole number, below 2^53 in size, 1e6 for example */
    STRADS_REAL,   /* a finite number */
    STRADS_BOOL,   /* true | false (yes, no, on, off too) */
    STRADS_TEXT,   /* any text */
    STRADS_PATH,   /* a file; a relative one is taken from the configuration's folder */
    STRADS_CHOICE, /* one of `choices` */
    STRADS_LIST,   /* a list of texts */
    STRADS_REALS   /* a list of finite numbers */
} strads_option_type;

/* Whether `text` is a finite number in decimal notation; sets *number. */
STRADS_API bool strads_parse_number(const char *text, double *number);

/* One row of a module's option table. The table drives parsing, validation,
 * --set, --print-config, `strads help KEY` and docs/CONFIG.md. */
typedef struct strads_option {
    const char *key; /* full dotted key in a-z 0-9 _: "lasso.lambda" */
    strads_option_type type;
    const char *fallback; /* the default, as text (of a list: its one item); NULL: unset */
    double min, max;      /* inclusive, min < max, of INT, REAL and each of REALS;
                           * -INFINITY, INFINITY: open */
    bool above_min;       /* min itself is not allowed */
    const char *choices;  /* "a | b | c", CHOICE only */
    const char *unit;     /* "seconds", "variables", ...; NULL: none */
    const char *help;     /* one or two sentences */
} strads_option;

/* A configuration goes through three steps: load (YAML and --set texts, kept as
 * text with their places), declare (every module brings its table), resolve
 * (everything is checked). The getters work after resolve. Not thread-safe until
 * resolved; read-only, thus safe, after. */
typedef struct strads_config strads_config;

STRADS_API STRADS_MUST_CHECK strads_status strads_config_create(strads_config **out);
STRADS_API void strads_config_destroy(strads_config *config);

/* Reads a YAML file of nested mappings of scalars, or lists of them. USAGE for what is
 * not one, with file:line:column; IO when it cannot be read. At most one file. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_load(strads_config *config,
                                                              const char *path);

/* The same from text in memory, which `name` stands for in messages. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_load_text(strads_config *config,
                                                                   const char *name,
                                                                   const char *text);

/* Takes "key=value", as from --set; overrides the file and earlier settings. An
 * empty value, ~ or null (unquoted, in the file) leaves the key at its default. For a
 * list a value in brackets, "[a, b]", is one; any other is its one item. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_set(strads_config *config,
                                                             const char *assignment);

/* The text that `key` was given so far, NULL when none or a list; for use before
 * resolve. Lent until the key is set again. */
STRADS_API const char *strads_config_peek(const strads_config *config, const char *key);

/* For messages: what kind of value `key` was given so far, "a list" for example, and where,
 * in *place, which is lent as above; NULL: nowhere. */
STRADS_API const char *strads_config_peek_kind(const strads_config *config, const char *key,
                                               const char **place);

/* The same text taken as a PATH, in *out, owned by the caller; NULL: not given. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_peek_path(const strads_config *config,
                                                                   const char *key, char **out);

/* Adds a table; it must outlive `config`, and so must its strings. A key that was
 * declared before is the same option (asserted, as a default within its own range is). */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_declare(strads_config *config,
                                                                 const strads_option *options,
                                                                 size_t n_options);

/* Checks every given key and value against the tables and fills in defaults.
 * All errors are reported, not only the first. Nothing is loaded, set or declared
 * after it (asserted). */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_resolve(strads_config *config);

/* The value of a declared key of that type (asserted). Numbers and bools need a
 * value or a default (asserted); text is NULL when unset. Text is lent for the life
 * of `config`. A relative PATH from the file has the file's folder before it; one
 * from --set, or a default, is taken from the working directory. */
STRADS_API double strads_config_real(const strads_config *config, const char *key);
STRADS_API int64_t strads_config_int(const strads_config *config, const char *key);
STRADS_API bool strads_config_bool(const strads_config *config, const char *key);
STRADS_API const char *strads_config_text(const strads_config *config, const char *key);

/* The items of a LIST or of REALS. An unset list has none; duplicates are kept. `i` is
 * below the size, and list_real is for REALS (both asserted). The place is the item's
 * own, as of strads_config_place. Text is lent for the life of `config`. */
STRADS_API size_t strads_config_list_size(const strads_config *config, const char *key);
STRADS_API const char *strads_config_list_item(const strads_config *config, const char *key,
                                               size_t i);
STRADS_API double strads_config_list_real(const strads_config *config, const char *key, size_t i);
STRADS_API const char *strads_config_list_place(const strads_config *config, const char *key,
                                                size_t i);

/* Whether the user, not a default, gave `key` its value. */
STRADS_API bool strads_config_given(const strads_config *config, const char *key);

/* "FILE:LINE:COLUMN" or "--set" where `key` was given, "default" otherwise; for
 * messages of checks that a table cannot express. Lent for the life of `config`. */
STRADS_API const char *strads_config_place(const strads_config *config, const char *key);

/* Writes the resolved configuration as YAML that loads to the same values from any
 * folder: every path is made absolute. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_print(const strads_config *config,
                                                               FILE *to);

/* The same of those options alone that are wanted. */
STRADS_MUST_CHECK strads_status strads_config_print_some(const strads_config *config, FILE *to,
                                                         bool (*wanted)(const strads_option *));

/* Writes type, range, default, unit and help of one key, of all keys under a
 * section, or of all there are (NULL). USAGE, with the nearest key named, when there
 * is none. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_help(const strads_config *config,
                                                              const char *key, FILE *to);

/* Writes the declared tables as the Markdown of docs/CONFIG.md. */
STRADS_API STRADS_MUST_CHECK strads_status strads_config_document(const strads_config *config,
                                                                  FILE *to);

/* ---- parts: the processes of a run load their data together ---- */

/* Which of the processes this is, and its way to the others while they load. Each hosts
 * workers of consecutive ranks. A run in one process has one part. */
typedef struct strads_part strads_part;

STRADS_API uint32_t strads_part_index(const strads_part *part);
STRADS_API uint32_t strads_part_count(const strads_part *part); /* of processes */
/* The rank of the first worker of process `index`; of the count: how many workers there are. */
STRADS_API uint32_t strads_part_rank(const strads_part *part, uint32_t index);
/* Where worker `rank` begins when n things are cut evenly; n when rank is their number. */
STRADS_API size_t strads_part_start(const strads_part *part, size_t n, uint32_t rank);

/* Every process gives each of [count] others out_bytes of out, NULL where they are 0, and
 * gets in[i] from process i, for strads_free; a copy of its own too. All processes must
 * call. CLOSED when another has failed. */
STRADS_API STRADS_MUST_CHECK strads_status strads_part_swap(strads_part *part,
                                                            const void *const *out,
                                                            const size_t *out_bytes, void **in,
                                                            size_t *in_bytes);
/* Every process gives all the same; all[i] is what process i gave. */
STRADS_API STRADS_MUST_CHECK strads_status strads_part_gather(strads_part *part, const void *mine,
                                                              size_t bytes, void **all,
                                                              size_t *all_bytes);
/* shares[n_shares][n] of this process, one or one a worker: shares[0] := the sum of those
 * of all processes, added in their order, so the same bits everywhere. */
STRADS_API STRADS_MUST_CHECK strads_status strads_part_sum(strads_part *part, double *shares,
                                                           size_t n_shares, size_t n);

#ifdef __cplusplus
}
#endif

#endif
