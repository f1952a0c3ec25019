/* SPDX-License-Identifier: Apache-2.0 */
/* The log as those who have something to record see it: takes events, passes lines to the writer.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "audit/audit.h"
#include "audit/writer.h"

/* Bytes that wait for the disk: a decision's records are held up to the larger bound. Each call has
 * one or two of them, and does not go on before the first is durable. */
#define DECISIONS_MAX AUDIT_QUEUE_MAX
#define OTHERS_MAX ((size_t)8 * 1024 * 1024)

struct audit {
    struct audit_options options; /* its strings are ours */
    struct record_origin origin;
    struct audit_queue queue;
    struct repeats *repeats;
    struct second *second;
    struct audit_writer writer;
    char *path, *node, *journal;
};

static int make_instance(char *text, struct err *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return err_set_errno(err, errno, "audit log: no random bytes");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* All but the thread. */
static void audit_free(struct audit *audit)
{
    second_close(audit->second);
    repeats_destroy(audit->repeats);
    audit_queue_destroy(&audit->queue);
    free(audit->path);
    free(audit->node);
    free(audit->journal);
    free(audit);
}
DEFINE_OWNED(own_unstarted, struct audit, audit_free)

static int copy_options(struct audit *audit, const struct audit_options *options)
{
    audit->path = strdup(options->path);
    audit->node = strndup(options->node.data ? options->node.data : "", options->node.len);
    audit->journal = options->journal ? strdup(options->journal) : NULL;
    audit->options = *options;
    audit->options.path = audit->path;
    audit->options.journal = audit->journal;
    audit->options.node.data = audit->node;
    audit->origin.node = audit->options.node;
    return audit->path && audit->node && (audit->journal || !options->journal) ? 0 : -1;
}

static int make_parts(struct audit *audit, struct err *err)
{
    const struct audit_options *options = &audit->options;
    if (options->repeat_window_s) {
        audit->repeats = repeats_create(options->repeat_window_s);
        if (!audit->repeats)
            return err_set(err, "audit log %s: out of memory", options->path);
    }
    if (options->format != AUDIT_NATIVE &&
        second_open(options, options->format, &audit->second, err) < 0)
        return -1;
    audit->writer = (struct audit_writer){
        .options = options,
        .origin = &audit->origin,
        .queue = &audit->queue,
        .repeats = audit->repeats,
        .second = audit->second,
        .sink = {.path = options->journal, .fd = -1},
        .file = audit_file_make(options, options->path, RECORD_START),
    };
    return 0;
}

int audit_open(const struct audit_options *options, struct audit **audit, struct err *err)
{
    struct audit *allocated = calloc(1, sizeof(*allocated));
    if (!allocated)
        return err_set(err, "audit log %s: out of memory", options->path);
    audit_queue_init(&allocated->queue);
    OWNED(own_unstarted) struct audit *made = allocated;
    if (copy_options(made, options) < 0)
        return err_set(err, "audit log %s: out of memory", options->path);
    if (make_instance(made->origin.instance, err) < 0 || make_parts(made, err) < 0 ||
        audit_writer_start(&made->writer, err) < 0)
        return -1;
    *audit = steal_ptr(&made);
    return 0;
}

/* Whether an equal refusal is on record; if not, and it is one, `key` is its own. */
static bool is_repeated(struct audit *audit, const struct audit_event *event, bool *has_key,
                        unsigned char key[REPEATS_KEY_SIZE])
{
    struct timespec now;
    *has_key = audit->repeats && repeats_key(event, key);
    clock_gettime(CLOCK_REALTIME, &now);
    return *has_key && repeats_count(audit->repeats, key, event, &now);
}

enum audit_outcome audit_record(struct audit *audit, const struct audit_event *event,
                                audit_done_fn *done, void *cookie, struct err *err)
{
    unsigned char key[REPEATS_KEY_SIZE];
    bool has_key;
    if (is_repeated(audit, event, &has_key, key))
        return AUDIT_COUNTED;
    size_t most = event->stage ? DECISIONS_MAX : OTHERS_MAX;
    OWNED_MEM struct audit_line *line = audit_line_make(&audit->origin, event, err);
    if (line) {
        line->done = done;
        line->cookie = cookie;
        line->has_key = has_key;
        if (has_key)
            memcpy(line->key, key, sizeof(key));
    }
    if (audit_queue_put(&audit->queue, &line, most))
        return AUDIT_QUEUED;
    if (line)
        err_set(err, "audit log %s: its queue of %zu bytes is full; the disk is too slow",
                audit->path, most);
    if (has_key)
        repeats_forget(audit->repeats, key);
    return audit->options.continue_on_failure ? AUDIT_COUNTED : AUDIT_REFUSED;
}

void audit_look(struct audit *audit, struct audit_view *view)
{
    audit_queue_look(&audit->queue, view);
}

void audit_reopen(struct audit *audit)
{
    audit_queue_reopen(&audit->queue);
}

void audit_close(struct audit *audit)
{
    if (!audit)
        return;
    audit_queue_stop(&audit->queue);
    audit_writer_stop(&audit->writer);
    audit_free(audit);
}
