/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a chain of lines, and says where it breaks. */
#include "audit/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdarg.h>

#include "audit/record_scan.h"

const char *verify_kind_name(enum verify_kind kind)
{
    static const char *const names[] = {
        [VERIFY_NOTE] = "note",
        [VERIFY_TORN] = "torn",
        [VERIFY_NOT_A_RECORD] = "notARecord",
        [VERIFY_BROKEN_LINK] = "brokenLink",
        [VERIFY_GAP] = "gap",
        [VERIFY_LOST] = "lost",
    };
    return names[kind];
}

int verify_begin(struct verify *verify, verify_found_fn *found, void *cookie, const char *anchor,
                 struct err *err)
{
    *verify = (struct verify){.found = found, .cookie = cookie, .anchor = anchor};
    verify->hash = EVP_MD_CTX_new();
    verify->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!verify->hash || !verify->sha256)
        return err_set(err, "SHA-256 cannot be computed");
    return 0;
}

void verify_end(struct verify *verify)
{
    EVP_MD_free(verify->sha256);
    EVP_MD_CTX_free(verify->hash);
}

/* --- words --------------------------------------------------------------------------------- */

static void tell(const struct verify *verify, const struct segment_line *line,
                 enum verify_kind kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(const struct verify *verify, const struct segment_line *line,
                 enum verify_kind kind, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    verify->found(verify->cookie, kind, line->file, line->number, text);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* --- one line ------------------------------------------------------------------------------ */

/* The hash of the line with its newline, which a torn one never had. */
static int hash_line(struct verify *verify, const struct segment_line *line, struct err *err)
{
    unsigned char digest[32];
    static const char digits[] = "0123456789abcdef";
    if (!EVP_DigestInit_ex2(verify->hash, verify->sha256, NULL) ||
        !EVP_DigestUpdate(verify->hash, line->text.data, line->text.len) ||
        !EVP_DigestUpdate(verify->hash, "\n", line->torn ? 0 : 1) ||
        !EVP_DigestFinal_ex(verify->hash, digest, NULL))
        return err_set(err, "SHA-256 cannot be computed");
    for (size_t i = 0; i < sizeof(digest); i++) {
        verify->head[2 * i] = digits[digest[i] >> 4];
        verify->head[2 * i + 1] = digits[digest[i] & 15];
    }
    return 0;
}

static void check_link(struct verify *verify, const struct segment_line *line,
                       const struct record_scan *scan)
{
    if (verify->line == 0) {
        memcpy(verify->first_prev, scan->prev.data, scan->prev.len);
        return;
    }
    if (str_eq(scan->prev, str_of(verify->head)))
        return;
    tell(verify, line, VERIFY_BROKEN_LINK,
         "does not follow the line before it, %s:%" PRIu64
         ": that one was altered, or lines between the two are missing",
         verify->file, verify->line);
}

/* What a record says of the log itself; jansson reads what is rare. */
static void read_self(struct verify *verify, const struct segment_line *line,
                      const struct record_scan *scan)
{
    bool recovered = str_eq(scan->type, STR("audit.recovered"));
    if (!recovered && !str_eq(scan->type, STR("audit.repaired")))
        return;
    json_t *root = json_loadb(line->text.data, line->text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *audit = json_object_get(root, "audit");
    json_int_t lost = json_integer_value(json_object_get(audit, "lost"));
    json_int_t in_journal = json_integer_value(json_object_get(audit, "inJournal"));
    if (!recovered) {
        tell(verify, line, VERIFY_NOTE,
             "the gate cut %" JSON_INTEGER_FORMAT " bytes of a torn line when it started",
             json_integer_value(json_object_get(audit, "bytesCut")));
    } else if (lost >= 0 && in_journal >= 0) {
        verify->declared = (uint64_t)lost + (uint64_t)in_journal;
        if (in_journal)
            tell(verify, line, VERIFY_NOTE,
                 "%" JSON_INTEGER_FORMAT " record%s before this one went to the systemd journal: "
                 "journalctl -t crigate-audit -o cat",
                 in_journal, plural((uint64_t)in_journal));
        if (lost)
            tell(verify, line, VERIFY_LOST, "%" JSON_INTEGER_FORMAT " record%s lost here", lost,
                 lost == 1 ? " was" : "s were");
    }
    json_decref(root);
}

/* A file that begins after trouble has its first line in front of what explains the gap. */
static bool is_in_front(const struct record_scan *scan)
{
    return str_eq(scan->type, STR("segment.open")) || str_eq(scan->type, STR("audit.repaired"));
}

static void tell_gap(struct verify *verify, const struct segment_line *line, uint64_t missing,
                     uint64_t seq)
{
    tell(verify, line, VERIFY_GAP, "%" PRIu64 " record%s missing before seq %" PRIu64, missing,
         missing == 1 ? " is" : "s are", seq);
}

/* The gap before the line at hand, and one that waits for its explanation. */
static void settle_gap(struct verify *verify, const struct segment_line *line,
                       const struct record_scan *scan, uint64_t missing)
{
    verify->gap.missing += missing;
    if (missing && is_in_front(scan)) {
        verify->gap.line = *line;
        verify->gap.seq = scan->seq;
    }
    if (verify->gap.missing == 0 || is_in_front(scan))
        return;
    if (verify->gap.missing > verify->declared) {
        bool waited = verify->gap.seq != 0;
        tell_gap(verify, waited ? &verify->gap.line : line, verify->gap.missing - verify->declared,
                 waited ? verify->gap.seq : scan->seq);
    }
    memset(&verify->gap, 0, sizeof(verify->gap));
}

static void check_seq(struct verify *verify, const struct segment_line *line,
                      const struct record_scan *scan)
{
    bool same = str_eq(scan->instance, str_of(verify->instance));
    uint64_t expected = same ? verify->seq + 1 : 1;
    bool can_tell = same || verify->line > 0;
    if (!same) {
        memcpy(verify->instance, scan->instance.data, scan->instance.len);
        verify->starts++;
    }
    verify->seq = scan->seq;
    if (can_tell && scan->seq < expected) {
        tell(verify, line, VERIFY_GAP,
             "seq %" PRIu64 " where %" PRIu64 " is expected: out of place", scan->seq, expected);
        return;
    }
    settle_gap(verify, line, scan, can_tell ? scan->seq - expected : 0);
}

static void check_file(struct verify *verify, const struct segment_line *line,
                       const struct record_scan *scan)
{
    if (line->number != 1)
        return;
    verify->files++;
    if (!str_eq(scan->type, STR("segment.open")) && strcmp(line->file, "-") != 0)
        tell(verify, line, VERIFY_NOTE, "the file does not begin with segment.open");
}

static void check_record(struct verify *verify, const struct segment_line *line,
                         const struct record_scan *scan)
{
    verify->records++;
    verify->declared = 0;
    check_file(verify, line, scan);
    check_link(verify, line, scan);
    read_self(verify, line, scan);
    check_seq(verify, line, scan);
    if (!verify->first_time[0])
        snprintf(verify->first_time, sizeof(verify->first_time), "%.*s", STR_FMT(scan->time));
    snprintf(verify->last_time, sizeof(verify->last_time), "%.*s", STR_FMT(scan->time));
}

int verify_line(struct verify *verify, const struct segment_line *line, struct err *err)
{
    struct record_scan scan;
    if (line->torn)
        tell(verify, line, VERIFY_TORN, "torn: no newline at its end");
    else if (line->too_long)
        tell(verify, line, VERIFY_NOT_A_RECORD, "no record: longer than %zu bytes", RECORD_MAX);
    else if (!record_scan(line->text, &scan))
        tell(verify, line, VERIFY_NOT_A_RECORD,
             "no record: altered, or it was never one of this log");
    else
        check_record(verify, line, &scan);
    verify->file = line->file;
    verify->line = line->number;
    if (hash_line(verify, line, err) < 0)
        return -1;
    if (verify->anchor && strcmp(verify->head, verify->anchor) == 0) {
        verify->anchor_file = line->file;
        verify->anchor_line = line->number;
    }
    return 0;
}

void verify_finish(struct verify *verify)
{
    if (verify->gap.missing)
        tell_gap(verify, &verify->gap.line, verify->gap.missing, verify->gap.seq);
}
