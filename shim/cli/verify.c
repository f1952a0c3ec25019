/* SPDX-License-Identifier: Apache-2.0 */
/* crigate verify: proves, by a pod under each declared runtime, that it isolates as declared. */
#include <argp.h>
#include <grpc/grpc.h>

#include "base/say.h"
#include "base/writer.h"
#include "cli/output.h"
#include "cli/verify_bed.h"
#include "cli/verify_call.h"
#include "cli/verify_image.h"
#include "cli/verify_print.h"
#include "cli/verify_run.h"
#include "cli/verify_stop.h"
#include "gate/inspect.h"
#include "probe/image.h"

enum { CONFIG_KEY = 'c', IMAGE_KEY = 'i', CONTAINERD_KEY = 256 };

struct options {
    const char *config;
    const char *image;      /* NULL: the embedded one */
    const char *containerd; /* NULL: the settings' upstream */
    enum output_format format;
};

static const struct argp_option option_table[] = {
    {"config", CONFIG_KEY, "FILE", 0,
     "the gate's settings, which name its socket, containerd's, the policy and the node's labels; "
     "default: /etc/crigate/crigate.yaml",
     0},
    {"image", IMAGE_KEY, "IMAGE", 0,
     "run this image, which containerd has and which has sh, cat, dmesg and sleep, in place of the "
     "one that crigate brings along",
     0},
    {"containerd", CONTAINERD_KEY, "SOCKET", 0,
     "import the image there; default: `upstream` of the settings", 0},
    OUTPUT_OPTION,
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case CONFIG_KEY:
        options->config = arg;
        return 0;
    case IMAGE_KEY:
        options->image = arg;
        return 0;
    case CONTAINERD_KEY:
        options->containerd = arg;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &options->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "verify takes no argument: %s", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Starts a pod under each runtime that the policy declares, through the gate that runs, asks "
    "the "
    "kernel under it what it is, and removes it. A runtime that is declared a sandbox is proven "
    "when "
    "that kernel's log says that gVisor started and its boot id is not this host's; one that "
    "shares "
    "the host's kernel when the boot id is the host's. Run it on the node itself."
    "\vThe pods are in the namespace " VERIFY_NAMESPACE
    ", and the policy judges them as any other: "
    "the audit log has them. A runtime that it refuses them is \"refused\"; it counts neither way. "
    "The image is imported by containerd's `ctr` and removed at the end, as is what an earlier run "
    "left when it was killed. Nothing of another pod or image is touched.\n\n"
    "Exit status: 0 what ran is what the policy says, and each runtime that could be asked for is "
    "proven; 1 it is not so; 2 wrong usage, or it could not be found out.";

static const struct argp parser = {.options = option_table, .parser = parse_option, .doc = doc};

/* --- the probes ------------------------------------------------------------------------------- */

static struct probe_setup make_setup(const struct options *options, const struct verify_bed *bed)
{
    static const char *const keep[] = {"/probe", NULL}, *const ask[] = {"/probe", "ask", NULL};
    static const char *const keep_sh[] = {"sleep", "600", NULL};
    static const char *const ask_sh[] = {
        "sh", "-c",
        "echo \"boot-id: $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)\"\n"
        "echo \"version: $(cat /proc/version)\"\n"
        "echo log:\n"
        "dmesg 2>/dev/null || true",
        NULL};
    const char *image = options->image;
    return (struct probe_setup){
        .gate = bed->settings.listen,
        .image = image ? image : probe_image_id,
        .keep = image ? keep_sh : keep,
        .ask = image ? ask_sh : ask,
        .uid = bed->uid,
    };
}

/* What the policy's file says of the very request that is about to be sent. */
static int judge_request(struct verify_bed *bed, const struct probe_pod *pod, const char *handler,
                         struct verdict *verdict, struct err *err)
{
    struct pod_facts facts;
    struct inspect_span span;
    struct decision decision;
    struct str request = verify_run_request(pod, handler, &bed->arena);
    if (!request.data)
        return err_set(err, "memory is out");
    if (inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &bed->arena, &facts, &span, err) < 0)
        return -1;
    policy_decide(bed->policy, &facts, node_labels_set(bed->labels), &decision);
    *verdict = decision.verdict;
    return 0;
}

