/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a chain of lines, and says where it breaks. */
#include "audit/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdarg.h>

#include "audit/record_scan.h"
#include "base/writer.h"

#define NAME_SIZE ((size_t)1280) /* what writer_short() takes, all of it escaped */
#define TEXT_SIZE (2 * NAME_SIZE + 512)

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
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    verify->found(verify->cookie, kind, line->file, line->number, text);
}

/* A name of a file, which is foreign, as it can be shown. */
static const char *clean(struct str name, char text[NAME_SIZE])
{
    struct writer writer = writer_make(text, NAME_SIZE);
    writer_short(&writer, name);
    return text;
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

/* The one line between this record and the last one that could be read is the one in between by
 * number too: it was altered where it stands, and has been told. */
static bool stands_behind_altered(const struct verify *verify, const struct record_scan *scan)
{
    return verify->unread == 1 && str_eq(scan->instance, str_of(verify->instance)) &&
           scan->seq == verify->seq + 2;
}

/* Whether the name of a file in a record is that of the file that was read; compressing it since
 * then has not made it another. */
static bool is_same_file(struct str name, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str read = str_of(slash ? slash + 1 : path);
    struct str suffix = STR(".gz");
    if (str_eq(name, read))
        return true;
    return read.len == name.len + suffix.len && str_starts(read, name) &&
           strcmp(read.data + name.len, suffix.data) == 0;
}

/* The file that should have come before the one that begins here: true, and told, if it is not the
 * one that did. */
static bool tell_missing_file(const struct verify *verify, const struct segment_line *line,
                              const struct record_scan *scan, const char *last)
{
    if (!str_eq(scan->type, STR("segment.open")))
        return false;
    json_t *root = json_loadb(line->text.data, line->text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *previous = json_object_get(root, "previousFile");
    struct str name = {.data = json_string_value(previous), .len = json_string_length(previous)};
    bool missing = name.len > 0 && !is_same_file(name, verify->last.file);
    if (missing) {
        char text[NAME_SIZE];
        tell(verify, line, VERIFY_BROKEN_LINK,
             "follows the file %s, not %s:%" PRIu64 ": that file is missing, or what came after it",
             clean(name, text), last, verify->last.line);
    }
    json_decref(root);
    return missing;
}

static void tell_broken_link(const struct verify *verify, const struct segment_line *line,
                             const struct record_scan *scan)
{
    char last[NAME_SIZE], older[NAME_SIZE];
    clean(str_of(verify->last.file), last);
    if (verify->older.line && str_eq(scan->prev, str_of(verify->older_head)))
        tell(verify, line, VERIFY_BROKEN_LINK,
             "follows %s:%" PRIu64 "; %s:%" PRIu64
             " between the two was put in, or is out of place",
             clean(str_of(verify->older.file), older), verify->older.line, last, verify->last.line);
    else if (!tell_missing_file(verify, line, scan, last))
        tell(verify, line, VERIFY_BROKEN_LINK,
             "does not follow the line before it, %s:%" PRIu64
             ": that one was altered, or lines between the two are missing",
             last, verify->last.line);
}

/* Where the journal took the records for a while: what it has begins anew, on a line of the files.
 * Whoever could forge such a line at the end of a file could as well link it to the line before. */
static bool begins_piece(const struct verify *verify, const struct record_scan *scan)
{
    return verify->records > 1 && str_eq(scan->type, STR("audit.degraded")) &&
           !str_eq(scan->prev, str_of(verify->head));
}

static void check_link(struct verify *verify, const struct segment_line *line,
                       const struct record_scan *scan)
{
    if (verify->records == 1) {
        memcpy(verify->first_prev, scan->prev.data, scan->prev.len);
        return;
    }
    if (str_eq(scan->prev, str_of(verify->head)) || stands_behind_altered(verify, scan))
        return;
    if (begins_piece(verify, scan))
        tell(verify, line, VERIFY_NOTE,
             "what the journal took begins anew here: it follows the line of the file with the "
             "hash %.*s",
             STR_FMT(scan->prev));
    else
        tell_broken_link(verify, line, scan);
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
    bool can_tell = (verify->records > 1 && !begins_piece(verify, scan)) ||
                    (verify->records == 1 && !verify->unread &&
                     strcmp(verify->first_prev, RECORD_NO_HASH) == 0);
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
    uint64_t missing = can_tell ? scan->seq - expected : 0;
    settle_gap(verify, line, scan, missing > verify->unread ? missing - verify->unread : 0);
}

static void check_file(struct verify *verify, const struct segment_line *line,
                       const struct record_scan *scan)
{
    if (line->number == 1 && !str_eq(scan->type, STR("segment.open")) &&
        strcmp(line->file, "-") != 0)
        tell(verify, line, VERIFY_NOTE, "the file does not begin with segment.open");
}

/* Longer than a time is: only the beginning. */
static void copy_time(char copy[40], struct str time)
{
    size_t length = time.len < 39 ? time.len : 39;
    memcpy(copy, time.data, length);
    copy[length] = '\0';
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
        copy_time(verify->first_time, scan->time);
    copy_time(verify->last_time, scan->time);
    verify->unread = 0;
}

/* Whether it is a record; if not, that is told. */
static bool scan_line(const struct verify *verify, const struct segment_line *line,
                      struct record_scan *scan)
{
    if (line->torn)
        tell(verify, line, VERIFY_TORN,
             "torn: no newline at its end, unless the gate is writing it right now");
    else if (line->too_long)
        tell(verify, line, VERIFY_NOT_A_RECORD, "no record: longer than %zu bytes", RECORD_MAX);
    else if (record_scan(line->text, scan))
        return true;
    else
        tell(verify, line, VERIFY_NOT_A_RECORD,
             "no record: altered, or it was never one of this log");
    return false;
}

int verify_line(struct verify *verify, const struct segment_line *line, struct err *err)
{
    struct record_scan scan;
    verify->files += line->number == 1;
    if (scan_line(verify, line, &scan))
        check_record(verify, line, &scan);
    else
        verify->unread++;
    verify->older = verify->last;
    verify->last = (struct verify_place){.file = line->file, .line = line->number};
    memcpy(verify->older_head, verify->head, sizeof(verify->head));
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
