/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to a syslog receiver over plain TCP: RFC 5424 messages, each with its length in front
 * (RFC 6587, 3.4.1). One thread; blocks, but never for longer than SYSLOG_PATIENCE_S without
 * progress.
 */
#ifndef CRIGATE_CLI_AUDIT_SYSLOG_H
#define CRIGATE_CLI_AUDIT_SYSLOG_H

#include "audit/record.h"
#include "audit/record_scan.h"

#define SYSLOG_PATIENCE_S 60

struct audit_syslog {
    int fd;                /* -1: not connected */
    const char *address;   /* borrowed: HOST:PORT, or [ADDRESS]:PORT */
    char hostname[256];    /* of this machine, as it stands in the header */
    char frame[16 * 1024]; /* room for a header and RECORD_MAX bytes */
};

/* Whether `address` has the form. */
bool audit_syslog_is_address(const char *address) MUST_CHECK;

/* Connects to the first of the host's addresses that answers. -1: none does, with the last one's
 * reason. */
int audit_syslog_open(struct audit_syslog *syslog, const char *address, struct err *err) MUST_CHECK;

/* Sends one line, without its newline. Success means that the kernel has it all; syslog over TCP
 * has no answer that would tell more. */
int audit_syslog_send(struct audit_syslog *syslog, struct str line, const struct record_scan *scan,
                      struct err *err) MUST_CHECK;

/* Says that this was all, and waits until the receiver has read it and closes its side too. -1: it
 * did not, so that the last records may be lost. Closes in either case. */
int audit_syslog_finish(struct audit_syslog *syslog, struct err *err) MUST_CHECK;

/* Safe on a closed one. */
void audit_syslog_close(struct audit_syslog *syslog);

#endif
