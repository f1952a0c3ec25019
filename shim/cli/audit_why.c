/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence of each type of record: who decided, what came into force, what the log suffered. */
#include "cli/audit_why.h"

#include <inttypes.h>

#include "cli/audit_time.h"

#define MESSAGE_MAX ((size_t)4096)

static void write_field(struct writer *writer, const char *before,
                        const struct audit_fields *fields, const char *object, const char *key)
{
    struct str text = audit_field(fields, object, key);
    if (!text.len)
        return;
    writer_text(writer, before);
    writer_short(writer, text);
}

/* --- decisions ----------------------------------------------------------------------------- */

/* The rule; in front of it the reason, when it is not just that the rule says so. */
static void write_decider(const struct audit_fields *fields, struct writer *writer)
{
    struct str reason = audit_field(fields, "decision", "reason");
    struct str rule = audit_field(fields, "decision", "rule");
    bool by_rule = str_eq(reason, STR("rule")) || str_eq(reason, STR("otherwise"));
    if (reason.len && (!by_rule || !rule.len))
        writer_short(writer, reason);
    if (!rule.len)
        return;
    writer_text(writer, writer->used ? " (" : "");
    writer_short(writer, rule);
    writer_text(writer, reason.len && !by_rule ? ")" : "");
}

/* "crigate: pod a/b refused: TEXT (rule R, policy P 3f9a1c2b)" -> "TEXT": the columns tell the
 * rest. Another sentence stays as it is. */
static struct str message_core(struct str message)
{
    static const struct str begin = {"crigate: ", 9}, refused = {" refused: ", 10};
    if (!str_starts(message, begin))
        return message;
    struct str text = {.data = message.data + begin.len, .len = message.len - begin.len};
    const char *core = memmem(text.data, text.len, refused.data, refused.len);
    if (core) {
        core += refused.len;
        text = (struct str){.data = core, .len = (size_t)(text.data + text.len - core)};
    }
    const char *tail = memrchr(text.data, '(', text.len);
    if (!tail || tail == text.data || text.data[text.len - 1] != ')')
        return text;
    size_t tail_len = (size_t)(text.data + text.len - tail);
    if (memmem(tail, tail_len, "policy ", 7))
        text.len -= tail_len + 1;
    return text;
}

static void write_message(const struct audit_fields *fields, struct writer *writer)
{
    struct str message = message_core(audit_field(fields, "decision", "message"));
    if (!message.len)
        return;
    writer_text(writer, writer->used ? ": " : "");
    writer_str(writer, message.len > MESSAGE_MAX
                           ? (struct str){.data = message.data, .len = MESSAGE_MAX}
                           : message);
}

/* "; observed: would refuse (rule)": rules that are only tried. */
static void write_observed(const struct audit_fields *fields, struct writer *writer)
{
    const json_t *list = json_object_get(json_object_get(fields->root, "decision"), "observed");
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item)
    {
        writer_text(writer, index ? ", " : "; observed ");
        writer_short(writer, str_of(json_string_value(json_object_get(item, "rule"))));
        writer_text(writer, ": ");
        writer_short(writer, str_of(json_string_value(json_object_get(item, "action"))));
    }
}

static void write_duration(struct writer *writer, uint64_t us)
{
    char text[32];
    if (us < 1000)
        snprintf(text, sizeof(text), "%" PRIu64 " us", us);
    else if (us < 1000000)
        snprintf(text, sizeof(text), "%" PRIu64 " ms", us / 1000);
    else
        snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " s", us / 1000000, us / 100000 % 10);
    writer_text(writer, text);
}

static void write_decision(const struct audit_fields *fields, struct writer *writer)
{
    struct str code = audit_field(fields, "result", "code");
    if (code.len) {
        writer_short(writer, code);
        writer_text(writer, " after ");
        write_duration(writer, audit_field_number(fields, "result", "durationUs"));
        return;
    }
    write_decider(fields, writer);
    write_message(fields, writer);
    write_observed(fields, writer);
    if (!audit_field(fields, "pod", "name").len && !audit_field(fields, "decision", "message").len)
        write_field(writer, writer->used ? "; " : "", fields, NULL, "method");
}

/* --- the rest ------------------------------------------------------------------------------ */

static void write_clock(struct writer *writer, struct str time)
{
    char local[AUDIT_LOCAL_SIZE];
    audit_time_local(time, local);
    writer_text(writer, local);
}

static void write_repeated(const struct audit_fields *fields, struct writer *writer)
{
    writer_number(writer, audit_field_number(fields, "repeated", "count"));
    writer_text(writer, " more until ");
    write_clock(writer, audit_field(fields, "repeated", "lastTime"));
    writer_text(writer, ", ");
    struct writer why = writer_make(writer->buf + writer->used, writer->size - writer->used);
    write_decision(fields, &why);
    writer->used += why.used;
}

