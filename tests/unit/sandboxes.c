/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sandboxes: what is found, what a list keeps and takes, and the memory it needs. */
#include "gate/sandboxes.h"

#include <criterion/criterion.h>
#include <malloc.h>

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void expect(const struct sandboxes *sandboxes, const char *id, const char *handler)
{
    struct str found;
    cr_assert(sandboxes_find(sandboxes, str_of(id), &found), "%s is not found", id);
    cr_expect(str_eq(found, str_of(handler)), "%s: %.*s", id, STR_FMT(found));
}

static bool is_known(const struct sandboxes *sandboxes, const char *id)
{
    struct str handler;
    return sandboxes_find(sandboxes, str_of(id), &handler);
}

static void put(struct sandboxes *sandboxes, const char *id, const char *handler)
{
    sandboxes_put(sandboxes, str_of(id), str_of(handler));
}

Test(sandboxes, finds_what_was_put_in)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "a1", "runsc");
    put(sandboxes, "a2", "");
    expect(sandboxes, "a1", "runsc");
    expect(sandboxes, "a2", "");
    cr_expect(!is_known(sandboxes, "a"));
    cr_expect(!is_known(sandboxes, "a11"));
    cr_expect(!is_known(sandboxes, ""));
    cr_expect_eq(sandboxes_count(sandboxes), 2);
}

Test(sandboxes, gives_another_handler)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "a1", "runsc");
    put(sandboxes, "a1", "runc");
    expect(sandboxes, "a1", "runc");
    cr_expect_eq(sandboxes_count(sandboxes), 1);
}

Test(sandboxes, drops)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "a1", "runsc");
    sandboxes_drop(sandboxes, STR("a1"));
    sandboxes_drop(sandboxes, STR("a1"));
    sandboxes_drop(sandboxes, STR("never"));
    cr_expect(!is_known(sandboxes, "a1"));
    cr_expect_eq(sandboxes_count(sandboxes), 0);
    put(sandboxes, "a1", "runc");
    expect(sandboxes, "a1", "runc");
}

Test(sandboxes, a_list_takes_what_it_does_not_name)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "old", "runc");
    put(sandboxes, "kept", "runc");
    sandboxes_list_begin(sandboxes);
    put(sandboxes, "begun-meanwhile", "runsc");
    put(sandboxes, "kept", "runc");
    put(sandboxes, "unknown-before", "runsc");
    sandboxes_list_end(sandboxes, true);
    cr_expect(!is_known(sandboxes, "old"));
    expect(sandboxes, "kept", "runc");
    expect(sandboxes, "begun-meanwhile", "runsc");
    expect(sandboxes, "unknown-before", "runsc");
    cr_expect_eq(sandboxes_count(sandboxes), 3);
}

Test(sandboxes, half_a_list_takes_nothing)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "old", "runc");
    sandboxes_list_begin(sandboxes);
    put(sandboxes, "listed", "runsc");
    sandboxes_list_end(sandboxes, false);
    expect(sandboxes, "old", "runc");
    expect(sandboxes, "listed", "runsc");
}

Test(sandboxes, an_older_list_brings_nothing_back)
{
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "known", "runc");
    sandboxes_list_begin(sandboxes);
    sandboxes_drop(sandboxes, STR("known"));
    sandboxes_drop(sandboxes, STR("not-yet-known"));
    sandboxes_drop(sandboxes, STR("not-yet-known"));
    cr_expect(!is_known(sandboxes, "known"));
    cr_expect_eq(sandboxes_count(sandboxes), 0);
    put(sandboxes, "known", "runc");
    put(sandboxes, "not-yet-known", "runsc");
    sandboxes_list_end(sandboxes, true);
    cr_expect(!is_known(sandboxes, "known"));
    cr_expect(!is_known(sandboxes, "not-yet-known"));
    cr_expect_eq(sandboxes_count(sandboxes), 0);
}

/* A removal of an id that never was succeeds, however long it is, and a list may take its time. */
Test(sandboxes, keeps_no_long_texts)
{
    static char text[1024 * 1024];
    memset(text, 'a', sizeof(text));
    struct str longest = {text, SANDBOX_TEXT_MAX}, longer = {text, SANDBOX_TEXT_MAX + 1}, handler;
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    sandboxes_put(sandboxes, longest, longest);
    cr_expect(sandboxes_find(sandboxes, longest, &handler));
    sandboxes_put(sandboxes, longer, STR("runc"));
    sandboxes_put(sandboxes, STR("a1"), longer);
    cr_expect_eq(sandboxes_count(sandboxes), 1);
    sandboxes_list_begin(sandboxes);
    size_t before = in_use();
    for (unsigned i = 0; i < 16; i++) {
        text[0] = (char)('b' + i);
        sandboxes_drop(sandboxes, (struct str){text, sizeof(text)});
    }
    cr_expect_lt(in_use(), before + sizeof(text));
}

/* What is known by another handler must not be taken for that one any longer. */
Test(sandboxes, forgets_one_that_cannot_be_kept)
{
    static char text[SANDBOX_TEXT_MAX + 1];
    memset(text, 'a', sizeof(text));
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    put(sandboxes, "a1", "runc");
    sandboxes_put(sandboxes, STR("a1"), (struct str){text, sizeof(text)});
    cr_expect(!is_known(sandboxes, "a1"));
}

#define MANY 10000

static struct str id_of(char text[65], unsigned number)
{
    snprintf(text, 65, "%064x", number * 2654435761u);
    return (struct str){text, 64};
}

/* The most that is in use while the table grows stays below the limit, and all of it comes back. */
Test(sandboxes, ten_thousand_need_less_than_4_MiB)
{
    char text[65];
    size_t before = in_use(), most = 0;
    struct sandboxes *sandboxes = sandboxes_create();
    for (unsigned i = 0; i < MANY; i++) {
        sandboxes_put(sandboxes, id_of(text, i), i % 2 ? STR("runc") : STR("runsc"));
        size_t used = in_use() - before;
        most = used > most ? used : most;
    }
    /* Growing holds the old chains beside the new ones for a moment that in_use() does not see. */
    cr_expect_lt(most + 256 * 1024, 4 * 1024 * 1024, "%zu bytes", most);
    cr_expect_eq(sandboxes_count(sandboxes), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        struct str handler;
        cr_assert(sandboxes_find(sandboxes, id_of(text, i), &handler));
        cr_assert(str_eq(handler, i % 2 ? STR("runc") : STR("runsc")));
    }
    for (unsigned i = 0; i < MANY; i += 2)
        sandboxes_drop(sandboxes, id_of(text, i));
    cr_expect_eq(sandboxes_count(sandboxes), MANY / 2);
    sandboxes_destroy(sandboxes);
}
