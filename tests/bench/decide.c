/* SPDX-License-Identifier: Apache-2.0 */
/* How long the decision on a pod, the one on a container and one compile take with 10, 1,000 and
 * 10,000 rules, and that a decision allocates nothing. Exit 1 when it does, or when a time is over
 * its limit. */
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "policy/policy.h"

#define ROUNDS 21
#define PODS 16

/* The linker sends the policy library's calls here (-Wl,--wrap). */
static size_t allocations;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

/* Of this thread: a busy machine should not show in the numbers more than it must. */
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *must(void *pointer)
{
    if (!pointer) {
        fprintf(stderr, "bench: memory is out\n");
        exit(2);
    }
    return pointer;
}

static struct str numbered(struct arena *arena, const char *before, size_t number,
                           const char *behind)
{
    char text[64];
    snprintf(text, sizeof(text), "%s%zu%s", before, number, behind);
    struct str copy = arena_str(arena, str_of(text));
    must((void *)copy.data);
    return copy;
}

static struct str_list list_of(struct arena *arena, struct str item)
{
    struct str *items = must(arena_array(arena, 1, sizeof(*items)));
    items[0] = item;
    return (struct str_list){items, 1};
}

static struct selector_spec select_of(struct arena *arena, struct str key, enum selector_op op,
                                      struct str first, struct str second)
{
    struct requirement_spec *item = must(arena_array(arena, 1, sizeof(*item)));
    struct str *values = must(arena_array(arena, 2, sizeof(*values)));
    values[0] = first;
    values[1] = second;
    *item = (struct requirement_spec){key, op, values, second.len ? 2 : 1};
    return (struct selector_spec){item, 1};
}

/* Rules of the kinds that people write, none of which matches the pods below. */
static struct rule_spec make_rule(struct arena *arena, size_t i)
{
    struct str none = {0};
    struct rule_spec rule = {.name = numbered(arena, "rule-", i, ""), .at = {(uint32_t)i * 4, 1}};
    struct match_spec *match = &rule.match;
    rule.action = (struct action_spec){ACTION_RUN_HANDLER, STR("runsc"), false};
    switch (i % 8) {
    case 0:
        match->pod =
            select_of(arena, STR("app"), OPERATOR_IN, numbered(arena, "service-", i, ""), none);
        break;
    case 1:
        match->namespaces = list_of(arena, numbered(arena, "team-", i, "-*"));
        break;
    case 2:
        match->namespaces = list_of(arena, numbered(arena, "tenant-", i, ""));
        match->names = list_of(arena, STR("build-*"));
        break;
    case 3:
        match->pod = select_of(arena, STR("agenttier.io/template"), OPERATOR_IN,
                               numbered(arena, "template-", i, ""),
                               numbered(arena, "template-", i, "-next"));
        match->node =
            select_of(arena, STR("agenttier.io/runtime"), OPERATOR_IN, STR("gvisor"), none);
        break;
    case 4:
        match->node =
            select_of(arena, STR("pool"), OPERATOR_IN, numbered(arena, "pool-", i, ""), none);
        match->privileged = TRISTATE_TRUE;
        break;
    case 5:
        match->annotation_keys = list_of(arena, numbered(arena, "dev.gvisor.flag-", i, ".*"));
        rule.action = (struct action_spec){ACTION_REFUSE, STR("no flags"), false};
        break;
    case 6:
        match->pod = select_of(arena, STR("app"), OPERATOR_IN, numbered(arena, "job-", i, ""),
                               numbered(arena, "cron-", i, ""));
        break;
    default:
        match->pod = select_of(arena, STR("team"), OPERATOR_NOT_IN, STR("core"), none);
        match->names = list_of(arena, numbered(arena, "agent-", i, "-?-*"));
        match->host_network = TRISTATE_FALSE;
        break;
    }
    return rule;
}

static struct policy_spec make_spec(struct arena *arena, size_t rules)
{
    static const struct str nvidia[] = {{"/dev/nvidia*", 12}, {"nvidia.com/*", 12}};
    struct runtime_spec *runtimes = must(arena_array(arena, 2, sizeof(*runtimes)));
    runtimes[0] = (struct runtime_spec){.handler = STR("runc"), .is_default = true};
    runtimes[1] =
        (struct runtime_spec){.handler = STR("runsc"),
                              .isolation = ISOLATION_SANDBOX,
                              .cannot = ABILITY_HOST_NETWORK | ABILITY_HOST_PID | ABILITY_DEVICES,
                              .devices = nvidia,
                              .device_count = 2};
    struct rule_spec *items = must(arena_array(arena, rules, sizeof(*items)));
    for (size_t i = 0; i < rules; i++)
        items[i] = make_rule(arena, i);
    return (struct policy_spec){.name = STR("bench"),
                                .runtimes = runtimes,
                                .runtime_count = 2,
                                .rules = items,
                                .rule_count = rules,
                                .otherwise = {.kind = ACTION_RUN_REQUESTED}};
}

