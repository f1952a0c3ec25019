/* SPDX-License-Identifier: Apache-2.0 */
/* Counts decisions; what there is no room for is counted together. */
#include "cli/audit_tally.h"

#define NO_NAME STR("(none)")

int tally_make(struct tally *tally)
{
    *tally = (struct tally){.decisions = 0};
    for (enum tally_by by = 0; by < TALLY_GROUPS; by++) {
        tally->groups[by].counts = json_object();
        if (!tally->groups[by].counts) {
            tally_free(tally);
            return -1;
        }
    }
    return 0;
}

void tally_free(struct tally *tally)
{
    for (enum tally_by by = 0; by < TALLY_GROUPS; by++) {
        json_decref(tally->groups[by].counts);
        tally->groups[by].counts = NULL;
    }
}

/* Counts come from the log, which may say anything. jansson's integers are signed. */
static uint64_t add_up(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : sum;
}

static int count_name(struct tally_group *group, struct str name, uint64_t times)
{
    json_t *count = json_object_getn(group->counts, name.data, name.len);
    if (count) {
        uint64_t sum = add_up((uint64_t)json_integer_value(count), times);
        return json_integer_set(count, (json_int_t)sum);
    }
    if (name.len > TALLY_NAME_MAX || json_object_size(group->counts) >= TALLY_NAMES_MAX) {
        group->others = add_up(group->others, times);
        return 0;
    }
    return json_object_setn_new_nocheck(group->counts, name.data, name.len,
                                        json_integer((json_int_t)times));
}

static bool is_refusal(const struct audit_fields *fields)
{
    struct str action = audit_field(fields, "decision", "action");
    return str_eq(action, STR("refuse")) || str_eq(action, STR("wouldRefuse"));
}

/* False when a group has nothing to do with the decision: no runtime runs what is refused. */
static bool name_of(const struct audit_fields *fields, enum tally_by by, struct str *name)
{
    switch (by) {
    case TALLY_ACTION:
        *name = audit_field(fields, "decision", "action");
        return true;
    case TALLY_RULE:
        *name = audit_field(fields, "decision", "rule");
        return true;
    case TALLY_RUNTIME:
        *name = audit_field(fields, "handler", "effective");
        return name->len > 0;
    case TALLY_NAMESPACE:
        *name = audit_field(fields, "pod", "namespace");
        return true;
    case TALLY_REFUSAL:
        *name = audit_field(fields, "decision", "reason");
        return is_refusal(fields);
    case TALLY_GROUPS:
        break;
    }
    return false;
}

static void note_time(struct tally *tally, struct str time)
{
    if (time.len >= AUDIT_TIME_SIZE)
        return;
    if (!tally->first[0] || str_cmp(time, str_of(tally->first)) < 0)
        *stpncpy(tally->first, time.data, time.len) = '\0';
    if (str_cmp(time, str_of(tally->last)) > 0)
        *stpncpy(tally->last, time.data, time.len) = '\0';
}

int tally_add(struct tally *tally, const struct audit_fields *fields)
{
    bool repeats = str_eq(fields->scan.type, STR("repeated"));
    uint64_t times = repeats ? audit_field_number(fields, "repeated", "count") : 1;
    if (!audit_fields_decide(fields) || times == 0)
        return 0;
    tally->decisions = add_up(tally->decisions, times);
    note_time(tally, fields->scan.time);
    for (enum tally_by by = 0; by < TALLY_GROUPS; by++) {
        struct str name;
        if (name_of(fields, by, &name) &&
            count_name(&tally->groups[by], name.len ? name : NO_NAME, times) < 0)
            return -1;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct tally_row *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return str_cmp(left->name, right->name);
}

struct tally_row *tally_sorted(const struct tally_group *group, size_t *count)
{
    struct tally_row *rows = calloc(json_object_size(group->counts) + 1, sizeof(*rows));
    void *at;
    size_t used = 0;
    if (!rows)
        return NULL;
    for (at = json_object_iter(group->counts); at; at = json_object_iter_next(group->counts, at)) {
        rows[used++] = (struct tally_row){
            .name = {.data = json_object_iter_key(at), .len = json_object_iter_key_len(at)},
            .count = (uint64_t)json_integer_value(json_object_iter_value(at))};
    }
    qsort(rows, used, sizeof(*rows), compare);
    *count = used;
    return rows;
}
