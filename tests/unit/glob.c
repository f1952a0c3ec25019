/* SPDX-License-Identifier: Apache-2.0 */
/* Globs: against a plain recursive matcher on all short texts, and on texts made to be slow. */
#include <criterion/criterion.h>

#include "policy/glob.h"

static bool matches(const char *pattern, const char *text)
{
    struct glob glob = glob_make(str_of(pattern));
    return glob_match(&glob, str_of(text));
}

/* What the header says, word by word. */
static bool by_definition(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return by_definition(pattern + 1, text) || (*text && by_definition(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && by_definition(pattern + 1, text + 1);
}

/* The n-th word over `letters`, in order of length. */
static void word_at(unsigned n, const char *letters, char *word)
{
    unsigned base = (unsigned)strlen(letters);
    size_t len = 0;
    for (; n > 0; n = (n - 1) / base)
        word[len++] = letters[(n - 1) % base];
    word[len] = '\0';
}

Test(glob, agrees_with_its_definition)
{
    char pattern[16], text[16];
    for (unsigned p = 0; p < 1365; p++) { /* up to five of four signs */
        word_at(p, "ab*?", pattern);
        for (unsigned t = 0; t < 127; t++) { /* up to six of two letters */
            word_at(t, "ab", text);
            cr_assert_eq(matches(pattern, text), by_definition(pattern, text), "%s on %s", pattern,
                         text);
        }
    }
}

/* A cover is never claimed wrongly: wide matches every short text that narrow does. */
Test(glob, covers_only_what_it_matches)
{
    char wide[16], narrow[16], text[16];
    for (unsigned w = 0; w < 341; w++) {
        word_at(w, "ab*?", wide);
        struct glob outer = glob_make(str_of(wide));
        for (unsigned n = 0; n < 341; n++) {
            word_at(n, "ab*?", narrow);
            struct glob inner = glob_make(str_of(narrow));
            if (!glob_covers(&outer, &inner))
                continue;
            for (unsigned t = 0; t < 127; t++) {
                word_at(t, "ab", text);
                cr_assert(!matches(narrow, text) || matches(wide, text), "%s %s", wide, narrow);
            }
        }
    }
}

Test(glob, sees_the_usual_covers)
{
    static const struct {
        const char *wide, *narrow;
        bool covers;
    } pairs[] = {
        {"*", "", true},
        {"*", "a?c*", true},
        {"team-*", "team-red", true},
        {"team-*", "team-*-x", true},
        {"team-?", "team-a", true},
        {"team-*", "team*", false},
        {"a", "a*", false},
        {"*-x", "a-x", true},
        {"*-x", "*", false},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct glob wide = glob_make(str_of(pairs[i].wide));
        struct glob narrow = glob_make(str_of(pairs[i].narrow));
        cr_assert_eq(glob_covers(&wide, &narrow), pairs[i].covers, "%s %s", pairs[i].wide,
                     pairs[i].narrow);
    }
}

/* An exponential matcher would not come back from this before the test's time is up. */
Test(glob, does_not_blow_up, .timeout = 60)
{
    enum { LENGTH = 1 << 20 };
    static char text[LENGTH];
    memset(text, 'a', LENGTH);
    struct glob glob = glob_make(STR("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a?b"));
    cr_assert_not(glob_match(&glob, (struct str){text, LENGTH}));
    text[LENGTH - 1] = 'b';
    cr_assert(glob_match(&glob, (struct str){text, LENGTH}));
}
