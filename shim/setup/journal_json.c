/* SPDX-License-Identifier: Apache-2.0 */
/* Packs and unpacks a run's journal with jansson. */
#include "setup/journal_json.h"

#include <jansson.h>

#include "base/sha256.h"

static void free_json(json_t **value)
{
    json_decref(*value);
}

#define OWNED_JSON OWNED(free_json)

/* --- out ----------------------------------------------------------------------------------- */

static json_t *pack_file(const struct placed *file, struct err *err)
{
    char hash[SHA256_HEX_SIZE];
    if (sha256_hex(file->text, hash, err) < 0)
        return NULL;
    return json_pack("{s:b, s:i, s:I, s:I, s:s}", "exists", file->exists, "mode", (int)file->mode,
                     "uid", (json_int_t)file->uid, "gid", (json_int_t)file->gid, "sha256", hash);
}

static json_t *pack_edits(const struct journal *journal, const char *root, struct err *err)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_edit *item = &journal->edits[i];
        json_t *edit = json_pack(
            "{s:s, s:s, s:s, s:b, s:o, s:o}", "path", item->edit.path + strlen(root), "stage",
            item->edit.stage == EDIT_KUBELET ? "kubelet" : "containerd", "mark", item->edit.mark,
            "makesDirectory", item->makes_dir, "before", pack_file(&item->edit.before, err),
            "after", pack_file(&item->edit.after, err));
        if (json_array_append_new(list, edit) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *pack_units(const bool units[GATE_UNITS])
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < GATE_UNITS; i++) {
        if (units[i] && json_array_append_new(list, json_string(gate_units[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

char *journal_to_json(const struct journal *journal, const char *root, struct err *err)
{
    OWNED_JSON json_t *value = json_pack(
        "{s:i, s:b, s:o, s:o, s:o, s:b, s:b}", "version", 1, "complete", journal->is_complete,
        "edits", pack_edits(journal, root, err), "enabled", pack_units(journal->enabled), "started",
        pack_units(journal->started), "restartsContainerd", journal->restarts_containerd,
        "restartsKubelet", journal->restarts_kubelet);
    char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    if (!text)
        err_set(err, "the journal cannot be written: memory is out, or a path is not UTF-8");
    return text;
}

/* --- in ------------------------------------------------------------------------------------ */

static int unpack_file(json_t *value, struct placed *file, char sha256[SHA256_HEX_SIZE])
{
    int exists, mode;
    json_int_t uid, gid;
    const char *hash;
    if (json_unpack(value, "{s:b, s:i, s:I, s:I, s:s}", "exists", &exists, "mode", &mode, "uid",
                    &uid, "gid", &gid, "sha256", &hash) < 0 ||
        strlen(hash) != SHA256_HEX_SIZE - 1)
        return -1;
    *file = (struct placed){.exists = exists,
                            .text = STR(""),
                            .mode = (mode_t)mode & 07777,
                            .uid = (uid_t)uid,
                            .gid = (gid_t)gid};
    memcpy(sha256, hash, SHA256_HEX_SIZE);
    return 0;
}

static int unpack_edit(json_t *value, const char *root, struct arena *arena,
                       struct journal_edit *item)
{
    const char *path, *stage, *mark;
    int makes_dir;
    json_t *before, *after;
    if (json_unpack(value, "{s:s, s:s, s:s, s:b, s:o, s:o}", "path", &path, "stage", &stage, "mark",
                    &mark, "makesDirectory", &makes_dir, "before", &before, "after", &after) < 0 ||
        path[0] != '/' || unpack_file(before, &item->edit.before, item->before_sha256) < 0 ||
        unpack_file(after, &item->edit.after, item->after_sha256) < 0)
        return -1;
    item->edit.stage = strcmp(stage, "kubelet") == 0 ? EDIT_KUBELET : EDIT_CONTAINERD;
    item->edit.path = place_join(root, path, arena);
    item->edit.mark = arena_str(arena, str_of(mark)).data;
    item->makes_dir = makes_dir;
    return item->edit.path && item->edit.mark ? 0 : -1;
}

static int unpack_units(json_t *list, bool units[GATE_UNITS])
{
    size_t index;
    json_t *value;
    json_array_foreach(list, index, value)
    {
        for (size_t i = 0; i < GATE_UNITS; i++) {
            if (json_is_string(value) && strcmp(json_string_value(value), gate_units[i]) == 0)
                units[i] = true;
        }
    }
    return json_is_array(list) ? 0 : -1;
}

static int unpack(json_t *root, const char *tree, struct arena *arena, struct journal *journal)
{
    json_t *edits, *enabled, *started;
    int version, complete, containerd, kubelet;
    if (json_unpack(root, "{s:i, s:b, s:o, s:o, s:o, s:b, s:b}", "version", &version, "complete",
                    &complete, "edits", &edits, "enabled", &enabled, "started", &started,
                    "restartsContainerd", &containerd, "restartsKubelet", &kubelet) < 0 ||
        version != 1 || json_array_size(edits) > JOURNAL_EDITS_MAX)
        return -1;
    journal->is_complete = complete;
    journal->restarts_containerd = containerd;
    journal->restarts_kubelet = kubelet;
    for (size_t i = 0; i < json_array_size(edits); i++) {
        if (unpack_edit(json_array_get(edits, i), tree, arena, &journal->edits[journal->count++]) <
            0)
            return -1;
    }
    return unpack_units(enabled, journal->enabled) < 0 ? -1
                                                       : unpack_units(started, journal->started);
}

int journal_of_json(struct str text, const char *root, struct arena *arena, struct journal *journal,
                    struct err *err)
{
    json_error_t error;
    OWNED_JSON json_t *value = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        return err_set(err, "line %d: %s", error.line, error.text);
    if (unpack(value, root, arena, journal) < 0)
        return err_set(err, "it is no journal of `crigate setup`, or memory is out");
    return 0;
}

static int check_text(struct str text, const char *sha256, struct err *err)
{
    char hash[SHA256_HEX_SIZE];
    if (sha256_hex(text, hash, err) < 0)
        return -1;
    return strcmp(hash, sha256) == 0 ? 0 : err_set(err, "a copy beside it has been changed");
}

int journal_check(const struct journal *journal, struct err *err)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_edit *item = &journal->edits[i];
        if (check_text(item->edit.before.text, item->before_sha256, err) < 0 ||
            check_text(item->edit.after.text, item->after_sha256, err) < 0)
            return -1;
    }
    return 0;
}
