/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_asked.c - maps that were written, lists of ids, and pairs. */
#include <string.h>

#include "tests/unit/data/ratings_case.h"

static data_ids ids_of(const char *text)
{
    data_ids ids = {.n = 0};
    char *path = suite_file("ids.txt", text);
    REQUIRE_OK(data_ids_read(&ids, path));
    strads_free(path);
    return ids;
}

/* ---- maps ---- */

static void a_map_comes_back_as_it_was_written(void)
{
    static const char *const texts[] = {
        "7 30 1\n5 4000000000 2\n0 1 3\n",
        "007,b,1\n7,a b,2\nx,\"y,\",3\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        data_ratings ratings = ratings_of(texts[i]);
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            char written[256] = "";
            for (uint32_t k = 0; k < ratings.ids[side].n; k++) {
                char digits[DATA_ID_BYTES];
                strcat(strcat(written, data_ids_name(&ratings.ids[side], k, digits)), "\n");
            }
            data_ids ids = ids_of(written);
            CHECK(same_ids(&ids, &ratings.ids[side]));
            data_ids_fini(&ids);
        }
        data_ratings_fini(&ratings);
    }
}

static void ids_that_no_map_of_numbers_has_are_texts(void)
{
    static const char *const texts[] = {"5\n3\n", "3\n05\n", "3\n4294967296\n", "3\n5a\n",
                                        "-1\n3\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        data_ids ids = ids_of(texts[i]);
        CHECK(ids.n == 2 && ids.number == NULL);
        CHECK(data_ids_find(&ids, "3") == (texts[i][0] == '3' ? 0 : 1));
        CHECK(data_ids_find(&ids, "03") == DATA_UNSEEN);
        data_ids_fini(&ids);
    }
}

/* ---- questions ---- */

typedef enum what { A_MAP, A_LIST, PAIRS } what;

typedef struct question {
    what what;
    const char *path;
    const data_ids *ids;
    data_ids map;
    uint32_t *list;
    size_t n, fail_after;
    data_ratings pairs;
    strads_status status;
} question;

static void ask(void *context)
{
    question *a = context;
    strads_mem_fail_after(a->fail_after);
    switch (a->what) {
    case A_MAP:
        a->status = data_ids_read(&a->map, a->path);
        break;
    case A_LIST:
        a->status = data_ids_read_list(&a->list, &a->n, a->ids, DATA_ITEMS, a->path);
        break;
    case PAIRS:
        a->status = data_ratings_read_pairs(&a->pairs, a->ids, a->path);
    }
    strads_mem_fail_after(0);
}

static void drop(question *a)
{
    data_ids_fini(&a->map);
    strads_free(a->list);
    data_ratings_fini(&a->pairs);
}

static void make_maps(data_ids ids[DATA_N_SIDES])
{
    ids[DATA_USERS] = ids_of("1\n2\n7\n");
    ids[DATA_ITEMS] = ids_of("a\nb c\nsay \"x\"\n");
}

static void drop_maps(data_ids ids[DATA_N_SIDES])
{
    data_ids_fini(&ids[DATA_USERS]);
    data_ids_fini(&ids[DATA_ITEMS]);
}

/* ---- lists ---- */

static void a_list_has_an_id_a_line(void)
{
    data_ids ids[DATA_N_SIDES];
    make_maps(ids);
    char *path = suite_file("list.txt", "\357\273\277b c\r\n\n  a \n\"say \"\"x\"\"\"\nb c");
    uint32_t *list = NULL;
    size_t n = 0;
    REQUIRE_OK(data_ids_read_list(&list, &n, ids, DATA_ITEMS, path));
    REQUIRE(n == 4);
    CHECK(list[0] == 1 && list[1] == 0 && list[2] == 2 && list[3] == 1);
    strads_free(list);
    strads_free(path);
    path = suite_file("users.txt", "07\n1\n");
    REQUIRE_OK(data_ids_read_list(&list, &n, ids, DATA_USERS, path));
    CHECK(n == 2 && list[0] == 2 && list[1] == 0);
    strads_free(list);
    strads_free(path);
    drop_maps(ids);
}

/* ---- pairs ---- */

static bool is_pair(const data_ratings *pairs, size_t i, uint32_t row, uint32_t column,
                    double value)
{
    const data_rating *pair = &pairs->entries[i];
    return pair->row == row && pair->column == column &&
           (isnan(value) ? isnan(pair->value) : pair->value == (float) value);
}

static void pairs_keep_the_order_of_their_lines(void)
{
    static const char *const texts[] = {
        "2,b c\n9,a\n1,none\n2,b c\n8,none\n",
        "2;\"b c\"\n09;a\r\n1;none\n\n02;b c\n8;none",
        "item,user\nb c,2\na,9\nnone,1\nb c,2\nnone,8\n",
        "\357\273\277movie;time;uid\nb c;x;2\na;;9\nnone;1;1\nb c;2;2\nnone;8;8\n",
        "2::b c\n9::a\n1::none\n2::b c\n8::none\n",
    };
    data_ids ids[DATA_N_SIDES];
    make_maps(ids);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *path = suite_file("pairs.txt", texts[i]);
        data_ratings pairs = {.n = 0};
        REQUIRE_OK(data_ratings_read_pairs(&pairs, ids, path));
        REQUIRE(pairs.n == 5);
        CHECK(pairs.n_unseen == 3);
        CHECK(is_pair(&pairs, 0, 1, 1, (double) NAN));
        CHECK(is_pair(&pairs, 1, DATA_UNSEEN, 0, (double) NAN));
        CHECK(is_pair(&pairs, 2, 0, DATA_UNSEEN, (double) NAN));
        CHECK(is_pair(&pairs, 3, 1, 1, (double) NAN));
        CHECK(is_pair(&pairs, 4, DATA_UNSEEN, DATA_UNSEEN, (double) NAN));
        data_ratings_fini(&pairs);
        strads_free(path);
    }
    drop_maps(ids);
}

