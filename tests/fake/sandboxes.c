/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about sandboxes out of lines of text. */
#include "sandboxes.h"

#include <grpc/support/alloc.h>
#include <string.h>

#include "bytes.h"
#include "memory.h"
#include "reply.h"

struct word {
    const char *text;
    size_t len;
};

struct line {
    struct word id, handler, namespace, name; /* the last two may be empty */
};

/* What comes before the next space, and `*rest` behind it; all of it when there is no space. */
static struct word next_word(struct word *rest)
{
    const char *space = memchr(rest->text, ' ', rest->len);
    struct word word = {rest->text, space ? (size_t)(space - rest->text) : rest->len};
    size_t used = word.len + (space ? 1 : 0);
    *rest = (struct word){rest->text + used, rest->len - used};
    return word;
}

/* The next line, and `*text` behind it; false at the end. */
static bool next_line(const char **text, struct line *line)
{
    const char *end = strchr(*text, '\n');
    if (!end)
        return false;
    struct word rest = {*text, (size_t)(end - *text)};
    line->id = next_word(&rest);
    line->handler = next_word(&rest);
    line->namespace = next_word(&rest);
    line->name = rest;
    *text = end + 1;
    return true;
}

void sandboxes_set(struct sandboxes *sandboxes, grpc_slice text)
{
    gpr_free(sandboxes->text);
    sandboxes->text = grpc_slice_to_c_string(text);
}

/* A PodSandboxMetadata, when there is something to tell. */
static void add_metadata(struct bytes *out, const struct line *line)
{
    struct bytes metadata = {0};
    if (line->name.len == 0)
        return;
    bytes_field(&metadata, 1, line->name.text, line->name.len);
    bytes_field(&metadata, 3, line->namespace.text, line->namespace.len);
    bytes_nest(out, 2, &metadata);
}

grpc_byte_buffer *sandboxes_list(const struct sandboxes *sandboxes)
{
    if (!sandboxes->text)
        return NULL;
    struct bytes out = {0};
    struct line line;
    for (const char *text = sandboxes->text; next_line(&text, &line);) {
        struct bytes item = {0};
        bytes_field(&item, 1, line.id.text, line.id.len);
        add_metadata(&item, &line);
        bytes_field(&item, 7, line.handler.text, line.handler.len);
        bytes_nest(&out, 1, &item);
    }
    return reply_of(bytes_slice(&out));
}

/* Field 1 of the request, which is a short text; false when there is none. */
static bool read_id(grpc_slice request, struct word *asked)
{
    const unsigned char *bytes = GRPC_SLICE_START_PTR(request);
    size_t len = GRPC_SLICE_LENGTH(request);
    if (len < 3 || bytes[0] != 0x0a || bytes[1] > 127 || (size_t)bytes[1] + 2 > len)
        return false;
    *asked = (struct word){(const char *)bytes + 2, bytes[1]};
    return true;
}

static bool find(const struct sandboxes *sandboxes, struct word asked, struct line *found)
{
    size_t matching = 0;
    struct line line;
    for (const char *text = sandboxes->text ? sandboxes->text : ""; next_line(&text, &line);) {
        if (line.id.len < asked.len || memcmp(line.id.text, asked.text, asked.len) != 0)
            continue;
        *found = line;
        matching++;
    }
    return matching == 1;
}

grpc_byte_buffer *sandboxes_status(const struct sandboxes *sandboxes, grpc_slice request)
{
    struct word asked;
    struct line found;
    if (!read_id(request, &asked) || !find(sandboxes, asked, &found))
        return NULL;
    struct bytes out = {0}, status = {0};
    bytes_field(&status, 1, found.id.text, found.id.len);
    add_metadata(&status, &found);
    bytes_field(&status, 9, found.handler.text, found.handler.len);
    bytes_nest(&out, 1, &status);
    return reply_of(bytes_slice(&out));
}
