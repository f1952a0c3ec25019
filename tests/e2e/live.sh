# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# End-to-end tests of what changes while the gate runs: labels, policy, sandboxes of before; and of
# what its sandboxes' containers may have. To be sourced by run.

# publishes FILE: standard input becomes FILE at once, as a careful editor writes it.
publishes() {
    cat >"$1.new" && mv "$1.new" "$1"
}

# recorded FILTER: a record for which jq's FILTER holds comes within 10 s.
recorded() {
    wait_for 10 audited "any(.[]; $1)" || fail "no record holds $1; the last: $(tail -n 2 "$GATE_AUDIT")"
}

# gate_with_policy_file FILE LABEL...: the gate, with a copy of its policy that a test may edit.
gate_with_policy_file() {
    cp "${POLICY:?}" "$1"
    gate_with "$1" audit.jsonl "${@:2}"
}

# container_decided NAME ACTION REASON: the last decision on a container of that name.
container_decided() {
    audited "[.[] | select(.type == \"container.decision\" and .stage == \"decided\" and
        .container.name == \"$1\")] | last |
        .decision.action == \"$2\" and (.decision.reason // \"\") == \"$3\""
}

# creates NAME FLAGS...: a container in the last pod, which sleeps; its id is then in OUTPUT.
creates() {
    succeeds gate_cri create "$POD" --image "$NODE_IMAGE" --container "$@" -- sleep 3600
}

# no_container TEXT NAME FLAGS...: one is refused as what the runtime cannot do, and says TEXT.
no_container() {
    local text=$1
    shift
    refused FAILED_PRECONDITION "$text" "/$1 refused" -- gate_cri create "$POD" \
        --image "$NODE_IMAGE" --container "$@" -- sleep 3600 && container_decided "$1" refuse incompatible
}

test_label_file_flips() {
    gate_with "$POLICY" audit.jsonl kubernetes.io/os=linux || return
    refused PERMISSION_DENIED agents-need-a-gvisor-node -- gate_cri runp --name flip "${AGENT[@]}" ||
        return
    printf '%s\n' kubernetes.io/os=linux "$GVISOR_NODE" | publishes "$GATE_LABELS"
    recorded '.type == "node.labels" and .labels.known and any(.changes[];
        .key == "agenttier.io/runtime" and .before == null and .after == "gvisor")' || return
    pod flip "${AGENT[@]}" && is_gvisor && decided flip modify rule runsc || return
    echo kubernetes.io/os=linux | publishes "$GATE_LABELS"
    recorded '.type == "node.labels" and any(.changes[];
        .key == "agenttier.io/runtime" and .before == "gvisor" and .after == null)' || return
    refused PERMISSION_DENIED -- gate_cri runp --name flop "${AGENT[@]}"
}

test_policy_edited_live() {
    local policy=$NODE_DIR/live-policy.yaml
    gate_with_policy_file "$policy" "$GVISOR_NODE" || return
    pod shop --namespace shop && is_host_kernel || return
    sed 's/^rules:$/&\n- name: shop-is-closed\n  match: {namespaces: [shop]}\n  refuse: closed/' \
        "$POLICY" | publishes "$policy"
    recorded '.type == "policy.loaded" and .previous.name == "e2e" and
        .previous.sha256 != .policy.sha256' || return
    refused PERMISSION_DENIED closed shop-is-closed -- gate_cri runp --name shop-2 --namespace shop ||
        return
    sed 's/^mode: enforce$/mode: enforced/' "$POLICY" | publishes "$policy"
    recorded ".type == \"policy.rejected\" and (.error | startswith(\"$policy:6:7: \"))" || return
    grep -q "$policy:6:7: " "$NODE_DIR/gate.log" || fail "the log does not name the place" || return
    refused PERMISSION_DENIED closed -- gate_cri runp --name shop-3 --namespace shop || return
    cp "$POLICY" "$policy" # in place
    kill -HUP "$GATE_PID"
    recorded "select(.type == \"policy.loaded\") | .policy.sha256 == \"$(sha256sum "$POLICY" | cut -c1-64)\"
        and .previous" || return
    pod shop-4 --namespace shop && is_host_kernel
}

test_containers_that_gvisor_cannot_have() {
    pod caged "${AGENT[@]}" || return
    no_container recursiveReadOnly mounted "${AGENT[@]}" --mount /sys:recursiveReadOnly &&
        no_container bidirectionalMounts shared "${AGENT[@]}" --mount /sys:bidirectional &&
        no_container /dev/fuse device "${AGENT[@]}" --device /dev/fuse &&
        no_container vendor.com/gpu=0 cdi "${AGENT[@]}" --cdi vendor.com/gpu=0 &&
        no_container hostPID hostpid "${AGENT[@]}" --host-pid || return
    refused PERMISSION_DENIED 'may not change runsc flags' -- gate_cri create "$POD" \
        --image "$NODE_IMAGE" "${AGENT[@]}" --annotation dev.gvisor.flag.debug=true -- true || return
    creates harmless "${AGENT[@]}" --mount /sys && container_decided harmless allow '' || return
    audited "any(.[]; .type == \"container.decision\" and .stage == \"completed\" and
        .container.sandboxId == \"$POD\" and .result.containerId == \"$OUTPUT\" and
        .handler.effective == \"runsc\")"
}

