/* SPDX-License-Identifier: Apache-2.0 */
/* Common lines at both ends are cut off; what is left in the middle is the hunk. */
#include "setup/hunk.h"

/* Bytes of whole lines that both texts begin with. */
static size_t common_head(struct str a, struct str b, uint32_t *lines)
{
    size_t shared = a.len < b.len ? a.len : b.len, head = 0;
    *lines = 0;
    for (size_t i = 0; i < shared && a.data[i] == b.data[i]; i++) {
        if (a.data[i] == '\n') {
            head = i + 1;
            ++*lines;
        }
    }
    return head;
}

/* Bytes of whole lines that both end with. */
static size_t common_tail(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len, tail = 0;
    for (size_t i = 1; i <= shared && a.data[a.len - i] == b.data[b.len - i]; i++) {
        bool begins_a = i == a.len || a.data[a.len - i - 1] == '\n';
        bool begins_b = i == b.len || b.data[b.len - i - 1] == '\n';
        if (begins_a && begins_b)
            tail = i;
    }
    return tail;
}

static struct str cut(struct str s, size_t head, size_t tail)
{
    return (struct str){.data = s.data + head, .len = s.len - head - tail};
}

struct hunk hunk_between(struct str before, struct str after)
{
    uint32_t lines;
    size_t head = common_head(before, after, &lines);
    size_t tail = common_tail(cut(before, head, 0), cut(after, head, 0));
    return (struct hunk){
        .old = cut(before, head, tail), .new = cut(after, head, tail), .line = lines + 1};
}

/* The offset of the next line that begins `wanted` at or behind `from`; text.len when none. */
static size_t find_lines(struct str text, struct str wanted, size_t from)
{
    for (size_t i = from; wanted.len && i + wanted.len <= text.len; i++) {
        bool begins = i == 0 || text.data[i - 1] == '\n';
        bool ends = i + wanted.len == text.len || wanted.data[wanted.len - 1] == '\n' ||
                    text.data[i + wanted.len] == '\n';
        if (begins && ends && memcmp(text.data + i, wanted.data, wanted.len) == 0)
            return i;
    }
    return text.len;
}

static bool ends_line(struct str s)
{
    return s.len && s.data[s.len - 1] == '\n';
}

enum hunk_found hunk_revert(const struct hunk *hunk, struct str text, struct arena *arena,
                            struct str *reverted)
{
    size_t at = find_lines(text, hunk->new, 0);
    if (at == text.len)
        return HUNK_NOT_THERE;
    if (find_lines(text, hunk->new, at + 1) != text.len)
        return HUNK_AMBIGUOUS;
    struct str tail = cut(text, at + hunk->new.len, 0);
    /* a file's last line need not have an end; in the middle it must */
    bool joins = hunk->old.len && !ends_line(hunk->old) && ends_line(hunk->new) && tail.len;
    size_t len = at + hunk->old.len + (joins ? 1 : 0) + tail.len;
    char *out = arena_alloc(arena, len + 1);
    if (!out)
        return HUNK_MEMORY_OUT;
    memcpy(out, text.data, at);
    if (hunk->old.len)
        memcpy(out + at, hunk->old.data, hunk->old.len);
    if (joins)
        out[at + hunk->old.len] = '\n';
    if (tail.len)
        memcpy(out + len - tail.len, tail.data, tail.len);
    *reverted = (struct str){.data = out, .len = len};
    return HUNK_TAKEN_OUT;
}
