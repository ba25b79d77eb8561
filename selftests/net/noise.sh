#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Segments that no honest peer sends, most of them credible enough to be
# looked at closely.  What is asked for is only that the kernel survives them,
# that no state change outside the table happens, and that nothing is left;
# the kernel's log, and the sanitizers where they are, do the rest.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119
. "$(dirname "$0")/lib.sh"

segments=${XTCP_NOISE:-20000}
seed=${XTCP_SEED:-$RANDOM}

noise() {
	local text rc=0

	text=$("$apps/noise" "$1" "$segments" 2>&1) || rc=1
	note "seed $1: $text"
	return "$rc"
}

legal() { grep -qx 'illegal 0' /proc/net/xtcp_edges; }

# Its namespace is gone with it, and what it left there with that.
nothing_left() { [[ $(live_objects) -le $objects ]]; }

start
[[ $transport == xtcp ]] || skip_all 'about the module'
[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null
[[ -c /dev/net/tun ]] || skip_all 'no TUN device'
objects=$(live_objects)
for i in 0 1 2; do
	check "$segments segments of noise, round $i" noise $((seed + i))
done
check 'no illegal state change' legal
check 'nothing is left' within 20 nothing_left
finish
