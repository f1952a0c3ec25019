/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about sandboxes out of lines of text. */
#include "sandboxes.h"

#include <grpc/support/alloc.h>
#include <string.h>

#include "bytes.h"
#include "memory.h"
#include "reply.h"

struct line {
    const char *id, *handler;
    size_t id_len, handler_len;
};

/* The next line, and `*text` behind it; false at the end. */
static bool next_line(const char **text, struct line *line)
{
    const char *id = *text, *space = strchr(id, ' '), *end = space ? strchr(space, '\n') : NULL;
    if (!end)
        return false;
    *line = (struct line){id, space + 1, (size_t)(space - id), (size_t)(end - space - 1)};
    *text = end + 1;
    return true;
}

void sandboxes_set(struct sandboxes *sandboxes, grpc_slice text)
{
    gpr_free(sandboxes->text);
    sandboxes->text = grpc_slice_to_c_string(text);
}

grpc_byte_buffer *sandboxes_list(const struct sandboxes *sandboxes)
{
    if (!sandboxes->text)
        return NULL;
    struct bytes out = {0};
    struct line line;
    for (const char *text = sandboxes->text; next_line(&text, &line);) {
        struct bytes item = {0};
        bytes_field(&item, 1, line.id, line.id_len);
        bytes_field(&item, 7, line.handler, line.handler_len);
        bytes_nest(&out, 1, &item);
    }
    return reply_of(bytes_slice(&out));
}

/* Field 1 of the request, which is a short text; false when there is none. */
static bool read_id(grpc_slice request, struct line *asked)
{
    const unsigned char *bytes = GRPC_SLICE_START_PTR(request);
    size_t len = GRPC_SLICE_LENGTH(request);
    if (len < 3 || bytes[0] != 0x0a || bytes[1] > 127 || (size_t)bytes[1] + 2 > len)
        return false;
    asked->id = (const char *)bytes + 2;
    asked->id_len = bytes[1];
    return true;
}

static bool find(const struct sandboxes *sandboxes, const struct line *asked, struct line *found)
{
    size_t matching = 0;
    struct line line;
    for (const char *text = sandboxes->text ? sandboxes->text : ""; next_line(&text, &line);) {
        if (line.id_len < asked->id_len || memcmp(line.id, asked->id, asked->id_len) != 0)
            continue;
        *found = line;
        matching++;
    }
    return matching == 1;
}

grpc_byte_buffer *sandboxes_status(const struct sandboxes *sandboxes, grpc_slice request)
{
    struct line asked, found;
    if (!read_id(request, &asked) || !find(sandboxes, &asked, &found))
        return NULL;
    struct bytes out = {0}, status = {0};
    bytes_field(&status, 1, found.id, found.id_len);
    bytes_field(&status, 9, found.handler, found.handler_len);
    bytes_nest(&out, 1, &status);
    return reply_of(bytes_slice(&out));
}