/* "agent-node 3f9a1c2b, enforce". */
static void write_policy(const struct audit_fields *fields, const char *before, const char *key,
                         struct writer *writer)
{
    struct str sha256 = audit_field(fields, key, "sha256");
    if (!sha256.len)
        return;
    write_field(writer, before, fields, key, "name");
    writer_text(writer, " ");
    writer_short(writer, (struct str){sha256.data, sha256.len < 8 ? sha256.len : 8});
    write_field(writer, ", ", fields, key, "mode");
}

static void write_start(const struct audit_fields *fields, struct writer *writer)
{
    write_field(writer, "crigate ", fields, NULL, "version");
    write_policy(fields, writer->used ? ", policy " : "policy ", "policy", writer);
}

static void write_loaded(const struct audit_fields *fields, struct writer *writer)
{
    write_policy(fields, "", "policy", writer);
    write_policy(fields, ", in place of ", "previous", writer);
}

static void write_rejected(const struct audit_fields *fields, struct writer *writer)
{
    struct str error = audit_field(fields, NULL, "error");
    writer_str(writer, error);
    write_policy(fields, "; still in force: ", "policy", writer);
}

static void write_value(struct writer *writer, const json_t *value)
{
    if (json_is_string(value))
        writer_short(writer, str_of(json_string_value(value)));
    else
        writer_text(writer, "(none)");
}

static void write_labels(const struct audit_fields *fields, struct writer *writer)
{
    const json_t *known = json_object_get(json_object_get(fields->root, "labels"), "known");
    size_t index;
    const json_t *change;
    writer_text(writer, json_is_false(known) ? "not known" : "known");
    write_field(writer, ", source ", fields, "labels", "source");
    json_array_foreach(json_object_get(fields->root, "changes"), index, change)
    {
        writer_text(writer, index ? ", " : ": ");
        writer_short(writer, str_of(json_string_value(json_object_get(change, "key"))));
        writer_text(writer, " ");
        write_value(writer, json_object_get(change, "before"));
        writer_text(writer, " -> ");
        write_value(writer, json_object_get(change, "after"));
    }
}

static void write_heartbeat(const struct audit_fields *fields, struct writer *writer)
{
    writer_number(writer, audit_field_number(fields, "heartbeat", "records"));
    writer_text(writer, " records, ");
    writer_number(writer, audit_field_number(fields, "heartbeat", "lost"));
    writer_text(writer, " lost");
}

static void write_repaired(const struct audit_fields *fields, struct writer *writer)
{
    writer_text(writer, "cut ");
    writer_number(writer, audit_field_number(fields, "audit", "bytesCut"));
    writer_text(writer, " bytes of a torn line");
}

static void write_trouble(const struct audit_fields *fields, struct writer *writer)
{
    writer_text(writer, "since ");
    write_clock(writer, audit_field(fields, "audit", "since"));
    write_field(writer, " to ", fields, "audit", "sink");
    writer_text(writer, "; ");
    writer_number(writer, audit_field_number(fields, "audit", "inJournal"));
    writer_text(writer, " in the journal, ");
    writer_number(writer, audit_field_number(fields, "audit", "lost"));
    writer_text(writer, " lost");
    write_field(writer, ": ", fields, NULL, "error");
}

static void write_segment(const struct audit_fields *fields, struct writer *writer)
{
    write_field(writer, "after ", fields, NULL, "previousFile");
}

static void write_other(const struct audit_fields *fields, struct writer *writer)
{
    write_decision(fields, writer);
    write_field(writer, writer->used ? "; " : "", fields, NULL, "error");
}

void audit_why_write(const struct audit_fields *fields, struct writer *writer,
                     enum table_style *style)
{
    static const struct {
        const char *type;
        void (*write)(const struct audit_fields *fields, struct writer *writer);
        enum table_style style;
    } kinds[] = {
        {"pod.decision", write_decision, TABLE_PLAIN},
        {"container.decision", write_decision, TABLE_PLAIN},
        {"repeated", write_repeated, TABLE_PLAIN},
        {"start", write_start, TABLE_PLAIN},
        {"policy.loaded", write_loaded, TABLE_PLAIN},
        {"policy.rejected", write_rejected, TABLE_RED},
        {"node.labels", write_labels, TABLE_PLAIN},
        {"heartbeat", write_heartbeat, TABLE_DIM},
        {"segment.open", write_segment, TABLE_DIM},
        {"audit.repaired", write_repaired, TABLE_YELLOW},
        {"audit.degraded", write_trouble, TABLE_RED},
        {"audit.recovered", write_trouble, TABLE_YELLOW},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_eq(fields->scan.type, str_of(kinds[i].type))) {
            *style = kinds[i].style;
            kinds[i].write(fields, writer);
            return;
        }
    }
    *style = TABLE_PLAIN;
    write_other(fields, writer);
}
