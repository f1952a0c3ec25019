# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# End-to-end tests of `crigate verify`: what it proves, what it finds out, and that it leaves nothing.
# To be sourced by run.

VERIFIER='' # the run of the command that verify_hold has started

# gate_verify FLAGS...: what the declared runtimes are, by the gate's own settings.
gate_verify() {
    "$GATE_PROGRAM" verify --config "$GATE_CONFIG" "$@"
}

# finds STATUS FILTER FLAGS...: it exits with STATUS, and jq's FILTER holds for what it tells a
# script.
finds() {
    local status=$1 filter=$2 got=0
    shift 2
    OUTPUT=$(gate_verify --output json "$@") || got=$?
    [[ $got == "$status" ]] || fail "exit $got, not $status: $OUTPUT" || return
    jq -e "$filter" <<<"$OUTPUT" >/dev/null 2>&1 || fail "'$OUTPUT' does not hold $filter" || return
    verify_left_nothing
}

verify_pod_is_there() {
    [[ $(gate_cri pods) == *' crigate-verify/'* ]]
}

# No pod, container, image or cgroup of any run of it.
verify_left_nothing() {
    local id
    ! verify_pod_is_there || fail "pods are left: $(gate_cri pods)" || return
    [[ $(gate_cri images) != *crigate.invalid* ]] || fail "the image is left" || return
    gate_cri containers >"$NODE_DIR/containers.txt" || fail "containers cannot be listed" || return
    for id in $(jq -r 'select(.pod.namespace == "crigate-verify") | .result |
        .sandboxId, .containerId | values' "$GATE_AUDIT"); do
        ! grep -F "$id" "$NODE_DIR/containers.txt" || fail "a container of $id is left" || return
        [[ ! $(find /sys/fs/cgroup -name "*$id*") ]] || fail "a cgroup of $id is left" || return
    done
}

# verify_policy NAME RUNTIMES [RULES]: writes a policy and gives the gate that one.
verify_policy() {
    local policy=$NODE_DIR/verify-$1.yaml
    printf 'apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: %s}\nmode: enforce\nruntimes:\n%s\nrules: %s\notherwise: {run: requested}\n' \
        "$1" "$2" "${3:-[]}" >"$policy"
    gate_with "$policy" audit.jsonl
}

readonly VERIFY_TRUE='- {handler: runc, isolation: hostKernel, default: true}
- {handler: runsc, isolation: sandbox}'

test_verify_proves_each_runtime() {
    succeeds gate_verify && says 'VERDICT' && says 'Starting gVisor' || return
    [[ $(grep -c ' proven$' <<<"$OUTPUT") == 2 ]] || fail "not two are proven: $OUTPUT" || return
    finds 0 '.holds and (.runtimes | map([.handler, .ranUnder, .kernel.is, .verdict]) ==
        [["runc", "runc", "host", "proven"], ["runsc", "runsc", "gvisor", "proven"]]) and
        .host.bootId == .runtimes[0].kernel.bootId and .host.version != .runtimes[1].kernel.version' &&
        decided probe-runsc allow otherwise runsc
}

test_verify_takes_an_image() {
    finds 0 '.holds and (.runtimes | map(.kernel.is) == ["host", "gvisor"])' --image "$NODE_IMAGE" &&
        succeeds gate_cri images && says "$NODE_IMAGE" || return
    refused 'no image crigate.test/none:1' 'crictl pull' -- gate_verify --image crigate.test/none:1
}

test_verify_finds_a_lie() {
    # containerd runs runc by the name of `caged`, and knows nothing of `absent`
    verify_policy lies "$VERIFY_TRUE
- {handler: caged, isolation: sandbox}
- {handler: absent, isolation: sandbox}" || return
    finds 1 '(.holds | not) and (.runtimes | map(.verdict) ==
        ["proven", "proven", "mismatch", "notProven"]) and .runtimes[2].kernel.is == "host" and
        (.runtimes[3].message | contains("absent"))' || return
    refused MISMATCH 'caged is declared a sandbox' "the host's kernel" 'NOT PROVEN' -- gate_verify
}

test_verify_finds_gvisor_where_the_host_is_declared() {
    verify_policy swapped '- {handler: runsc, isolation: hostKernel, default: true}' || return
    finds 1 '.runtimes[0] | .kernel.is == "gvisor" and .verdict == "mismatch"'
}

test_verify_follows_the_policy() {
    verify_policy moved "$VERIFY_TRUE" '[{name: all-caged, match: {}, run: runsc}]' || return
    finds 0 '.runtimes | map([.handler, .ranUnder, .policy.rule, .verdict]) ==
        [["runc", "runsc", "all-caged", "proven"], ["runsc", "runsc", "all-caged", "proven"]]' || return
    verify_policy no-runc "$VERIFY_TRUE" '[{name: no-runc, match: {handlers: [runc]}, refuse: never}]' || return
    finds 0 '.runtimes | map(.verdict) == ["refused", "proven"]' || return
    succeeds gate_verify && says 'runc: refused: crigate: pod crigate-verify/probe-runc refused: never' || return
    verify_policy none "$VERIFY_TRUE" '[{name: none, match: {namespaces: [crigate-verify]}, refuse: never}]' || return
    finds 1 '.runtimes | map(.verdict) == ["refused", "refused"]'
}

