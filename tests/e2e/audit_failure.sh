# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# End-to-end tests of an audit log that cannot be written: a full disk, a read-only one, a directory
# that is gone; with a systemd journal and without. To be sourced by run, after checks.sh.
#
# The gate runs in the node's mount namespace: its disk is a tmpfs there, and its journal, of which
# there is none at first, a stand-in.
# shellcheck disable=SC2034 # gate.sh and run read what is set here

JOURNAL=''     # the stand-in's job; empty: none
JOURNAL_LOG='' # what it got
DISK=''        # the directory that the log's own disk is mounted on

# in_node COMMAND...: with the node's mounts.
in_node() {
    nsenter --target "$NODE_INIT" --mount -- "$@"
}

journal_start() {
    local socket=/run/systemd/journal/socket
    JOURNAL_LOG=$NODE_DIR/journal.log
    in_node mkdir -p "${socket%/*}"
    setsid setpriv --pdeathsig KILL nsenter --target "$NODE_INIT" --mount -- \
        "$BUILD/tests/e2e/journal" "$socket" >"$JOURNAL_LOG" 2>&1 &
    JOURNAL=$!
    wait_for 10 in_node test -S "$socket" || fail "no journal: $(<"$JOURNAL_LOG")"
}

journal_stop() {
    [[ $JOURNAL ]] || return 0
    kill "$JOURNAL" 2>/dev/null || true
    wait "$JOURNAL" 2>/dev/null || true
    JOURNAL=''
    in_node rm -f /run/systemd/journal/socket
}

# journal_has FILTER: jq's FILTER holds for the list of records that the journal got.
journal_has() {
    sed -n 's/^MESSAGE=//p' "$JOURNAL_LOG" | jq -es "$1" >/dev/null 2>&1 ||
        fail "the journal's records do not hold $1; the last: $(tail -n 2 "$JOURNAL_LOG" 2>&1)"
}

# gate_on_disk NAME KEYS: the gate with its log on a disk of its own, of 1 MiB, with further keys
# in `audit`.
gate_on_disk() {
    DISK=$NODE_DIR/$1
    mkdir -p "$DISK"
    in_node mount -t tmpfs -o size=1m,mode=755 tmpfs "$DISK" || fail "no disk" || return
    gate_with_audit "$1/log/audit.jsonl" "$2" in_node_prefix
}