static struct label_set make_labels(struct arena *arena, size_t count, const char *key,
                                    size_t number)
{
    struct label *items = must(arena_array(arena, count + 2, sizeof(*items)));
    for (size_t i = 0; i < count; i++) {
        items[i].key = numbered(arena, key, i, "");
        items[i].value = numbered(arena, "value-", i + number, "");
    }
    items[count].key = STR("app");
    items[count].value = numbered(arena, "web-", number, "");
    items[count + 1].key = STR("agenttier.io/template");
    items[count + 1].value = numbered(arena, "python-", number, "");
    struct label_set set;
    struct str twice;
    if (label_set_make(items, count + 2, &set, &twice) < 0)
        abort();
    return set;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_value);
    return values[ROUNDS / 2];
}

typedef void decide_fn(const struct policy *policy, const struct pod_facts *pod,
                       const struct label_set *node, struct decision *decision);

static void decide_container(const struct policy *policy, const struct pod_facts *pod,
                             const struct label_set *node, struct decision *decision)
{
    static const struct str devices[] = {{"/dev/nvidia0", 12}, {"nvidia.com/gpu=0", 16}};
    struct container_facts container = {.name = STR("main"), .devices = devices, .device_count = 2};
    policy_decide_container(policy, STR("runsc"), pod, &container, node, decision);
}

static double time_decisions(decide_fn *decide, const struct policy *policy,
                             const struct pod_facts *pods, const struct label_set *node,
                             size_t *allocated)
{
    double rounds[ROUNDS];
    size_t calls = 200000 / (policy_rule_count(policy) + 10) * 4 + PODS;
    size_t before = allocations, ran = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        for (size_t i = 0; i < calls; i++) {
            struct decision decision;
            decide(policy, &pods[i % PODS], node, &decision);
            ran += decision.verdict.action == VERDICT_RUN;
        }
        rounds[round] = (double)(now_ns() - start) / (double)calls;
    }
    *allocated += allocations - before;
    if (ran != calls * ROUNDS) {
        fprintf(stderr, "bench: a rule matched that should not\n");
        exit(2);
    }
    return median(rounds);
}

static size_t warnings;

static void count_warning(void *cookie, enum policy_warning_kind kind,
                          const struct policy_rule *rule, const struct policy_rule *earlier)
{
    (void)cookie, (void)kind, (void)rule, (void)earlier;
    warnings++;
}

static struct policy *compile(const struct policy_spec *spec)
{
    struct policy *policy = NULL;
    struct err err;
    if (policy_compile(spec, count_warning, NULL, &policy, &err) < 0) {
        fprintf(stderr, "bench: %s\n", err.text);
        exit(2);
    }
    return policy;
}

static double time_compile(const struct policy_spec *spec)
{
    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        struct policy *policy = compile(spec);
        rounds[round] = (double)(now_ns() - start) / 1e6;
        policy_unref(policy);
    }
    return median(rounds);
}

static bool measure(size_t rules, double decide_max_ns)
{
    OWNED_ARENA struct arena arena = {0};
    struct policy_spec spec = make_spec(&arena, rules);
    struct pod_facts pods[PODS];
    for (size_t i = 0; i < PODS; i++)
        pods[i] = (struct pod_facts){.namespace = numbered(&arena, "agents-", i, ""),
                                     .name = numbered(&arena, "build-", i, ""),
                                     .labels = make_labels(&arena, 8, "label.example/", i),
                                     .annotations = make_labels(&arena, 6, "note.example/", i)};
    struct label_set node = make_labels(&arena, 20, "kubernetes.io/", 1);
    double compile_ms = time_compile(&spec);
    OWNED(own_policy) struct policy *policy = compile(&spec);
    size_t allocated = 0;
    double pod = time_decisions(policy_decide, policy, pods, &node, &allocated);
    double container = time_decisions(decide_container, policy, pods, &node, &allocated);
    printf("%6zu rules: %9.0f ns a pod, %9.0f ns a container (limit %.0f), %zu allocations, "
           "compiled in %.2f ms\n",
           rules, pod, container, decide_max_ns, allocated, compile_ms);
    return pod <= decide_max_ns && container <= decide_max_ns && allocated == 0;
}

int main(void)
{
    bool good = measure(10, 1000);
    good &= measure(1000, 100000);
    good &= measure(10000, 100000);
    return good ? 0 : 1;
}
