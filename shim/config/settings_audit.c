/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `audit` of crigate.yaml: the file, its second format, whose it is, when
 * it is rotated, what a failure does. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "config/quantity.h"
#include "config/settings_parse.h"

#define KIB UINT64_C(1024)
#define SIZE_LEAST (64 * KIB) /* a file that is smaller holds a single large record */
#define SIZE_MOST (KIB * KIB * KIB * KIB)
#define DAY (UINT64_C(24) * 3600)
#define ACCOUNT_ROOM_MOST ((size_t)1024 * 1024) /* of one entry: a group lists its members */
#define ACCOUNT_NAME_MAX ((size_t)255)

enum {
    FILE_PATH,
    FORMAT,
    ON_FAILURE,
    MAX_SIZE,
    MAX_AGE,
    KEEP,
    OWNER,
    GROUP,
    REPEAT_WINDOW,
    KEY_COUNT
};
static const struct str keys[KEY_COUNT] = {{"file", 4},    {"format", 6}, {"onFailure", 9},
                                           {"maxSize", 7}, {"maxAge", 6}, {"keep", 4},
                                           {"owner", 5},   {"group", 5},  {"repeatWindow", 12}};

/* In the order of their enums. */
static const struct str on_failure[] = {{"refuse", 6}, {"continue", 8}};
static const struct str formats[] = {{"native", 6}, {"ecs", 3}, {"ocsf", 4}};

typedef bool quantity_fn(struct str text, uint64_t *number);

/* One number with its bounds: 0, or from `least` to `most`. */
struct bound {
    const char *what;
    quantity_fn *take;
    uint64_t least, most;
    const char *hint; /* how it is written */
    const char *says; /* the bounds */
};

static void read_number(struct reader *reader, const struct yaml_node *node,
                        const struct bound *bound, uint64_t *number)
{
    bool is_scalar =
        node->kind == YAML_SCALAR && (node->type == YAML_STRING || node->type == YAML_NUMBER);
    uint64_t value;
    if (!is_scalar)
        reader_error(reader, node, bound->hint, "%s has no value that can be read", bound->what);
    else if (!bound->take(node->text, &value))
        reader_error(reader, node, bound->hint, "%s: \"%.*s\" cannot be read", bound->what,
                     DIAG_TEXT(node->text));
    else if (value && (value < bound->least || value > bound->most))
        reader_error(reader, node, NULL, "%s %s", bound->what, bound->says);
    else
        *number = value;
}

static void read_numbers(struct reader *reader, const struct yaml_node *const *values,
                         struct settings_audit *audit)
{
    static const char span[] = "write a whole number with s, m, h or d: 90s, 5m, 24h; or 0";
    const struct {
        const struct yaml_node *node;
        uint64_t *number;
        struct bound bound;
    } numbers[] = {
        {values[MAX_SIZE],
         &audit->max_size,
         {"audit.maxSize", quantity_bytes, SIZE_LEAST, SIZE_MOST,
          "write bytes, or a whole number with Ki, Mi, Gi, k, M or G: 100Mi; 0 is no bound",
          "must be 0, for no bound, or from 64Ki to 1024Gi"}},
        {values[MAX_AGE],
         &audit->max_age_s,
         {"audit.maxAge", quantity_seconds, 1, 3650 * DAY, span,
          "must be 0, for no bound, or from 1s to 3650d"}},
        {values[KEEP],
         &audit->keep,
         {"audit.keep", quantity_whole, 1, 100000, "write how many rotated files stay: 10",
          "must be 0, for all of them, or at most 100000"}},
        {values[REPEAT_WINDOW],
         &audit->repeat_window_s,
         {"audit.repeatWindow", quantity_seconds, 1, DAY, span,
          "must be 0, for each refusal whole, or from 1s to 24h"}},
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (numbers[i].node)
            read_number(reader, numbers[i].node, &numbers[i].bound, numbers[i].number);
    }
}

/* The entry's id; 0 with `found` false when there is none; else an errno. */
static int look_up(bool is_group, const char *name, char *room, size_t size, bool *found,
                   uint32_t *id)
{
    if (is_group) {
        struct group entry, *group;
        int error = getgrnam_r(name, &entry, room, size, &group);
        *found = error == 0 && group;
        *id = *found ? group->gr_gid : 0;
        return error;
    }
    struct passwd entry, *user;
    int error = getpwnam_r(name, &entry, room, size, &user);
    *found = error == 0 && user;
    *id = *found ? user->pw_uid : 0;
    return error;
}

/* As look_up(), with room for entries of any sensible length. */
static int look_up_any(bool is_group, const char *name, bool *found, uint32_t *id)
{
    int error = ERANGE;
    for (size_t size = 1024; error == ERANGE && size <= ACCOUNT_ROOM_MOST; size *= 4) {
        OWNED_MEM char *room = malloc(size);
        if (!room)
            return ENOMEM;
        error = look_up(is_group, name, room, size, found, id);
    }
    return error;
}

/* Whether libc means by `error` that there is no such entry; see getpwnam(3). */
static bool is_unknown(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* A name, or a number without quotes. */
static void read_account(struct reader *reader, const struct yaml_node *node, const char *what,
                         bool is_group, uint32_t *id)
{
    const char *kind = is_group ? "group" : "user";
    struct str name;
    uint32_t found_id;
    bool found = false;
    if (settings_take_id(node, id))
        return;
    if (node->kind == YAML_SCALAR && node->type == YAML_NUMBER) {
        reader_error(reader, node, NULL, "%s: an id is a number from 0 to 4294967294", what);
        return;
    }
    if (!reader_text(reader, node, what, ACCOUNT_NAME_MAX, &name))
        return;
    int error = look_up_any(is_group, name.data, &found, &found_id);
    if (found)
        *id = found_id;
    else if (is_unknown(error))
        reader_error(reader, node, "create it first, or give its number", "%s: no %s \"%.*s\" here",
                     what, kind, DIAG_TEXT(name));
    else
        reader_error(reader, node, "give its number", "%s: %s \"%.*s\" cannot be looked up: %s",
                     what, kind, DIAG_TEXT(name), strerror(error));
}

void settings_read_audit(struct reader *reader, const struct yaml_node *node,
                         struct settings_audit *audit)
{
    const struct yaml_node *values[KEY_COUNT];
    size_t index;
    *audit = (struct settings_audit){.max_size = 100 * KIB * KIB,
                                     .max_age_s = DAY,
                                     .keep = 10,
                                     .owner = SETTINGS_NO_ID,
                                     .group = SETTINGS_NO_ID,
                                     .repeat_window_s = 300};
    if (!reader_mapping(reader, node, "audit", keys, KEY_COUNT, values))
        return;
    if (reader_need(reader, node, values[FILE_PATH], "audit.file",
                    "the file that keeps each decision"))
        settings_read_path(reader, values[FILE_PATH], "audit.file", SETTINGS_PATH_MAX,
                           &audit->file);
    if (values[FORMAT] &&
        reader_word(reader, values[FORMAT], "audit.format", formats, COUNT_OF(formats), &index))
        audit->format = (enum settings_format)index;
    if (values[ON_FAILURE] && reader_word(reader, values[ON_FAILURE], "audit.onFailure", on_failure,
                                          COUNT_OF(on_failure), &index))
        audit->on_failure = (enum settings_on_failure)index;
    read_numbers(reader, values, audit);
    if (values[OWNER])
        read_account(reader, values[OWNER], "audit.owner", false, &audit->owner);
    if (values[GROUP])
        read_account(reader, values[GROUP], "audit.group", true, &audit->group);
}
