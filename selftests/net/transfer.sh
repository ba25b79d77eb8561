#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files cross in both directions at once, one trouble of the network at a time.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

# XTCP_SHRINK=N divides the large files by N, for kernels that are slow by design.
large() { random_file "$1" $(($2 / ${XTCP_SHRINK:-1})); }

# trouble NAME NETEM...
trouble() {
	local name=$1 rc=0

	shift
	netem "$@" && transfer '' '' || rc=1
	ok $rc "$name"
}

# setting NAME OPTIONS_A OPTIONS_B
setting() {
	local rc=0

	transfer "$2" "$3" || rc=1
	ok $rc "$1"
}

start ethtool
hosts || skip_all 'no namespaces'
large f.a 4000000
large f.b 3000001
trouble 'a clean link'
large f.a 1500000
large f.b 1000001
trouble 'delay' delay 10ms
trouble 'loss' delay 1ms loss 2%
trouble 'duplication' delay 1ms duplicate 5%
trouble 'reordering' delay 4ms reorder 10%
trouble 'corruption' delay 1ms corrupt 2%
trouble 'all together' delay 3ms 1ms loss 1% duplicate 1% reorder 2% corrupt 1%
netem delay 1ms loss 1%
random_file f.a 200000
random_file f.b 100001
setting 'tiny buffers' '--rcvbuf 4096 --sndbuf 4096' '--rcvbuf 4096 --sndbuf 4096'
setting 'small segments' '--mss 400' '--mss 300'
setting 'small writes without Nagle' '--chunk 100 --nodelay' '--chunk 333 --nodelay'
setting 'small writes with Nagle' '--chunk 700' '--chunk 333'
setting 'an answer after the end' '' '--reply'
: >"$tmp/f.b"
setting 'one way only' '' ''
: >"$tmp/f.a"
setting 'no data at all' '' ''

set_mtu 600
random_file f.a 300000
random_file f.b 200001
netem delay 1ms loss 1%
setting 'a small MTU' '' ''
check 'no illegal state change' legal_edges
finish
