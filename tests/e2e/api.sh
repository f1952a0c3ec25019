# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The API server of tests/api as the node's cluster. To be sourced after gate.sh; it ends with its
# input, so with the shell that started it.
# shellcheck disable=SC2034 # the run reads what is set here

# api COMMAND...: tells the server; its answer goes to API_ANSWER.
api() {
    API_ANSWER=nothing
    echo "$*" >&"${API[1]}"
    read -r -t 30 API_ANSWER <&"${API[0]}" || true
    [[ $API_ANSWER == ok* ]] || fail "the API server said '$API_ANSWER' to '$*'"
}

# api_up BUILD: a cluster whose Node is test-node; its kubeconfig is $NODE_DIR/api/kubeconfig.
api_up() {
    mkdir -p "$NODE_DIR/api"
    coproc API { exec "$1/tests/api/fake-apiserver" "$NODE_DIR/api" test-node 2>&1; }
    read -r -t 30 API_ANSWER <&"${API[0]}" && [[ $API_ANSWER == ready* ]] ||
        fail "the API server does not start: $API_ANSWER" || return
    api kubeconfig kubelet
}

api_end() {
    local pid=${API_PID:-}
    [[ $pid ]] || return 0
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# gate_with_cluster: the gate again, with labels from the cluster alone.
gate_with_cluster() {
    gate_stop || fail "the gate did not stop in time" || return
    CHANGED=1
    gate_configure "$POLICY" audit.jsonl
    sed -i "s|^  labels: .*|  labels: {kubernetes: {kubeconfig: $NODE_DIR/api/kubeconfig, cache: $NODE_DIR/labels.json}}|" \
        "$GATE_CONFIG"
    gate_start || fail "the gate did not start"
}
