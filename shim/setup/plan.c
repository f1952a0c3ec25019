/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at settings, policy, containerd, units and kubelet, and lists what is to be done. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/policy_file.h"
#include "setup/containerd_check.h"
#include "setup/containerd_dump.h"
#include "setup/probe.h"
#include "setup/process.h"
#include "setup/setup.h"

#define SHIM "containerd-shim-runsc-v1"

static const char *text(struct setup_plan *plan, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL when memory is out. */
static const char *text(struct setup_plan *plan, const char *fmt, ...)
{
    char buf[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);
    return arena_str(&plan->arena, str_of(buf)).data;
}

static int add_step(struct setup_plan *plan, enum setup_state state, const char *action,
                    const char *target, const char *words, struct err *err)
{
    if (plan->step_count == SETUP_STEPS_MAX || !words)
        return err_set(err, "memory is out");
    plan->steps[plan->step_count++] =
        (struct setup_step){.state = state, .action = action, .target = target, .text = words};
    return 0;
}

/* --- the gate's own files ------------------------------------------------------------------ */

static int load(struct setup_plan *plan, struct diags *diags, struct err *err)
{
    const char *root = plan->options->root;
    const char *config = place_find(root, plan->options->config, &plan->arena, err);
    if (!config || settings_load(config, diags, &plan->settings) < 0)
        return -1;
    const char *policy = place_find(root, plan->settings.policy, &plan->arena, err);
    return policy ? policy_file_load(policy, diags, &plan->policy) : -1;
}

static bool policy_wants(const struct policy *policy, struct str handler)
{
    for (size_t i = 0; i < policy_handler_count(policy); i++) {
        if (str_eq(policy_handler_at(policy, i).runtime->handler, handler))
            return true;
    }
    return false;
}

/* --- containerd ---------------------------------------------------------------------------- */

/* systemd's default PATH, which containerd looks through. */
static int check_shim(const struct setup_plan *plan, struct err *err)
{
    static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                       "/usr/bin"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s/" SHIM, plan->options->root, dirs[i]);
        if (access(path, X_OK) == 0)
            return 0;
    }
    return err_set(err, "gVisor is not installed: " SHIM " is in none of /usr/local/bin and "
                        "/usr/bin, and without it containerd cannot start a pod under runsc. "
                        "Install it and runsc (scripts/install-runsc), and run this again");
}

static bool dump_names(const struct setup_plan *plan, struct str handler)
{
    for (size_t i = 0; i < plan->dump.count; i++) {
        if (containerd_is_handler(&plan->dump.items[i], handler))
            return true;
    }
    return false;
}

static int read_dump(struct setup_plan *plan, struct err *err)
{
    plan->can_dump = !*plan->options->root && process_exists("containerd");
    if (!plan->can_dump)
        return 0;
    const char *file = plan->options->containerd_config;
    return containerd_dump(access(file, F_OK) == 0 ? file : NULL, &plan->arena, &plan->dump, err);
}

static int say_registered(struct setup_plan *plan, struct err *err)
{
    const struct containerd_plan *found = &plan->containerd;
    if (plan->can_dump && !dump_names(plan, STR(CONTAINERD_RUNSC)))
        return err_set(err,
                       "%s registers runsc, but containerd does not see it (`containerd "
                       "config dump`): a later import replaces the table. Put it into that "
                       "file, and run this again",
                       found->where);
    bool is_gvisors = found->type.len == 0 || str_eq(found->type, STR(CONTAINERD_RUNSC_TYPE));
    return add_step(plan, SETUP_HOLDS, "write", found->where,
                    is_gvisors ? text(plan, "runsc is registered")
                               : text(plan,
                                      "runsc is registered, as \"%.*s\": not by this program, and "
                                      "left as it is",
                                      STR_FMT(found->type)),
                    err);
}

