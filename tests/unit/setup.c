/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `crigate setup` that only look at text: TOML, hunks, flags, kubelet files. */
#include <criterion/criterion.h>
#include <glob.h>

#include "base/file.h"
#include "setup/hunk.h"
#include "setup/kubelet_config.h"
#include "setup/kubelet_flags.h"
#include "setup/toml.h"

static struct arena arena;

static void fini(void)
{
    arena_free(&arena);
}

TestSuite(setup, .fini = fini);

static const struct toml_entry *only(const char *text, size_t index)
{
    static struct toml toml;
    struct err err = {0};
    cr_assert_eq(toml_read(str_of(text), &arena, &toml, &err), 0, "%s: %s", text, err.text);
    cr_assert_lt(index, toml.count, "%s", text);
    return &toml.items[index];
}

static void is_path(const struct toml_entry *entry, size_t depth, const char *last)
{
    cr_assert_eq(entry->depth, depth);
    cr_assert(str_eq(entry->path[depth - 1], str_of(last)), "%.*s",
              STR_FMT(entry->path[depth - 1]));
}

Test(setup, toml_paths)
{
    is_path(only("a = 1", 0), 1, "a");
    is_path(only("[a.\"b.c\" . 'd']\ne.f = true # x", 1), 5, "f");
    is_path(only("[[a]]\nb = 2024-01-01T00:00:00Z\r\n", 1), 2, "b");
    is_path(only("a = {b = {c = [1, {x = 2}], d.e = ''}}", 3), 4, "e");
    is_path(only("\"\\u00e4\\t\" = 'x'", 0), 1, "\xc3\xa4\t");
    is_path(only("\"\" = 1", 0), 1, "");
    cr_assert_eq(only("[a]\nb = {}", 1)->kind, TOML_INLINE_TABLE);
    cr_assert_eq(only("a = '''\n[x]\n'''\nb = 1", 1)->line, 4);
    cr_assert(str_eq(only("a = \"\"\"x\\\"\"\"\"\"\"", 0)->raw, STR("\"\"\"x\\\"\"\"\"\"\"")));
}

Test(setup, toml_that_is_none)
{
    static const char *const texts[] = {
        "a",           "a =",           "a = 1 b = 2", "[a",
        "[a]]",        "[[a]",          "[a] b = 1",   "a = \"x",
        "a = \"\\",    "a = 'x\n'",     "a = [1",      "a = [1 2]",
        "a = {b = 1",  "a = {b = 1,}",  "a = {\n}",    "= 1",
        "a. = 1",      "a = '''x''",    "\x01",        "a = 1\rb = 2",
        "'''a''' = 1", "a = \"\\\nb\"", "a..b = 1",    "[]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct toml toml;
        struct err err = {0};
        cr_assert_eq(toml_read(str_of(texts[i]), &arena, &toml, &err), -1, "%s", texts[i]);
        cr_assert(strncmp(err.text, "line ", 5) == 0, "%s", err.text);
    }
}

Test(setup, toml_depth_is_bounded)
{
    char text[4096] = "a = ";
    struct toml toml;
    memset(text + 4, '[', 2000);
    cr_assert_eq(toml_read(str_of(text), &arena, &toml, NULL), -1);
    memset(text, 'a', 3000);
    for (size_t i = 1; i < 200; i += 2)
        text[i] = '.';
    cr_assert_eq(toml_read(str_of(text), &arena, &toml, NULL), -1);
}

Test(setup, toml_strings_and_lists)
{
    struct str value, *list;
    size_t count;
    cr_assert(toml_string(STR("\"a\\\\\\U0001F600\""), &arena, &value));
    cr_assert(str_eq(value, STR("a\\\xf0\x9f\x98\x80")));
    cr_assert_not(toml_string(STR("\"\\ud800\""), &arena, &value));
    cr_assert_not(toml_string(STR("\"\\q\""), &arena, &value));
    cr_assert_not(toml_string(STR("true"), &arena, &value));
    cr_assert(toml_strings(STR("[ # x\n 'a', \"b\" ,\r\n]"), &arena, &list, &count));
    cr_assert_eq(count, 2);
    cr_assert(str_eq(list[1], STR("b")));
    cr_assert_not(toml_strings(STR("['a', 1]"), &arena, &list, &count));
    cr_assert_not(toml_strings(STR("['a'"), &arena, &list, &count));
}

