# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A private node for tests and the demo: containerd with runc and gVisor's runsc. To be sourced by
# a script that calls node_check, node_up and, on every way out, node_down.
#
# The node lives in mount, network and process namespaces of its own, and ends with their first
# process: its processes, mounts, network namespaces, bridge and files vanish together, even when
# the script is killed. Only its directory and its cgroups have names outside; node_up also removes
# those that a killed run has left.

# wait_for, process_stamp, process_alive, process_kill
# shellcheck source=tests/process.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../process.sh"

# A node's directory: the node_* functions' record of it, its sockets and its logs.
readonly NODE_RUNS=/run/crigate-node
readonly NODE_IMAGE=crigate.test/busybox:1
readonly NODE_PAUSE_IMAGE=crigate.test/pause:1
NODE_SOURCE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly NODE_SOURCE

NODE_DIR=''        # empty: no node
NODE_INIT=''       # the host's pid of the node's first process
NODE_UNSHARE=''    # the job that holds the namespaces
NODE_CONTAINERD='' # the job that runs containerd; empty: stopped
NODE_SOCKET=''     # containerd's socket
NODE_CGROUP=''     # the cgroup of all pods, from the root of each hierarchy
NODE_CRI=''        # the test client

# Says on standard error why this machine cannot have a node, and returns 2.
node_check() {
    if ((EUID != 0)); then
        echo "this needs root: containers, namespaces and mounts are made (try sudo)" >&2
        return 2
    fi
    if ! unshare --mount --net --pid --fork --mount-proc true 2>/dev/null; then
        echo "this machine does not let root make mount, network and process namespaces" >&2
        return 2
    fi
}

node_cgroup_remove() {
    local top
    for top in "/sys/fs/cgroup/$1" /sys/fs/cgroup/*/"$1"; do
        [[ -d $top ]] || continue
        find "$top" -depth -type d -exec rmdir {} + 2>/dev/null || [[ ! -d $top ]] || return 1
    done
}

# Removes the names that a dead node has left: NODE_DIR CGROUP.
node_remove_names() {
    # killed processes leave their cgroups a moment later
    wait_for 10 node_cgroup_remove "$2" || echo "cgroup $2 cannot be removed" >&2
    rm -rf --one-file-system "$1"
    rmdir "$NODE_RUNS" 2>/dev/null || true
}

# Cleans up after runs that were killed; leaves those that still run alone.
node_sweep() {
    local dir
    for dir in "$NODE_RUNS"/*; do
        [[ -e $dir/owner ]] || continue
        process_alive "$dir/owner" && continue
        process_kill "$dir/gate"
        process_kill "$dir/init"
        node_remove_names "$dir" "crigate-node-${dir##*/}"
    done
}

node_write_config() {
    cat >"$NODE_DIR/containerd.toml" <<EOF
version = 2
root = "$NODE_DIR/private/root"
state = "$NODE_DIR/private/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "$NODE_SOCKET"
[plugins."io.containerd.internal.v1.opt"]
  path = "$NODE_DIR/private/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$NODE_PAUSE_IMAGE"
  disable_apparmor = true
  # without CAP_SYS_RESOURCE runc may not lower a process's score
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$NODE_DIR/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc.options]
      BinaryName = "$NODE_SOURCE/runsc-adapter"
      Root = "/run/runsc"
  # a lie, for who looks through it
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.caged]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sliced]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sliced.options]
      BinaryName = "$NODE_SOURCE/slice-adapter"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.held]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.held.options]
      BinaryName = "$NODE_SOURCE/held-runc"
      Root = "$NODE_DIR/private/held"
EOF
    cat >"$NODE_DIR/cni/10-node.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "node", "plugins": [
  {"type": "bridge", "bridge": "crigate0", "isGateway": true,
   "ipam": {"type": "host-local", "subnet": "10.99.0.0/16", "dataDir": "$NODE_DIR/private/ipam"}}]}
EOF
}

# node_image NAME ROOTFS COMMAND: makes an image of one layer and imports it.
node_image() {
    local work=$NODE_DIR/image arch layer
    arch=$(dpkg --print-architecture)
    mkdir -p "$work" && tar -C "$2" --owner=0 --group=0 -cf "$work/layer.tar" . &&
        layer=$(sha256sum "$work/layer.tar") || return
    printf '{"architecture":"%s","os":"linux","config":{"Cmd":["%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$arch" "$3" "${layer%% *}" >"$work/config.json"
    printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' \
        "$1" >"$work/manifest.json"
    tar -C "$work" -cf "$NODE_DIR/image.tar" manifest.json config.json layer.tar &&
        ctr --address "$NODE_SOCKET" --namespace k8s.io images import "$NODE_DIR/image.tar" \
            >/dev/null || return
    rm -rf "$work" "$NODE_DIR/image.tar"
}

