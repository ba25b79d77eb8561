#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The ground goes away under a load of connections in every state: processes
# are killed, namespaces and devices deleted, the module removed, each at a
# random moment.  Nothing may hang, nothing be left, and what comes after must
# work.  The kernel's log and the sanitizers see the rest.
# check and within call functions by name; hosts has a default; $ is awk's.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015,SC2016
. "$(dirname "$0")/lib.sh"

rounds=${XTCP_TEARDOWN:-${XTCP_ROUNDS:-5}}
seed=${XTCP_SEED:-$RANDOM}
ko=${XTCP_KO:-$here/../../build/$(uname -r)/xtcp.ko}
# Seconds that a removal may take, or the load to get on: generous, a busy
# emulator is slow.
bound=$((30 * patience))
load=() longest=0 done=0
declare -A seen

# Which states there are now in both hosts, for the record.
look() {
	local ns state

	for ns in "$A" "$B"; do
		while read -r _ _ state _; do
			seen[$state]=$((${seen[$state]:-0} + 1))
		done < <(ip netns exec "$ns" cat /proc/net/xtcp)
	done
}

# For devices that have no queue yet.
bad_network() {
	local ns

	for ns in "$A" "$B"; do
		tc -n "$ns" qdisc add dev v0 root netem limit 1000 \
			delay 30ms 20ms loss 3% || return 1
	done
}

