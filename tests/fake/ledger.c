/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what the fake saw of each method, and keeps the last request. */
#include "ledger.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "memory.h"

struct ledger_line *ledger_find(struct ledger *ledger, grpc_slice method)
{
    for (struct ledger_line *line = ledger->lines; line; line = line->next) {
        if (grpc_slice_eq(line->method, method))
            return line;
    }
    struct ledger_line *line = must_calloc(1, sizeof(*line));
    line->method = grpc_slice_copy(method);
    line->next = ledger->lines;
    ledger->lines = line;
    return line;
}

void ledger_request(struct ledger_line *line, grpc_byte_buffer *request)
{
    line->requests++;
    if (line->last)
        grpc_byte_buffer_destroy(line->last);
    line->last = request;
}

void ledger_keep(struct ledger_line *line, grpc_slice request)
{
    if (line->keeps)
        bytes_field(&line->kept, 1, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
}

void ledger_ended(struct ledger_line *line)
{
    line->ended++;
}

void ledger_cancelled(struct ledger_line *line)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    line->cancelled++;
    line->cancelled_at_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* `line` is "key: value". */
static void add_header(grpc_metadata_array *headers, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return;
    size_t key_len = (size_t)(colon - line);
    headers->metadata =
        must_realloc(headers->metadata, (headers->count + 1) * sizeof(grpc_metadata));
    headers->metadata[headers->count++] = (grpc_metadata){
        .key = grpc_slice_from_copied_buffer(line, key_len),
        .value = grpc_slice_from_copied_buffer(colon + 2, len - key_len - 2),
    };
}

void ledger_steer(struct ledger_line *line, const char *text)
{
    line->steering = must_calloc(1, sizeof(*line->steering));
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        add_header(line->steering, text, (size_t)(end - text));
}

grpc_slice ledger_text(const struct ledger_line *line)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "calls %" PRIu64 "\nrequests %" PRIu64 "\nended %" PRIu64
                       "\ncancelled %" PRIu64 "\ncancelled-at-ns %" PRIu64 "\nopen %" PRIu64 "\n",
                       line->calls, line->requests, line->ended, line->cancelled,
                       line->cancelled_at_ns, line->open);
    return grpc_slice_from_copied_buffer(text, (size_t)len);
}
