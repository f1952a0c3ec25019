/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as it is written: plain data that the parser (config/) fills and policy_compile()
 * turns into a policy. Everything borrows; whoever fills it keeps the bytes until the compile is
 * over. The parser has checked it: names declared and unique, lists not empty, one action a rule.
 */
#ifndef CRIGATE_POLICY_SPEC_H
#define CRIGATE_POLICY_SPEC_H

#include "base/str.h"

/* Where something stands in its file; both count from 1, columns in characters. */
struct place {
    uint32_t line, column;
};

enum isolation { ISOLATION_HOST_KERNEL, ISOLATION_SANDBOX };

/* What a runtime may be unable to do; bits of runtime_spec.cannot. The first six are judged at
 * RunPodSandbox and RestorePod, all of them for each container. */
enum ability {
    ABILITY_HOST_NETWORK = 1u << 0,
    ABILITY_HOST_PID = 1u << 1,
    ABILITY_HOST_IPC = 1u << 2,
    ABILITY_PRIVILEGED = 1u << 3,
    ABILITY_USER_NAMESPACES = 1u << 4,
    ABILITY_SELINUX = 1u << 5,
    ABILITY_DEVICES = 1u << 6,
    ABILITY_RECURSIVE_READ_ONLY = 1u << 7,
    ABILITY_BIDIRECTIONAL_MOUNTS = 1u << 8,
};

/* The policy's word for one ability, such as "hostNetwork"; and back, 0 when there is none. */
const char *ability_name(enum ability ability);
unsigned ability_of(struct str word);

struct runtime_spec {
    struct str handler;
    const struct str *aliases;
    size_t alias_count;
    enum isolation isolation;
    bool is_default;           /* what an empty handler means; exactly one runtime has it */
    unsigned cannot;           /* ability bits */
    const struct str *devices; /* globs: devices that it can have in spite of ABILITY_DEVICES */
    size_t device_count;
};

enum selector_op { OPERATOR_IN, OPERATOR_NOT_IN, OPERATOR_EXISTS, OPERATOR_DOES_NOT_EXIST };

struct requirement_spec {
    struct str key;
    enum selector_op op;
    const struct str *values; /* for In and NotIn */
    size_t value_count;
};

/* A Kubernetes label selector, its matchLabels written as In with one value. */
struct selector_spec {
    const struct requirement_spec *items;
    size_t count;
};

enum tristate { TRISTATE_UNSET, TRISTATE_FALSE, TRISTATE_TRUE };

struct str_list {
    const struct str *items;
    size_t count; /* 0: the term is not there */
};

struct match_spec {
    struct str_list handlers, namespaces, names, annotation_keys;
    struct selector_spec pod, annotations, node;
    enum tristate host_network, host_pid, host_ipc, privileged;
};

enum action_kind { ACTION_REFUSE, ACTION_RUN_REQUESTED, ACTION_RUN_HANDLER };

struct action_spec {
    enum action_kind kind;
    struct str text; /* the handler (or an alias) to run, or the message of a refusal */
    bool allow_downgrade;
};

struct rule_spec {
    struct str name;
    struct place at;
    struct match_spec match;
    struct action_spec action;
    bool observe; /* records only; matching goes on below */
};

enum policy_mode { POLICY_ENFORCE, POLICY_OBSERVE };

struct policy_spec {
    struct str name;
    char sha256[65]; /* of the file's bytes, lower-case hex */
    enum policy_mode mode;
    const struct runtime_spec *runtimes;
    size_t runtime_count;
    const struct rule_spec *rules;
    size_t rule_count;
    struct action_spec otherwise;
    struct place otherwise_at;
};

#endif
