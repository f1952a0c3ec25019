# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the tests' scripts: waiting for a condition, and naming processes so that none but the one meant
# is ever ended. To be sourced, as often as one likes.

# wait_for SECONDS COMMAND...: runs COMMAND until it succeeds; fails when the time is up.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.02
    done
}

# process_stamp PID: prints "PID START". START is when it started, in ticks since boot: the two
# together name one process for good, as a pid alone does not.
process_stamp() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"${stat##*) }" # what follows the name, which may hold anything
    printf '%s %s\n' "$1" "${fields[19]}"
}

# process_alive FILE: the process whose stamp is in FILE still runs.
process_alive() {
    local stamp now
    stamp=$(cat "$1" 2>/dev/null) && now=$(process_stamp "${stamp%% *}") && [[ $stamp == "$now" ]]
}

# process_kill FILE: ends the process whose stamp is in FILE, and no other.
process_kill() {
    local stamp
    process_alive "$1" || return 0
    stamp=$(<"$1")
    kill -KILL "${stamp%% *}" 2>/dev/null || true
}
