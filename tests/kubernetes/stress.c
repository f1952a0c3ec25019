/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch under many changes, cuts and restarts, as a plain program, which runs under
 * ThreadSanitizer too.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "api.h"
#include "kubernetes/kubernetes.h"

#define ROUNDS 5
#define CHANGES 40
#define PATIENCE_MS 20000

static atomic_int latest; /* of the label "n"; -1: not known */

static void on_changed(void *cookie, struct node_labels *labels)
{
    const struct label_set *set = node_labels_set(labels);
    const struct str *n = set ? label_set_find(set, STR("n"), label_hash(STR("n"))) : NULL;
    char text[16] = "-1";
    (void)cookie;
    if (n)
        snprintf(text, sizeof(text), "%.*s", STR_FMT(*n));
    latest = atoi(text);
    node_labels_unref(labels);
}

static void await_latest(int expected)
{
    for (int waited = 0; latest != expected; waited++) {
        if (waited == PATIENCE_MS) {
            fprintf(stderr, "never seen: n=%d\n", expected);
            exit(1);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void run_round(struct api *api, const struct kubernetes_options *options, int round)
{
    struct kubernetes *kubernetes = NULL;
    struct err err = {0};
    if (kubernetes_start(options, on_changed, NULL, &kubernetes, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    for (int i = 1; i <= CHANGES; i++) {
        char labels[32];
        int n = round * CHANGES + i;
        snprintf(labels, sizeof(labels), "n=%d", n);
        api_set_labels(api, labels);
        if (i == CHANGES / 2)
            api_cut_watches(api);
        if (i % 10 == 0)
            await_latest(n);
        (void)kubernetes_seen(kubernetes);
    }
    kubernetes_stop(kubernetes);
}

int main(void)
{
    char dir[] = "/tmp/crigate-kubernetes-XXXXXX", cache[64], command[64];
    if (!mkdtemp(dir))
        return 1;
    snprintf(cache, sizeof(cache), "%s/labels.json", dir);
    struct api *api = api_start(dir, "lab");
    struct kubernetes_options options = {
        .kubeconfig = api_write_kubeconfig(api, API_FILES), .node = "lab", .cache = cache};
    for (int round = 0; round < ROUNDS; round++)
        run_round(api, &options, round);
    api_stop(api);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command) ? 1 : 0;
}