test_containers_of_the_host_kernel() {
    pod free --host-pid && creates mounted --host-pid --mount /sys:recursiveReadOnly &&
        creates device --host-pid --device /dev/null && container_decided device allow ''
}

test_devices_that_a_policy_allows() {
    local policy=$NODE_DIR/devices-policy.yaml
    sed 's|^  aliases: \[gvisor\]$|&\n  devices: ["/dev/nu*", "vendor.com/*"]|' "$POLICY" >"$policy"
    gate_with "$policy" audit.jsonl "$GVISOR_NODE" && pod gpu "${AGENT[@]}" &&
        creates allowed "${AGENT[@]}" --device /dev/null &&
        no_container /dev/fuse denied "${AGENT[@]}" --device /dev/null --device /dev/fuse
}

test_containers_after_a_gate_restart() {
    local i jobs=() ids=() log=$NODE_DIR/twenty
    for i in {1..10}; do
        gate_cri runp --name "sandboxed-$i" "${AGENT[@]}" >"$log-a$i" 2>&1 &
        jobs+=($!)
        gate_cri runp --name "ordinary-$i" >"$log-o$i" 2>&1 &
        jobs+=($!)
    done
    for i in "${jobs[@]}"; do
        wait "$i" || fail "not every pod starts: $(cat "$log"-*)" || return
    done
    gate_stop && gate_start || fail "the gate does not start again" || return
    for i in {1..10}; do
        POD=$(<"$log-a$i")
        no_container /dev/fuse "again-$i" "${AGENT[@]}" --device /dev/fuse || return
        POD=$(<"$log-o$i")
        creates "again-$i" --device /dev/null || return
    done
    mapfile -t ids < <(cat "$log"-*)
    for i in "${ids[@]}"; do
        succeeds gate_cri stopp "$i" && succeeds gate_cri rmp "$i" || return
    done
    refused NOT_FOUND -- gate_cri create "$POD" --image "$NODE_IMAGE" -- true
}

test_images_by_handler() {
    succeeds gate_cri image-status "$NODE_IMAGE" && says sha256: &&
        succeeds gate_cri image-status "$NODE_IMAGE" --handler gvisor && says sha256: &&
        refused INVALID_ARGUMENT kata -- gate_cri image-status "$NODE_IMAGE" --handler kata &&
        audited 'any(.[]; .type == "image.refused" and .handler.requested == "kata")'
}

test_ps_shows_drift() {
    local policy=$NODE_DIR/drift-policy.yaml
    gate_with_policy_file "$policy" "$GVISOR_NODE" || return
    pod drifting --namespace drift && pod steady "${AGENT[@]}" || return
    succeeds gate_ps && says drift/drifting && says default/steady || return
    ! grep -E 'drift/drifting.*DRIFT' <<<"$OUTPUT" || fail "drift before it is there" || return
    sed 's/^rules:$/&\n- name: caged-now\n  match: {namespaces: [drift]}\n  run: runsc/' \
        "$POLICY" | publishes "$policy"
    succeeds gate_ps && grep -qE 'drift/drifting.*caged-now.*DRIFT' <<<"$OUTPUT" ||
        fail "no drift: $OUTPUT" || return
    ! grep -E 'default/steady.*DRIFT' <<<"$OUTPUT" || fail "the other pod drifts" || return
    refused DRIFT -- gate_ps --exit-code
}

test_cluster_flips_a_label() {
    api_up "$BUILD" && api labels kubernetes.io/os=linux && gate_with_cluster || return
    recorded '.type == "node.labels" and .labels.source == "kubernetes" and .labels.known' || return
    refused PERMISSION_DENIED -- gate_cri runp --name cluster-1 "${AGENT[@]}" || return
    api labels "kubernetes.io/os=linux,$GVISOR_NODE"
    recorded '.type == "node.labels" and .labels.source == "kubernetes" and any(.changes[];
        .key == "agenttier.io/runtime" and .before == null and .after == "gvisor")' || return
    pod cluster-2 "${AGENT[@]}" && is_gvisor || return
    api down && gate_with_cluster || return # what was seen last outlives both
    recorded '.type == "start" and .labels.source == "cache" and .labels.known' || return
    pod cluster-3 "${AGENT[@]}" && is_gvisor || return
    api up && api delete || return
    recorded '.type == "node.labels" and (.labels.known | not)' || return
    refused UNAVAILABLE label -- gate_cri runp --name cluster-4 "${AGENT[@]}" || return
    pod cluster-5 && is_host_kernel
}
