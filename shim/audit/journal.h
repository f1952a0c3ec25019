/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systemd journal as a second sink: one datagram a record, in journald's native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL), with priority crit, which journald syncs to disk at once.
 * sd_journal_sendv() is not used: it returns success when there is no journald. One thread.
 */
#ifndef CRIGATE_AUDIT_JOURNAL_H
#define CRIGATE_AUDIT_JOURNAL_H

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

struct audit_journal {
    const char *path; /* of journald's socket, borrowed; NULL: there is no such sink */
    int fd;           /* -1: not open */
};

/* Sends one line, with or without its newline, as MESSAGE, SYSLOG_IDENTIFIER=crigate-audit. Waits
 * at most a second for a journald whose queue is full. -1: journald did not take it. */
int audit_journal_send(struct audit_journal *journal, struct str line, struct err *err) MUST_CHECK;

/* Safe on a closed one. */
void audit_journal_close(struct audit_journal *journal);

#endif