# Clients in one host, their server in the other.
load_starts() {
	# What an earlier round may have left when it failed.
	[[ ${#load[@]} == 0 ]] || load_killed
	port=$((port + 20))
	[[ $port -lt 30000 ]] || port=7000
	background "$tmp/server.log" ip netns exec "$B" "$apps/storm" \
		"${flag[@]}" --mess --patience 2 --conns 0 server "$ADDR_B" "$port"
	load=("$last")
	within 30 listening "$tmp/server.log" ||
		{ note "no listener: $(<"$tmp/server.log")"; return 1; }
	background "$tmp/client.log" ip netns exec "$A" "$apps/storm" \
		"${flag[@]}" --mess --patience 2 --conns 0 --seed $((seed + port)) \
		client "$ADDR_B" "$port"
	load+=("$last")
	goes_on 20
}

# What the clients have finished and verified so far: $done.
ended() {
	local lines line=''

	mapfile -t lines <"$tmp/client.log"
	[[ ${#lines[@]} == 0 ]] || line=${lines[-1]}
	done=0
	[[ $line =~ ended=([0-9]+)\ torn=([0-9]+)\  ]] || return 0
	done=$((BASH_REMATCH[1] - BASH_REMATCH[2]))
}

progress() { ended; ((done >= $1)); }

# goes_on N: so many more connections came to their end.
goes_on() {
	ended
	within 30 progress $((done + $1)) && return
	note "no progress: $(tail -n 1 "$tmp/client.log")"
	note "server: $(tail -n 1 "$tmp/server.log")"
	return 1
}

# The processes of the load, and nothing but them; their sockets with them.
# SIGPIPE is the one death that bash does not comment on.
load_killed() {
	local p

	kill -PIPE "${load[@]}" 2>/dev/null
	for p in "${load[@]}"; do
		wait "$p" 2>/dev/null
	done
	load=()
	! grep -q 'wrong byte\|no question' "$tmp/client.log" "$tmp/server.log"
}

# Up to a second, by the seed.
moment() { nap "0.$((RANDOM % 900 + 100))"; }

# Milliseconds since the boot.
now() {
	local up

	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# timed WHAT COMMAND...: succeeds, and within the bound.
timed() {
	local what=$1 began took rc=0

	shift
	began=$(now)
	"$@" || rc=1
	took=$(($(now) - began))
	((took > longest)) && longest=$took
	note "$what: $took ms"
	((took <= bound * 1000)) || rc=1
	return "$rc"
}

all_freed() { [[ $(live_objects) -le $objects ]]; }

# A whole pair of hosts goes, and everything of theirs.
namespaces_go() {
	no_hosts
	within 30 all_freed
}

# (a) A namespace in which connections are; $1 says whose processes die.
namespace_round() {
	hosts && bad_network && load_starts || return 1
	moment
	look
	# Freed is then said of something that was there.
	[[ $(live_objects) -gt $((objects + 20)) ]] || return 1
	case $1 in
	client) kill -PIPE "${load[1]}"; ip netns del "$A"; moment ;;
	server) kill -PIPE "${load[0]}"; ip netns del "$B"; moment ;;
	esac
	load_killed || return 1
	timed "namespaces, $1 first" namespaces_go 2>/dev/null
}

# (b) The module: first refused, then removed with all that is left.
refused() {
	local i

	for i in 1 2 3; do
		rmmod xtcp 2>/dev/null && { note 'removed under use'; return 1; }
	done
	return 0
}

module_gone() {
	timeout -k 1 "$((bound + 10))" rmmod xtcp && [[ ! -d /sys/module/xtcp ]]
}

module_round() {
	load_starts || return 1
	refused && goes_on 20 || return 1
	moment
	look
	keep_edges
	load_killed || return 1
	timed rmmod module_gone && insmod "$ko" && return
	note "users: $(awk '$1 == "xtcp"' /proc/modules)"
	return 1
}

# (d) Bursts are in a queue below IP, which holds their sockets' memory (tbf) or
# does not (netem), when their processes die, and then the module goes, or the
# namespaces.
bulk_starts() {
	local log=$tmp/bulk.log

	port=$((port + 1))
	background "$log" ip netns exec "$B" "$apps/xfer" listen "$ADDR_B" "$port"
	load=("$last")
	within 30 listening "$log" || return 1
	background "$tmp/bulk-a.log" ip netns exec "$A" "$apps/xfer" \
		--send 100000000 --sndbuf 4000000 connect "$ADDR_B" "$port"
	load+=("$last")
	within 30 waiting_below
}

# Something is in A's queue.
waiting_below() {
	[[ $(tc -n "$A" -s qdisc show dev v0) =~ backlog\ ([0-9]+)K?b\ ([0-9]+)p ]] &&
		((BASH_REMATCH[2] > 2))
}

bulk_killed() {
	local p

	kill -PIPE "${load[@]}" 2>/dev/null
	for p in "${load[@]}"; do
		wait "$p" 2>/dev/null
	done
	load=()
}

burst_round() {
	local how=$1 rc=0

	shift
	tc -n "$A" qdisc replace dev v0 root "$@" && bulk_starts || return 1
	moment
	keep_edges
	bulk_killed
	case $how in
	module)
		timed 'rmmod, bursts below' module_gone && insmod "$ko" || rc=1 ;;
	namespaces)
		timed 'namespaces, bursts below' namespaces_go 2>/dev/null || rc=1 ;;
	esac
	return "$rc"
}

bursts() {
	local tbf=(tbf rate 50mbit burst 100000 limit 1000000)
	local netem=(netem limit 1000 delay 300ms rate 200mbit)

	hosts_of_bursts || return 1
	check 'the module goes, a queue holds bursts' \
		burst_round module "${tbf[@]}"
	check 'the module goes, delayed bursts are nobody'"'"'s' \
		burst_round module "${netem[@]}"
	check 'namespaces go, a queue holds bursts' \
		burst_round namespaces "${tbf[@]}"
	hosts_of_bursts || return 1
	check 'namespaces go, delayed bursts are nobody'"'"'s' \
		burst_round namespaces "${netem[@]}"
}

# With all that veth can, unlike hosts.
hosts_of_bursts() {
	ip netns add "$A" && ip netns add "$B" && link_back || return 1
	within 5 carrier "$A" && within 5 carrier "$B"
}

# (c) The device: the load goes on where there is one again.
link_back() {
	ip link add v0 netns "$A" type veth peer name v0 netns "$B" &&
	ip -n "$A" -batch - <<-END && ip -n "$B" -batch - <<-END
		addr add $ADDR_A/24 dev v0
		link set v0 up
	END
		addr add $ADDR_B/24 dev v0
		link set v0 up
	END
}

link_round() {
	moment
	look
	timed device ip -n "$A" link del v0 || return 1
	moment
	link_back && bad_network || return 1
	goes_on 20
}

all_states() {
	local s rc=0

	for s in SYN_SENT SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 \
		 TIME_WAIT CLOSE_WAIT LAST_ACK LISTEN; do
		note "$s: ${seen[$s]:-0}"
		[[ ${seen[$s]:-0} != 0 ]] || rc=1
	done
	return "$rc"
}

works() {
	random_file f.a 100000 && random_file f.b 100000 && transfer '' ''
}

start ethtool rmmod insmod
[[ $transport == xtcp ]] || skip_all 'about the module'
[[ -f $ko ]] || skip_all "no $ko"
note "seed $seed"
RANDOM=$seed
objects=$(live_objects)
who=(both client server)
for ((i = 1; i <= rounds; i++)); do
	check "namespaces, round $i" namespace_round "${who[i % 3]}"
done
hosts && bad_network || skip_all 'no hosts'
for ((i = 1; i <= rounds; i++)); do
	check "module, round $i" module_round
done
check 'a load for the device' load_starts
for ((i = 1; i <= rounds; i++)); do
	check "device, round $i" link_round
done
check 'no wrong byte' load_killed
check 'no illegal state change' legal_edges
check 'every state was there at some moment' all_states
netem
check 'and it works' works
check 'nothing is left' timed 'the last namespaces' namespaces_go
bursts || ok 1 'hosts for bursts'
note "the longest took $longest ms"
finish
