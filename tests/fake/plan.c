/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the steering keys of a request's metadata, and collects what is to be echoed back. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "memory.h"

static bool key_is(const grpc_metadata *entry, const char *key)
{
    return grpc_slice_str_cmp(entry->key, key) == 0;
}

static bool key_starts(const grpc_metadata *entry, const char *prefix)
{
    size_t len = strlen(prefix);
    return GRPC_SLICE_LENGTH(entry->key) > len &&
           memcmp(GRPC_SLICE_START_PTR(entry->key), prefix, len) == 0;
}

/* The decimal number that the value begins with; `rest`, if any, gets what follows one more
 * character. */
static uint64_t number(const grpc_metadata *entry, uint64_t *rest)
{
    char text[64] = "";
    size_t len = GRPC_SLICE_LENGTH(entry->value);
    memcpy(text, GRPC_SLICE_START_PTR(entry->value), len < sizeof(text) ? len : sizeof(text) - 1);
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (rest)
        *rest = *end ? strtoull(end + 1, NULL, 10) : 0;
    return value;
}

static void set_message(struct plan *plan, grpc_slice message)
{
    if (plan->has_message)
        grpc_slice_unref(plan->message);
    plan->has_message = true;
    plan->message = message;
}

static void set_message_of_size(struct plan *plan, size_t size)
{
    grpc_slice message = grpc_slice_malloc(size);
    fake_message((char *)GRPC_SLICE_START_PTR(message), size);
    set_message(plan, message);
}

static bool read_flag(const grpc_metadata *entry, struct plan *plan)
{
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {
        {"fake-echo", &plan->echo},     {"fake-collect", &plan->collect},
        {"fake-report", &plan->report}, {"fake-early", &plan->early},
        {"fake-hang", &plan->hang},     {"fake-abort", &plan->abort},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        if (key_is(entry, flags[i].key)) {
            *flags[i].flag = number(entry, NULL) != 0;
            return true;
        }
    }
    return false;
}

static void read_value(const grpc_metadata *entry, struct plan *plan)
{
    if (key_is(entry, "fake-status")) {
        plan->status = (grpc_status_code)number(entry, NULL);
    } else if (key_is(entry, "fake-message")) {
        set_message(plan, grpc_slice_ref(entry->value));
    } else if (key_is(entry, "fake-message-size")) {
        set_message_of_size(plan, number(entry, NULL));
    } else if (key_is(entry, "fake-delay-ms")) {
        plan->delay_ms = number(entry, NULL);
    } else if (key_is(entry, "fake-reply-size")) {
        plan->has_reply = true;
        plan->reply_size = number(entry, NULL);
    } else if (key_is(entry, "fake-stream")) {
        plan->has_stream = true;
        plan->stream_count = number(entry, &plan->stream_size);
    }
}

static void read_echoed(const grpc_metadata_array *metadata, struct plan *plan)
{
    plan->initial = must_calloc(metadata->count, sizeof(*plan->initial));
    plan->trailing = must_calloc(metadata->count, sizeof(*plan->trailing));
    for (size_t i = 0; i < metadata->count; i++) {
        grpc_metadata entry = {.key = metadata->metadata[i].key,
                               .value = metadata->metadata[i].value};
        if (key_starts(&entry, "initial-")) {
            plan->initial[plan->initial_count++] = entry;
        } else if (key_starts(&entry, "trailing-")) {
            plan->trailing[plan->trailing_count++] = entry;
        } else if (key_is(&entry, "fake-details-bin")) {
            entry.key = grpc_slice_from_static_string("grpc-status-details-bin");
            plan->trailing[plan->trailing_count++] = entry;
        }
    }
}

void plan_read(const grpc_metadata_array *metadata, struct plan *plan)
{
    *plan = (struct plan){.status = GRPC_STATUS_OK};
    bool echoes = false;
    for (size_t i = 0; i < metadata->count; i++) {
        const grpc_metadata *entry = &metadata->metadata[i];
        echoes |= key_starts(entry, "initial-") || key_starts(entry, "trailing-") ||
                  key_is(entry, "fake-details-bin");
        if (key_starts(entry, "fake-") && !read_flag(entry, plan))
            read_value(entry, plan);
    }
    if (echoes)
        read_echoed(metadata, plan);
    plan->collect |= plan->report;
}

void plan_free(struct plan *plan)
{
    if (plan->has_message)
        grpc_slice_unref(plan->message);
    free(plan->initial);
    free(plan->trailing);
    *plan = (struct plan){.status = GRPC_STATUS_OK};
}
