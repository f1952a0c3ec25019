# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# crigate in front of the private node of node.sh. To be sourced after it; node_down is due after
# gate_down.
# shellcheck disable=SC2034 # the tests and the demo read what is set here

GATE_PID=''    # empty: not running
GATE_PROGRAM='' # crigate
GATE_CONFIG='' # its settings file
GATE_LABELS='' # its node labels file
GATE_SOCKET='' # what the kubelet would dial
GATE_AUDIT=''  # its audit log
GATE_PREFIX=() # what the gate is started by, such as nsenter
GATE_STATUS='' # what it exited with when it was stopped

# gate_cri COMMAND ARGS...: the test client, through the gate. Pods get the node's cgroup.
gate_cri() {
    local command=$1
    shift
    case $command in
    runp | create) set -- --cgroup-parent "/$NODE_CGROUP" "$@" ;;
    esac
    "$NODE_CRI" --endpoint "unix://$GATE_SOCKET" "$command" "$@"
}

# gate_ps FLAGS...: the table of sandboxes, by the gate's own settings.
gate_ps() {
    "$GATE_PROGRAM" ps --config "$GATE_CONFIG" "$@"
}

gate_answers() {
    kill -0 "$GATE_PID" || return 0 # one that died will never answer
    gate_cri version --timeout 5
}

gate_start() {
    setsid setpriv --pdeathsig TERM "${GATE_PREFIX[@]}" "$GATE_PROGRAM" serve --config "$GATE_CONFIG" \
        </dev/null >>"$NODE_DIR/gate.log" 2>&1 &
    GATE_PID=$!
    process_stamp "$GATE_PID" >"$NODE_DIR/gate" || true
    wait_for 30 gate_answers && kill -0 "$GATE_PID" 2>/dev/null && return
    echo "crigate does not start; its last lines:" >&2
    tail -n 20 "$NODE_DIR/gate.log" >&2
    return 1
}

gate_is_gone() {
    ! kill -0 "$GATE_PID"
}

# Asks the gate to stop and waits; its exit status is then in GATE_STATUS. Fails when it had to be
# killed.
gate_stop() {
    local result=0
    GATE_STATUS=''
    [[ $GATE_PID ]] || return 0
    kill -TERM "$GATE_PID" || true
    if ! wait_for 20 gate_is_gone; then
        kill -KILL "$GATE_PID" || true
        result=1
    fi
    wait "$GATE_PID" && GATE_STATUS=0 || GATE_STATUS=$?
    GATE_PID=''
    return "$result"
} 2>/dev/null # where bash would report the end of the job

# gate_configure POLICY AUDIT LABEL...: writes the settings for the next start. AUDIT is a path
# below the node's directory. Without a LABEL there is no labels file.
# GATE_AUDIT_MORE, "key: value, ...", goes into `audit`; GATE_HTTP is the address of its page, if any.
gate_configure() {
    GATE_CONFIG=$NODE_DIR/crigate.yaml
    GATE_LABELS=$NODE_DIR/node-labels
    GATE_SOCKET=$NODE_DIR/crigate.sock
    GATE_AUDIT=$NODE_DIR/$2
    cat >"$GATE_CONFIG" <<EOF
listen: $GATE_SOCKET
upstream: $NODE_SOCKET
policy: $1
peers: {uids: [0]}
node:
  name: test-node
  labels: {file: $GATE_LABELS}
audit: {file: $GATE_AUDIT, onFailure: refuse${GATE_AUDIT_MORE:+, $GATE_AUDIT_MORE}}
http: "${GATE_HTTP:-}"
EOF
    shift 2
    rm -f "$GATE_LABELS"
    (($# == 0)) || printf '%s\n' "$@" >"$GATE_LABELS"
}

# gate_up BUILD POLICY LABEL...: configures and starts the gate of the build directory BUILD.
gate_up() {
    GATE_PROGRAM=$1/shim/crigate
    shift
    gate_configure "$1" audit.jsonl "${@:2}"
    gate_start
}

# Copies every audit log of the gate's life to $CRIGATE_TEST_RECORDS, when there is such a directory,
# for tests/audit/validate. The node's directory must still be there.
gate_keep_records() {
    local file name
    [[ ${CRIGATE_TEST_RECORDS:-} && ${NODE_DIR:-} ]] || return 0
    for file in "$NODE_DIR"/audit*.jsonl "$NODE_DIR"/*/audit*.jsonl; do
        [[ -f $file ]] || continue
        name=${file#"$NODE_DIR/"}
        cp "$file" "$CRIGATE_TEST_RECORDS/${NODE_DIR##*/}-${name//\//-}" || return
    done
}

gate_down() {
    gate_stop || true
    gate_keep_records || echo "the audit records are not kept for validation" >&2
}
