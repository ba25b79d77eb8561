#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bursts: cut late, joined early, by every device that can or cannot. Whatever
# the devices' features are, what arrives is what was sent, nothing is sent
# twice, and what leaves is compared byte by byte (../apps/segments.c) on the
# device where it has to be in pieces.
#
# XTCP_OFFLOAD=N makes the files N times as long.
# check and within call functions by name; start takes names of tools.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120
. "$(dirname "$0")/lib.sh"

R=xt-r-$$
depth=${XTCP_OFFLOAD:-1}
# Nothing may be sent again, unless a kernel that is slow by design cannot keep up:
# what finds the socket locked for long is dropped then (TCPBacklogDrop).
strict=1
[[ $patience == 1 ]] || strict=''
lossless=$strict

cleanup_three() {
	ip netns del "$R" 2>/dev/null
	cleanup
}

# A namespace in which nothing but what we do makes packets.
quiet_netns() {
	local ns

	for ns; do
		ip netns add "$ns" && ip -n "$ns" link set lo up || return 1
		ip netns exec "$ns" sysctl -qw \
			net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1 2>/dev/null
	done
	return 0
}

# Two hosts with all that veth has.
direct() {
	quiet_netns "$A" "$B" &&
		ip link add v0 netns "$A" type veth peer name v0 netns "$B" &&
		ip -n "$A" addr add "$ADDR_A/24" dev v0 &&
		ip -n "$B" addr add "$ADDR_B/24" dev v0 &&
		ip -n "$A" link set v0 up && ip -n "$B" link set v0 up || return 1
	within 5 carrier "$A" && within 5 carrier "$B"
}

# A third one in between, with va towards A and vb towards B.
three() {
	quiet_netns "$A" "$R" "$B" &&
		ip link add v0 netns "$A" type veth peer name va netns "$R" &&
		ip link add v0 netns "$B" type veth peer name vb netns "$R" &&
		ip -n "$A" addr add "$ADDR_A/24" dev v0 &&
		ip -n "$B" addr add "$ADDR_B/24" dev v0 &&
		ip -n "$A" link set v0 up && ip -n "$B" link set v0 up &&
		ip -n "$R" link set va up && ip -n "$R" link set vb up
}

routed() {
	ADDR_B=10.25.2.1
	three && ip -n "$R" addr add 10.25.1.254/24 dev va &&
		ip -n "$R" addr add 10.25.2.254/24 dev vb &&
		ip -n "$A" route add default via 10.25.1.254 &&
		ip -n "$B" route add default via 10.25.2.254 &&
		ip netns exec "$R" sysctl -qw net.ipv4.ip_forward=1 || return 1
	within 5 carrier "$A" && within 5 carrier "$B"
}

bridged() {
	ADDR_B=10.25.1.2
	three && ip -n "$R" link add br0 type bridge &&
		ip -n "$R" link set va master br0 &&
		ip -n "$R" link set vb master br0 &&
		ip -n "$R" link set br0 up || return 1
	within 5 carrier "$A" && within 5 carrier "$B"
}

# features HOST DEV WORDS...: what does not exist on this kernel is left out.
features() {
	local ns=$1 dev=$2

	shift 2
	ip netns exec "$ns" ethtool -K "$dev" "$@" >/dev/null 2>&1 ||
		note "ethtool: $*"
	return 0
}

# counters HOST DEV: the counters of ours in $count, and the device's packets.
declare -A count
counters() {
	local name value

	count=()
	while read -r name value; do
		[[ -n $value ]] || { value=$name; name=packets; }
		count[$name]=$value
	done < <(ip netns exec "$1" cat /proc/net/xtcp_snmp \
		 "/sys/class/net/$2/statistics/tx_packets")
}

# Nothing was lost, nothing was wrong, nothing was sent again.
clean() {
	local ns name rc=0

	[[ $transport == xtcp ]] || return 0
	for ns in "$A" "$B"; do
		counters "$ns" v0
		for name in InErrs InCsumErrors TCPRcvQDrop TCPOFODrop \
			    NoMemory OutRsts DropPolicy \
			    ${lossless:+RetransSegs TCPTimeouts TCPBacklogDrop}; do
			[[ ${count[$name]} == 0 ]] && continue
			note "$ns: $name ${count[$name]}"
			rc=1
		done
	done
	return "$rc"
}