test_verify_compares_with_the_policy_in_force() {
    local other=$NODE_DIR/other.yaml
    verify_policy in-force "$VERIFY_TRUE" '[{name: all-caged, match: {}, run: runsc}]' || return
    sed 's/run: runsc/run: requested/' "$NODE_DIR/verify-in-force.yaml" >"$NODE_DIR/verify-other.yaml"
    sed 's/verify-in-force/verify-other/' "$GATE_CONFIG" >"$other"
    refused "the policy's file has the pod run under runc, containerd ran it under runsc" -- \
        "$GATE_PROGRAM" verify --config "$other"
}

# Starts the command, which then waits for a pod's answer.
verify_hold() {
    verify_policy held '- {handler: held, isolation: hostKernel, default: true}' || return
    rm -f "$NODE_DIR/exec-begun" "$NODE_DIR/exec-released"
    "$GATE_PROGRAM" verify --config "$GATE_CONFIG" >"$NODE_DIR/verifier.log" 2>&1 &
    VERIFIER=$!
    wait_for 20 test -e "$NODE_DIR/exec-begun" ||
        fail "no pod is asked: $(<"$NODE_DIR/verifier.log")"
}

# Lets the answer come, waits for the command, and puts its exit status into OUTPUT.
verify_release() {
    : >"$NODE_DIR/exec-released"
    OUTPUT=0
    wait "$VERIFIER" || OUTPUT=$?
} 2>/dev/null # where bash would report the end of the job

test_verify_removes_all_when_it_is_stopped() {
    verify_hold || return
    kill -TERM "$VERIFIER"
    verify_release
    [[ $OUTPUT == 143 ]] || fail "exit $OUTPUT: $(<"$NODE_DIR/verifier.log")" || return
    verify_left_nothing
}

test_verify_removes_what_a_killed_run_left() {
    verify_hold || return
    kill -KILL "$VERIFIER"
    verify_release
    verify_pod_is_there || fail "it left no pod, so nothing is shown" || return
    pod bystander || return
    succeeds gate_verify && says 'removed 1 pod sandbox that an earlier run had left' &&
        verify_left_nothing && in_pod true
}

# An image whose sh waits in its container for the file /go.
verify_patient_image() {
    local root=$NODE_DIR/patient tool
    mkdir -p "$root/bin" "$root/proc" && cp /bin/busybox "$root/bin/busybox" || return
    for tool in cat dmesg sleep test touch; do
        ln "$root/bin/busybox" "$root/bin/$tool"
    done
    printf '%s\n' '#!/bin/busybox sh' ': >/begun; until [ -e /go ]; do sleep 0.05; done' \
        'exec busybox sh "$@"' >"$root/bin/sh"
    chmod +x "$root/bin/sh"
    node_image crigate.test/patient:1 "$root" /bin/sh && rm -r "$root"
}

# The pod of the command that runs and its container, in which sh waits.
verify_pod_waits() {
    POD=$(gate_cri pods | sed -n 's/ crigate-verify.*//p')
    [[ $POD ]] && CONTAINER=$(gate_cri containers | sed -n "s/ $POD .*//p") && [[ $CONTAINER ]] &&
        gate_cri exec-sync "$CONTAINER" -- test -e /begun
}

test_verify_tries_again_without_its_pod() {
    local taken
    verify_policy taken '- {handler: runc, isolation: hostKernel, default: true}' &&
        verify_patient_image || return
    "$GATE_PROGRAM" verify --config "$GATE_CONFIG" --image crigate.test/patient:1 \
        >"$NODE_DIR/verifier.log" 2>&1 &
    VERIFIER=$!
    wait_for 20 verify_pod_waits || fail "no pod waits: $(<"$NODE_DIR/verifier.log")" || return
    # as a kubelet does with pods that it does not know
    taken=$POD
    wait_for 10 gate_cri stopp "$taken" || fail "the pod cannot be stopped" || return
    wait_for 10 gate_cri rmp "$taken" || fail "the pod cannot be removed" || return
    wait_for 20 verify_pod_waits || fail "no second pod: $(<"$NODE_DIR/verifier.log")" || return
    succeeds gate_cri exec-sync "$CONTAINER" -- touch /go || return
    wait "$VERIFIER" || fail "it fails: $(<"$NODE_DIR/verifier.log")" || return
    verify_left_nothing && audited 'any(.[]; .pod.namespace == "crigate-verify" and .pod.attempt == 1)'
}

test_verify_works_where_systemd_makes_cgroups() {
    verify_policy systemd '- {handler: sliced, isolation: hostKernel, default: true}' || return
    finds 0 '.holds and .runtimes[0].ranUnder == "sliced"' &&
        audited 'any(.[]; .pod.name == "probe-sliced" and .stage == "completed" and
            .result.code == "UNKNOWN")'
}

test_verify_works_alone() {
    # shellcheck disable=SC2016 # no command here
    refused 'another `crigate verify` is at work' -- flock "$GATE_CONFIG" \
        "$GATE_PROGRAM" verify --config "$GATE_CONFIG"
}

test_verify_says_what_it_lacks_to_import() {
    refused "\`ctr\`, which is not in" --image -- env PATH=/nonexistent "$GATE_PROGRAM" verify \
        --config "$GATE_CONFIG" &&
        refused 'could not be imported' "$NODE_DIR/none.sock" -- \
            gate_verify --containerd "$NODE_DIR/none.sock" && verify_left_nothing
}

test_verify_says_who_is_away() {
    node_containerd_stop
    refused 'containerd cannot be reached' -- gate_verify
    local result=$?
    node_containerd_start || fail "containerd does not come back" || return
    ((result == 0)) || return
    gate_stop || fail "the gate did not stop in time" || return
    refused "the gate's socket $GATE_SOCKET" 'crigate serve' -- gate_verify
}
