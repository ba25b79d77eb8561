#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand connections at one time, two thousand one after another, and the
# memory back to where it began. storm.sh has the large numbers.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

at_once=${XTCP_AT_ONCE:-1000}
in_turn=${XTCP_IN_TURN:-2000}

# clients WHAT CONNECTIONS: against a server of its own.
clients() {
	local what=$1 n=$2 server rc=0 cpu=()

	# In turn the two take turns anyway; on one processor they need not
	# wake another one each time, which a busy emulator does slowly.
	[[ $what == in-turn ]] && cpu=(taskset -c 0)

	port=$((port + 1))
	background "$tmp/server.log" ip netns exec "$B" "${cpu[@]}" "$apps/many" \
		"${flag[@]}" --timeout 200 --conns "$n" server "$ADDR_B" $port
	server=$last
	within 10 listening "$tmp/server.log" || return 1
	in_a "${cpu[@]}" "$apps/many" "${flag[@]}" --timeout 200 \
		--conns "$n" "$what" "$ADDR_B" $port >"$tmp/client.log" 2>&1 || rc=1
	[[ $rc = 0 ]] || kill "$server" 2>/dev/null
	wait "$server" || rc=1
	[[ $rc = 0 ]] || sed 's/^/# /' "$tmp/client.log" "$tmp/server.log"
	return "$rc"
}

start ethtool taskset
hosts || skip_all 'no hosts'
# The first connections fill caches that stay: they are not what is measured.
clients in-turn 100 || note 'warming up failed'
no_hosts
echo 2 >/proc/sys/vm/drop_caches
memory=$(kernel_memory) objects=$(live_objects)
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
check 'memory is back to where it began' within 30 memory_back
note "after: $(kernel_memory) KiB, $(live_objects) objects"
finish
