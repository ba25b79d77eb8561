#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tens of thousands of connections that come and go, 64 at any time, between
# two hosts and within one; then nothing may be left of them, and the counters
# of both ends must tell one story.
# check and within call functions by name; hosts has a default; $ is awk's.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015,SC2016
. "$(dirname "$0")/lib.sh"

conns=${XTCP_STORM:-25000}
seed=${XTCP_SEED:-$RANDOM}
at_once=64
server=''

# A counter of namespace $1, of XTCP or of native TCP.
counter() {
	if [[ $transport == xtcp ]]; then
		ip netns exec "$1" cat /proc/net/xtcp_snmp
	else
		ip netns exec "$1" cat /proc/net/snmp /proc/net/netstat |
			awk 'NR % 2 { split($0, name); next }
			     { for (i = 2; i <= NF; i++) print name[i], $i }'
	fi | awk -v name="$2" '$1 == name { print $2 }'
}

served() { grep -q ^served "$tmp/server.log"; }

# storm NAMESPACE NAMESPACE ADDRESS: clients of the first, server of the other.
storm() {
	local rc=0

	port=$((port + 20))
	background "$tmp/server.log" ip netns exec "$2" "$apps/storm" \
		"${flag[@]}" --seed "$seed" --conns "$conns" server "$3" "$port"
	server=$last
	within 10 listening "$tmp/server.log" || return 1
	ip netns exec "$1" "$apps/storm" "${flag[@]}" --seed "$seed" \
		--conns "$conns" --at-once $at_once client "$3" "$port" \
		>"$tmp/client.log" 2>&1 && within 10 served || rc=1
	sed 's/^/# client: /' "$tmp/client.log"
	sed 's/^/# server: /' "$tmp/server.log"
	return "$rc"
}

# Two hosts with room for all that will be in TIME_WAIT. Beyond the limit a
# closed connection is forgotten at once, here as natively, and what its peer
# repeats is answered by a reset that the forecast does not know of.
roomy_hosts() {
	local ns

	hosts || return 1
	for ns in "$A" "$B"; do
		knob "$ns" max_tw_buckets 200000 || return 1
	done
}

# While the server still listens.
queues_empty() {
	[[ $transport == tcp ]] || ip netns exec "$1" cat /proc/net/xtcp |
		awk '$3 == "SYN_RECEIVED" { bad = 1 }
		     $3 == "LISTEN" { n++; bad += $5 }
		     END { exit bad || n != 9 }'
}

server_ends() {
	kill "$server" && wait "$server"
}

# The list has them all, and nothing else.
only_time_wait() {
	local ns text n

	for ns in "$@"; do
		n=$(counter "$ns" TimeWait)
		text=$(ip netns exec "$ns" awk 'NR > 1 && $3 != "TIME_WAIT"
			END { print NR - 1 }' /proc/net/xtcp) || return 1
		# They end while one looks.
		((text <= n && text >= $(counter "$ns" TimeWait))) ||
			{ note "$text, counted $n"; return 1; }
	done
}

# equal WHAT A B
equal() {
	note "$1: $2, expected $3"
	[[ $2 == "$3" ]]
}

# counters_agree CLIENTS SERVER ADDRESS
counters_agree() {
	local rc=0 resets out again in

	resets=$(sed -n 's/^resets=//p' "$tmp/client.log")
	[[ $1 == "$2" ]] && resets=$((resets * 2))
	equal ActiveOpens "$(counter "$1" ActiveOpens)" "$conns" || rc=1
	equal PassiveOpens "$(counter "$2" PassiveOpens)" "$conns" || rc=1
	equal AttemptFails "$(counter "$2" AttemptFails)" 0 || rc=1
	equal EstabResets "$(counter "$1" EstabResets)" "$resets" || rc=1
	equal "EstabResets of the server's" \
		"$(counter "$2" EstabResets)" "$resets" || rc=1
	equal ListenOverflows "$(counter "$2" ListenOverflows)" 0 || rc=1
	equal InErrs "$(counter "$1" InErrs)" 0 || rc=1
	# A repeated SYN-ACK is in OutSegs too, other repeated ones are not.
	out=$(counter "$1" OutSegs) again=$(counter "$1" RetransSegs)
	in=$(counter "$2" InSegs)
	note "segments: $out sent, $again again, $in received"
	((out <= in && in <= out + again)) || rc=1
	return "$rc"
}

# one_way NAME NAMESPACE NAMESPACE ADDRESS
one_way() {
	local name=$1

	shift
	check "$name: $conns connections, $at_once at once" storm "$@"
	check "$name: the queues are empty" queues_empty "$2"
	check "$name: the server ends without an error" server_ends
	[[ $transport == tcp ]] ||
		check "$name: nothing is left but TIME_WAIT" \
			within 10 only_time_wait "$1" "$2"
	check "$name: the counters agree" counters_agree "$@"
}

start ethtool sysctl
note "seed $seed"
hosts || skip_all 'no hosts'
no_hosts
echo 2 >/proc/sys/vm/drop_caches
memory=$(kernel_memory) objects=$(live_objects)
note "before: $memory KiB, $objects objects"
roomy_hosts
one_way 'two hosts' "$A" "$B" "$ADDR_B"
check 'no illegal state change' legal_edges
no_hosts
roomy_hosts
one_way 'one host' "$A" "$A" 127.0.0.1
check 'no illegal state change on one host' legal_edges
no_hosts
check 'memory is back to where it began' within 30 memory_back
note "after: $(kernel_memory) KiB, $(live_objects) objects"
if [[ $transport == xtcp && -n ${XTCP_COMPARE:-} ]]; then
	note 'native TCP, for comparison'
	transport=tcp flag=(--tcp)
	roomy_hosts
	storm "$A" "$B" "$ADDR_B"
	storm "$A" "$A" 127.0.0.1
fi
finish
