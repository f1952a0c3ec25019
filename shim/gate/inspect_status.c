/* SPDX-License-Identifier: Apache-2.0 */
/* A StatusResponse spliced: its runtime handlers under the names that the policy knows. */
#include "gate/inspect_status.h"

#include "gate/wire.h"

#define STATUS_HANDLERS 3
#define HANDLER_NAME 1

/* One runtime handler as containerd tells it. */
struct entry {
    struct str name, bytes;
};

/* Bytes on their way out; the room is counted before. */
struct output {
    char *bytes;
    size_t len, size;
};

static void put_raw(struct output *out, struct str bytes)
{
    if (bytes.len)
        memcpy(out->bytes + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
}

static void put_field(struct output *out, uint32_t number, struct str value)
{
    out->len +=
        wire_put_bytes(number, value, (unsigned char *)out->bytes + out->len, out->size - out->len);
}

static struct str raw_field(struct str message, const struct wire_field *field)
{
    return (struct str){.data = message.data + field->start, .len = field->end - field->start};
}

static int read_name(struct str bytes, struct str *name, struct err *err)
{
    struct wire_reader reader = wire_reader(bytes);
    *name = STR("");
    while (reader.at < reader.end) {
        struct wire_field field;
        if (wire_next(&reader, &field, err) < 0)
            return err_wrap(err, "a runtime handler in containerd's status");
        if (wire_is_bytes(&field, HANDLER_NAME))
            *name = field.bytes;
    }
    return 0;
}

/* Reads the handlers into `entries`, or only counts them when that is NULL. */
static int read_entries(struct str reply, struct entry *entries, size_t *count, struct err *err)
{
    struct wire_reader reader = wire_reader(reply);
    *count = 0;
    while (reader.at < reader.end) {
        struct wire_field field;
        if (wire_next(&reader, &field, err) < 0)
            return err_wrap(err, "containerd's status");
        if (!wire_is_bytes(&field, STATUS_HANDLERS))
            continue;
        if (entries) {
            entries[*count].bytes = field.bytes;
            if (read_name(field.bytes, &entries[*count].name, err) < 0)
                return -1;
        }
        ++*count;
    }
    return 0;
}

int inspect_handlers(struct str reply, struct arena *arena, struct str **names, size_t *count,
                     struct err *err)
{
    size_t found;
    if (read_entries(reply, NULL, &found, err) < 0)
        return -1;
    struct entry *entries = arena_array(arena, found, sizeof(*entries));
    struct str *list = arena_array(arena, found, sizeof(*list));
    if (!entries || !list)
        return err_set(err, "containerd's status: memory is out for %zu runtime handlers", found);
    if (read_entries(reply, entries, &found, err) < 0)
        return -1;
    for (size_t i = 0; i < found; i++)
        list[i] = entries[i].name;
    *names = list;
    *count = found;
    return 0;
}

static const struct entry *find_entry(const struct entry *entries, size_t count,
                                      const struct policy_runtime *runtime)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(entries[i].name, runtime->handler))
            return &entries[i];
    }
    return NULL;
}

/* The room for all that `policy` names, no less than it takes. */
static size_t names_room(const struct policy *policy, const struct entry *entries, size_t count)
{
    size_t room = 0;
    for (size_t i = 0; i < policy_handler_count(policy); i++) {
        struct policy_handler handler = policy_handler_at(policy, i);
        const struct entry *entry = find_entry(entries, count, handler.runtime);
        if (entry)
            room += 2 * WIRE_HEAD_MAX + handler.name.len + entry->bytes.len;
    }
    return room;
}

/* The entry with another name in front, and the rest as containerd wrote it, in `scratch`. */
static struct str rename_entry(const struct entry *entry, struct str name, struct output scratch)
{
    struct wire_reader reader = wire_reader(entry->bytes);
    struct wire_field field;
    if (name.len) /* as every encoder leaves an empty one out */
        put_field(&scratch, HANDLER_NAME, name);
    while (reader.at < reader.end && wire_next(&reader, &field, NULL) == 0) {
        if (!wire_is_bytes(&field, HANDLER_NAME))
            put_raw(&scratch, raw_field(entry->bytes, &field));
    }
    return (struct str){.data = scratch.bytes, .len = scratch.len};
}

static void put_names(struct output *out, const struct policy *policy, const struct entry *entries,
                      size_t count, struct output scratch)
{
    for (size_t i = 0; i < policy_handler_count(policy); i++) {
        struct policy_handler handler = policy_handler_at(policy, i);
        const struct entry *entry = find_entry(entries, count, handler.runtime);
        if (entry)
            put_field(out, STATUS_HANDLERS, rename_entry(entry, handler.name, scratch));
    }
}

/* The reply without its handlers, and in the place of the first one all that `policy` names. */
static void put_status(struct output *out, const struct policy *policy, struct str reply,
                       const struct entry *entries, size_t count, struct output scratch)
{
    struct wire_reader reader = wire_reader(reply);
    struct wire_field field;
    bool put = false;
    while (reader.at < reader.end && wire_next(&reader, &field, NULL) == 0) {
        if (!wire_is_bytes(&field, STATUS_HANDLERS)) {
            put_raw(out, raw_field(reply, &field));
        } else if (!put) {
            put_names(out, policy, entries, count, scratch);
            put = true;
        }
    }
}

int inspect_status(const struct policy *policy, struct str reply, struct arena *arena,
                   struct str *rewritten, struct err *err)
{
    size_t count;
    *rewritten = reply;
    if (read_entries(reply, NULL, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    struct entry *entries = arena_array(arena, count, sizeof(*entries));
    if (!entries)
        return err_set(err, "containerd's status: memory is out for %zu runtime handlers", count);
    if (read_entries(reply, entries, &count, err) < 0)
        return -1;
    size_t room = names_room(policy, entries, count);
    struct output out = {.bytes = arena_alloc(arena, reply.len + room), .size = reply.len + room};
    struct output scratch = {.bytes = arena_alloc(arena, room), .size = room};
    if (!out.bytes || !scratch.bytes)
        return err_set(err, "containerd's status: memory is out for its %zu bytes", out.size);
    put_status(&out, policy, reply, entries, count, scratch);
    *rewritten = (struct str){.data = out.bytes, .len = out.len};
    return 0;
}
