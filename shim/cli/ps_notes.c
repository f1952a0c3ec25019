/* SPDX-License-Identifier: Apache-2.0 */
/* What a person should know about the table of `crigate ps`, printed below it. */
#include "base/utf8.h"
#include "cli/ps_text.h"

#define SENTENCE_SIZE ((size_t)4096)
#define KINDS_MAX ((size_t)10) /* different reasons told; JSON has all of them */
#define SECOND INT64_C(1000000000)

/* Sentences, each told once. */
struct notes {
    FILE *out;
    char told[KINDS_MAX][SENTENCE_SIZE];
    size_t count, dropped;
};

static void tell_once(struct notes *notes, const char *sentence)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->told[i], sentence) == 0)
            return;
    }
    if (notes->count == KINDS_MAX) {
        notes->dropped++;
        return;
    }
    strcpy(notes->told[notes->count++], sentence);
    fprintf(notes->out, "%s\n", sentence);
}

static void write_trouble(struct writer *writer, const struct queried_sandbox *sandbox)
{
    writer_text(writer, "? ");
    writer_short(writer, sandbox->facts.pod.namespace);
    writer_text(writer, "/");
    writer_short(writer, sandbox->facts.pod.name);
    writer_text(writer, ": containerd did not tell its namespaces: ");
    writer_short(writer, sandbox->trouble);
}

/* Without the pod, so that pods that drift alike make one sentence. */
static void write_drift(struct writer *writer, const struct ps_report *report,
                        const struct judged_sandbox *judged)
{
    const struct sandbox_facts *facts = &judged->sandbox->facts;
    char reason[SENTENCE_SIZE / 2];
    writer_text(writer, "DRIFT: runs under ");
    writer_short(writer, facts->handler.len ? facts->handler : STR("(default)"));
    writer_text(writer, "; policy says ");
    ps_write_says(writer, judged);
    if (verdict_explain(report->survey->policy, &facts->pod, &judged->verdict, reason,
                        sizeof(reason))) {
        writer_text(writer, ": ");
        writer_text(writer, reason);
    }
}

static int print_reasons(const struct ps_report *report, FILE *out)
{
    OWNED_MEM struct notes *notes = calloc(1, sizeof(*notes));
    if (!notes)
        return -1;
    notes->out = out;
    for (size_t i = 0; i < report->survey->count; i++) {
        const struct judged_sandbox *judged = &report->survey->items[i];
        char sentence[SENTENCE_SIZE];
        struct writer writer = writer_make(sentence, sizeof(sentence));
        if (judged->standing == STANDING_DRIFT)
            write_drift(&writer, report, judged);
        else if (judged->sandbox->trouble.len)
            write_trouble(&writer, judged->sandbox);
        else
            continue;
        tell_once(notes, sentence);
    }
    if (notes->dropped)
        fprintf(out, "There are more reasons than these; --output json has them all.\n");
    return 0;
}

static void print_defaults(const struct ps_report *report, FILE *out)
{
    const struct policy_runtime *runtime = policy_resolve(report->survey->policy, STR(""));
    bool any = false;
    for (size_t i = 0; i < report->survey->count && !any; i++)
        any = report->survey->items[i].sandbox->facts.handler.len == 0;
    if (!any || !runtime)
        return;
    char name[SENTENCE_SIZE];
    struct writer writer = writer_make(name, sizeof(name));
    writer_short(&writer, runtime->handler);
    fprintf(out,
            "(default): it came without a runtime's name, so containerd's own default runs it, "
            "%s %s.\n",
            runtime->isolation == ISOLATION_HOST_KERNEL
                ? "which the policy takes for"
                : "and whether that is a sandbox is not known; the policy's default is",
            name);
}

