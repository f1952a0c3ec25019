/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `crigate verify`: a row a declared runtime. */
#include "cli/ps_text.h"
#include "cli/verify_print.h"

#define SAYS_SIZE ((size_t)2048)
#define PROOF_SIZE ((size_t)128)
#define WHY_SIZE (4 * sizeof(((struct err *)0)->text)) /* each byte as \xNN */

enum { RUNTIME, DECLARED, SAYS, RAN, KERNEL, PROOF, VERDICT, COLUMN_COUNT };

static const struct table_column columns[COLUMN_COUNT] = {
    [RUNTIME] = {.title = "RUNTIME"},
    [DECLARED] = {.title = "DECLARED"},
    [SAYS] = {.title = "POLICY SAYS", .least = 14},
    [RAN] = {.title = "RAN UNDER"},
    [KERNEL] = {.title = "KERNEL", .least = 10},
    [PROOF] = {.title = "PROOF", .least = 20},
    [VERDICT] = {.title = "VERDICT"},
};

static int set_finding(struct table *table, size_t row, enum finding finding)
{
    static const struct {
        const char *word;
        enum table_style style;
    } words[] = {
        [FINDING_NOT_PROVEN] = {"NOT PROVEN", TABLE_RED},
        [FINDING_MISMATCH] = {"MISMATCH", TABLE_RED},
        [FINDING_REFUSED] = {"refused", TABLE_YELLOW},
        [FINDING_PROVEN] = {"proven", TABLE_GREEN},
    };
    return table_set(table, row, VERDICT, str_of(words[finding].word), words[finding].style);
}

/* As `crigate ps` words it. */
static int set_says(struct table *table, size_t row, const struct verified *verified)
{
    const struct judged_sandbox judged = {
        .standing = STANDING_SAME, .verdict = verified->verdict, .has_verdict = true};
    char text[SAYS_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    ps_write_says(&writer, &judged);
    return table_set(table, row, SAYS, (struct str){.data = text, .len = writer.used}, TABLE_PLAIN);
}

/* "Linux version 4.4.0 (...) ...": its third word. */
static struct str release(struct str version)
{
    struct str word = version;
    for (int i = 0; i < 2; i++) {
        const char *space = word.len ? memchr(word.data, ' ', word.len) : NULL;
        if (!space)
            return STR("");
        word.len -= (size_t)(space + 1 - word.data);
        word.data = space + 1;
    }
    const char *end = word.len ? memchr(word.data, ' ', word.len) : NULL;
    word.len = end ? (size_t)(end - word.data) : word.len;
    return word;
}

static int set_kernel(struct table *table, size_t row, const struct verified *verified)
{
    static const char *const words[] = {
        [KERNEL_UNKNOWN] = "?",
        [KERNEL_HOST] = "the host's",
        [KERNEL_GVISOR] = "gVisor",
        [KERNEL_OTHER] = "another",
    };
    char text[SAYS_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    if (verified->probe.end != PROBE_ANSWERED)
        return 0;
    writer_text(&writer, words[verified->kernel]);
    writer_text(&writer, " ");
    writer_short(&writer, release(verified->evidence.version));
    return table_set(table, row, KERNEL, (struct str){.data = text, .len = writer.used},
                     TABLE_PLAIN);
}

static int set_row(struct table *table, size_t row, const struct verified *verified)
{
    bool is_sandbox = verified->declared->isolation == ISOLATION_SANDBOX;
    char proof[PROOF_SIZE];
    verified_proof(verified, proof, sizeof(proof));
    if (table_set(table, row, RUNTIME, verified->declared->handler, TABLE_PLAIN) < 0 ||
        table_set(table, row, DECLARED, is_sandbox ? STR("sandbox") : STR("host kernel"),
                  TABLE_PLAIN) < 0 ||
        set_says(table, row, verified) < 0 ||
        table_set(table, row, RAN, verified->probe.handler, TABLE_PLAIN) < 0 ||
        set_kernel(table, row, verified) < 0 ||
        table_set(table, row, PROOF, str_of(proof), TABLE_PLAIN) < 0)
        return -1;
    return set_finding(table, row, verified->finding);
}

static void print_foreign(struct str text, FILE *out)
{
    char clean[WHY_SIZE];
    struct writer writer = writer_make(clean, sizeof(clean));
    writer_str(&writer, text);
    fputs(clean, out);
}

static void print_notes(const struct verify_report *report, FILE *out)
{
    bool any = false;
    for (size_t i = 0; i < report->count; i++) {
        const struct verified *verified = &report->items[i];
        any |= verified->finding == FINDING_PROVEN;
        if (verified->finding == FINDING_PROVEN)
            continue;
        print_foreign(verified->declared->handler, out);
        fputs(verified->finding == FINDING_REFUSED ? ": refused: " : ": ", out);
        print_foreign(str_of(verified->why.text), out);
        fputc('\n', out);
    }
    if (report->labels_trouble[0]) {
        fputs("the node's labels are not known: ", out);
        print_foreign(str_of(report->labels_trouble), out);
        fputc('\n', out);
    }
    if (policy_mode(report->policy) == POLICY_OBSERVE)
        fputs("the policy only observes: each pod runs under the runtime that it asks for\n", out);
    if (!any)
        fputs("no runtime is proven\n", out);
}

int verify_report_print(const struct verify_report *report, const struct table_look *look,
                        FILE *out)
{
    OWNED(table_free) struct table table = {0};
    if (table_make(columns, COLUMN_COUNT, report->count, &table) < 0)
        return -1;
    for (size_t row = 0; row < report->count; row++) {
        if (set_row(&table, row, &report->items[row]) < 0)
            return -1;
    }
    table_print(&table, look, out);
    print_notes(report, out);
    return 0;
}
