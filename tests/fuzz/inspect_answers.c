/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as containerd's answers: Status, and those about sandboxes. */
#include "gate/inspect_sandboxes.h"
#include "gate/inspect_status.h"
#include "inspect_fuzz.h"

static const struct policy *shared_policy(void)
{
    static const struct str aliases[] = {{"gvisor", 6}};
    static const struct runtime_spec runtimes[] = {
        {.handler = {"runc", 4}, .is_default = true},
        {.handler = {"runsc", 5}, .aliases = aliases, .alias_count = 1},
    };
    static struct policy *policy;
    struct policy_spec spec = {.name = STR("fuzz"),
                               .runtimes = runtimes,
                               .runtime_count = 2,
                               .otherwise = {.kind = ACTION_RUN_REQUESTED}};
    if (!policy)
        REQUIRE(policy_compile(&spec, NULL, NULL, &policy, NULL) == 0);
    return policy;
}

/* What is rewritten is rewritten to itself. */
void fuzz_status(struct str message)
{
    OWNED_ARENA struct arena arena = {0};
    struct str once, twice;
    struct err err = {0};
    int result = inspect_status(shared_policy(), message, &arena, &once, &err);
    check_error(result, err.text);
    if (result < 0)
        return;
    touch(once);
    REQUIRE(inspect_status(shared_policy(), once, &arena, &twice, NULL) == 0);
    REQUIRE(str_eq(once, twice));
}

struct tally {
    size_t count, bytes;
};

static void add(struct tally *tally, struct str id, struct str handler)
{
    touch(id);
    touch(handler);
    tally->count++;
    tally->bytes += id.len + handler.len;
}

static void tell(void *cookie, struct str id, struct str handler)
{
    REQUIRE(id.len);
    add(cookie, id, handler);
}

/* The short way finds what the long one finds, where that can read the list. */
static void check_list(struct str message)
{
    OWNED_ARENA struct arena arena = {0};
    struct tally quick = {0}, whole = {0};
    struct sandbox_facts *list;
    size_t count;
    struct err err = {0}, other = {0};
    int result = inspect_sandbox_list(message, tell, &quick, &err);
    check_error(result, err.text);
    int read = inspect_sandboxes(message, &arena, &list, &count, &other);
    check_error(read, other.text);
    if (read < 0 || result < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        touch(list[i].pod.name);
        if (list[i].id.len)
            add(&whole, list[i].id, list[i].handler);
    }
    REQUIRE(quick.count == whole.count && quick.bytes == whole.bytes);
}

void fuzz_sandboxes(struct str message)
{
    OWNED_ARENA struct arena arena = {0};
    struct sandbox_facts sandbox = {0};
    struct str id, handler;
    struct err err = {0};
    check_list(message);
    int result = inspect_sandbox_status(message, &id, &handler, &err);
    check_error(result, err.text);
    REQUIRE(within(id, message));
    REQUIRE(within(handler, message) || str_eq(handler, STR("untrusted")));
    err = (struct err){0};
    result = inspect_sandbox_namespaces(message, &arena, &sandbox, &err);
    check_error(result, err.text);

    id = inspect_requested_sandbox(message);
    touch(id);
    struct str request = inspect_sandbox_request(id, &arena);
    REQUIRE(request.data && str_eq(inspect_requested_sandbox(request), id));
}
