/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: records become durable lines of JSON, one object a line. A writer thread appends
 * and fdatasync()s whole groups; a caller that must not go on before its record is durable is told
 * by callback. All functions but the callback belong to one thread (the gate's loop), save
 * audit_record() without a callback, which any thread may call.
 */
#ifndef CRIGATE_AUDIT_AUDIT_H
#define CRIGATE_AUDIT_AUDIT_H

#include "base/err.h"
#include "policy/policy.h"

struct audit;

struct audit_peer {
    uint32_t uid;
    int32_t pid;
};

enum audit_action {
    AUDIT_NO_ACTION,
    AUDIT_ALLOW,
    AUDIT_MODIFY,
    AUDIT_REFUSE,
    AUDIT_WOULD_MODIFY,
    AUDIT_WOULD_REFUSE,
};

/* One label or annotation that a rule matched on. */
struct audit_input {
    enum input_source source;
    struct str key, value;
};

struct audit_observed {
    struct str rule;
    enum audit_action action;
    enum verdict_reason reason;
    struct str handler; /* it would have run under; empty for a refusal */
};

/*
 * What may stand in a record. Empty strings and NULL pointers are left out of the line; everything
 * is borrowed for the length of the call.
 */
struct audit_event {
    const char *type;    /* "pod.decision", "start", "stop", "policy.loaded", "peer.refused",
                            "service.refused" */
    const char *stage;   /* of a decision: "decided", "completed" */
    uint64_t request_id; /* 0: none; the same in both stages of a call */
    const struct audit_peer *peer;
    struct str method;
    const struct pod_facts *pod; /* for its namespace, name, uid and attempt */
    struct str handler_requested, handler_effective;
    bool has_handler; /* handler{} is written even if both are empty */
    enum audit_action action;
    enum verdict_reason reason;
    struct str rule, message;
    const struct audit_input *inputs;
    size_t input_count;
    const struct audit_observed *observed; /* rules of mode observe that matched */
    size_t observed_count;
    const struct policy *policy;
    struct {
        bool given;
        int code; /* gRPC status code; written by its name, such as "PERMISSION_DENIED" */
        struct str sandbox_id;
        uint64_t duration_us;
    } result;
};

/*
 * Opens (or creates, mode 0600) `path` for appending, repairs a torn last line, starts the writer
 * thread. `node` is copied into every record; `instance` is made here: 32 random hex digits that
 * name this run of the daemon. A file that cannot be opened is not an error here: records then fail
 * with the cause, and each later record tries to open it again. Fails when there is no thread or no
 * memory.
 */
int audit_open(const char *path, struct str node, struct audit **audit, struct err *err) MUST_CHECK;

/* Told on the writer thread, exactly once for each record it was given for: `error` is NULL when
 * the record is durable, else the cause, valid for the call. It must not block. */
typedef void audit_done_fn(void *cookie, const struct err *error);

/*
 * Hands over one record; it gets the next `seq`. With `done` NULL nobody waits: a failure is
 * counted and logged once. Returns -1, and never calls `done`, when memory is out or the queue is
 * full (8 MiB of lines not yet written).
 */
int audit_record(struct audit *audit, const struct audit_event *event, audit_done_fn *done,
                 void *cookie, struct err *err);

/* Writes what is queued, stops the thread, closes. NULL is allowed. */
void audit_close(struct audit *audit);
DEFINE_OWNED(own_audit, struct audit, audit_close)

#endif
