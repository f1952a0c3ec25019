/* SPDX-License-Identifier: Apache-2.0 */
/* From what a probe printed to the kernel that it ran on. */
#include "cli/verify_kernel.h"

#define BANNER STR("Starting gVisor...") /* pkg/sentry/kernel/syslog.go: the log's first line */
#define BOOT_ID_LEN ((size_t)36)

/* Cuts the first line off `text`; its newline belongs to neither. */
static struct str take_line(struct str *text)
{
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    size_t length = end ? (size_t)(end - text->data) : text->len;
    struct str line = {.data = text->data, .len = length};
    text->data += length + (end != NULL);
    text->len -= length + (end != NULL);
    return line;
}

static bool take_prefix(struct str *text, struct str prefix)
{
    if (!str_starts(*text, prefix))
        return false;
    text->data += prefix.len;
    text->len -= prefix.len;
    return true;
}

/* Cuts off what stands between `open`, with which the line begins, and `close`, with both. */
static void skip_bracket(struct str *line, char open, char close)
{
    const char *end =
        line->len && line->data[0] == open ? memchr(line->data, close, line->len) : NULL;
    if (end) {
        size_t length = (size_t)(end + 1 - line->data);
        line->data += length;
        line->len -= length;
    }
}

/* A line of a kernel's log: "<LEVEL>[   TIME] TEXT"; dmesg leaves the level out. */
static bool is_banner(struct str line)
{
    skip_bracket(&line, '<', '>');
    skip_bracket(&line, '[', ']');
    while (take_prefix(&line, STR(" ")))
        continue;
    return str_eq(line, BANNER);
}

static struct str boot_id_or_nothing(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr("0123456789abcdef-", text.data[i]) || text.data[i] == '\0')
            return STR("");
    }
    return text.len == BOOT_ID_LEN ? text : STR("");
}

int kernel_evidence_read(struct str output, struct kernel_evidence *evidence)
{
    struct str boot_id = take_line(&output), version = take_line(&output);
    *evidence = (struct kernel_evidence){.boot_id = STR(""), .version = STR("")};
    if (!take_prefix(&boot_id, STR("boot-id: ")) || !take_prefix(&version, STR("version: ")) ||
        !str_eq(take_line(&output), STR("log:")))
        return -1;
    evidence->boot_id = boot_id_or_nothing(boot_id);
    evidence->version = version;
    while (output.len && !evidence->gvisor)
        evidence->gvisor = is_banner(take_line(&output));
    return 0;
}

/* The boot id goes before all: no text in a log can make the host's kernel another one. A kernel
 * without one that has the host's version may be the host's with the file out of sight. */
enum probe_kernel kernel_evidence_tell(const struct kernel_evidence *evidence,
                                       const struct kernel_evidence *host)
{
    if (evidence->boot_id.len && str_eq(evidence->boot_id, host->boot_id))
        return KERNEL_HOST;
    if (evidence->version.len == 0 || str_eq(evidence->version, host->version))
        return KERNEL_UNKNOWN;
    if (evidence->gvisor)
        return KERNEL_GVISOR;
    return evidence->boot_id.len ? KERNEL_OTHER : KERNEL_UNKNOWN;
}

const char *probe_kernel_name(enum probe_kernel kernel)
{
    static const char *const names[] = {
        [KERNEL_UNKNOWN] = "unknown",
        [KERNEL_HOST] = "host",
        [KERNEL_GVISOR] = "gvisor",
        [KERNEL_OTHER] = "other",
    };
    return names[kernel];
}
