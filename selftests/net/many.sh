#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand connections at one time, twenty thousand in turn, and the memory
# back to where it began.
# check and within call functions by name; hosts has a default.
# shellcheck disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

at_once=${XTCP_AT_ONCE:-1000}
in_turn=${XTCP_IN_TURN:-20000}

# clients WHAT CONNECTIONS: against a server of its own.
clients() {
	local what=$1 n=$2 server rc=0

	port=$((port + 1))
	background "$tmp/server.log" ip netns exec "$B" "$apps/many" \
		"${flag[@]}" --conns "$n" server "$ADDR_B" $port
	server=$last
	within 10 listening "$tmp/server.log" || return 1
	in_a "$apps/many" "${flag[@]}" --conns "$n" "$what" "$ADDR_B" $port \
		>"$tmp/client.log" 2>&1 || rc=1
	[[ $rc = 0 ]] || kill "$server"
	wait "$server" || rc=1
	[[ $rc = 0 ]] || sed 's/^/# /' "$tmp/client.log" "$tmp/server.log"
	return "$rc"
}

# KiB of kernel memory that nobody can reclaim.
kernel_memory() {
	awk '/^(SUnreclaim|Percpu|KernelStack):/ { n += $2 } END { print n }' \
		/proc/meminfo
}

# Objects in use in the slabs that carry our name.
our_objects() {
	awk 'tolower($1) ~ /xtcp/ { n += $2 } END { print n + 0 }' /proc/slabinfo
}

settled() {
	# Freed objects linger in per-CPU caches and behind RCU.
	echo 2 >/proc/sys/vm/drop_caches
	[[ $(our_objects) -le $((objects + slack)) &&
	   $(kernel_memory) -le $((memory + 4096)) ]]
}

start ethtool
hosts || skip_all 'no hosts'
# The first connections fill caches that stay: they are not what is measured.
clients in-turn 100 || note 'warming up failed'
no_hosts
within 10 no_sockets
echo 2 >/proc/sys/vm/drop_caches
memory=$(kernel_memory) objects=$(our_objects)
# A slab page's worth a CPU may stay counted as in use.
slack=$((64 * $(nproc)))
note "before: $memory KiB, $objects objects"

hosts
check "$at_once connections at once, every byte verified" \
	clients clients "$at_once"
began=$SECONDS
check "$in_turn connections in turn" clients in-turn "$in_turn"
note "$in_turn in turn took $((SECONDS - began)) s"
check 'no illegal state change' legal_edges
[[ $transport == tcp ]] ||
	check 'no socket is left but TIME_WAIT' within 10 no_sockets
no_hosts
check 'memory is back to where it began' within 30 settled
note "after: $(kernel_memory) KiB, $(our_objects) objects"
finish
