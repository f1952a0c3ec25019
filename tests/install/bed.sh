# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of this folder share: a directory, checks, and the last command's output. To be
# sourced; the caller sets SOURCE to this folder and calls bed_end on its way out.
# wait_for
# shellcheck source=tests/process.sh
. "$SOURCE/../process.sh"

PASSED=0 FAILED=0
OUT='' STATUS=0 # of the last `run`
WORK=$(mktemp -d /tmp/crigate-install-XXXXXX)
TREE=$(readlink -f "$SOURCE/../..")
# shellcheck disable=SC2034 # for those who source this
readonly WORK TREE

# check NAME COMMAND...
check() {
    local name=$1
    shift
    OUT='' STATUS=0
    if "$@"; then
        echo "ok $name"
        PASSED=$((PASSED + 1))
    else
        echo "not ok $name; the last run exited with $STATUS:"
        tail -n 20 <<<"$OUT" | sed 's/^/    /'
        FAILED=$((FAILED + 1))
    fi
}

# run COMMAND...: its output in OUT, its status in STATUS.
run() {
    STATUS=0
    OUT=$(timeout 120 "$@" 2>&1) || STATUS=$?
}

# says STATUS TEXT...: the last run exited so, and said each of them.
says() {
    local text
    [[ $STATUS == "$1" ]] || return 1
    shift
    for text; do
        grep -qF -- "$text" <<<"$OUT" || return 1
    done
}

bed_end() {
    rm -rf --one-file-system "$WORK"
}
