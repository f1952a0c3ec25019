/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: records become durable lines of JSON, one object a line (record.h lists its
 * fields, text.h tells how strange bytes look). A writer thread appends and fdatasync()s whole
 * groups; a caller that must not go on before its record is durable is told by callback. Any thread
 * may hand records over.
 *
 * Every line carries the SHA-256 of the line before it, across files and restarts, so that none can
 * be taken out, altered or slipped in without breaking the chain behind it. `seq` counts the
 * records of one run of the daemon, from 1, in the order of the lines. A record that is lost,
 * wherever, uses up its seq: a gap proves a loss, and how large it is.
 *
 * A second file in the words of a SIEM may follow the first; nobody waits for it.
 *
 * When the file cannot be written, records go to the systemd journal (journal.h). The first record
 * in the file afterwards says since when, and how many the journal got or nobody.
 */
#ifndef CRIGATE_AUDIT_AUDIT_H
#define CRIGATE_AUDIT_AUDIT_H

#include <sys/types.h>
#include <time.h>

#include "audit/convert.h"
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

/* One label of the node that came, went or got another value. */
struct audit_change {
    struct str key;
    struct str before, after;
    bool had, has; /* false: no such label before, or after */
};

struct audit_observed {
    struct str rule;
    enum audit_action action;
    enum verdict_reason reason;
    struct str handler; /* it would have run under; empty for a refusal */
};

/* What the log's own records tell. */
struct audit_self {
    const char *head;         /* of the chain, 64 hex digits; NULL: none is written */
    struct str previous_file; /* of segment.open, its name without directories */
    struct {
        bool given;
        uint64_t uptime_s, records, lost;
    } heartbeat;
    struct {
        bool given;
        uint64_t bytes_cut;    /* of audit.repaired */
        struct timespec since; /* of audit.degraded and audit.recovered; zero: not written */
        struct str sink;       /* that takes the records instead: "journal" */
        uint64_t lost, in_journal;
        const char *journal_head; /* hash of the last line in the journal; NULL: none */
    } audit;
};

/*
 * What may stand in a record. Empty strings and NULL pointers are left out of the line; everything
 * is borrowed for the length of the call. The types, which readers of the log rely on:
 *
 *   start, stop      the daemon; `policy` tells what is in force
 *   policy.loaded    a policy came into force; `previous` is the one that it replaces
 *   policy.rejected  a policy was not taken, `error` says why; `policy` stays in force
 *   node.labels      other labels are in force: `labels` and `changes`
 *   pod.decision     RunPodSandbox or RestorePod, in both stages
 *   container.decision  CreateContainer, in both stages
 *   image.refused    an image call that asks for a runtime handler that is not declared
 *   service.refused  a call to a service that is not CRI
 *   peer.refused     a connection of somebody who may not connect
 *   repeated         refusals equal to one on record that came within the window: how many
 *
 * and those that the log writes of itself:
 *
 *   segment.open     the first line of each file
 *   heartbeat        every minute, with the head of the chain
 *   audit.repaired   the start cut a torn last line
 *   audit.degraded   in the journal: the file cannot be written
 *   audit.recovered  in the file: it can be written again
 */
struct audit_event {
    const char *type;
    const char *stage;   /* of a decision: "decided", "completed" */
    uint64_t request_id; /* 0: none; the same in both stages of a call */
    const struct audit_peer *peer;
    struct str method;
    const struct pod_facts *pod;             /* for its namespace, name, uid and attempt */
    const struct container_facts *container; /* for its name and attempt */
    struct str sandbox_id;                   /* that the container is for */
    struct str handler_requested, handler_effective;
    bool has_handler; /* handler{} is written; "requested" stands in it even when it is empty */
    enum audit_action action;
    enum verdict_reason reason;
    struct str rule, message;
    const struct audit_input *inputs;
    size_t input_count, input_dropped;       /* what matched beyond `inputs` is counted */
    const struct audit_observed *observed;   /* rules of mode observe that matched */
    size_t observed_count, observed_dropped; /* at most DECISION_OBSERVED_MAX; beyond them */
    const struct policy *policy, *previous;
    struct str error;
    struct {
        const char
            *source; /* "file", "kubernetes", "cache", "none"; NULL: no labels{} is written */
        bool known;
        uint64_t age_s; /* since they were last known to be true */
    } labels;
    const struct audit_change *changes;
    size_t change_count;
    struct str version; /* of the daemon that starts */
    struct {
        struct str of; /* the type of the record on record; empty: no repeated{} is written */
        uint64_t count;
        struct timespec first, last; /* CLOCK_REALTIME */
    } repeated;
    struct audit_self self;
    struct {
        bool given;
        int code; /* gRPC status code; written by its name, such as "PERMISSION_DENIED" */
        struct str sandbox_id, container_id;
        uint64_t duration_us;
    } result;
};

