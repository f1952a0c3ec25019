/* SPDX-License-Identifier: Apache-2.0 */
/* Sets up an API server and a watch, and waits for what the watch tells. */
#include "bed.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define PATIENCE_S 20

static void on_changed(void *cookie, struct node_labels *labels)
{
    struct bed *bed = cookie;
    pthread_mutex_lock(&bed->mutex);
    if (bed->labels)
        node_labels_unref(bed->labels);
    bed->labels = labels;
    bed->changes++;
    pthread_cond_broadcast(&bed->told);
    pthread_mutex_unlock(&bed->mutex);
}

void bed_make(struct bed *bed, enum api_kubeconfig form)
{
    *bed = (struct bed){.dir = "/tmp/crigate-kubernetes-XXXXXX"};
    cr_assert_not_null(mkdtemp(bed->dir));
    snprintf(bed->cache, sizeof(bed->cache), "%s/labels.json", bed->dir);
    pthread_mutex_init(&bed->mutex, NULL);
    pthread_cond_init(&bed->told, NULL);
    bed->log = memfd_create("log", MFD_CLOEXEC);
    cr_assert_geq(bed->log, 0);
    dup2(bed->log, STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    bed->api = api_start(bed->dir, BED_NODE);
    bed->kubeconfig = api_write_kubeconfig(bed->api, form);
}

void bed_watch(struct bed *bed)
{
    struct err err = {0};
    struct kubernetes_options options = {
        .kubeconfig = bed->kubeconfig, .node = BED_NODE, .cache = bed->cache};
    bed->changes = 0;
    cr_assert_eq(kubernetes_start(&options, on_changed, bed, &bed->kubernetes, &err), 0, "%s",
                 err.text);
    cr_assert_geq(bed_changes(bed), 1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bed_stop(struct bed *bed)
{
    double begun = seconds();
    kubernetes_stop(bed->kubernetes);
    bed->kubernetes = NULL;
    cr_expect_lt(seconds() - begun, 1.0, "the stop took too long");
}

void bed_free(struct bed *bed)
{
    char command[128];
    bed_stop(bed);
    api_stop(bed->api);
    if (bed->labels)
        node_labels_unref(bed->labels);
    close(bed->log);
    snprintf(command, sizeof(command), "rm -rf '%s'", bed->dir);
    cr_expect_eq(system(command), 0);
}

/* --- labels ------------------------------------------------------------------------------ */

static bool has(const struct bed *bed, const char *key, const char *value)
{
    const struct label_set *set = bed->labels ? node_labels_set(bed->labels) : NULL;
    if (!set)
        return false;
    const struct str *found = label_set_find(set, str_of(key), label_hash(str_of(key)));
    return value ? found && str_eq(*found, str_of(value)) : !found;
}

static bool is_unknown(const struct bed *bed)
{
    return bed->labels && !node_labels_set(bed->labels);
}

static char *read_log(struct bed *bed)
{
    struct stat stat;
    cr_assert_eq(fstat(bed->log, &stat), 0);
    char *text = calloc(1, (size_t)stat.st_size + 1);
    cr_assert_not_null(text);
    cr_assert_eq(pread(bed->log, text, (size_t)stat.st_size, 0), stat.st_size);
    return text;
}

/* `key` NULL: until unknown. */
static void await(struct bed *bed, const char *key, const char *value)
{
    struct timespec end;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&bed->mutex);
    while (!error && !(key ? has(bed, key, value) : is_unknown(bed)))
        error = pthread_cond_timedwait(&bed->told, &bed->mutex, &end);
    pthread_mutex_unlock(&bed->mutex);
    if (error) {
        OWNED_MEM char *log = read_log(bed);
        cr_assert_fail("never seen: %s=%s; log:\n%s", key ? key : "unknown", value ? value : "",
                       log);
    }
}

void bed_await_value(struct bed *bed, const char *key, const char *value)
{
    await(bed, key, value);
}

void bed_await_unknown(struct bed *bed)
{
    await(bed, NULL, NULL);
}

bool bed_has(struct bed *bed, const char *key, const char *value)
{
    pthread_mutex_lock(&bed->mutex);
    bool found = has(bed, key, value);
    pthread_mutex_unlock(&bed->mutex);
    return found;
}

bool bed_is_unknown(struct bed *bed)
{
    pthread_mutex_lock(&bed->mutex);
    bool found = is_unknown(bed);
    pthread_mutex_unlock(&bed->mutex);
    return found;
}

unsigned bed_changes(struct bed *bed)
{
    pthread_mutex_lock(&bed->mutex);
    unsigned changes = bed->changes;
    pthread_mutex_unlock(&bed->mutex);
    return changes;
}

/* --- the log ----------------------------------------------------------------------------- */

unsigned bed_logged(struct bed *bed, const char *text)
{
    OWNED_MEM char *log = read_log(bed);
    unsigned count = 0;
    for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

void bed_await_log(struct bed *bed, const char *text)
{
    double end = seconds() + PATIENCE_S;
    while (bed_logged(bed, text) == 0) {
        OWNED_MEM char *log = read_log(bed);
        cr_assert_lt(seconds(), end, "never logged: %s; log:\n%s", text, log);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* --- files ------------------------------------------------------------------------------- */

char *bed_read(const char *path)
{
    OWNED_FILE FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = calloc(1, 65536);
    cr_assert_not_null(text);
    cr_assert_lt(fread(text, 1, 65535, file), 65535);
    return text;
}

void bed_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}