static int say_edit(struct setup_plan *plan, struct err *err)
{
    const struct edit *edit = &plan->containerd.edit;
    if (check_shim(plan, err) < 0)
        return -1;
    const char *checked = "not checked by containerd, which is not on the PATH";
    if (*plan->options->root)
        checked = "not checked by containerd, since this is another root";
    else if (plan->can_dump)
        checked = "containerd is asked what it makes of it before it is restarted";
    if (plan->can_dump && containerd_check_edit(plan->options->containerd_config, edit, &plan->dump,
                                                &plan->arena, &checked, err) < 0)
        return -1;
    if (add_step(plan, SETUP_TO_DO, "write", edit->path,
                 text(plan, "register runsc (%s; version %u); %s", CONTAINERD_RUNSC_TYPE,
                      plan->containerd.version, checked),
                 err) < 0)
        return -1;
    plan->steps[plan->step_count - 1].hunk = hunk_between(edit->before.text, edit->after.text);
    return 0;
}

/* Each runtime that the policy declares is one that containerd has, or will have. */
static int check_handlers(const struct setup_plan *plan, struct err *err)
{
    const struct containerd_plan *containerd = &plan->containerd;
    for (size_t i = 0; i < policy_handler_count(plan->policy); i++) {
        struct str wanted = policy_handler_at(plan->policy, i).runtime->handler;
        bool found = dump_names(plan, wanted);
        for (size_t j = 0; !plan->can_dump && j < containerd->handler_count; j++)
            found = found || str_eq(containerd->handlers[j], wanted);
        if (!plan->can_dump && containerd->handler_count == 0)
            found = str_eq(wanted, STR("runc")); /* the one of containerd's defaults */
        if (containerd->state == CONTAINERD_NEEDS_EDIT)
            found = found || str_eq(wanted, STR(CONTAINERD_RUNSC));
        if (!found)
            return err_set(err,
                           "the policy declares the runtime %.*s, which containerd does not "
                           "have: each pod that is to run under it would fail. Register it in "
                           "%s, or take it out of %s",
                           STR_FMT(wanted), plan->options->containerd_config,
                           plan->settings.policy);
    }
    return 0;
}

static int plan_containerd(struct setup_plan *plan, struct err *err)
{
    if (read_dump(plan, err) < 0)
        return -1;
    const struct containerd_request request = {
        .root = plan->options->root,
        .path = plan->options->containerd_config,
        .version_if_new = plan->can_dump ? containerd_dump_version(&plan->dump) : 2};
    if (containerd_plan_make(&request, &plan->arena, &plan->containerd, err) < 0)
        return -1;
    int rc = 0;
    if (!policy_wants(plan->policy, STR(CONTAINERD_RUNSC))) {
        plan->containerd.state = CONTAINERD_HAS_RUNSC; /* nothing to edit */
        rc = add_step(plan, SETUP_HOLDS, "write", plan->options->containerd_config,
                      "the policy declares no runtime runsc, so none is registered", err);
    } else if (plan->containerd.state == CONTAINERD_HAS_RUNSC) {
        rc = say_registered(plan, err);
    } else {
        rc = say_edit(plan, err);
    }
    return rc < 0 ? -1 : check_handlers(plan, err);
}

/* --- units --------------------------------------------------------------------------------- */

static enum setup_state started_state(const struct setup_plan *plan, bool to_do)
{
    if (!to_do)
        return SETUP_HOLDS;
    return plan->has_systemd && !plan->options->no_start ? SETUP_TO_DO : SETUP_LEFT;
}

static int plan_restart(struct setup_plan *plan, const char *unit, bool edited, bool is_running,
                        bool *restart, struct err *err)
{
    enum setup_state state = started_state(plan, edited);
    *restart = state == SETUP_TO_DO;
    const char *words = state == SETUP_HOLDS  ? "as it runs now"
                        : state == SETUP_LEFT ? "left to you, or to the next boot"
                        : is_running          ? "so that it reads its file again"
                                              : "it does not run now";
    return add_step(plan, state, "restart", unit, words, err);
}