struct audit_options {
    const char *path; /* absolute */
    struct str node;  /* copied into every record */
    /* Of the file, and of its directory when it has to be made; -1: as they come. */
    uid_t owner;
    gid_t group;
    uint64_t max_size;        /* bytes a file; 0: no bound */
    uint32_t max_age_s;       /* 0: no bound */
    uint32_t keep;            /* rotated files; older ones are deleted; 0: all are kept */
    uint32_t repeat_window_s; /* 0: each refusal is written whole */
    uint32_t heartbeat_s;     /* 0: none */
    bool continue_on_failure; /* with no sink left, callers go on, and are counted */
    const char *journal;      /* the socket of systemd-journald; NULL: not a sink */
    enum audit_format format; /* of a second file beside this one (second.h); AUDIT_NATIVE: none */
};

/*
 * Opens (or creates, mode 0640) the file for appending, repairs a torn last line, goes on with its
 * chain, starts the writer thread. `instance` is made here: 32 random hex digits that name this run
 * of the daemon. A file that cannot be opened is not an error here: it is logged, records go to the
 * journal, and the file is tried again each second. That is so for all but a regular file, for a
 * symbolic link, and for a file that another process has open as its audit log. Fails when there is
 * no thread or no memory. The strings of `options` are borrowed for the length of the call.
 */
int audit_open(const struct audit_options *options, struct audit **audit,
               struct err *err) MUST_CHECK;

/* Told on the writer thread, exactly once for each record it was given for: `error` is NULL when
 * the caller may go on (the record is durable, or its loss is counted and the settings say to go on
 * all the same), else the cause, valid for the call. It must not block. */
typedef void audit_done_fn(void *cookie, const struct err *error);

enum audit_outcome {
    AUDIT_REFUSED, /* not recorded, and the caller must not go on; `done` is never called */
    AUDIT_QUEUED,  /* `done`, when there is one, will be called */
    AUDIT_COUNTED, /* nothing to wait for, `done` is never called: an equal refusal is on record and
                      this one is counted; or it is lost, counted, and the caller may go on */
};

/*
 * Hands over one record. With `done` NULL nobody waits: the record is written at once, and durable
 * with the next one that is waited for or after a second. A refusal (`action` AUDIT_REFUSE) equal
 * to one on record within the window is only counted, in both stages. Records of a decision are
 * taken until 64 MiB of lines wait for the disk, others until 8 MiB do.
 */
enum audit_outcome audit_record(struct audit *audit, const struct audit_event *event,
                                audit_done_fn *done, void *cookie, struct err *err);

/* How the log fares. */
struct audit_view {
    enum { AUDIT_TO_FILE, AUDIT_TO_JOURNAL, AUDIT_TO_NOBODY } sink; /* of the records now */
    size_t queued;          /* bytes that wait for the disk */
    uint64_t seq;           /* of the last record that is settled */
    uint64_t records, lost; /* of this run */
    char head[65];          /* the SHA-256 of the file's last durable line, in hex */
};

/* Any thread. */
void audit_look(struct audit *audit, struct audit_view *view);

/* The file was renamed (logrotate): its path, and that of the second file, is opened anew. Any
 * thread. */
void audit_reopen(struct audit *audit);

/* Writes what is queued, stops the thread, closes. NULL is allowed. */
void audit_close(struct audit *audit);
DEFINE_OWNED(own_audit, struct audit, audit_close)

#endif
