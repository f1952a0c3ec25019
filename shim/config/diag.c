/* SPDX-License-Identifier: Apache-2.0 */
/* Collects findings with the line they point at, and prints them as a compiler does. */
#include "config/diag.h"

#include <stdarg.h>

#include "base/utf8.h"
#include "base/writer.h"
#include "config/snippet.h"

#define MESSAGE_SIZE ((size_t)1024)
#define TEXT_SHOWN_MAX ((size_t)80)

size_t diag_text_len(struct str s)
{
    if (s.len <= TEXT_SHOWN_MAX)
        return s.len;
    size_t len = 0;
    while (len < TEXT_SHOWN_MAX) {
        uint32_t point;
        size_t step = utf8_decode((struct str){.data = s.data + len, .len = s.len - len}, &point);
        len += step ? step : 1;
    }
    return len;
}

static struct diag *add_item(struct diags *diags)
{
    if (diags->count == diags->room) {
        size_t room = diags->room ? diags->room * 2 : 16;
        struct diag *items = arena_array(&diags->arena, room, sizeof(*items));
        if (!items)
            return NULL;
        if (diags->count)
            memcpy(items, diags->items, diags->count * sizeof(*items));
        diags->items = items;
        diags->room = room;
    }
    return &diags->items[diags->count];
}

static const char *keep(struct diags *diags, const char *text)
{
    return arena_str(&diags->arena, str_of(text)).data;
}

/* One copy serves all the findings of a file. */
static const char *keep_path(struct diags *diags, const char *path)
{
    const char *last = diags->count ? diags->items[diags->count - 1].path : NULL;
    return last && strcmp(last, path) == 0 ? last : keep(diags, path);
}

static const char *keep_escaped(struct diags *diags, const char *text)
{
    char escaped[2 * MESSAGE_SIZE];
    struct writer writer = writer_make(escaped, sizeof(escaped));
    writer_str(&writer, str_of(text));
    return keep(diags, escaped);
}

static bool keep_finding(struct diags *diags, const struct diag *found, struct diag_source *source)
{
    struct diag *item = add_item(diags);
    if (!item)
        return false;
    struct diag kept = *found;
    kept.path = keep_path(diags, found->path);
    kept.message = keep_escaped(diags, found->message);
    kept.hint = found->hint ? keep_escaped(diags, found->hint) : NULL;
    if (!kept.path || !kept.message || (found->hint && !kept.hint))
        return false;
    if (found->at.line && !source->holds_secrets) {
        char line[SNIPPET_SIZE];
        kept.caret = snippet_write(source, found->at, line);
        kept.line = keep(diags, line);
        if (!kept.line)
            return false;
    }
    *item = kept;
    diags->count++;
    return true;
}

void diags_add(struct diags *diags, enum diag_level level, struct diag_source *source,
               struct place at, const char *hint, const char *fmt, ...)
{
    if (level == DIAG_ERROR)
        diags->errors++;
    else
        diags->warnings++;
    if (diags->count >= DIAGS_KEPT_MAX)
        return;
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    struct diag found = {
        .level = level, .path = source->path, .at = at, .message = message, .hint = hint};
    if (!keep_finding(diags, &found, source))
        diags->memory_out = true;
}

void diags_add_memory_out(struct diags *diags)
{
    diags->memory_out = true;
}

bool diags_failed(const struct diags *diags)
{
    return diags->errors > 0 || diags->memory_out;
}

static int order(struct place a, struct place b)
{
    if (a.line != b.line)
        return a.line < b.line ? -1 : 1;
    return (a.column > b.column) - (a.column < b.column);
}

void diags_sort(struct diags *diags, size_t first)
{
    /* By insertion, which is stable; most findings come in order already. */
    for (size_t i = first + 1; i < diags->count; i++) {
        struct diag item = diags->items[i];
        size_t to = i;
        for (; to > first && order(diags->items[to - 1].at, item.at) > 0; to--)
            diags->items[to] = diags->items[to - 1];
        diags->items[to] = item;
    }
}

struct colours {
    const char *bold, *error, *warning, *caret, *reset;
};

static struct colours colours_for(FILE *out)
{
    if (isatty(fileno(out)) && !getenv("NO_COLOR"))
        return (struct colours){"\033[1m", "\033[1;31m", "\033[1;35m", "\033[1;32m", "\033[0m"};
    return (struct colours){"", "", "", "", ""};
}

static void print_one(const struct diag *diag, const struct colours *c, FILE *out)
{
    bool is_error = diag->level == DIAG_ERROR;
    fprintf(out, "%s%s:", c->bold, diag->path);
    if (diag->at.line)
        fprintf(out, "%u:%u:", diag->at.line, diag->at.column);
    fprintf(out, "%s %s%s:%s %s%s%s\n", c->reset, is_error ? c->error : c->warning,
            is_error ? "error" : "warning", c->reset, c->bold, diag->message, c->reset);
    if (diag->line) {
        fprintf(out, "%5u | %s\n", diag->at.line, diag->line);
        fprintf(out, "      | %*s%s^%s\n", (int)diag->caret, "", c->caret, c->reset);
    }
    if (diag->hint)
        fprintf(out, "      = %s\n", diag->hint);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void diags_print(const struct diags *diags, FILE *out)
{
    struct colours c = colours_for(out);
    for (size_t i = 0; i < diags->count; i++)
        print_one(&diags->items[i], &c, out);
    size_t found = diags->errors + diags->warnings;
    if (found > diags->count)
        fprintf(out, "... and %zu more\n", found - diags->count);
    if (diags->memory_out)
        fprintf(out, "%serror:%s memory is out\n", c.error, c.reset);
    if (diags->errors && diags->warnings)
        fprintf(out, "%zu error%s, %zu warning%s\n", diags->errors, plural(diags->errors),
                diags->warnings, plural(diags->warnings));
    else if (diags->errors)
        fprintf(out, "%zu error%s\n", diags->errors, plural(diags->errors));
    else if (diags->warnings)
        fprintf(out, "%zu warning%s\n", diags->warnings, plural(diags->warnings));
}

int diags_first(const struct diags *diags, struct err *err)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        if (diag->level != DIAG_ERROR)
            continue;
        if (!diag->at.line)
            return err_set(err, "%s: %s", diag->path, diag->message);
        return err_set(err, "%s:%u:%u: %s", diag->path, diag->at.line, diag->at.column,
                       diag->message);
    }
    if (diags->errors)
        return err_set(err, "%zu errors behind the first %zu warnings", diags->errors,
                       diags->count);
    return err_set(err, "memory is out");
}

void diags_free(struct diags *diags)
{
    arena_free(&diags->arena);
    *diags = (struct diags){0};
}
