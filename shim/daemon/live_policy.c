/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of the policy file to a message for the loop: a policy to put in force, or why
 * there is none. */
#include "daemon/live_policy.h"

#include <time.h>

#include "base/say.h"
#include "base/writer.h"
#include "config/policy_file.h"

/* What the loop is told. Each has a message of its own: one may wait while the next is made. */
struct news {
    struct loop_op op;
    struct live_policy *live;
    struct policy *policy; /* NULL: the one in force stays */
    struct err error;      /* then: why; empty: the file holds it again */
};

/* As "NAME SHA8", the way refusals name a policy. */
struct policy_label {
    char text[512];
};

static struct policy_label label_of(const struct policy *policy)
{
    struct policy_label label;
    struct writer out = writer_make(label.text, sizeof(label.text));
    writer_short(&out, policy_name(policy));
    writer_text(&out, " ");
    writer_str(&out, (struct str){policy_sha256(policy), 8});
    return label;
}

/* --- on the loop --------------------------------------------------------------------------- */

static void set_error(struct live_policy_view *view, const char *error)
{
    free(view->error);
    view->error = error ? strdup(error) : NULL;
}

static void put_in_force(struct live_policy *live, struct policy *policy)
{
    struct gate *gate = live->gate;
    OWNED(own_policy) struct policy *previous = gate->policy;
    struct audit_event event = {.type = "policy.loaded", .policy = policy, .previous = previous};
    audit_record(gate->audit, &event, NULL, NULL, NULL);
    gate->policy = policy;
    live->view.generation++;
    live->view.since = time(NULL);
    set_error(&live->view, NULL);
    say_field("CRIGATE_EVENT=policy-taken");
    say_field("CRIGATE_POLICY=%s", label_of(policy).text);
    say_info("policy %s is in force, in place of %s", label_of(policy).text,
             label_of(previous).text);
}

static void tell_refused(struct live_policy *live, const struct err *error)
{
    const struct gate *gate = live->gate;
    struct audit_event event = {
        .type = "policy.rejected", .policy = gate->policy, .error = str_of(error->text)};
    audit_record(gate->audit, &event, NULL, NULL, NULL);
    live->view.rejections++;
    set_error(&live->view, error->text);
    say_field("CRIGATE_EVENT=policy-rejected");
    say_field("CRIGATE_POLICY=%s", label_of(gate->policy).text);
    say_error("policy not taken: %s; policy %s stays in force", error->text,
              label_of(gate->policy).text);
}

static void on_news(struct loop_op *op, bool ok)
{
    OWNED_MEM struct news *news = container_of(op, struct news, op);
    (void)ok;
    if (news->policy)
        put_in_force(news->live, news->policy);
    else if (news->error.text[0])
        tell_refused(news->live, &news->error);
    else
        set_error(&news->live->view, NULL);
}

/* --- on the thread that looks -------------------------------------------------------------- */

static struct news *make_news(struct live_policy *live)
{
    struct news *news = calloc(1, sizeof(*news));
    if (!news) {
        say_error("policy %s: memory is out", live->source.path);
        return NULL;
    }
    *news = (struct news){.op = {.done = on_news}, .live = live};
    return news;
}

static void refuse(struct live_policy *live, const struct err *error)
{
    live->refused = true;
    struct news *news = make_news(live);
    if (!news)
        return;
    news->error = *error;
    loop_post(live->gate->loop, &news->op);
}

/* Takes over `policy`. */
static void take(struct live_policy *live, struct policy *policy)
{
    OWNED(own_policy) struct policy *taken = policy;
    struct news *news = make_news(live);
    if (!news) {
        source_forget(&live->source);
        return;
    }
    live->refused = false;
    policy_unref(live->newest);
    live->newest = policy_ref(taken);
    news->policy = steal_ptr(&taken);
    loop_post(live->gate->loop, &news->op);
}

/* As a compiler would, in one piece: other threads log, too. */
static void print_findings(const struct diags *diags)
{
    OWNED_MEM char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return;
    diags_print(diags, out);
    if (fclose(out) == 0)
        fwrite(text, 1, size, stderr);
}

static void load(struct live_policy *live, struct str text)
{
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    struct err err = {0};
    int loaded = policy_file_parse(live->source.path, text, &diags, &policy);
    print_findings(&diags);
    if (loaded < 0) {
        diags_first(&diags, &err);
        refuse(live, &err);
        return;
    }
    take(live, policy);
}

/* The file holds what is in force. */
static void tell_same(struct live_policy *live, bool asked)
{
    if (asked || live->refused)
        say_info("policy %s is %s, as %s holds it", label_of(live->newest).text,
                 live->refused ? "in force still" : "unchanged", live->source.path);
    struct news *news = live->refused ? make_news(live) : NULL;
    if (news)
        loop_post(live->gate->loop, &news->op);
    live->refused = false;
}

void live_policy_start(struct live_policy *live, const char *path, struct gate *gate)
{
    *live = (struct live_policy){
        .source = {.path = path, .most = POLICY_FILE_MAX},
        .gate = gate,
        .newest = policy_ref(gate->policy),
        .view = {.generation = 1, .since = time(NULL)},
    };
}

void live_policy_look(struct live_policy *live, bool asked)
{
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    struct err err = {0};
    if (asked)
        source_forget(&live->source);
    switch (source_look(&live->source, &arena, &text, &err)) {
    case SOURCE_SAME:
        return;
    case SOURCE_GONE:
    case SOURCE_UNREADABLE:
        refuse(live, &err);
        return;
    case SOURCE_OTHER:
        if (strcmp(live->source.sha256, policy_sha256(live->newest)) == 0)
            tell_same(live, asked);
        else
            load(live, text);
        return;
    }
}

void live_policy_stop(struct live_policy *live)
{
    if (live->newest)
        policy_unref(live->newest);
    live->newest = NULL;
    free(live->view.error);
    live->view.error = NULL;
}
