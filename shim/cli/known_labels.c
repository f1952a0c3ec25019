/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the sources of the node's labels that are files, and joins them as the daemon does. */
#include "cli/known_labels.h"

#include "base/file.h"
#include "kubernetes/label_cache.h"

static int read_file(const struct settings *settings, struct node_labels **labels, struct err *why)
{
    const char *path = settings->node_labels_file;
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    if (file_read(path, NODE_LABELS_FILE_MAX, &arena, &text, why) < 0) {
        err_wrap(why, "%s", path);
        *labels = node_labels_unknown();
    } else {
        int known = node_labels_parse_file(path, text, labels, why);
        (void)known; /* the snapshot says it too */
    }
    return *labels ? 0 : -1;
}

static int read_cache(const struct settings *settings, int64_t now, struct node_labels **labels,
                      struct err *why)
{
    enum label_cache_outcome outcome = LABEL_CACHE_MISSING;
    const char *path = settings->labels_cache;
    struct err wrong = {0};
    if (path)
        outcome = label_cache_read(path, settings->node_name, now, labels, &wrong);
    if (outcome == LABEL_CACHE_READ)
        return 0;
    if (!path)
        err_set(why, "this command reads what the API server told from node.labels.kubernetes."
                     "cache, which the settings lack");
    else if (outcome == LABEL_CACHE_MISSING)
        err_set(why, "%s does not exist: the gate has not heard from the API server yet", path);
    else
        *why = wrong;
    *labels = node_labels_unknown();
    return *labels ? 0 : -1;
}

/* Which of the two values was left out is the daemon's warning. */
static void pass_over(void *cookie, const struct label *file, const struct label *api)
{
    (void)cookie;
    (void)file;
    (void)api;
}

int known_labels_read(const struct settings *settings, int64_t now, struct node_labels **labels,
                      struct err *why)
{
    OWNED(own_node_labels) struct node_labels *file = NULL, *api = NULL;
    *labels = NULL;
    if (settings->node_labels_file && read_file(settings, &file, why) < 0)
        return -1;
    if (settings->kubeconfig && read_cache(settings, now, &api, why) < 0)
        return -1;
    if (file && api) {
        *labels = node_labels_merge(file, api, pass_over, NULL);
    } else if (file || api) {
        *labels = file ? steal_ptr(&file) : steal_ptr(&api);
    } else {
        err_set(why, "the settings name no source of them (node.labels)");
        *labels = node_labels_unknown();
    }
    return *labels ? 0 : -1;
}
