#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A hundred thousand SYNs from nowhere, while somebody goes on connecting: each
# of his connections completes, with every byte, and the kernel keeps next to
# nothing.  Without cookies, those whom the listener knows still get in.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317,SC2119,SC2120
. "$(dirname "$0")/lib.sh"

syns=${XTCP_FLOOD:-100000}
seed=${XTCP_SEED:-$RANDOM}
backlog=128		# of the listener, by somaxconn
bound=8192		# KiB that a flood may cost while it lasts

# KiB of kernel memory that nobody can reclaim.
kernel_memory() {
	local name value rest n=0

	while read -r name value rest; do
		case $name in
		SUnreclaim: | KernelStack: | Percpu:) n=$((n + value)) ;;
		esac
	done </proc/meminfo
	echo $n
}

# counter NAME: of the host that listens.
counter() {
	if [[ $transport == xtcp ]]; then
		in_b awk -v n="$1" '$1 == n { print $2 }' /proc/net/xtcp_snmp
	else
		in_b awk -v n="$1" '{ if (names) { for (i = 1; i <= NF; i++)
			if (name[i] == n) print $i; names = 0 }
			else { split($0, name); names = 1 } }' /proc/net/netstat
	fi
}

serve() {
	port=$((port + 1))
	background "$tmp/server.log" ip netns exec "$B" "$apps/many" \
		"${flag[@]}" --timeout 1000 --conns 1000000 server "$ADDR_B" $port
	server=$last
	within 10 listening "$tmp/server.log"
}

# flood N [RATE]: the most memory and the most requests that were seen meanwhile are
# left in $peak and $requests.
flood() {
	local n now flood client rc=0

	background "$tmp/client.log" ip netns exec "$A" "$apps/many" \
		"${flag[@]}" --timeout 500 until-term "$ADDR_B" $port
	client=$last
	background "$tmp/flood.log" ip netns exec "$B" "$apps/flood" \
		"${flag[@]}" --seed "$seed" --rate "${2:-0}" "$ADDR_B" $port "$1"
	flood=$last
	peak=0 requests=0
	while kill -0 "$flood" 2>/dev/null; do
		n=$(kernel_memory)
		((n <= peak)) || peak=$n
		if [[ $transport == xtcp ]]; then
			now=$(counter Requests)
			((now <= requests)) || requests=$now
		fi
		# How often it is looked at; the end is the flood's own.
		nap 0.2
	done
	wait "$flood" || rc=1
	kill "$client"
	wait "$client" || rc=1
	note "flood: $(tail -n 1 "$tmp/flood.log")"
	note "client: $(tail -n 1 "$tmp/client.log")"
	[[ $rc = 0 ]]
}

verified() { [[ $(<"$tmp/client.log") =~ verified=([0-9]+) ]] && ((BASH_REMATCH[1] >= $1)); }
all_sent() { [[ $(<"$tmp/flood.log") == *sent="$1 "* ]]; }
at_least() { (($1 >= $2)); }
at_most() { (($1 <= $2)); }

start ethtool awk
[[ -c /dev/net/tun ]] || modprobe tun 2>/dev/null
[[ -c /dev/net/tun ]] || skip_all 'no TUN device'
hosts || skip_all 'no hosts'
note "seed $seed"
in_b sysctl -qw net.core.somaxconn=$backlog net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.default.rp_filter=0
serve || skip_all 'no server'
# A little of everything first: what it leaves in caches is not counted.
flood 1000 || note 'warming up failed'
kill "$server"
memory=$(kernel_memory)

serve
sent=$(counter SyncookiesSent) received=$(counter SyncookiesRecv)
check "$syns forged SYNs" flood "$syns"
check 'all of them were sent' all_sent "$syns"
check 'connections went on meanwhile, every byte verified' verified 10
sent=$(($(counter SyncookiesSent) - sent))
received=$(($(counter SyncookiesRecv) - received))
note "cookies: $sent sent, $received came back"
check 'cookies were sent' at_least $sent $((syns / 2))
check 'cookies came back as connections' at_least $received 1
note "memory: $memory KiB before, at most $peak meanwhile; $requests requests"
check 'little memory' at_most $((peak - memory)) $bound
check 'no more requests than the queue has' at_most "$requests" $((backlog + 4))

# The client is known by now.  Five seconds, as dropping costs next to nothing
# and the flood would be over before the client's second connection.
knob "$B" syncookies 0
sent=$(counter SyncookiesSent) dropped=$(counter ListenDrops)
check "$((syns / 5)) forged SYNs, no cookies" flood $((syns / 5)) $((syns / 25))
check 'a peer that is known gets in' verified 3
check 'really no cookies' at_most $(($(counter SyncookiesSent) - sent)) 0
check 'SYNs were dropped' at_least $(($(counter ListenDrops) - dropped)) \
	$((syns / 10))
check 'no more requests than the queue has' at_most "$requests" $((backlog + 4))
check 'no illegal state change' legal_edges
kill "$server"
finish