node_has_images() {
    local images
    images=$("$NODE_CRI" --endpoint "unix://$NODE_SOCKET" images) &&
        [[ $images == *"$NODE_IMAGE"* && $images == *"$NODE_PAUSE_IMAGE"* ]]
}

# node_import BUILD: makes the two images and waits until containerd's CRI side knows them.
node_import() {
    local pause=$NODE_DIR/rootfs/pause busybox=$NODE_DIR/rootfs/busybox
    mkdir -p "$pause" "$busybox"/{bin,etc,tmp,proc,sys,dev} &&
        cp "$1/tests/e2e/pause" "$pause/pause" &&
        node_image "$NODE_PAUSE_IMAGE" "$pause" /pause &&
        cp /bin/busybox "$busybox/bin/busybox" &&
        "$busybox/bin/busybox" --install "$busybox/bin" &&
        echo 'root:x:0:0:root:/:/bin/sh' >"$busybox/etc/passwd" &&
        node_image "$NODE_IMAGE" "$busybox" /bin/sh || return
    rm -rf "$NODE_DIR/rootfs"
    wait_for 10 node_has_images && return
    echo "containerd's CRI does not list the images" >&2
    return 1
}

# node_exec COMMAND...: runs COMMAND inside the node's namespaces.
node_exec() {
    nsenter --target "$NODE_INIT" --mount --net --pid -- "$@"
}

node_containerd_answers() {
    # one that died will never answer
    kill -0 "$NODE_CONTAINERD" || return 0
    "$NODE_CRI" --endpoint "unix://$NODE_SOCKET" --timeout 5 version
}

node_containerd_start() {
    # shellcheck disable=SC2016 # the inner shell's own $$ and $1
    setsid nsenter --target "$NODE_INIT" --mount --net --pid -- \
        sh -c 'echo $$ >"$1/containerd.pid"; exec containerd --config "$1/containerd.toml"' \
        sh "$NODE_DIR" >>"$NODE_DIR/containerd.log" 2>&1 &
    NODE_CONTAINERD=$!
    wait_for 30 node_containerd_answers && kill -0 "$NODE_CONTAINERD" 2>/dev/null && return
    echo "containerd does not start; its last lines:" >&2
    tail -n 5 "$NODE_DIR/containerd.log" >&2
    return 1
}

# Stops containerd alone; the pods run on.
node_containerd_stop() {
    node_exec sh -c "kill -TERM $(<"$NODE_DIR/containerd.pid")"
    wait "$NODE_CONTAINERD" || true
    NODE_CONTAINERD=''
}

# node_up BUILD: starts the node with the programs of the build directory BUILD. On failure says
# why on standard error and fails, also where set -e is off; node_down is due either way.
node_up() {
    NODE_CRI=$1/tests/e2e/cri
    node_sweep
    # named before it is made, so that node_down finds it whenever it is called
    NODE_DIR=$NODE_RUNS/$$-$RANDOM$RANDOM
    NODE_SOCKET=$NODE_DIR/containerd.sock
    NODE_CGROUP=crigate-node-${NODE_DIR##*/}
    mkdir -p "$NODE_DIR/private" "$NODE_DIR/logs" "$NODE_DIR/cni" && chmod 0700 "$NODE_DIR" &&
        process_stamp $$ >"$NODE_DIR/owner" && node_write_config || return

    # in a session of its own, out of reach of the terminal's Ctrl-C, and killed with this script
    setsid setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child \
        "$NODE_SOURCE/node-init" "$NODE_DIR" "$1/tests/e2e/pause" </dev/null \
        >"$NODE_DIR/init.log" 2>&1 &
    NODE_UNSHARE=$!
    if ! wait_for 10 test -s "$NODE_DIR/init.pid"; then
        echo "the node's namespaces cannot be set up: $(<"$NODE_DIR/init.log")" >&2
        return 1
    fi
    NODE_INIT=$(<"$NODE_DIR/init.pid")
    process_stamp "$NODE_INIT" >"$NODE_DIR/init"
    node_containerd_start && node_import "$1"
}

# Ends the node and removes every name of it. Safe at any time, also twice.
node_down() {
    [[ $NODE_DIR ]] || return 0
    if [[ $NODE_UNSHARE ]]; then
        kill -KILL "$NODE_UNSHARE" 2>/dev/null || true
        # at once, or bash reports the end of its jobs on the terminal
        wait "$NODE_UNSHARE" ${NODE_CONTAINERD:+"$NODE_CONTAINERD"} 2>/dev/null || true
    fi
    process_kill "$NODE_DIR/init"
    node_remove_names "$NODE_DIR" "$NODE_CGROUP"
    NODE_DIR='' NODE_UNSHARE='' NODE_CONTAINERD='' NODE_INIT=''
}
