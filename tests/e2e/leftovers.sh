# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a node leaves on the machine: nothing, if these print nothing. To be sourced after node.sh.

# The processes in the network namespace $1, which all of a node's pods' ancestors share.
processes_in() {
    local ns
    for ns in /proc/[0-9]*/ns/net; do
        [[ $(readlink "$ns" 2>/dev/null) != "$1" ]] || cut -d/ -f3 <<<"$ns"
    done
}

no_process_in() {
    [[ ! $(processes_in "$1") ]]
}

# Every name that has the node's random part $1 in it: processes, mounts, cgroups, its directory.
node_names() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        ! tr '\0' ' ' 2>/dev/null <"$file" | grep -F "$NODE_RUNS/$1" || true
    done
    grep -F "$1" /proc/self/mountinfo || true
    find /sys/fs/cgroup -name "crigate-node-$1"
    [[ ! -e $NODE_RUNS/$1 ]] || echo "$NODE_RUNS/$1"
}

# What a node could change of the machine itself.
machine_state() {
    ip -o link | sed 's/ state .*//'
    iptables-save 2>/dev/null | grep -v '^#' || true
    ls -d /run/netns/* /run/containerd /run/runsc /var/lib/containerd /var/lib/cni /etc/cni/net.d \
        2>/dev/null || true
}
