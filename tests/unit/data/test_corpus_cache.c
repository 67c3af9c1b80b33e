/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_corpus_cache.c - what was read comes back, or is read anew. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "tests/unit/data/corpus_case.h"

/* A corpus, and where its cache is. */
typedef struct place {
    data_corpus_source source;
    char *path, *cache;
} place;

static place begin(const char *text)
{
    place p = {.path = suite_file("cached", text)};
    uint64_t key = 0;
    p.source = (data_corpus_source){.path = p.path, .cache = "", .text = keep_all};
    REQUIRE_OK(corpus_cache_name(&p.cache, &key, &p.source));
    REQUIRE(p.cache != NULL);
    unlink(p.cache);
    return p;
}

static void end(place *p)
{
    strads_free(p->path);
    strads_free(p->cache);
}

static bool is_there(const place *p)
{
    return access(p->cache, F_OK) == 0;
}

/* Whether the cache is one of the source. */
static bool is_known(const place *p)
{
    char *name = NULL;
    uint64_t key = 0;
    data_corpus_size size;
    REQUIRE_OK(corpus_cache_name(&name, &key, &p->source));
    const bool known = name != NULL && corpus_cache_measure(&size, name, key);
    strads_free(name);
    return known;
}

static void what_was_read_comes_back(void)
{
    static const char *const texts[] = {"2\n3\n3\n1 1 2\n2 3 1\n1 2 1\n", "the cat\n\nthe dog of\n",
                                        "w"};
    for (size_t i = 0; i < 3; i++) {
        place p = begin(texts[i]);
        data_corpus read = corpus_read(p.source, NULL);
        CHECK(is_there(&p) && is_known(&p));
        data_corpus loaded = corpus_read(p.source, NULL);
        CHECK(same_corpus(&read, &loaded));
        check_shares(p.source, &read);
        data_corpus_size size;
        REQUIRE_OK(data_corpus_measure(&size, &p.source));
        CHECK(size.n_documents == read.n_documents && size.n_words == read.n_words &&
              size.n_tokens == read.n_tokens);
        data_corpus_fini(&read);
        data_corpus_fini(&loaded);
        end(&p);
    }
}

/* More tokens than a chunk has, long documents and empty ones. */
static void many_chunks_come_back(void)
{
    static char text[1 << 12];
    strads_random random = strads_random_start(1, 0);
    size_t n = (size_t) snprintf(text, sizeof(text), "100\n5\n90\n");
    for (int i = 0; i < 90; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%d %d %d\n",
                               1 + (int) strads_random_below(&random, 100),
                               1 + (int) strads_random_below(&random, 5),
                               1 + (int) strads_random_below(&random, i % 9 == 0 ? 200000 : 9));
    }
    place p = begin(text);
    data_corpus read = corpus_read(p.source, NULL);
    data_corpus loaded = corpus_read(p.source, NULL);
    CHECK(read.n_tokens > 1 << 19);
    CHECK(same_corpus(&read, &loaded));
    check_shares(p.source, &read);
    unlink(p.cache);
    check_shares(p.source, &read); /* the first of them fills the cache */
    data_corpus_fini(&read);
    data_corpus_fini(&loaded);
    end(&p);
}

static void a_changed_file_or_option_is_read_anew(void)
{
    place p = begin("the cat\nthe dog\n");
    char *vocab = suite_file("vocab", "cat\n");
    char *stop = suite_file("stop", "cat\n");
    const data_corpus_source first = p.source;
    data_corpus c = corpus_read(p.source, NULL);
    data_corpus_fini(&c);
    CHECK(is_known(&p));
    p.source.vocab = vocab;
    CHECK(!is_known(&p));
    p.source.vocab = "/none";
    CHECK(!is_known(&p));
    p.source = first;
    p.source.text.stop_words = stop;
    CHECK(!is_known(&p));
    p.source = first;
    p.source.text.lower_case = false;
    CHECK(!is_known(&p));
    p.source = first;
    p.source.text.max_documents = 0.5;
    CHECK(!is_known(&p));
    p.source = first;
    const struct timespec moments[] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 5}};
    REQUIRE(utimensat(AT_FDCWD, p.path, moments, 0) == 0);
    CHECK(!is_known(&p));
    c = corpus_read(p.source, NULL);
    CHECK(is_known(&p));
    data_corpus_fini(&c);
    strads_free(vocab);
    strads_free(stop);
    end(&p);
}

static void a_folder_has_a_cache_beside_it(void)
{
    char *folder = suite_file("docs", "");
    REQUIRE(remove(folder) == 0 && mkdir(folder, 0700) == 0);
    strads_free(suite_file("docs/a", "one\n"));
    strads_free(suite_file("docs/b", "two\n"));
    place p = {.path = folder, .source = {.path = folder, .cache = "", .text = keep_all}};
    data_corpus read = corpus_read(p.source, NULL);
    CHECK(is_known(&p));
    data_corpus loaded = corpus_read(p.source, NULL);
    CHECK(same_corpus(&read, &loaded));
    strads_free(suite_file("docs/b", "three\n"));
    CHECK(!is_known(&p));
    data_corpus_fini(&read);
    data_corpus_fini(&loaded);
    strads_free(folder);
}

