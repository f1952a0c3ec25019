/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event -> one line of JSON: an object in ASCII, compact, its keys in a fixed order, a newline
 * at its end and none before. audit/text.h tells how strings that are not UTF-8 look. The fields:
 *
 *   v 1 · time · type · stage · seq · instance · requestId · node · peer{uid,pid} · method
 *   pod{namespace,name,uid,attempt} · container{name,attempt,sandboxId}
 *   handler{requested,effective}
 *   decision{action,reason,rule,message,observed[{rule,action,reason,handler}],observedDropped}
 *   inputs{podLabels{},annotations{},nodeLabels{},dropped} · policy{name,sha256,mode}
 *   previous{name,sha256,mode} · error · labels{known,source,ageSeconds}
 *   changes[{key,before,after}] · changesDropped · result{code,sandboxId,containerId,durationUs}
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

#define RECORD_MAX ((size_t)8000) /* bytes a line, newline included */
#define RECORD_START "{\"v\":"    /* how every line begins */

/* What every record of one log has in common. */
struct record_origin {
    struct str node;
    char instance[33];
};

/*
 * Writes the line of `event` to `line`, which has RECORD_MAX bytes; not terminated. Returns its
 * length, or -1 when memory is out. `now` is the time of the hand-over, CLOCK_REALTIME. Any thread.
 */
int record_format(const struct record_origin *origin, uint64_t seq, const struct timespec *now,
                  const struct audit_event *event, char *line, struct err *err) MUST_CHECK;

#endif
