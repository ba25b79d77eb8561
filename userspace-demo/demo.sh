#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real files cross a bad network over XTCP, then over TCP, and the two are
# compared.  Runs as root where xtcp.ko is loaded (make demo: in a VM), leaves
# the module unloaded.  Exit status 0 only if everything held.
#
#   demo.sh [--only xtcp|tcp] [--mib N] [--back-mib N]
# shellcheck disable=SC2317 # functions that trap and until_true call
set -u

here=$(cd "$(dirname "$0")" && pwd)
bin=${DEMO_BIN:-$here/../build/userspace-demo}
only='' mib=32 back_mib=8
while [[ $# -gt 0 ]]; do
	case $1 in
	--only) only=$2; shift ;;
	--mib) mib=$2; shift ;;
	--back-mib) back_mib=$2; shift ;;
	*) echo "usage: demo.sh [--only xtcp|tcp] [--mib N] [--back-mib N]" >&2
	   exit 2 ;;
	esac
	shift
done

port=7777
# A reordered packet is one that skips the delay, and so overtakes others.
netem='delay 2ms loss 1% duplicate 1% reorder 1% corrupt 0.5%'
A=demo-a-$$ B=demo-b-$$
dir='' server='' inst=''
failed=0

bold() { printf '\n== %s\n' "$*"; }
bad() { printf 'FAILED: %s\n' "$*"; failed=1; }