static int plan_unit(struct setup_plan *plan, size_t i, struct err *err)
{
    const char *unit = gate_units[i];
    bool enabled = plan->has_systemd && unit_is("is-enabled", unit);
    bool active = plan->has_systemd && unit_is("is-active", unit);
    plan->enable[i] = plan->has_systemd && !enabled;
    plan->start[i] = plan->has_systemd && !active && !plan->options->no_start;
    if (plan->has_systemd && !unit_is("cat", unit))
        return err_set(err,
                       "systemd has no unit %s: install crigate's package, or its units "
                       "(`systemctl daemon-reload` makes new ones known), and run this again",
                       unit);
    if (add_step(plan,
                 enabled           ? SETUP_HOLDS
                 : plan->enable[i] ? SETUP_TO_DO
                                   : SETUP_LEFT,
                 "enable", unit, enabled ? "it is" : "so that it starts at boot", err) < 0)
        return -1;
    return add_step(plan,
                    active           ? SETUP_HOLDS
                    : plan->start[i] ? SETUP_TO_DO
                                     : SETUP_LEFT,
                    "start", unit, active ? "it runs" : "before the kubelet is pointed at it", err);
}

/* --- the kubelet --------------------------------------------------------------------------- */

static int say_kubelet(struct setup_plan *plan, struct err *err)
{
    const struct kubelet_plan *kubelet = &plan->kubelet;
    for (size_t i = 0; i < kubelet->count; i++) {
        const struct edit *edit = &kubelet->edits[i];
        if (add_step(plan, SETUP_TO_DO, "write", edit->path,
                     text(plan, "the kubelet's runtime is at %s", kubelet->endpoint), err) < 0)
            return -1;
        plan->steps[plan->step_count - 1].hunk = hunk_between(edit->before.text, edit->after.text);
    }
    if (kubelet->count == 0)
        return add_step(plan, SETUP_HOLDS, "write", kubelet->where,
                        "the kubelet is pointed at the gate", err);
    return 0;
}

static int find_kubelet(struct setup_plan *plan, struct err *err)
{
    const struct kubelet_request request = {.root = plan->options->root,
                                            .path = plan->options->kubelet_config,
                                            .upstream = plan->settings.upstream,
                                            .listen = plan->settings.listen};
    if (kubelet_plan_make(&request, &plan->arena, &plan->kubelet, err) < 0)
        return -1;
    if (plan->kubelet.where)
        return 0;
    return err_set(err, "no configuration of a kubelet is found (/var/lib/kubelet/config.yaml, "
                        "--config in its unit): run this again when the node has joined its "
                        "cluster, or name the file with --kubelet-config");
}

/* --- the whole ----------------------------------------------------------------------------- */

static int plan_steps(struct setup_plan *plan, struct err *err)
{
    if (plan_containerd(plan, err) < 0 || find_kubelet(plan, err) < 0)
        return -1;
    /* a gate that did not run: nothing is known of what the others have read since */
    bool gate_runs = plan->has_systemd && unit_is("is-active", gate_units[GATE_SERVICE]);
    bool containerd_runs = plan->has_systemd && unit_is("is-active", UNIT_CONTAINERD);
    bool kubelet_runs = plan->has_systemd && unit_is("is-active", UNIT_KUBELET);
    bool edited = plan->containerd.state == CONTAINERD_NEEDS_EDIT;
    if (plan_restart(plan, UNIT_CONTAINERD, edited || !gate_runs, containerd_runs,
                     &plan->restart_containerd, err) < 0)
        return -1;
    for (size_t i = 0; i < GATE_UNITS; i++) {
        if (plan_unit(plan, i, err) < 0)
            return -1;
    }
    if (say_kubelet(plan, err) < 0)
        return -1;
    if (plan->has_systemd && !kubelet_runs)
        return add_step(plan, SETUP_LEFT, "restart", UNIT_KUBELET,
                        "it does not run now: it reads its file when it starts", err);
    return plan_restart(plan, UNIT_KUBELET, plan->kubelet.count || !gate_runs, true,
                        &plan->restart_kubelet, err);
}

int setup_plan_make(const struct setup_options *options, struct setup_plan *plan,
                    struct diags *diags, struct err *err)
{
    *plan = (struct setup_plan){.options = options,
                                .has_systemd = !*options->root && units_available()};
    if (load(plan, diags, err) < 0)
        return -1;
    return plan_steps(plan, err);
}

void setup_plan_free(struct setup_plan *plan)
{
    if (plan->policy)
        policy_unref(plan->policy);
    settings_free(&plan->settings);
    arena_free(&plan->arena);
}

bool setup_plan_changes(const struct setup_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].state == SETUP_TO_DO)
            return true;
    }
    return false;
}
