/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event -> one line of JSON: an object in ASCII, compact, its keys in a fixed order, a newline
 * at its end and none before. audit/text.h tells how strings that are not UTF-8 look. The fields:
 *
 *   v 1 · seq · prev · instance · type · stage · time · requestId · node · version
 *   peer{uid,pid} · method
 *   pod{namespace,name,uid,attempt} · container{name,attempt,sandboxId}
 *   handler{requested,effective}
 *   decision{action,reason,rule,message,observed[{rule,action,reason,handler}],observedDropped}
 *   inputs{podLabels{},annotations{},nodeLabels{},dropped} · policy{name,sha256,mode}
 *   previous{name,sha256,mode} · error · labels{known,source,ageSeconds}
 *   changes[{key,before,after}] · changesDropped
 *   repeated{of,count,firstTime,lastTime} · head · previousFile
 *   heartbeat{uptimeSeconds,records,lost}
 *   audit{bytesCut,since,sink,lost,inJournal,journalHead}
 *   result{code,sandboxId,containerId,durationUs}
 *
 * The line has two parts. The body is made where the event happens. The head, `{"v":1,"seq":N,
 * "prev":"HASH",`, is put in front when the line is written, since it depends on the line before
 * it: `prev` is the SHA-256 of that line with its newline, so that `tail -n 1 FILE | sha256sum` is
 * what the next line will carry.
 *
 * A line is at most RECORD_MAX bytes, whatever comes in, because stock log shippers break longer
 * ones. When it would be longer, the longest strings are cut first, step by step, down to 256
 * bytes each; Kubernetes' own names are shorter, so pod and rule stay whole. Only then inputs are
 * left out, and `inputs.dropped` counts them; changes are left out alike. `before` or `after` is
 * null where there is no such label.
 */
#ifndef CRIGATE_AUDIT_RECORD_H
#define CRIGATE_AUDIT_RECORD_H

#include <time.h>

#include "audit/audit.h"

#define RECORD_MAX ((size_t)8000)        /* bytes a line, newline included */
#define RECORD_START "{\"v\":1,\"seq\":" /* how every line begins */
#define RECORD_HASH_SIZE 65              /* 64 lower-case hex digits and a NUL */
#define RECORD_NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* `{"v":1,"seq":18446744073709551615,"prev":"…64…",` and a NUL fit. */
#define RECORD_HEAD_MAX ((size_t)112)
#define RECORD_BODY_MAX (RECORD_MAX - RECORD_HEAD_MAX)

/* What every record of one log has in common. */
struct record_origin {
    struct str node;
    char instance[33];
};

/*
 * Writes the body of `event`, newline at its end, to `body`, which has RECORD_BODY_MAX bytes; not
 * terminated. Returns its length, or -1 when memory is out. `now` is the time of the hand-over,
 * CLOCK_REALTIME. Any thread.
 */
int record_body(const struct record_origin *origin, const struct timespec *now,
                const struct audit_event *event, char *body, struct err *err) MUST_CHECK;

/* Writes the head, terminated; returns its length without the NUL. */
size_t record_head(uint64_t seq, const char prev[RECORD_HASH_SIZE], char head[RECORD_HEAD_MAX]);

#endif