static int verify_runtime(struct verify_bed *bed, const struct probe_setup *setup,
                          const struct policy_runtime *runtime, struct verified *verified,
                          struct err *err)
{
    struct str handler = arena_str(&bed->arena, runtime->handler);
    size_t size = runtime->handler.len + sizeof("probe-");
    char *name = arena_alloc(&bed->arena, size);
    if (!handler.data || !name)
        return err_set(err, "memory is out");
    snprintf(name, size, "probe-%s", handler.data);
    struct probe_pod pod = probe_pod_first(setup, name);
    verified->declared = runtime;
    if (judge_request(bed, &pod, handler.data, &verified->verdict, err) < 0 ||
        probe_run(setup, name, handler.data, &bed->arena, &verified->probe, err) < 0)
        return -1;
    verified_judge(bed->policy, &bed->host, verified);
    return 0;
}

/* Each declared runtime once, by its own name. */
static int verify_runtimes(struct verify_bed *bed, const struct probe_setup *setup,
                           struct verify_report *report, struct err *err)
{
    size_t names = policy_handler_count(bed->policy);
    report->items = arena_array(&bed->arena, names, sizeof(*report->items));
    if (!report->items)
        return err_set(err, "memory is out");
    for (size_t i = 0; i < names && !verify_stop_asked(); i++) {
        struct policy_handler handler = policy_handler_at(bed->policy, i);
        if (!str_eq(handler.name, handler.runtime->handler))
            continue;
        if (verify_runtime(bed, setup, handler.runtime, &report->items[report->count++], err) < 0)
            return -1;
    }
    return 0;
}

/* Finds or brings the image, and removes what an earlier run has left. */
static int prepare(const struct options *options, const struct verify_bed *bed, struct err *err)
{
    enum image_presence presence;
    size_t removed;
    if (verify_gate_is_there(bed->settings.listen, err) < 0 ||
        probe_sweep(bed->settings.listen, &removed, err) < 0)
        return -1;
    if (removed)
        say_warn("removed %zu pod sandbox%s that an earlier run had left", removed,
                 removed == 1 ? "" : "es");
    if (!options->image)
        return verify_image_bring(
            bed->settings.listen,
            options->containerd ? options->containerd : bed->settings.upstream, err);
    if (verify_image_find(bed->settings.listen, options->image, &presence, err) < 0)
        return -1;
    if (presence == IMAGE_PRESENT)
        return 0;
    return err_set(err, "containerd has no image %s: pull it first, as with `crictl pull %s`",
                   options->image, options->image);
}

/* Whatever happens, the image goes: it is nobody else's. */
static int probe_all(const struct options *options, struct verify_bed *bed,
                     struct verify_report *report, struct err *err)
{
    struct probe_setup setup = make_setup(options, bed);
    struct err left = {0};
    int result = prepare(options, bed, err);
    if (result == 0)
        result = verify_runtimes(bed, &setup, report, err);
    if (!options->image && verify_gate_is_there(bed->settings.listen, &left) == 0 &&
        verify_image_remove(bed->settings.listen, &left) < 0) {
        if (result == 0)
            *err = left;
        result = -1;
    }
    return result;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* What others wrote may be in it. */
static enum cli_exit complain(const struct err *err)
{
    char text[4 * sizeof(err->text)]; /* each byte as \xNN */
    struct writer writer = writer_make(text, sizeof(text));
    writer_text(&writer, err->text);
    say_error("%s", text);
    return CLI_USAGE;
}

static enum cli_exit show(const struct options *options, const struct verify_report *report)
{
    struct table_look look = table_look_of_stdout();
    if (options->format == OUTPUT_JSON) {
        if (output_json(verify_report_json(report)) < 0)
            return CLI_USAGE;
    } else if (verify_report_print(report, &look, stdout) < 0) {
        say_error("memory is out");
        return CLI_USAGE;
    }
    if (output_finish(CLI_HOLDS) != CLI_HOLDS)
        return CLI_USAGE; /* 1 would be taken for a mismatch */
    return verify_report_holds(report) ? CLI_HOLDS : CLI_DOES_NOT_HOLD;
}

int cli_verify(int argc, char **argv)
{
    struct options options = {.config = "/etc/crigate/crigate.yaml"};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED(verify_bed_free) struct verify_bed bed = {.lock = -1};
    struct err err = {0};
    if (verify_bed_load(options.config, &bed, &err) < 0)
        return err.text[0] ? complain(&err) : CLI_USAGE;
    struct verify_report report = {
        .policy = bed.policy,
        .labels_trouble = bed.labels_trouble.text,
        .host = bed.host,
    };
    verify_stop_catch();
    grpc_init();
    int probed = probe_all(&options, &bed, &report, &err);
    grpc_shutdown();
    if (probed < 0)
        complain(&err);
    verify_stop_obey();
    return probed < 0 ? CLI_USAGE : show(&options, &report);
}
