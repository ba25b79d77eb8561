#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A router R between the hosts, and behind it a link that is too narrow for
# what A sends: A learns of it from ICMP in the middle of a transfer. The
# lock of the socket is in many hands there, and once was taken twice.
# check and within call functions by name; start takes names of tools.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119
. "$(dirname "$0")/lib.sh"

R=xt-r-$$
ADDR_A=10.25.1.1 ADDR_RA=10.25.1.254
ADDR_B=10.25.2.1 ADDR_RB=10.25.2.254
mtu=1000

cleanup_router() {
	ip netns del "$R" 2>/dev/null
	cleanup
}

# B's own end keeps 1500: the MSS it announces must not tell A of the link.
routed_hosts() {
	local ns

	for ns in "$A" "$R" "$B"; do
		ip netns add "$ns" && ip -n "$ns" link set lo up || return 1
	done
	ip link add v0 netns "$A" type veth peer name va netns "$R" &&
		ip link add v0 netns "$B" type veth peer name vb netns "$R" &&
		ip -n "$A" addr add "$ADDR_A/24" dev v0 &&
		ip -n "$R" addr add "$ADDR_RA/24" dev va &&
		ip -n "$R" addr add "$ADDR_RB/24" dev vb &&
		ip -n "$B" addr add "$ADDR_B/24" dev v0 &&
		ip -n "$A" link set v0 up && ip -n "$R" link set va up &&
		ip -n "$B" link set v0 up &&
		ip -n "$R" link set vb mtu "$mtu" up &&
		ip -n "$A" route add default via "$ADDR_RA" &&
		ip -n "$B" route add default via "$ADDR_RB" &&
		ip netns exec "$R" sh -c \
			'echo 1 >/proc/sys/net/ipv4/ip_forward' || return 1
	within 5 carrier "$A" && within 5 carrier "$B"
}

path_known() { ip -n "$A" route get "$ADDR_B" | grep -qw "mtu $mtu"; }
path_unknown() { ! path_known; }

# One direction: what B would send at 1500 the link would not even take.
start
trap cleanup_router EXIT
routed_hosts || skip_all 'no hosts'
random_file f.a 300000
random_file f.b 0
for round in 1 2 3; do
	# Each time anew, as the news finds the socket in use or not by chance.
	ip -n "$A" route flush cache
	check "round $round: A does not know the path" path_unknown
	check "round $round: a transfer through the narrow link" transfer '' ''
	check "round $round: A has learnt its MTU" path_known
done
check 'no illegal state change' legal_edges
# A socket whose lock is never released never ends.
[[ $transport == tcp ]] ||
	check 'no socket is left but TIME_WAIT' within 10 no_sockets
finish
