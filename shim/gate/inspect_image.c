/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime handler of an ImageSpec, which lies one to three messages deep. */
#include "gate/inspect_image.h"

#include "gate/method.h"
#include "gate/wire.h"

#define STEPS_MAX 3

/* The fields on the way from the request to the handler, each within the one before. */
struct way {
    size_t count;
    struct step {
        uint32_t number;
        const char *path; /* for an error text */
    } steps[STEPS_MAX];
};

static const struct way ways[] = {
    [IMAGE_IN_REQUEST] = {2, {{1, "image"}, {19, "image.runtime_handler"}}},
    [IMAGE_IN_FILTER] =
        {3, {{1, "filter"}, {1, "filter.image"}, {19, "filter.image.runtime_handler"}}},
    [IMAGE_IN_CONTAINER] =
        {3, {{2, "config"}, {2, "config.image"}, {19, "config.image.runtime_handler"}}},
};

enum found { FOUND_BROKEN = -1, FOUND_NONE, FOUND_ONE };

/* The field of a step, which may stand once; the rest of the message is stepped over. */
static enum found find_once(struct wire_reader reader, const struct step *step,
                            struct wire_field *found, struct err *err)
{
    enum found result = FOUND_NONE;
    for (size_t fields = 0; reader.at < reader.end; fields++) {
        struct wire_field field;
        if (wire_next(&reader, &field, err) < 0)
            return err_wrap(err, "on the way to field %s", step->path);
        if (fields == WIRE_FIELDS_MAX)
            return err_set(err, "request: more than %d fields (byte %zu)", WIRE_FIELDS_MAX,
                           field.start);
        if (field.number != step->number)
            continue;
        if (result == FOUND_ONE)
            return err_set(err, "field %s: stands twice (byte %zu)", step->path, field.start);
        if (!wire_is_bytes(&field, step->number))
            return err_set(err, "field %s: wire type %d, not %d (byte %zu)", step->path,
                           (int)field.type, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, field.start);
        *found = field;
        result = FOUND_ONE;
    }
    return result;
}

/* Every field on the way; FOUND_NONE when one of them is absent. */
static enum found find_way(const struct way *way, struct str request,
                           struct wire_field fields[STEPS_MAX], struct err *err)
{
    struct wire_reader reader = wire_reader(request);
    for (size_t i = 0; i < way->count; i++) {
        enum found found = find_once(reader, &way->steps[i], &fields[i], err);
        if (found != FOUND_ONE)
            return found;
        reader.at = (const uint8_t *)fields[i].bytes.data;
        reader.end = reader.at + fields[i].bytes.len;
    }
    return FOUND_ONE;
}

int inspect_image(enum inspect_image_in where, struct str request, struct str *handler,
                  struct err *err)
{
    const struct way *way = &ways[where];
    struct wire_field fields[STEPS_MAX];
    *handler = STR("");
    if (request.len > METHOD_REQUEST_MAX)
        return err_set(err, "request: %zu bytes, more than %zu", request.len, METHOD_REQUEST_MAX);
    enum found found = find_way(way, request, fields, err);
    if (found != FOUND_ONE)
        return found == FOUND_NONE ? 0 : -1;
    const struct wire_field *last = &fields[way->count - 1];
    if (wire_check_text(last, err) < 0)
        return err_wrap(err, "field %s", way->steps[way->count - 1].path);
    *handler = last->bytes;
    return 0;
}

/* The bytes of a field's tag, as it is written in the request. */
static size_t tag_length(struct str request, const struct wire_field *field)
{
    size_t at = field->start;
    while ((unsigned char)request.data[at] >= 0x80)
        at++;
    return at + 1 - field->start;
}

static size_t varint_length(uint64_t value)
{
    unsigned char buf[WIRE_VARINT_MAX];
    return wire_put_varint(value, buf);
}

/* The length of each field's value once the last one is `handler`; returns the first field's whole
 * size. */
static size_t new_lengths(struct str request, const struct wire_field *fields, size_t count,
                          size_t handler, size_t lengths[STEPS_MAX])
{
    size_t inner_old = 0, inner_new = 0;
    for (size_t i = count; i-- > 0;) {
        lengths[i] = i == count - 1 ? handler : fields[i].bytes.len - inner_old + inner_new;
        inner_old = fields[i].end - fields[i].start;
        inner_new = tag_length(request, &fields[i]) + varint_length(lengths[i]) + lengths[i];
    }
    return inner_new;
}

static char *copy(char *to, struct str from, size_t start, size_t end)
{
    memcpy(to, from.data + start, end - start);
    return to + (end - start);
}

int inspect_image_replace(enum inspect_image_in where, struct str request, struct str handler,
                          struct arena *arena, struct str *replaced, struct err *err)
{
    size_t count = ways[where].count, lengths[STEPS_MAX], from = 0;
    struct wire_field fields[STEPS_MAX];
    enum found found = find_way(&ways[where], request, fields, err);
    if (found == FOUND_NONE)
        return err_set(err, "request: no image handler to replace");
    if (found == FOUND_BROKEN)
        return -1;
    size_t first = new_lengths(request, fields, count, handler.len, lengths);
    size_t size = request.len - (fields[0].end - fields[0].start) + first;
    char *bytes = arena_alloc(arena, size);
    if (!bytes)
        return err_set(err, "request: memory is out for its %zu bytes", size);
    char *to = bytes;
    for (size_t i = 0; i < count; i++) {
        to = copy(to, request, from, fields[i].start + tag_length(request, &fields[i]));
        to += wire_put_varint(lengths[i], (unsigned char *)to);
        from = fields[i].end - fields[i].bytes.len;
    }
    to = copy(to, handler, 0, handler.len);
    copy(to, request, fields[count - 1].end, request.len);
    *replaced = (struct str){.data = bytes, .len = size};
    return 0;
}
