/* SPDX-License-Identifier: Apache-2.0 */
/* The table of peers: what is remembered is found by gRPC's name, and nothing else is. */
#include <criterion/criterion.h>

#include "gate/peers.h"

static struct peers peers;

Test(peers, finds_what_was_remembered)
{
    struct audit_peer kubelet = {.uid = 0, .pid = 4711}, other = {.uid = UINT32_MAX, .pid = 0};
    struct audit_peer found;
    peers_remember(&peers, 12, &kubelet);
    peers_remember(&peers, 13, &other);
    cr_assert_eq(peers_find(&peers, "fd:12", &found), 0);
    cr_assert(found.uid == 0 && found.pid == 4711);
    cr_assert_eq(peers_find(&peers, "fd:13", &found), 0);
    cr_assert(found.uid == UINT32_MAX && found.pid == 0, "a pid outside our namespace is 0");
    peers_remember(&peers, 12, &other);
    cr_assert_eq(peers_find(&peers, "fd:12", &found), 0);
    cr_assert_eq(found.uid, UINT32_MAX);
}

Test(peers, finds_nothing_else)
{
    static const char *const names[] = {"",      "fd:",      "fd:14",   "fd:x",
                                        "fd:1x", "unix:a",   "fd:4096", "fd:99999999999999999999",
                                        "fd:-1", "ipv4:1:2", "fd"};
    struct audit_peer found;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_assert_eq(peers_find(&peers, names[i], &found), -1, "%s", names[i]);
}

Test(peers, ignores_descriptors_out_of_range)
{
    struct audit_peer kubelet = {.uid = 0, .pid = 1};
    peers_remember(&peers, -1, &kubelet);
    peers_remember(&peers, PEERS_MAX, &kubelet);
}