static void ratings_beside_pairs_are_taken(void)
{
    static const char *const texts[] = {
        "2 a 4.5\n7 a 3 881250949\n1 a\n",
        "userid,movieid,rating\n2,a,4.5\n7,a,3\n1,a\n",
    };
    data_ids ids[DATA_N_SIDES];
    make_maps(ids);
    data_ratings pairs = {.n = 0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *path = suite_file("pairs.txt", texts[i]);
        REQUIRE_OK(data_ratings_read_pairs(&pairs, ids, path));
        CHECK(pairs.n == 3 && is_pair(&pairs, 0, 1, 0, 4.5) && is_pair(&pairs, 1, 2, 0, 3.0) &&
              is_pair(&pairs, 2, 0, 0, (double) NAN));
        data_ratings_fini(&pairs);
        strads_free(path);
    }
    data_ids_fini(&ids[DATA_ITEMS]);
    ids[DATA_ITEMS] = ids_of("1\n2\n");
    char *path = suite_file("pairs.mtx", "%%MatrixMarket matrix coordinate real general\n9 9 2\n"
                                         "7 2 4\n3 1 2\n");
    REQUIRE_OK(data_ratings_read_pairs(&pairs, ids, path));
    CHECK(pairs.n == 2 && is_pair(&pairs, 0, 2, 1, 4.0) && is_pair(&pairs, 1, DATA_UNSEEN, 0, 2.0));
    data_ratings_fini(&pairs);
    strads_free(path);
    drop_maps(ids);
}

/* ---- what goes wrong ---- */

static void what_is_wrong_is_said_with_its_place(void)
{
    static const struct {
        what what;
        const char *text, *part;
    } cases[] = {
        {A_MAP, "", ": is empty"},
        {A_MAP, "a\n\nb\n", ":2: '': expected an id"},
        {A_MAP, "a\nb\na\n", ":3: 'a': is in line 1 too"},
        {A_LIST, "", ": is empty: expected the id of one item a line"},
        {A_LIST, "\n \n", ": is empty: expected the id of one item a line"},
        {A_LIST, "a\nb\n", ":2: 'b': there is no such item: expected one of the model's 3"},
        {PAIRS, "", ": holds 0 pairs"},
        {PAIRS, "user,item\n", ": holds 0 pairs"},
        {PAIRS, "1\n", ":1: '1': expected USER ITEM"},
        {PAIRS, "1 a\n2\n", ":2: '2': too few fields: expected USER ITEM [RATING]"},
        {PAIRS, "1 a 3 4 5\n", ":1: '1 a 3 4 5': too many fields"},
        {PAIRS, "1 a 3\n1 a x\n", ":2: 'x': expected a rating, a finite number, or none"},
        {PAIRS, "1 a 3\n1 a 1e39\n", ":2: '1e39': expected a rating"},
        {PAIRS, "user,rating\n1,2\n", ":1: the header names no item: expected user and item"},
        {PAIRS, "%%MatrixMarket matrix coordinate real general\n9 9 2\n1 1 1\n",
         ": holds 1 pairs of a user and an item: expected as many as its header states"},
    };
    data_ids ids[DATA_N_SIDES];
    make_maps(ids);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t live = strads_mem_live();
        char *path = suite_file("refused.txt", cases[i].text);
        question a = {.what = cases[i].what, .path = path, .ids = ids};
        char *message = suite_stderr_of(ask, &a);
        CHECK_STATUS(a.status, STRADS_ERR_DATA);
        if (strstr(message, cases[i].part) == NULL) {
            fprintf(stderr, "message '%s' (expected '%s')\n", message, cases[i].part);
        }
        CHECK(strstr(message, cases[i].part) != NULL);
        CHECK(strchr(message, '\n') == strrchr(message, '\n'));
        strads_free(message);
        strads_free(path);
        CHECK(strads_mem_live() == live);
    }
    drop_maps(ids);
}

static void all_survive_the_failure_of_every_allocation(void)
{
    static const char *const texts[] = {[A_MAP] = "1\n5\n", [A_LIST] = "a\n", [PAIRS] = "1 a\n"};
    data_ids ids[DATA_N_SIDES];
    make_maps(ids);
    for (what w = A_MAP; w <= PAIRS; w++) {
        char *path = suite_file("rare.txt", texts[w]);
        const size_t live = strads_mem_live();
        question a = {.what = w, .path = path, .ids = ids, .status = STRADS_ERR_NOMEM};
        while (a.fail_after < 50 && a.status != STRADS_OK) {
            a.fail_after++;
            strads_free(suite_stderr_of(ask, &a));
            CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_NOMEM);
            CHECK(a.status == STRADS_OK || strads_mem_live() == live);
        }
        CHECK(a.status == STRADS_OK && a.fail_after > 2);
        drop(&a);
        CHECK(strads_mem_live() == live);
        strads_free(path);
    }
    drop_maps(ids);
}

SUITE("data/ratings_asked",
      {"a map comes back as it was written", a_map_comes_back_as_it_was_written},
      {"ids that no map of numbers has are texts", ids_that_no_map_of_numbers_has_are_texts},
      {"a list has an id a line", a_list_has_an_id_a_line},
      {"pairs keep the order of their lines", pairs_keep_the_order_of_their_lines},
      {"ratings beside pairs are taken", ratings_beside_pairs_are_taken},
      {"what is wrong is said with its place", what_is_wrong_is_said_with_its_place},
      {"all survive the failure of every allocation", all_survive_the_failure_of_every_allocation})