# What segments has printed, in $saw.
declare -A saw
look() {
	local line word

	saw=()
	line=$(tail -n 1 "$tmp/segments.log")
	note "$line"
	for word in $line; do
		[[ $word == *=* ]] && saw[${word%%=*}]=${word#*=}
	done
	[[ $line == packets=* && ${saw[lost]} == 0 ]]
}

# watched HOST DEV cut|whole|any [MTU]: a transfer from A to B, and what DEV of HOST is
# given to send of it.
watched() {
	local ns=$1 dev=$2 how=$3 mtu=${4:-1500} rc=0 segs packets watcher
	local opt=("${flag[@]}" --mtu "$mtu" --timeout $((60 * patience)))

	[[ $how != cut ]] || opt+=(--cut)
	counters "$A" v0
	segs=${count[OutSegs]:-0} packets=${count[packets]}
	background "$tmp/segments.log" ip netns exec "$ns" "$apps/segments" \
		"${opt[@]}" "$dev" "$ADDR_B" $((port + 1)) "$tmp/f.a"
	watcher=$last
	within 10 listening "$tmp/segments.log" || return 1
	transfer '' '' || rc=1
	[[ $rc == 0 ]] || kill "$watcher"
	wait "$watcher" || rc=1
	look || rc=1
	clean || rc=1
	[[ $rc == 0 && $transport == xtcp ]] || return "$rc"
	[[ -z $lossless || ${saw[holes]}${saw[again]} == 00 ]] || return 1
	# PSH and FIN stand on the last segment of a burst only.
	((saw[psh] * 3 < saw[segments])) || return 1
	counters "$A" v0
	segs=$((count[OutSegs] - segs)) packets=$((count[packets] - packets))
	note "$segs segments in $packets packets of A's device"
	[[ $ns == "$A" ]] || return 0
	# Some packets may be ARP's.
	case $how in
	whole) ((saw[packets] * 4 < saw[segments] && packets * 2 < segs)) ;;
	cut) [[ -z $lossless ]] || ((packets >= segs && packets <= segs + 8)) ;;
	esac
}

# No longer than the device has said.
limited() {
	watched "$A" v0 whole && ((saw[longest] <= $1))
}

# What the receiver's device has joined is seen by its counter of segments.
joined() {
	local n

	watched "$A" v0 cut || return 1
	[[ $transport == xtcp && -n $lossless ]] || return 0
	counters "$B" v0
	n=${count[InSegs]}
	counters "$A" v0
	note "B has counted $n segments, A sent ${count[OutSegs]}"
	((n == count[OutSegs]))
}

direct_tests() {
	check 'default: bursts' watched "$A" v0 whole
	features "$A" v0 tso off
	check 'tso off' joined
	features "$B" v0 gro on
	check 'tso off, receiver gro on' joined
	features "$B" v0 rx-gro-list on
	check 'tso off, receiver rx-gro-list on' joined
	features "$B" v0 rx-gro-list off
	features "$A" v0 tx off
	check 'tso off, tx off, receiver gro on' joined
	features "$A" v0 tx on tso off gso off
	check 'tso off, gso off, receiver gro on' joined
	features "$B" v0 gro off
	features "$A" v0 gso on tso on tx-sctp-segmentation off
	[[ $transport == tcp ]] || check 'tx-sctp-segmentation off' joined
	features "$A" v0 tso on tx-sctp-segmentation on tx off
	check 'tx off' joined
	features "$A" v0 tx on tso on tx-sctp-segmentation on sg off
	check 'sg off' joined
	features "$A" v0 sg on tso on tx-sctp-segmentation on
	ip -n "$A" link set v0 gso_max_size 8000
	check 'gso_max_size 8000' limited 8000
	ip -n "$A" link set v0 gso_max_size 65536 gso_max_segs 5
	check 'gso_max_segs 5' limited $((5 * 1460))
	ip -n "$A" link set v0 gso_max_segs 65535
	# Bursts overtake one another.
	lossless=''
	tc -n "$A" qdisc replace dev v0 root netem delay 3ms reorder 20%
	check 'netem reorders bursts' watched "$A" v0 any
	tc -n "$A" qdisc del dev v0 root
}