static void print_labels(const struct ps_report *report, FILE *out)
{
    bool matter = false;
    for (size_t i = 0; i < report->survey->count && !matter; i++)
        matter = report->survey->items[i].has_verdict &&
                 report->survey->items[i].verdict.reason == REASON_LABELS_UNKNOWN;
    char text[SENTENCE_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    if (matter) {
        writer_text(&writer, report->labels_trouble);
        fprintf(out,
                "? The policy's choice depends on the node's labels, which are not known: %s.\n",
                text);
        return;
    }
    struct node_labels_origin origin = node_labels_origin(report->survey->labels);
    if (!node_labels_set(report->survey->labels) || strcmp(origin.source, "cache") != 0)
        return;
    ps_format_age(origin.seen * SECOND, report->now, text, sizeof(text));
    fprintf(out, "Judged by the node's labels as the API server told them %s ago.\n", text);
}

static void print_policy(const struct ps_report *report, FILE *out)
{
    if (policy_mode(report->survey->policy) != POLICY_OBSERVE)
        return;
    char name[SENTENCE_SIZE];
    struct writer writer = writer_make(name, sizeof(name));
    writer_short(&writer, policy_name(report->survey->policy));
    fprintf(out, "The policy %s only observes: enforced, it would do what is shown here.\n", name);
}

static void print_tally(const struct survey_tally *tally, const struct table_look *look, FILE *out)
{
    enum table_style style = tally->drifted ? TABLE_RED : TABLE_PLAIN;
    fprintf(out, "%zu sandbox%s: %zu sandboxed, %zu on the host kernel, ", tally->ready,
            tally->ready == 1 ? "" : "es", tally->sandboxed, tally->host_kernel);
    if (tally->unknown_isolation)
        fprintf(out, "%zu of unknown isolation, ", tally->unknown_isolation);
    fputs(table_style_begin(look, style), out);
    if (tally->drifted)
        fprintf(out, "%zu drift%s", tally->drifted, tally->drifted == 1 ? "s" : "");
    else
        fputs("none drifts", out);
    fputs(table_style_end(look, style), out);
    if (tally->unknown)
        fprintf(out, ", %zu cannot be told", tally->unknown);
    if (tally->not_ready)
        fprintf(out, "; %zu more %s not ready", tally->not_ready,
                tally->not_ready == 1 ? "is" : "are");
    fputc('\n', out);
}

/* --- on a terminal, broken between words ---------------------------------------------------- */

static unsigned width_of(const char *word, size_t len)
{
    unsigned width = 0;
    for (size_t at = 0; at < len;) {
        uint32_t point = 0;
        size_t step = utf8_decode((struct str){.data = word + at, .len = len - at}, &point);
        width += step ? utf8_width(point) : 1;
        at += step ? step : 1;
    }
    return width;
}

static void print_folded(const char *text, unsigned limit, FILE *out)
{
    unsigned used = 0;
    while (*text) {
        size_t len = strcspn(text, " \n");
        unsigned width = width_of(text, len);
        if (used && used + 1 + width > limit) {
            fputc('\n', out);
            used = 0;
        }
        if (used)
            fputc(' ', out);
        fwrite(text, 1, len, out);
        used += width + (used ? 1 : 0);
        text += len;
        if (*text == '\n') {
            fputc('\n', out);
            used = 0;
        }
        text += *text ? 1 : 0;
    }
}

static int print_sentences(const struct ps_report *report, FILE *out)
{
    if (print_reasons(report, out) < 0)
        return -1;
    print_labels(report, out);
    print_defaults(report, out);
    print_policy(report, out);
    if (report->survey->tally.drifted && policy_mode(report->survey->policy) != POLICY_OBSERVE)
        fprintf(out, "A running pod keeps its runtime: delete it, and what replaces it follows the "
                     "policy.\n");
    return 0;
}

int ps_notes_print(const struct ps_report *report, const struct table_look *look, FILE *out)
{
    char *buffer = NULL;
    size_t size;
    FILE *sentences = open_memstream(&buffer, &size);
    if (!sentences)
        return -1;
    int printed = print_sentences(report, sentences);
    int closed = fclose(sentences);
    OWNED_MEM char *text = buffer;
    if (printed < 0 || closed != 0)
        return -1;
    print_folded(text, look->width ? look->width : UINT32_MAX / 2, out);
    print_tally(&report->survey->tally, look, out);
    return 0;
}