cleanup() {
	[[ -n $server ]] && kill "$server" 2>/dev/null
	ip netns del "$A" 2>/dev/null
	ip netns del "$B" 2>/dev/null
	[[ -n $inst && -d $inst ]] && rmdir "$inst" 2>/dev/null
	[[ -n $dir ]] && rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Waits for a condition, 10 s at most.
until_true() {
	local end=$((SECONDS + 10))

	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

make_hosts() {
	ip netns add "$A" && ip netns add "$B" &&
	ip link add veth0 netns "$A" type veth peer name veth0 netns "$B" ||
		return 1
	local ns addr=1

	for ns in "$A" "$B"; do
		ip -n "$ns" addr add 10.25.0.$addr/24 dev veth0
		ip -n "$ns" link set lo up
		# A packet to netem is one segment, for both transports: with
		# offloads it would lose, or spare, forty at a time.
		ip -n "$ns" link set veth0 mtu 1500 gso_max_segs 1 up
		ip netns exec "$ns" ethtool -K veth0 tso off gso off gro off \
			tx-sctp-segmentation off >/dev/null 2>&1
		# shellcheck disable=SC2086 # netem is a list of words
		tc -n "$ns" qdisc add dev veth0 root netem limit 10000 $netem ||
			return 1
		addr=$((addr + 1))
	done
}

# Files of this system, as they are; in memory, so that no disk is measured.
make_files() {
	dir=$(mktemp -d /dev/shm/demo.XXXXXX) || return 1
	cat /boot/vmlinuz-* /usr/bin/* /usr/lib/x86_64-linux-gnu/lib*.so.* \
		2>/dev/null | head -c $((mib << 20)) >"$dir/there"
	cat /usr/sbin/* /usr/lib/x86_64-linux-gnu/lib*.so.* \
		2>/dev/null | head -c $((back_mib << 20)) >"$dir/back"
	[[ $(stat -c %s "$dir/there") -eq $((mib << 20)) &&
	   $(stat -c %s "$dir/back") -eq $((back_mib << 20)) ]]
}

trace_start() {
	local t=/sys/kernel/tracing

	[[ -d $t/events ]] || mount -t tracefs nodev $t 2>/dev/null
	inst=$t/instances/demo-$$
	mkdir -p "$inst" 2>/dev/null || { inst=''; return 1; }
	echo "sport == $port || dport == $port" \
		>"$inst/events/sock/inet_sock_set_state/filter"
	echo 1 >"$inst/events/sock/inet_sock_set_state/enable"
}

# Every change of state of each end, with the time since the first one.
trace_show() {
	[[ -n $inst ]] || { echo '  (no tracefs here)'; return; }
	awk -v port="$port" '
	/inet_sock_set_state:/ {
		for (i = 1; i <= NF; i++) {
			if ($i == "inet_sock_set_state:")
				t = $(i - 1) + 0
			split($i, kv, "=")
			f[kv[1]] = kv[2]
		}
		if (!start)
			start = t
		who = f["dport"] == port ? "client" : "server"
		sub("TCP_", "", f["oldstate"])
		sub("TCP_", "", f["newstate"])
		printf "  %s  %8.3f s  %-11s -> %s\n", who, t - start,
			f["oldstate"], f["newstate"]
	}' "$inst/trace" | sort -s -k1,1
	echo >"$inst/trace"
}

# retransmissions NAMESPACE TRANSPORT
retransmissions() {
	if [[ $2 == xtcp ]]; then
		ip netns exec "$1" cat /proc/net/xtcp_snmp 2>/dev/null |
			awk '$1 == "RetransSegs" { n = $2 } END { print n + 0 }'
	else
		ip netns exec "$1" cat /proc/net/snmp | awk '
		$1 == "Tcp:" && !head { n = split($0, name); head = 1; next }
		$1 == "Tcp:" { for (i = 2; i <= n; i++)
				if (name[i] == "RetransSegs") print $i }'
	fi
}

# field NAME VERB FILE: a number from a line that the programs print.
field() { sed -n "s/^$2 .*\\b$1=\\([^ ]*\\).*/\\1/p" "$3"; }

# same FILE COPY LOG_OF_SENDER LOG_OF_RECEIVER TEXT
same() {
	local a b s r

	a=$(sha256sum <"$1") b=$(sha256sum <"$2")
	s=$(field sha256 sent "$3") r=$(field sha256 received "$4")
	if [[ -n $s && $s == "$r" && $a == "$s  -" && $a == "$b" ]]; then
		echo "  SHA-256 $5: equal at both ends  ${s:0:16}..."
	else
		bad "SHA-256 $5: sent ${s:-?}, received ${r:-?}"
	fi
}

listening() { grep -q '^listening' "$dir/server.log"; }

transfer() {
	ip netns exec "$B" "$bin/xtcp-server" "$@" --quiet --addr 10.25.0.2 \
		--port $port --send "$dir/back" --save "$dir/there.copy" \
		>"$dir/server.log" 2>&1 &
	server=$!
	until_true listening || { bad 'the server does not listen'; return 1; }
	ip netns exec "$A" timeout 110 "$bin/xtcp-client" "$@" \
		--addr 10.25.0.2 --port $port --send "$dir/there" \
		--save "$dir/back.copy" >"$dir/client.log" ||
		{ bad 'the client'; cat "$dir/client.log" "$dir/server.log"; return 1; }
	wait "$server" || { bad 'the server'; cat "$dir/server.log"; }
	server=''
}

rate() { awk -v b="$1" -v s="$2" 'BEGIN { printf "%.2f", b / s / 1048576 }'; }

declare -A goodput
run_one() {
	local what=$1 flag=() there back ra rb

	[[ $what == tcp ]] && flag=(--tcp)
	bold "${what^^}: $mib MiB there, $back_mib MiB back, one connection"
	ra=$(retransmissions "$A" "$what") rb=$(retransmissions "$B" "$what")
	[[ -n $inst ]] && echo >"$inst/trace"
	transfer "${flag[@]}" || { [[ -n $server ]] && kill "$server"; server=''; return; }

	same "$dir/there" "$dir/there.copy" "$dir/client.log" \
		"$dir/server.log" there
	same "$dir/back" "$dir/back.copy" "$dir/server.log" \
		"$dir/client.log" 'back '
	there=$(rate $((mib << 20)) "$(field seconds received "$dir/server.log")")
	back=$(rate $((back_mib << 20)) "$(field seconds received "$dir/client.log")")
	goodput[$what]=$there
	echo "  goodput: $there MiB/s there, $back MiB/s back"
	echo "  retransmitted segments: client $(($(retransmissions "$A" "$what") - ra)), server $(($(retransmissions "$B" "$what") - rb))"
	echo '  states:'
	trace_show | sed 's/^/  /'
}

dropped() {
	tc -n "$A" -s qdisc show dev veth0 | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p'
}

# Rows of /proc/net/protocols: each namespace counts its own sockets.
protocols() {
	local ns

	for ns in "$A" "$B"; do
		ip netns exec "$ns" cat /proc/net/protocols
	done | awk '$1 == "XTCP"'
}

no_sockets() { protocols | awk '$3 { left = 1 } END { exit left }'; }

unload() {
	bold 'Unloading the module'
	# A last segment may be on its way again: the count goes to 0 by itself.
	until_true no_sockets || bad 'sockets are left'
	echo "sockets at the client $(protocols | awk 'NR == 1 { print $3 }')," \
		"at the server $(protocols | awk 'NR == 2 { print $3 }')"
	rmmod xtcp || { bad rmmod; return; }
	if grep -q '^XTCP' /proc/net/protocols; then bad '/proc/net/protocols'; fi
	if lsmod | grep -q '^xtcp'; then bad lsmod; fi
	[[ $failed = 0 ]] && echo 'xtcp is gone: no protocol, no module, no socket'
}

main() {
	make_files || { bad 'the files'; return; }
	make_hosts || { bad 'the network'; return; }
	trace_start || true
	bold "Two hosts, MTU 1500, both directions: $netem"
	[[ $only == tcp ]] || run_one xtcp
	[[ $only == xtcp ]] || run_one tcp
	echo
	echo "the network dropped $(dropped) packets of the client's alone"
	[[ $only == tcp ]] || unload
}

if [[ $only != tcp && ! -d /sys/module/xtcp ]]; then
	echo 'demo: xtcp.ko is not loaded' >&2
	exit 1
fi
main
echo
if [[ $failed = 0 ]]; then
	echo "DEMO PASSED: every byte arrived; XTCP ${goodput[xtcp]:--} MiB/s, TCP ${goodput[tcp]:--} MiB/s"
else
	echo 'DEMO FAILED'
fi
exit $failed