static void words_that_are_unknown_are_said_again(void)
{
    place p = begin("the cat\n");
    char *vocab = suite_file("vocab", "cat\n");
    p.source.vocab = vocab;
    char *first = NULL;
    char *again = NULL;
    data_corpus read = corpus_read(p.source, &first);
    data_corpus loaded = corpus_read(p.source, &again);
    CHECK(same_corpus(&read, &loaded) && read.n_unknown == 1);
    CHECK_TEXT(again, first);
    data_corpus_fini(&read);
    data_corpus_fini(&loaded);
    strads_free(first);
    strads_free(again);
    strads_free(vocab);
    end(&p);
}

/* Whatever is damaged, or cut off, the corpus is read anew with a warning. */
static void a_damaged_cache_is_said_and_made_anew(void)
{
    place p = begin("the cat\n\nthe dog of\n");
    data_corpus read = corpus_read(p.source, NULL);
    size_t n = 0;
    char *bytes = contents(p.cache, &n);
    for (size_t at = 0; at < 2 * n; at++) {
        if (at / 2 >= offsetof(corpus_cache_head, key) &&
            at / 2 < offsetof(corpus_cache_head, n_documents) && at % 2 == 1) {
            continue; /* another key is no damage */
        }
        char *message = NULL;
        FILE *file = fopen(p.cache, "wb");
        REQUIRE(file != NULL);
        bytes[at / 2] = (char) (bytes[at / 2] ^ (at % 2 == 1 ? 1 : 0));
        fwrite(bytes, 1, at % 2 == 1 ? n : at / 2, file);
        bytes[at / 2] = (char) (bytes[at / 2] ^ (at % 2 == 1 ? 1 : 0));
        REQUIRE(fclose(file) == 0);
        data_corpus again = corpus_read(p.source, &message);
        CHECK(same_corpus(&read, &again));
        CHECK(strstr(message, "cannot be used as a cache") != NULL);
        CHECK(is_known(&p));
        data_corpus_fini(&again);
        strads_free(message);
    }
    strads_free(bytes);
    data_corpus_fini(&read);
    end(&p);
}

/* A corpus that breaks its promises, with checksums that are right, is not taken. */
static void a_forged_cache_is_not_taken(void)
{
    place p = begin("the cat\n\nthe dog of\n");
    uint64_t key = 0;
    char *name = NULL;
    char *message = NULL;
    REQUIRE_OK(corpus_cache_name(&name, &key, &p.source));
    for (int i = 0; i < 5; i++) {
        unlink(p.cache);
        data_corpus c = corpus_read(p.source, NULL);
        c.tokens[0] = i == 0 ? 4 : c.tokens[0];
        c.starts[1] = i == 1 ? 9 : c.starts[1];
        c.counts[0] = i == 2 ? 7 : c.counts[0];
        c.words.text[0] = i == 3 ? '\0' : c.words.text[0];
        if (i == 4) {
            memcpy(c.words.text + c.words.start[1], c.words.text + c.words.start[2], 3);
        }
        corpus_cache_save(&c, name, key);
        data_corpus_fini(&c);
        c = corpus_read(p.source, &message);
        CHECK(strstr(message, "cannot be used as a cache") != NULL);
        CHECK_TEXT(document_text(&c, 2), "the dog of");
        data_corpus_fini(&c);
        strads_free(message);
    }
    strads_free(name);
    end(&p);
}

/* Without memory the cache is passed over, or reading fails, with a message. */
static void every_allocation_may_fail(void)
{
    place p = begin("the cat\n\nthe dog of\n");
    const size_t live = strads_mem_live();
    data_corpus read = corpus_read(p.source, NULL);
    p.source.n_threads = 1;
    for (size_t i = 1; i < 60; i++) {
        if (i % 2 == 0) {
            unlink(p.cache);
        }
        corpus_attempt a = {.source = p.source, .fail_after = i / 2};
        char *message = suite_stderr_of(attempt_corpus, &a);
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_NOMEM);
        CHECK(a.status == STRADS_OK || message[0] != '\0');
        CHECK(a.status != STRADS_OK || same_corpus(&a.corpus, &read));
        data_corpus_fini(&a.corpus);
        strads_free(message);
    }
    data_corpus_fini(&read);
    CHECK(strads_mem_live() == live);
    end(&p);
}

SUITE("data/corpus_cache", {"what was read comes back", what_was_read_comes_back},
      {"many chunks come back", many_chunks_come_back},
      {"a changed file or option is read anew", a_changed_file_or_option_is_read_anew},
      {"a folder has a cache beside it", a_folder_has_a_cache_beside_it},
      {"words that are unknown are said again", words_that_are_unknown_are_said_again},
      {"a damaged cache is said and made anew", a_damaged_cache_is_said_and_made_anew},
      {"a forged cache is not taken", a_forged_cache_is_not_taken},
      {"every allocation may fail", every_allocation_may_fail})
