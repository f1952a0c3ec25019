/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `devices` of a runtime: what it can have in spite of `cannot: [devices]`. */
#include "config/policy_parse.h"
#include "config/unique.h"
#include "policy/device.h"

#define DEVICE_MAX ((size_t)256)

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    (void)earlier;
    struct reader *reader = cookie;
    reader_error(reader, node, NULL, "\"%.*s\" stands twice in devices", DIAG_TEXT(node->text));
}

/* A glob that no device can match does not let through what it was to. */
static void check_glob(struct reader *reader, const struct yaml_node *node)
{
    char hint[READER_HINT_SIZE], whole[DEVICE_MAX + 3];
    struct str glob = node->text;
    if (str_starts(glob, STR("dev/"))) {
        snprintf(hint, sizeof(hint), "did you mean \"/%.*s\"?", DIAG_TEXT(glob));
        reader_warning(reader, node, hint, "\"%.*s\" matches no path: one begins with '/'",
                       DIAG_TEXT(glob));
        return;
    }
    if (device_glob_can_match(glob))
        return;
    snprintf(whole, sizeof(whole), "%.*s=*", STR_FMT(glob));
    bool lacks_name = device_glob_can_match(str_of(whole));
    snprintf(hint, sizeof(hint), "did you mean \"%.*s=*\"?", DIAG_TEXT(glob));
    reader_warning(reader, node, lacks_name ? hint : NULL,
                   "\"%.*s\" matches no device: one is an absolute path on the host, or a CDI name "
                   "VENDOR/CLASS=NAME",
                   DIAG_TEXT(glob));
}

static bool read_glob(struct reader *reader, const struct yaml_node *node, struct str *glob)
{
    if (!reader_text(reader, node, "devices", DEVICE_MAX, glob))
        return false;
    if (glob->data[0] == '/' && !device_path_is_clean(*glob)) {
        reader_error(reader, node, "write the path as it is, such as /dev/nvidia*",
                     "devices: the path \"%.*s\" has an empty part, \".\" or \"..\"",
                     DIAG_TEXT(*glob));
        return false;
    }
    check_glob(reader, node);
    return true;
}

void policy_parse_devices(struct reader *reader, const struct yaml_node *node,
                          struct runtime_spec *runtime)
{
    if (!reader_collection(reader, node, YAML_SEQUENCE, "devices"))
        return;
    struct str *globs = reader_room(reader, node->count, sizeof(*globs));
    const struct yaml_node **nodes = reader_room(reader, node->count, sizeof(struct yaml_node *));
    if (!globs || !nodes)
        return;
    size_t count = 0;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        nodes[count] = item;
        count += read_glob(reader, item, &globs[count]);
    }
    unique_check_array(nodes, count, report_twice, reader);
    runtime->devices = globs;
    runtime->device_count = count;
    /* An ability that was misspelt in `cannot` is a finding already. */
    if (!(runtime->cannot & ABILITY_DEVICES) && !diags_failed(reader->diags))
        reader_warning(reader, node, "add devices to `cannot`, or leave `devices` out",
                       "devices does nothing here: without `cannot: [devices]` the runtime can "
                       "have every device");
}
