/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of the audit log: each line is scanned, held against the chain and converted;
 * what comes out is clean, whatever went in. */
#include <stdlib.h>
#include <sys/mman.h>

#include "audit/convert.h"
#include "audit/record_scan.h"
#include "audit/segments.h"
#include "audit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

static void require_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        REQUIRE((unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x7f);
}

static void take_finding(void *cookie, enum verify_kind kind, const char *file, uint64_t line,
                         const char *text)
{
    (void)cookie;
    (void)file;
    (void)line;
    REQUIRE(verify_kind_name(kind));
    REQUIRE(text[0] != '\0');
    require_clean(text, strlen(text));
}

static void require_inside(struct str line, struct str part)
{
    REQUIRE(part.len == 0 ||
            (part.data >= line.data && part.data + part.len <= line.data + line.len));
}

static void scan(struct str line)
{
    struct record_scan found;
    if (!record_scan(line, &found))
        return;
    REQUIRE(found.prev.len == 64 && found.instance.len == 32);
    const struct str parts[] = {found.prev, found.instance, found.type, found.stage, found.time};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        require_inside(line, parts[i]);
}

static void convert(enum audit_format format, struct str line)
{
    char *out;
    size_t length;
    struct err err;
    if (audit_convert(format, line, &out, &length, &err) < 0)
        return;
    REQUIRE(length > 1 && length <= CONVERTED_MAX && out[length - 1] == '\n');
    for (size_t i = 0; i < length - 1; i++)
        REQUIRE((unsigned char)out[i] >= 0x20 && (unsigned char)out[i] < 0x80);
    REQUIRE(strncmp(out, audit_format_start(format), strlen(audit_format_start(format))) == 0);
    free(out);
}

static void read_lines(const char *path)
{
    OWNED(own_segments) struct segments *segments = NULL;
    struct segment_line line;
    struct verify verify = {0};
    struct err err;
    if (segments_open(&path, 1, &segments, &err) < 0 ||
        verify_begin(&verify, take_finding, NULL, NULL, &err) < 0)
        abort();
    int more;
    while ((more = segments_next(segments, &line, &err)) > 0) {
        scan(line.text);
        REQUIRE(verify_line(&verify, &line, &err) == 0);
        convert(AUDIT_ECS, line.text);
        convert(AUDIT_OCSF, line.text);
    }
    REQUIRE(more == 0);
    verify_finish(&verify);
    verify_end(&verify);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    OWNED_FD int fd = memfd_create("audit.jsonl", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_lines(path);
    return 0;
}
