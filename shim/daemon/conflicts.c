/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the conflicts of the last merge beside those of the present one. */
#include "daemon/conflicts.h"

#include "base/say.h"
#include "base/writer.h"

struct conflict {
    const struct conflict *next;
    struct str key, file, api;
};

void conflicts_begin(struct conflicts *conflicts)
{
    arena_free(&conflicts->before_arena);
    *conflicts = (struct conflicts){.before = conflicts->now, .before_arena = conflicts->arena};
}

static bool was_there(const struct conflicts *conflicts, const struct conflict *conflict)
{
    for (const struct conflict *old = conflicts->before; old; old = old->next) {
        if (str_eq(old->key, conflict->key) && str_eq(old->file, conflict->file) &&
            str_eq(old->api, conflict->api))
            return true;
    }
    return false;
}

static void warn(const struct conflict *conflict)
{
    char text[1024];
    struct writer out = writer_make(text, sizeof(text));
    writer_text(&out, "node label ");
    writer_short(&out, conflict->key);
    writer_text(&out, ": the label file says ");
    writer_quoted(&out, conflict->file);
    writer_text(&out, ", the API server ");
    writer_quoted(&out, conflict->api);
    say_warn("%s; the API server's counts", text);
}

/* When memory is out, the conflict is told again next time. */
void conflicts_add(void *cookie, const struct label *file, const struct label *api)
{
    struct conflicts *conflicts = cookie;
    struct conflict made = {.next = conflicts->now,
                            .key = arena_str(&conflicts->arena, file->key),
                            .file = arena_str(&conflicts->arena, file->value),
                            .api = arena_str(&conflicts->arena, api->value)};
    struct conflict *kept = arena_alloc(&conflicts->arena, sizeof(*kept));
    if (kept && made.key.data && made.file.data && made.api.data) {
        *kept = made;
        conflicts->now = kept;
    }
    if (!was_there(conflicts,
                   &(struct conflict){.key = file->key, .file = file->value, .api = api->value}))
        warn(&(struct conflict){.key = file->key, .file = file->value, .api = api->value});
}

void conflicts_free(struct conflicts *conflicts)
{
    arena_free(&conflicts->arena);
    arena_free(&conflicts->before_arena);
    *conflicts = (struct conflicts){0};
}
