# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the end-to-end tests are made of: checks that say why they do not hold, and pods to check. To
# be sourced after gate.sh.
# shellcheck disable=SC2034 # the tests read what is set here

WHY=''       # why the last check failed
OUTPUT=''    # what the last command printed
POD=''       # the id of the last pod
CONTAINER='' # the id of its container
LOG=''       # and the file that this one logs to
CHANGED=''   # not empty: the gate has settings that only the running test wants

# --- checks: each returns 1 and sets WHY when it does not hold --------------------------------

fail() {
    WHY=$1
    return 1
}

# succeeds COMMAND...: its output is then in OUTPUT.
succeeds() {
    OUTPUT=$("$@" 2>&1) || fail "$*: ${OUTPUT:-no output}"
}

# refused TEXT... -- COMMAND...: it fails, and says every TEXT.
refused() {
    local texts=() text
    while [[ $1 != -- ]]; do
        texts+=("$1")
        shift
    done
    shift
    if OUTPUT=$("$@" 2>&1); then
        fail "$* succeeded: $OUTPUT"
        return
    fi
    for text in "${texts[@]}"; do
        [[ $OUTPUT == *"$text"* ]] || fail "$* said '$OUTPUT', without '$text'" || return
    done
}

# says TEXT: OUTPUT holds it.
says() {
    [[ $OUTPUT == *"$1"* ]] || fail "'$OUTPUT' does not hold '$1'"
}

# audited FILTER: jq's FILTER holds for the list of all records.
audited() {
    jq -es "$1" "$GATE_AUDIT" >/dev/null 2>&1 ||
        fail "the records do not hold $1; the last: $(tail -n 2 "$GATE_AUDIT" 2>&1)"
}

# decided POD ACTION REASON HANDLER: the last decision on POD.
decided() {
    audited "[.[] | select(.type == \"pod.decision\" and .pod.name == \"$1\" and
        .stage == \"decided\")] | last |
        .decision.action == \"$2\" and .decision.reason == \"$3\" and
        (.handler.effective // \"\") == \"$4\""
}

# --- pods --------------------------------------------------------------------------------------

# pod NAME FLAGS...: runs a pod with one container that sleeps; POD and CONTAINER are their ids.
pod() {
    local logs=$NODE_DIR/logs/$1
    set -- --log-dir "$logs" --name "$@"
    LOG=$logs/main.log
    mkdir -p "$logs"
    succeeds gate_cri runp "$@" || return
    POD=$OUTPUT
    succeeds gate_cri create "$POD" --image "$NODE_IMAGE" "$@" -- \
        sh -c 'echo logged; exec sleep 3600' || return
    CONTAINER=$OUTPUT
    succeeds gate_cri start "$CONTAINER"
}

in_pod() {
    succeeds gate_cri exec-sync "$CONTAINER" -- "$@"
}

is_gvisor() {
    in_pod dmesg && says 'Starting gVisor'
}

is_host_kernel() {
    in_pod uname -rv && says "$(uname -rv)"
}

# gate_with POLICY AUDIT LABEL...: the gate again, with other settings.
gate_with() {
    gate_stop || fail "the gate did not stop in time" || return
    [[ $GATE_STATUS == 0 ]] || fail "the gate exited with $GATE_STATUS after SIGTERM" || return
    CHANGED=1
    gate_configure "$@"
    gate_start || fail "the gate did not start"
}
