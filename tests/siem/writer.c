/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an audit log as the gate does, by the gate's own writer: `siem-writer FILE MAX_SIZE`. Each
 * line of standard input is a number of records to write; "done" is answered when all of them are
 * durable. The log is rotated at MAX_SIZE bytes.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/audit.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_done = PTHREAD_COND_INITIALIZER;
static unsigned long waiting, failures;

static void note(void *cookie, const struct err *error)
{
    (void)cookie;
    pthread_mutex_lock(&lock);
    failures += error != NULL;
    if (--waiting == 0)
        pthread_cond_signal(&all_done);
    pthread_mutex_unlock(&lock);
}

static void wait_until_done(void)
{
    pthread_mutex_lock(&lock);
    while (waiting)
        pthread_cond_wait(&all_done, &lock);
    pthread_mutex_unlock(&lock);
}

/* What a pod that a rule moves to gVisor leaves. */
static void fill(struct audit_event *event, uint64_t request)
{
    static const struct audit_peer peer = {.uid = 0, .pid = 812};
    static const struct pod_facts pod = {
        .namespace = STR("agents"),
        .name = STR("warm-pool-python-6c9f7d9b5-x2x7k"),
        .uid = STR("0a51b1f4-6f3d-4a0e-9c55-1de2b7f3a001"),
    };
    static const struct audit_input inputs[] = {
        {INPUT_POD_LABEL, STR("agenttier.io/managed"), STR("true")},
        {INPUT_NODE_LABEL, STR("agenttier.io/runtime"), STR("gvisor")},
    };
    *event = (struct audit_event){
        .type = "pod.decision",
        .stage = "decided",
        .request_id = request,
        .peer = &peer,
        .method = STR("/runtime.v1.RuntimeService/RunPodSandbox"),
        .pod = &pod,
        .has_handler = true,
        .handler_effective = STR("runsc"),
        .action = AUDIT_MODIFY,
        .reason = REASON_RULE,
        .rule = STR("agents-in-gvisor"),
        .inputs = inputs,
        .input_count = 2,
    };
}

static int write_records(struct audit *audit, unsigned long count)
{
    static uint64_t request;
    struct err err;
    pthread_mutex_lock(&lock);
    waiting = count;
    pthread_mutex_unlock(&lock);
    for (unsigned long i = 0; i < count; i++) {
        struct audit_event event;
        fill(&event, ++request);
        if (audit_record(audit, &event, note, NULL, &err) != AUDIT_QUEUED) {
            fprintf(stderr, "siem-writer: record %" PRIu64 " was not taken\n", request);
            return -1;
        }
    }
    wait_until_done();
    return failures ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct err err;
    char line[32];
    int result = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: siem-writer FILE MAX_SIZE\n");
        return 2;
    }
    struct audit_options options = {
        .path = argv[1],
        .node = STR("node-1"),
        .owner = (uid_t)-1,
        .group = (gid_t)-1,
        .max_size = strtoull(argv[2], NULL, 10),
    };
    OWNED(own_audit) struct audit *audit = NULL;
    if (audit_open(&options, &audit, &err) < 0) {
        fprintf(stderr, "siem-writer: %s\n", err.text);
        return 1;
    }
    while (result == 0 && fgets(line, sizeof(line), stdin)) {
        unsigned long count = strtoul(line, NULL, 10);
        if (count)
            result = write_records(audit, count);
        if (result == 0)
            puts("done");
        fflush(stdout);
    }
    return result < 0;
}