three_tests() {
	features "$R" va gro on
	features "$A" v0 tso off
	check "$1: joined, and passed on whole" watched "$R" vb whole
	features "$R" vb tso off
	check "$1: joined, and cut again" watched "$R" vb cut
	features "$R" vb tx off
	features "$A" v0 tso on
	check "$1: A's bursts are cut" watched "$R" vb cut
	features "$R" vb tx on tso on
}

# The link behind the router is narrow, and A does not know.
narrow() {
	ip -n "$A" route flush cache
	ip -n "$R" link set vb mtu 1000
	watched "$R" vb "$1" 1000 || return 1
	[[ $(ip -n "$A" route get "$ADDR_B") == *'mtu 1000'* ]]
}

# ---- a queue that drains slowly ----

# The largest backlog, in bytes, of A's queue while process $1 lives: $backlog.
watch_backlog() {
	local words i

	backlog=0
	while [[ -d /proc/$1 ]]; do
		read -ra words < <(tc -n "$A" -s qdisc show dev v0 |
				   tr '\n' ' ')
		for ((i = 0; i < ${#words[@]}; i++)); do
			[[ ${words[i]} == backlog ]] || continue
			words[i]=${words[i + 1]%b}
			words[i]=${words[i]/Kb/000}
			words[i]=${words[i]/K/000}
			words[i]=${words[i]/M/000000}
			((words[i] > backlog)) && backlog=${words[i]}
			break
		done
	done
	[[ $(tc -n "$A" -s qdisc show dev v0) =~ dropped\ ([0-9]+) ]]
	dropped=${BASH_REMATCH[1]}
}

# slow RATE DROPS QDISC...: one write through a link of RATE Mbit/s, whose queue
# drops DROPS packets at most.
slow() {
	local bytes=$((3000000 * depth)) rate=$1 drops=$2
	local began took server client rc=0

	shift 2
	tc -n "$A" qdisc replace dev v0 root handle 1: tbf rate "${rate}mbit" \
		burst 20000 limit 3000000 &&
		tc -n "$A" qdisc replace dev v0 parent 1:1 "$@" || return 1
	port=$((port + 1))
	background "$tmp/b.log" ip netns exec "$B" "$apps/xfer" "${flag[@]}" \
		--timeout $((60 * patience)) --expect "$bytes" listen "$ADDR_B" "$port"
	server=$last
	within 10 listening "$tmp/b.log" || return 1
	began=${EPOCHREALTIME/./}
	background "$tmp/a.log" ip netns exec "$A" "$apps/xfer" "${flag[@]}" \
		--timeout $((60 * patience)) --sndbuf 8388608 --send "$bytes" \
		--chunk "$bytes" connect "$ADDR_B" "$port"
	client=$last
	watch_backlog "$client"
	wait "$client" || rc=1
	wait "$server" || rc=1
	took=$((${EPOCHREALTIME/./} - began))
	note "$((bytes * 8 / took)) Mbit/s of $rate, backlog at most $backlog bytes, $dropped dropped"
	tc -n "$A" qdisc del dev v0 root
	clean || rc=1
	[[ $rc == 0 ]] && ((dropped <= drops)) || return 1
	# Two bursts, and what the first round trips let go.
	[[ $transport == tcp ]] || ((backlog <= 400000)) || return 1
	((bytes * 8 * 10 * patience / took >= rate * 5))
}

start ethtool
trap cleanup_three EXIT
direct || skip_all 'no hosts'
random_file f.a $((1500000 * depth))
random_file f.b $((100000 * depth))
direct_tests
no_hosts
direct || skip_all 'no hosts'
lossless=$strict
check 'a slow queue of packets' slow 20 0 pfifo limit 1000
# That one drops what has waited for long, native TCP's too.
lossless=''
check 'a slow fq_codel' slow 20 20 fq_codel
no_hosts

# With a third host in between packets may overtake one another (two processors),
# and a veth with NAPI drops what exceeds 256 of them: what is sent again is not
# judged from here on (lossless stays empty).  Every byte is compared all the same.
routed || skip_all 'no router'
three_tests router
# What B would send at 1500 the link would not even take.
: >"$tmp/f.b"
check 'router: a narrow link takes bursts whole' narrow whole
features "$R" vb tso off
check 'router: a narrow link, cut' narrow cut
check 'no illegal state change' legal_edges
no_hosts
ip netns del "$R"

bridged || skip_all 'no bridge'
random_file f.b $((100000 * depth))
three_tests bridge
check 'no illegal state change' legal_edges
finish
