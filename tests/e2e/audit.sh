# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# End-to-end tests of the audit log's files: their chain, restarts, rotation by others, refusals that
# come again. To be sourced by run.

# verifies FILE...: the log is whole; what `crigate audit verify` says is then in OUTPUT.
verifies() {
    succeeds "$GATE_PROGRAM" audit verify "$@"
}

# gate_restart_after_kill: as a crash and a start by systemd would be.
gate_restart_after_kill() {
    kill -KILL "$GATE_PID"
    wait_for 20 gate_is_gone || fail "the gate outlives SIGKILL" || return
    wait "$GATE_PID" || true
    GATE_PID=''
    gate_start || fail "the gate does not start again"
} 2>/dev/null # where bash would report the end of the job

test_audit_log_is_a_chain() {
    gate_with "$POLICY" chain/audit.jsonl "$GVISOR_NODE" || return
    pod linked "${AGENT[@]}" && verifies "$GATE_AUDIT" && says 'holds: ' || return
    [[ $(stat -c %a "$GATE_AUDIT" "$NODE_DIR/chain" | xargs) == '640 750' ]] ||
        fail "modes: $(stat -c '%a %n' "$GATE_AUDIT" "$NODE_DIR/chain")" || return
    local next
    next=$(tail -n 1 "$GATE_AUDIT" | sha256sum | cut -d' ' -f1)
    gate_restart_after_kill && pod relinked "${AGENT[@]}" &&
        audited "any(.[]; .prev == \"$next\" and .type == \"start\" and (.version | length) > 0)" &&
        verifies --head "$next" "$GATE_AUDIT" && says '2 runs of the gate' || return
    sed '3s/test-node/best-node/' "$GATE_AUDIT" >"$NODE_DIR/altered.jsonl"
    refused "altered.jsonl:4: " 'does not hold' -- \
        "$GATE_PROGRAM" audit verify "$NODE_DIR/altered.jsonl"
}

test_audit_log_outlives_kills_under_load() {
    gate_with "$POLICY" kills/audit.jsonl "$GVISOR_NODE" || return
    local round pids=() client
    for round in 1 2 3 4 5; do
        pids=()
        for client in 1 2 3; do
            gate_cri runp --name "killed-$round-$client" >"$NODE_DIR/went-on-$round-$client" 2>&1 &
            pids+=($!)
        done
        wait_for 20 audited "any(.[]; .pod.name == \"killed-$round-1\")" &&
            gate_restart_after_kill || return
        wait "${pids[@]}" || true
    done
    verifies "$GATE_AUDIT" && says '6 runs of the gate' || return
    # What containerd has, the log has.
    local name
    for name in $("$NODE_CRI" --endpoint "unix://$NODE_SOCKET" pods | grep -o 'killed-[0-9]-[0-9]' | sort -u); do
        audited "any(.[]; .pod.name == \"$name\" and .stage == \"decided\")" || return
    done
}

test_audit_log_is_rotated_by_others() {
    gate_with "$POLICY" rotated/audit.jsonl "$GVISOR_NODE" || return
    pod before "${AGENT[@]}" || return
    mv "$GATE_AUDIT" "$GATE_AUDIT.1"
    kill -USR1 "$GATE_PID"
    wait_for 10 test -s "$GATE_AUDIT" || fail "no new file" || return

    pod after "${AGENT[@]}" &&
        audited '.[0].type == "segment.open" and .[0].previousFile == "audit.jsonl.1"' || return
    gzip "$GATE_AUDIT.1"
    verifies "$NODE_DIR/rotated/audit*" && says 'in 2 files'
}

# has_the_refusals FILE COUNT: FILE has a line for each record of the log, and COUNT, a jq program over
# all of them, finds the two stages of one refusal.
has_the_refusals() {
    local told
    told=$(jq -s "$2" "$1") && [[ $told == 2 && $(wc -l <"$1") == "$(wc -l <"$GATE_AUDIT")" ]]
}

test_a_second_file_speaks_the_words_of_a_siem() {
    local format second counts
    for format in ecs ocsf; do
        GATE_AUDIT_MORE="format: $format" gate_with "$POLICY" "$format/audit.jsonl" \
            kubernetes.io/os=linux || return
        refused PERMISSION_DENIED -- gate_cri runp --name "told-$format" "${AGENT[@]}" || return
        second=$NODE_DIR/$format/$format-audit.jsonl
        counts='[.[] | select((.event.type // []) | index("denied"))] | length'
        [[ $format == ecs ]] || counts='[.[] | select(.class_uid == 6003 and .action_id == 2)] | length'
        wait_for 10 has_the_refusals "$second" "$counts" ||
            fail "$second is not the log: $(cat "$second")" || return
        verifies "$NODE_DIR/$format/audit*" || return
        [[ $(stat -c %a "$second") == 640 ]] || fail "$second: mode $(stat -c %a "$second")" || return
    done
}

test_refusals_that_come_again_are_counted() {
    gate_with "$POLICY" again/audit.jsonl kubernetes.io/os=linux || return
    local round
    for round in 1 2 3 4 5; do
        refused PERMISSION_DENIED -- gate_cri runp --name again "${AGENT[@]}" || return
    done
    audited '[.[] | select(.pod.name == "again")] | length == 2' || return
    gate_stop || return
    audited 'any(.[]; .type == "repeated" and .pod.name == "again" and .repeated.count == 4 and
        .repeated.of == "pod.decision" and .decision.rule == "agents-need-a-gvisor-node")' &&
        verifies "$GATE_AUDIT"
}
