# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The tests of `crigate verify`. To be sourced by tests/e2e/run.

# gate_verify FLAGS...: what the gate's runtimes are, by the gate's own settings.
gate_verify() {
    "$GATE_PROGRAM" verify --config "$GATE_CONFIG" "$@"
}

test_verify_proves_each_runtime() {
    succeeds gate_verify && echo "$OUTPUT" >&2
}
