# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine of its own for tests: this one's files under a layer that is thrown away, a network of its
# own, and a real systemd as process 1.

# process_stamp, process_alive, wait_for
# shellcheck source=tests/process.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../process.sh"

MACHINE_DIR=''
MACHINE_CGROUP=''
MACHINE_PID='' # of its process 1, as seen from here

# The parts that need the new name spaces; runs in them, and becomes process 1.
machine_init() {
    local root=$1/root
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$1"
    mkdir "$1"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    local place node
    for place in run tmp dev; do
        mount -t tmpfs -o mode=0755 tmpfs "$root/$place"
    done
    for node in null zero full random urandom tty; do
        touch "$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mkdir -p "$root/dev/pts" "$root/dev/shm"
    touch "$root/dev/console"
    ip link set lo up
    # none of this machine's services
    rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/crigate" "$root/var/log/crigate" \
        "$root/var/lib/crigate"
    # a root of the name space itself, for those who enter it by process 1
    cd "$root" || exit
    pivot_root . . # the old root then lies on top of the new one
    umount -l .
    container=crigate-test exec chroot . /lib/systemd/systemd --system --unit=basic.target \
        --log-target=console --show-status=0
}

# The cgroup has to be there before the name space that makes it the root.
machine_cgroup() {
    local mounted=$1/cgroup
    mkdir -p "$mounted"
    mount -t cgroup2 cgroup2 "$mounted"
    MACHINE_CGROUP=$mounted/crigate-machine-$$
    mkdir "$MACHINE_CGROUP"
}

# What a run left that was killed. Its machine ended with it.
machine_sweep() {
    local dir group
    for dir in /tmp/crigate-machine-*/; do
        [[ -d $dir ]] || continue
        ! process_alive "${dir}owner" || continue
        for group in "$dir"cgroup/crigate-machine-*/; do
            machine_drop_cgroup "$group"
        done
        umount "${dir}cgroup" 2>/dev/null
        rm -rf "$dir"
    done
}

machine_drop_cgroup() {
    [[ -d $1 ]] || return 0
    wait_for 10 machine_cgroup_is_empty "$1"
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

machine_cgroup_is_empty() {
    grep -q '^populated 0' "$1/cgroup.events"
}

# Starts it; fails where this kernel, or who runs us, does not permit it.
machine_start() {
    machine_sweep
    MACHINE_DIR=$(mktemp -d /tmp/crigate-machine-XXXXXX)
    process_stamp $$ >"$MACHINE_DIR/owner"
    mkdir "$MACHINE_DIR/new"
    machine_cgroup "$MACHINE_DIR" || return
    # shellcheck disable=SC2016 # for the inner shells
    setpriv --pdeathsig KILL unshare --mount --pid --ipc --uts --net --fork --kill-child bash -c '
        echo 0 >"$1/cgroup.procs" && export -f machine_init 2>/dev/null
        exec unshare --cgroup bash -euc ". \"\$1\"; machine_init \"\$2\"" bash "$2" "$3"' bash \
        "$MACHINE_CGROUP" "${BASH_SOURCE[0]}" "$MACHINE_DIR/new" >"$MACHINE_DIR/log" 2>&1 &
    MACHINE_LAUNCHER=$!
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        MACHINE_PID=$(pgrep -P "$MACHINE_LAUNCHER" 2>/dev/null | head -n 1)
        [[ -n $MACHINE_PID && $(machine systemctl is-system-running 2>/dev/null) == running ]] &&
            return
        kill -0 "$MACHINE_LAUNCHER" 2>/dev/null || break
        sleep 0.1
    done
    cat "$MACHINE_DIR/log" >&2
    return 1
}

# Runs a command in it.
machine() {
    nsenter -t "$MACHINE_PID" -m -u -i -n -p -C -r -w "$@"
}

machine_stop() {
    [[ -z $MACHINE_PID ]] || kill -KILL "$MACHINE_PID" 2>/dev/null
    [[ -z ${MACHINE_LAUNCHER:-} ]] || wait "$MACHINE_LAUNCHER" 2>/dev/null
    if [[ -n $MACHINE_CGROUP ]]; then
        machine_drop_cgroup "$MACHINE_CGROUP"
        umount "$MACHINE_DIR/cgroup"
    fi
    [[ -z $MACHINE_DIR ]] || rm -rf "$MACHINE_DIR"
}
