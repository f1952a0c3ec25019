# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A client that calls the gate all the time, and what it may see while containerd is away. To be
# sourced after gate.sh.

POLLER='' # the client's job; empty: none

now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

poll_start() {
    # not through a function: that would be a shell, whose end leaves the client running
    "$NODE_CRI" --endpoint "unix://$GATE_SOCKET" poll >"$1" 2>&1 &
    POLLER=$!
}

poll_stop() {
    [[ $POLLER ]] || return 0
    kill "$POLLER" 2>/dev/null || true
    wait "$POLLER" 2>/dev/null || true
    POLLER=''
}

# polled FILE CODE COUNT SINCE: COUNT calls ended with CODE after SINCE, in ms.
polled() {
    awk -v code="$2" -v count="$3" -v since="$4" \
        '$1 > since && $2 == code ":" { n++ } END { exit n < count }' "$1"
}

# poll_verdict FILE PODS DOWN UP BACK: says what was wrong while containerd was away from DOWN to
# UP and answered again at BACK, in ms.
poll_verdict() {
    awk -v pods="$2" -v down="$3" -v up="$4" -v back="$5" -v socket="$NODE_SOCKET" '
        function bad(why) { print why ": " $0; exit 1 }
        $2 == "OK:" && $3 != pods { bad("not all pods are listed") }
        # what containerd itself says while its CRI plugin starts
        $1 > up && /UNKNOWN: server is not initialized yet$/ && $1 <= back + 2000 { next }
        $2 != "OK:" && $2 != "UNAVAILABLE:" { bad("neither OK nor UNAVAILABLE") }
        # a call from before may end a little after
        $1 > down + 50 && $1 < up && !index($0, socket) { bad("the socket is not named") }
        $1 > back + 2000 && $2 != "OK:" { bad("still away after 2 s") }' "$1"
}
