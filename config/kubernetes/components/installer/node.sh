#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the installer's pods run on a node: puts runsc, crigate and its policy there and the gate in
# front of containerd; takes the gate out again; or idles. The node's files are below HOST, its
# programs are run by entering the name spaces of its first process.
# Usage: node.sh install | remove | idle
set -euo pipefail

readonly HOST=${HOST:-/host}              # the node's files
readonly OPT=${OPT:-/opt/crigate}         # what the image brings
readonly POLICY=${POLICY:-/policy/policy.yaml}
readonly CACHE=/var/cache/crigate-installer # on the node

say() {
    echo "crigate-installer: $*"
}

fail() {
    echo "crigate-installer: error: $*" >&2
    exit 1
}

on_node() {
    nsenter --target 1 --mount --uts --ipc --net --pid -- "$@"
}

# Before anything is changed.
check_request() {
    [[ -x $HOST/usr/bin/dpkg-deb && -x $HOST/usr/bin/apt-get ]] ||
        fail "this node is not Debian's: it has no apt-get. Put crigate into its image"
    compgen -G "$OPT/packages/*.deb" >/dev/null || fail "the image has no package in $OPT/packages"
    [[ ${GVISOR_RELEASE:-} ]] || fail "no gVisor release is named: set installer.gvisor.release"
}

# --- what is put there -----------------------------------------------------------------------------

gvisor() {
    local arguments=()
    [[ ! ${RUNSC_SHA512:-} ]] || arguments+=(--sha512 "runsc=$RUNSC_SHA512")
    [[ ! ${SHIM_SHA512:-} ]] || arguments+=(--sha512 "containerd-shim-runsc-v1=$SHIM_SHA512")
    "$OPT/install-runsc" --root "$HOST" --release "$GVISOR_RELEASE" \
        --from "${GVISOR_FROM:-$OPT/gvisor}" "${arguments[@]}"
}

# field FILE FIELD: of a .deb.
field() {
    on_node dpkg-deb -f "$1" "$2"
}

# The packages' files are looked at by the node's own dpkg, from a place on the node.
package() {
    local debs=("$OPT"/packages/*.deb) deb wanted=''
    rm -rf "${HOST:?}$CACHE"
    install -d -m 0700 "$HOST$CACHE"
    cp -- "${debs[@]}" "$HOST$CACHE"
    for deb in "$HOST$CACHE"/*.deb; do
        deb=${deb#"$HOST"}
        [[ $(field "$deb" Package) != crigate ]] || wanted=$(field "$deb" Version)
    done
    [[ $wanted ]] || fail "the image has no package of crigate in $OPT/packages"
    if [[ $(installed_version) == "$wanted" ]]; then
        say "crigate $wanted is installed"
    else
        # what an administrator has edited stays; no question is asked
        on_node env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
            "${debs[@]/#*\//$CACHE/}" || fail "crigate $wanted cannot be installed"
    fi
    rm -rf "${HOST:?}$CACHE"
}

# Of crigate on the node, where it is installed and whole.
installed_version() {
    # shellcheck disable=SC2016 # dpkg's own words
    on_node dpkg-query -W -f '${db:Status-Abbrev}${Version}' crigate 2>/dev/null |
        sed -n 's/^ii *//p'
}

# put PATH: standard input becomes that file of the node, at once, unless it is the same.
put() {
    local to=$HOST$1
    cat >"$to.new"
    chmod 0644 "$to.new"
    if cmp -s "$to.new" "$to"; then
        rm "$to.new"
    else
        sync "$to.new"
        mv -fT "$to.new" "$to"
        say "$1 is written"
    fi
}

# A policy that is wrong does not take the place of the one in force.
policy() {
    local new=/etc/crigate/policy.yaml.installer
    cat "$POLICY" >"$HOST$new"
    on_node crigate check "$new" || {
        rm -f "$HOST$new"
        fail "the policy of the ConfigMap has errors; the node keeps its own"
    }
    rm -f "$HOST$new"
    put /etc/crigate/policy.yaml <"$POLICY"
}

node_labels() {
    local labels
    read -ra labels <<<"${NODE_LABELS:-}"
    put /etc/crigate/node-labels < <(((${#labels[@]} == 0)) || printf '%s\n' "${labels[@]}")
}

install_node() {
    check_request
    gvisor
    package
    policy
    node_labels
    on_node crigate setup --apply
    say "this node's pods go through the gate"
}

remove_node() {
    if [[ ! -x $HOST/usr/bin/crigate ]]; then
        say "crigate is not on this node"
        return
    fi
    on_node crigate setup --undo
    say "the gate is out of this node's way; runsc, the package and the audit log stay"
}

# Until a signal ends it, which a plain sleep would not as process 1.
idle() {
    trap 'exit 0' TERM INT
    while :; do
        sleep 3600 &
        wait "$!"
    done
}

case ${1:-} in
install) install_node ;;
remove) remove_node ;;
idle) idle ;;
*)
    echo "usage: node.sh install | remove | idle" >&2
    exit 2
    ;;
esac
