/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for words of a command line in text that systemd or a shell will split. */
#include "setup/kubelet_flags.h"

static bool ends_word(char c)
{
    return strchr(" \t\r\n\"'\\", c) != NULL;
}

static bool is_comment(struct str text, size_t at)
{
    size_t line = at;
    while (line > 0 && text.data[line - 1] != '\n')
        line--;
    while (line < at && strchr(" \t", text.data[line]))
        line++;
    return text.data[line] == '#' || text.data[line] == ';';
}

/* Whether the flag's name stands at `at` as a word, and where its value begins. */
static bool is_flag(struct str text, size_t at, struct str name, size_t *value)
{
    struct str rest = {.data = text.data + at, .len = text.len - at};
    if (!str_starts(rest, name) || (at > 0 && !strchr(" \t\r\n\"'=", text.data[at - 1])))
        return false;
    size_t next = at + name.len;
    if (next < text.len && text.data[next] == '=') {
        *value = next + 1;
        return true;
    }
    if (next == text.len || !strchr(" \t", text.data[next]))
        return false;
    while (next < text.len && strchr(" \t", text.data[next]))
        next++;
    *value = next;
    return true;
}

static uint32_t line_of(struct str text, size_t at)
{
    uint32_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += text.data[i] == '\n';
    return line;
}

bool kubelet_flag_next(struct str text, const char *name, size_t *at, struct kubelet_flag *flag)
{
    for (size_t i = *at; i < text.len; i++) {
        size_t value, end;
        if (text.data[i] != '-' || !is_flag(text, i, str_of(name), &value) || is_comment(text, i))
            continue;
        for (end = value; end < text.len && !ends_word(text.data[end]);)
            end++;
        *flag = (struct kubelet_flag){.value = {.data = text.data + value, .len = end - value},
                                      .line = line_of(text, i)};
        *at = end;
        return true;
    }
    return false;
}

struct str kubelet_flag_set(struct str text, const char *name, const char *value,
                            struct arena *arena)
{
    struct kubelet_flag flag;
    size_t count = 0, at = 0, copied = 0, len = strlen(value);
    while (kubelet_flag_next(text, name, &at, &flag))
        count++;
    char *out = arena_alloc(arena, text.len + count * len + 1);
    struct str changed = {.data = out};
    if (!out)
        return changed;
    for (at = 0; kubelet_flag_next(text, name, &at, &flag); copied = at) {
        size_t start = (size_t)(flag.value.data - text.data);
        memcpy(out + changed.len, text.data + copied, start - copied);
        memcpy(out + changed.len + start - copied, value, len);
        changed.len += start - copied + len;
    }
    if (text.len > copied)
        memcpy(out + changed.len, text.data + copied, text.len - copied);
    changed.len += text.len - copied;
    return changed;
}