/* Cut anywhere, a file is read or refused, never read beyond. */
Test(setup, samples_cut_off)
{
    glob_t found;
    cr_assert_eq(glob(SOURCE_ROOT "/tests/setup/samples/*/*", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct str text;
        cr_assert_eq(file_read(found.gl_pathv[i], 1 << 20, &arena, &text, NULL), 0);
        for (size_t len = 0; len < text.len; len += 1 + len / 400) {
            OWNED_ARENA struct arena scratch = {0};
            OWNED_MEM char *copy = malloc(len ? len : 1); /* without a byte behind it */
            struct str part = {.data = memcpy(copy, text.data, len), .len = len}, changed;
            struct toml toml;
            (void)!toml_read(part, &scratch, &toml, NULL);
            (void)!kubelet_config_set("x", part, "unix:///y", &scratch, &changed, NULL);
            kubelet_flag_set(part, "--config", "x", &scratch);
        }
    }
    globfree(&found);
}

static void goes_back(const char *before, const char *after)
{
    struct hunk hunk = hunk_between(str_of(before), str_of(after));
    struct str reverted;
    if (hunk.new.len == 0)
        return; /* only taken away: nothing of ours to find */
    cr_assert_eq(hunk_revert(&hunk, str_of(after), &arena, &reverted), HUNK_TAKEN_OUT);
    cr_assert(str_eq(reverted, str_of(before)), "%s -> %s", before, after);
}

Test(setup, hunks_go_back)
{
    goes_back("a\nb\nc\n", "a\nx\nc\n");
    goes_back("a\nb", "a\nb\nc\n");
    goes_back("", "a\n");
    goes_back("a\na\n", "a\na\nx\na\n");
    goes_back("a\nc", "a\nb\nc");
    goes_back("a", "b");
}

Test(setup, hunks_in_a_changed_text)
{
    struct hunk hunk = hunk_between(STR("a\nb"), STR("a\nb\n\nours\n"));
    struct str reverted;
    cr_assert_eq(hunk_revert(&hunk, STR("0\na\nb\n\nours\nmore\n"), &arena, &reverted),
                 HUNK_TAKEN_OUT);
    cr_assert(str_eq(reverted, STR("0\na\nb\nmore\n")), "%.*s", STR_FMT(reverted));
    cr_assert_eq(hunk_revert(&hunk, STR("b\n\nours\nb\n\nours\n"), &arena, &reverted),
                 HUNK_AMBIGUOUS);
    cr_assert_eq(hunk_revert(&hunk, STR("xb\n\nours\n"), &arena, &reverted), HUNK_NOT_THERE);
}

Test(setup, flags)
{
    struct str text = STR("# --x=1\nA=\"--x-y=2 --x=3 --x 4\" '--x'\nB=--x=\"5\"\n");
    struct kubelet_flag flag;
    size_t at = 0;
    cr_assert(kubelet_flag_next(text, "--x", &at, &flag));
    cr_assert(str_eq(flag.value, STR("3")) && flag.line == 2);
    cr_assert(kubelet_flag_next(text, "--x", &at, &flag));
    cr_assert(str_eq(flag.value, STR("4")));
    cr_assert(kubelet_flag_next(text, "--x", &at, &flag));
    cr_assert_eq(flag.value.len, 0);
    cr_assert_not(kubelet_flag_next(text, "--x", &at, &flag));
    struct str changed = kubelet_flag_set(STR("a --x=3 --x 4"), "--x", "long", &arena);
    cr_assert(str_eq(changed, STR("a --x=long --x long")), "%.*s", STR_FMT(changed));
}
