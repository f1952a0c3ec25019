/* SPDX-License-Identifier: Apache-2.0 */
/* Status under the policy's names: which entries appear, and what stays as it came. */
#include "gate/inspect_status.h"

#include "inspect_bed.h"

static struct policy *make_policy(void)
{
    static const struct str aliases[] = {STR("gvisor"), STR("sandboxed")};
    static const struct runtime_spec runtimes[] = {
        {.handler = STR("runc"), .is_default = true},
        {.handler = STR("runsc"),
         .aliases = aliases,
         .alias_count = COUNT(aliases),
         .isolation = ISOLATION_SANDBOX},
        {.handler = STR("kata"), .isolation = ISOLATION_SANDBOX},
    };
    struct policy_spec spec = {.name = STR("test"),
                               .runtimes = runtimes,
                               .runtime_count = COUNT(runtimes),
                               .otherwise = {.kind = ACTION_RUN_REQUESTED}};
    struct policy *policy = NULL;
    struct err err = {0};
    cr_assert_eq(policy_compile(&spec, NULL, NULL, &policy, &err), 0, "%s", err.text);
    return policy;
}

static void expect_rewritten(struct str reply, struct str wanted)
{
    OWNED_ARENA struct arena arena = {0};
    OWNED(own_policy) struct policy *policy = make_policy();
    struct str rewritten;
    struct err err = {0};
    cr_assert_eq(inspect_status(policy, reply, &arena, &rewritten, &err), 0, "%s", err.text);
    cr_expect(str_eq(rewritten, wanted));
}

/* An entry is 1a, its length, 0a and the name, 12 and the features, here 08 01 or 10 01. */
Test(inspect_status, names_each_declared_handler_alias_and_the_default)
{
    expect_rewritten(STR("\x0a\x02\x0a\x00"
                         "\x1a\x04\x12\x02\x10\x01"
                         "\x1a\x0a\x0a\x04runc\x12\x02\x08\x01"
                         "\x1a\x0b\x0a\x05runsc\x12\x02\x10\x01"
                         "\x1a\x0b\x0a\x05other\x12\x02\x08\x01"
                         "\x22\x02\x08\x01"),
                     STR("\x0a\x02\x0a\x00"
                         "\x1a\x0a\x0a\x04runc\x12\x02\x08\x01"
                         "\x1a\x0b\x0a\x05runsc\x12\x02\x10\x01"
                         "\x1a\x0c\x0a\x06gvisor\x12\x02\x10\x01"
                         "\x1a\x0f\x0a\x09sandboxed\x12\x02\x10\x01"
                         "\x1a\x04\x12\x02\x08\x01"
                         "\x22\x02\x08\x01"));
}

Test(inspect_status, keeps_what_it_does_not_know)
{
    expect_rewritten(STR("\x12\x03\x0a\x01\xff" /* info, not text */
                         "\x1a\x11\x78\x81\x00\x0a\x04kata\x8a\x01\x03xyz\x12\x00"
                         "\xf8\x07\x01" /* unknown, between the entries */
                         "\x1a\x06\x0a\x04none\x92\x00\x00"),
                     STR("\x12\x03\x0a\x01\xff"
                         "\x1a\x11\x0a\x04kata\x78\x81\x00\x8a\x01\x03xyz\x12\x00"
                         "\xf8\x07\x01\x92\x00\x00"));
}

Test(inspect_status, takes_the_first_of_a_name)
{
    expect_rewritten(STR("\x1a\x0a\x0a\x04kata\x12\x02\x08\x01\x1a\x06\x0a\x04kata"),
                     STR("\x1a\x0a\x0a\x04kata\x12\x02\x08\x01"));
}

Test(inspect_status, leaves_nothing_that_the_policy_does_not_know)
{
    expect_rewritten(STR("\x0a\x00\x1a\x07\x0a\x05other\x1a\x00\x22\x00"), STR("\x0a\x00\x22\x00"));
}

Test(inspect_status, leaves_an_older_containerd_alone)
{
    struct str reply = STR("\x0a\x00\x12\x03\x0a\x01k\x22\x00");
    expect_rewritten(reply, reply);
    expect_rewritten(STR(""), STR(""));
}

Test(inspect_status, refuses_what_cannot_be_read)
{
    static const struct {
        struct str reply;
        const char *error;
    } cases[] = {
        {STR("\x0a"), "containerd's status: a number is cut off by the end (byte 1)"},
        {STR("\x1a\x00\x7b"), "containerd's status: wire type 3 is not allowed (byte 2)"},
        {STR("\x1a\x02\x0a\x05"), "a runtime handler in containerd's status: a value of 5 bytes "
                                  "where 0 are left (byte 2)"},
    };
    OWNED(own_policy) struct policy *policy = make_policy();
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_ARENA struct arena arena = {0};
        struct str rewritten;
        struct err err = {0};
        cr_expect_eq(inspect_status(policy, cases[i].reply, &arena, &rewritten, &err), -1);
        cr_expect_str_eq(err.text, cases[i].error);
        cr_expect(str_eq(rewritten, cases[i].reply), "it goes on as it came");
    }
}
