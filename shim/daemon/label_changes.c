/* SPDX-License-Identifier: Apache-2.0 */
/* Compares label sets. */
#include "daemon/label_changes.h"

/* A log line names so many. */
#define WRITTEN_MAX 8

static const struct label_set none;

static int compare_keys(const void *a, const void *b)
{
    return str_cmp(((const struct audit_change *)a)->key, ((const struct audit_change *)b)->key);
}

struct audit_change *label_changes_make(const struct label_set *before,
                                        const struct label_set *after, size_t *count)
{
    before = before ? before : &none;
    after = after ? after : &none;
    struct audit_change *changes = calloc(before->count + after->count + 1, sizeof(*changes));
    if (!changes)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < before->count; i++) {
        const struct label *old = &before->items[i];
        const struct str *value = label_set_find(after, old->key, old->hash);
        if (value && str_eq(*value, old->value))
            continue;
        changes[used++] = (struct audit_change){.key = old->key,
                                                .before = old->value,
                                                .had = true,
                                                .after = value ? *value : STR(""),
                                                .has = value != NULL};
    }
    for (size_t i = 0; i < after->count; i++) {
        const struct label *new = &after->items[i];
        if (!label_set_get(before, new->key, new->hash))
            changes[used++] = (struct audit_change){
                .key = new->key, .before = STR(""), .after = new->value, .has = true};
    }
    qsort(changes, used, sizeof(*changes), compare_keys);
    *count = used;
    return changes;
}

static void write_value(struct writer *out, bool given, struct str value)
{
    if (given && value.len)
        writer_short(out, value);
    else
        writer_text(out, given ? "\"\"" : "(none)");
}

void label_changes_write(struct writer *out, const struct audit_change *changes, size_t count)
{
    for (size_t i = 0; i < count && i < WRITTEN_MAX; i++) {
        writer_text(out, i ? ", " : "");
        writer_short(out, changes[i].key);
        writer_text(out, ": ");
        write_value(out, changes[i].had, changes[i].before);
        writer_text(out, " → ");
        write_value(out, changes[i].has, changes[i].after);
    }
    if (count > WRITTEN_MAX) {
        writer_text(out, ", and ");
        writer_number(out, count - WRITTEN_MAX);
        writer_text(out, " more");
    }
}
