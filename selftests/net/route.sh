#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The way to the peer changes in the middle of a transfer: another path, no
# route for a while, a link that goes down, a source address that is taken
# away, a gateway that is not there.  Two links between the hosts; the ends of
# the connections are addresses of their loopback devices.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"
. "$here/change.sh"

END_A=10.25.8.1 END_B=10.25.9.1
NOBODY=10.25.1.99	# on v0
size=600000

on_a() { ip -n "$A" "$@"; }
on_b() { ip -n "$B" "$@"; }

way() { on_a route replace "$END_B" via "${1:-$ADDR_B}" src "$END_A"; }

# The second link, and the ends behind the links.
two_paths() {
	hosts &&
	ip link add v1 netns "$A" type veth peer name v1 netns "$B" &&
	ip -n "$A" -batch - <<-ENDA && ip -n "$B" -batch - <<-ENDB && way
		addr add 10.25.2.1/24 dev v1
		link set v1 gso_max_segs 1 up
		addr add $END_A/32 dev lo
	ENDA
		addr add 10.25.2.2/24 dev v1
		link set v1 gso_max_segs 1 up
		addr add $END_B/32 dev lo
		route add $END_A via 10.25.1.1 src $END_B
	ENDB
}

sent_on() { in_a cat "/sys/class/net/$1/statistics/tx_bytes"; }

# Both directions, so that nothing depends on the first link any more.
to_second() {
	way 10.25.2.2 &&
		on_b route replace "$END_A" via 10.25.2.1 src "$END_B"
}

other_path() {
	local before after

	before=$(sent_on v1)
	during to_second || return 1
	after=$(sent_on v1)
	note "$((after - before)) bytes of $size by the second path"
	[[ $((after - before)) -gt $((size / 2)) ]] || return 1
	way && on_b route replace "$END_A" via 10.25.1.1 src "$END_B"
}

no_route() { on_a route del "$END_B" && silence 1 && way; }

link_down() {
	on_a link set v0 down && silence 1 && on_a link set v0 up &&
		within 30 carrier "$A" && way
}

# It takes the routes that prefer it along.
no_address() {
	on_a addr del "$END_A/32" dev lo && silence 1 &&
		on_a addr add "$END_A/32" dev lo && way
}

nobody_failed() {
	[[ $(on_a neigh show "$NOBODY") == *FAILED* ]]
}

dead_gateway() {
	in_a sysctl -qw net.ipv4.neigh.v0.retrans_time_ms=100 &&
		way "$NOBODY" && within 30 nobody_failed && silence 1 &&
		way
}

start ethtool sysctl
# Whichever it takes, the transfer must not be over too soon.
shaped+=("$A v1" "$B v1")
two_paths || skip_all 'no hosts'
random_file f.a $size
random_file f.b $size
check 'the route is replaced by one over another path' other_path
check 'the route goes and comes back' during no_route
check 'the link goes down and up' during link_down
check 'the source address goes and comes back' during no_address
check 'the gateway is one that is dead, then one that lives' during dead_gateway
check 'no illegal state change' legal_edges
finish