# gate_with_audit FILE KEYS [in_node_prefix]: the gate again, with further keys in `audit`.
gate_with_audit() {
    gate_stop || fail "the gate did not stop in time" || return
    CHANGED=1
    gate_configure "${POLICY:?}" "$1" "${GVISOR_NODE:?}"
    sed -i "s|^audit: .*|audit: {file: $GATE_AUDIT, $2}|" "$GATE_CONFIG"
    if (($# > 2)); then
        GATE_PREFIX=(nsenter --target "$NODE_INIT" --mount --)
        GATE_AUDIT=/proc/$NODE_INIT/root$GATE_AUDIT
    fi
    gate_start || fail "the gate did not start"
}

disk_fill() {
    in_node dd if=/dev/zero of="$DISK/filler" bs=4k status=none 2>/dev/null || true
    in_node test -s "$DISK/filler" || fail "the disk is not filled"
}

# A short record may have fitted before: only a record from here on tells of this recovery.
disk_free() {
    in_node rm -f "$DISK/filler"
}

# Refused, and only what needs a record.
pods_only_are_refused() {
    wait_for 20 refused UNAVAILABLE audit -- gate_cri runp --name "silent" &&
        succeeds gate_cri pods && succeeds gate_cri stopp "$POD" && succeeds gate_cri rmp "$POD"
}

# A pod's record is in the file again.
lands_in_file() {
    local name=back-$RANDOM
    gate_cri runp --name "$name" && audited "any(.[]; .pod.name == \"$name\")"
}

# recovers FILTER: within 5 s records are in the file again, an audit.recovered among them, and FILTER
# holds for its `audit`. That one is short: it may have found room before the others did.
recovers() {
    wait_for 5 lands_in_file || fail "not recovered: $(tail -n 3 "$GATE_AUDIT")" || return
    audited "any(.[]; .type == \"audit.recovered\" and (.audit | has(\"since\") and $1))"
}

test_audit_on_a_full_disk_goes_to_the_journal() {
    journal_start && gate_on_disk disk-journal 'onFailure: refuse' && pod roomy-journal || return
    disk_fill || return
    local i
    for i in {1..12}; do # until the last page of the file is full, too
        succeeds gate_cri runp --name "full-$i" || return
    done
    journal_has 'any(.[]; .type == "audit.degraded")' &&
        journal_has 'any(.[]; .type == "pod.decision" and .pod.name == "full-12" and
            .stage == "decided" and .decision.action == "modify")' || return
    grep -qx PRIORITY=2 "$JOURNAL_LOG" || fail "not of priority crit" || return
    disk_free
    recovers '.inJournal > 0 and .lost == 0' && pod after-journal && decided after-journal modify otherwise runc &&
        verifies "$GATE_AUDIT"
}

test_audit_on_a_full_disk_refuses_pods() {
    gate_on_disk disk-refuse 'onFailure: refuse, repeatWindow: 0' && pod roomy-refuse && disk_fill || return
    pods_only_are_refused || return
    disk_free
    recovers '.lost > 0' && pod after-refuse && decided after-refuse modify otherwise runc
}

test_audit_on_a_full_disk_goes_on_where_told() {
    gate_on_disk disk-continue 'onFailure: continue' && pod roomy-continue && disk_fill || return
    local i
    for i in {1..12}; do
        succeeds gate_cri runp --name "blind-$i" || return
    done
    disk_free
    recovers '.lost > 0 and .inJournal == 0'
}

test_audit_on_a_read_only_disk() {
    gate_on_disk disk-ro 'onFailure: refuse' && pod before-ro || return
    gate_stop || fail "the gate did not stop in time" || return # a writer holds a remount up
    in_node mount -o remount,ro "$DISK" || fail "no remount" || return
    gate_start || fail "the gate does not start" || return
    pods_only_are_refused || return
    in_node mount -o remount,rw "$DISK"
    disk_free
    recovers '.lost > 0' && pod after-ro && decided after-ro modify otherwise runc
}

test_audit_directory_deleted() {
    gate_on_disk disk-gone 'onFailure: refuse' && pod before-gone || return
    in_node rm -r "$DISK/log"
    wait_for 5 pod after-gone && decided after-gone modify otherwise runc && verifies "$GATE_AUDIT"
}

test_audit_rotates_by_size() {
    gate_with_audit small/audit.jsonl 'onFailure: refuse, maxSize: 64Ki, keep: 3, repeatWindow: 0' ||
        return
    local turn=0
    while (($(find "$NODE_DIR/small" -name 'audit-*.jsonl' | wc -l) < 2)); do
        refused INVALID_ARGUMENT -- gate_cri runp --name "turn-$((turn += 1))" --handler kata || return
        ((turn < 400)) || fail "the file is never rotated" || return
    done
    verifies "$NODE_DIR/small/audit*.jsonl" && says 'in 3 files' || return
    audited '.[0].type == "segment.open" and (.[0].previousFile | startswith("audit-2"))'
}

test_repeats_are_told_when_their_window_ends() {
    gate_with_audit repeats/audit.jsonl 'onFailure: refuse, repeatWindow: 2s' || return
    local i
    for i in {1..10}; do
        refused INVALID_ARGUMENT -- gate_cri runp --name again --handler kata || return
    done
    recorded '.type == "repeated" and .pod.name == "again" and .repeated.count == 9' || return
    audited '[.[] | select(.pod.name == "again" and .stage == "decided" and
        .type == "pod.decision")] | length == 1'
}
