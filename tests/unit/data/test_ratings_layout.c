/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_layout.c - separators, quotes and headers. */
#include "data/ratings_parts.h"
#include "tests/unit/data/ratings_case.h"

/* Cuts a copy of the text into at most 8 fields, and joins them with '/'. */
static char *cut(char separator, const char *text, char out[128])
{
    char line[64];
    ratings_field fields[8];
    snprintf(line, sizeof(line), "%s\n", text);
    const size_t n = ratings_cut(separator, line, line + strlen(text), fields, 8);
    int at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        at +=
            sprintf(out + at, "%s%.*s%s", i > 0 ? "/" : "", (int) (fields[i].end - fields[i].begin),
                    fields[i].begin, fields[i].doubled ? "!" : "");
    }
    return out;
}

static void lines_are_cut_at_separators_outside_of_quotes(void)
{
    static const char *const cases[][3] = {
        {" ", "a b c", "a/b/c"},
        {" ", " \ta  \t b ", "a/b"},
        {" ", "\"a b\" c", "a b/c"},
        {" ", "\"a b\"c d", "\"a/b\"c/d"},
        {" ", " \t", ""},
        {",", "", ""},
        {",", " ", ""},
        {",", ",", "/"},
        {",", " a , b c ,d,", "a/b c/d/"},
        {",", "\"a,b\" , \"\"\"c\"\" d\"", "a,b/\"\"c\"\" d!"},
        {",", "\"a,b", "\"a/b"},
        {",", "a\"b,c\"", "a\"b/c\""},
        {",", "\"\",\"\"\"\"", "/\"\"!"},
        {"\t", "a b\t\tc", "a b//c"},
        {":", "a:b::c::", "a:b/c/"},
        {"|", "1|2|3|4|5|6|7|8|9", "1/2/3/4/5/6/7/8"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[128];
        CHECK_TEXT(cut(cases[i][0][0], cases[i][1], out), cases[i][2]);
    }
}

/* Each text has one rating, of item "30" by user "7", 4.5. */
static void the_first_line_tells_the_form(void)
{
    static const char *const texts[] = {
        "7 30 4.5",
        "7\t30\t4.5\t881250949",
        "7,30,4.5,2005-09-06",
        "7;30;4.5",
        "7|30|4.5",
        "7::30::4.5::978300760",
        "\357\273\2777,30,4.5",
        "\n\n7 30 4.5\n",
        "anyone whoever whatever\n7 30 4.5",
        "userId,movieId,rating,timestamp\r\n7,30,4.5,1\r\n",
        "\357\273\277\"rating\",\"USER\",\"title\",\"item_id\"\n4.5,\"7\",\"Brazil, 1985\",30\n",
        "time;score;uid;movie;more\n0;4.5;7;30;\n",
        ",user,item,rating\n0,7,30,4.5\n",
        "%%MatrixMarket matrix coordinate real general\n% more\n\n9 99 1\n7 30 4.5\n",
        "%%MatrixMarket matrix coordinate integer general\n9 99 1\n\n7 30 4.5e0\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        data_ratings r = ratings_of(texts[i]);
        CHECK(r.n == 1 && is_entry(&r, 0, "7", "30", 4.5F));
        data_ratings_fini(&r);
    }
}

static void quoted_ids_may_hold_separators_and_quotes(void)
{
    data_ratings r = ratings_of("\"Doe, \"\"J\"\"\",\"a|b\",1\nx y,\"\"\"\"\"\",2\n");
    CHECK(is_entry(&r, 0, "Doe, \"J\"", "a|b", 1.0F));
    CHECK(is_entry(&r, 1, "x y", "\"\"", 2.0F));
    data_ratings_fini(&r);
}

SUITE("data/ratings_layout",
      {"lines are cut at separators outside of quotes",
       lines_are_cut_at_separators_outside_of_quotes},
      {"the first line tells the form", the_first_line_tells_the_form},
      {"quoted ids may hold separators and quotes", quoted_ids_may_hold_separators_and_quotes})
