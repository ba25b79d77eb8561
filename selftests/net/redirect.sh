#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A router tells A of a better gateway, which dies later: when retries1 says
# so, A stops believing what it was told and asks its routes again.
#
#   A v0 -+- R -- v1 B	R is a router, and the switch of A's link;
#         +------ v0 B	B's own end on that link is the better gateway
# check and within call functions by name.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"
. "$here/change.sh"

R=xt-r-$$
END_B=10.25.9.1 ROUTER=10.25.1.254
# A bridge without an address of its own changes it with its ports.
MAC_B=02:00:00:00:00:02 MAC_R=02:00:00:00:00:01
ttl=/proc/sys/net/ipv4/route/gc_timeout
size=1500000
old_ttl='' got=0

cleanup_router() {
	[[ -z $old_ttl ]] || echo "$old_ttl" >"$ttl"
	ip netns del "$R" 2>/dev/null
	cleanup
}

on_a() { ip -n "$A" "$@"; }
on_r() { ip -n "$R" "$@"; }

links() {
	local ns

	for ns in "$A" "$R" "$B"; do
		ip netns add "$ns" && ip -n "$ns" link set lo up &&
		ip netns exec "$ns" sysctl -qw \
			net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0 || return 1
	done
	ip link add v0 netns "$A" type veth peer name va netns "$R" &&
		ip link add v0 netns "$B" type veth peer name vb netns "$R" &&
		ip link add v1 netns "$B" type veth peer name vc netns "$R"
}

addresses() {
	ip -n "$A" -batch - <<-END_OF_A && ip -n "$R" -batch - <<-END_OF_R &&
		addr add $ADDR_A/24 dev v0
		link set v0 gso_max_segs 1 up
		neigh add $ADDR_B lladdr $MAC_B dev v0 nud permanent
		route add $END_B via $ROUTER
	END_OF_A
		link add br0 address $MAC_R type bridge
		addr add $ROUTER/24 dev br0
		addr add 10.25.2.254/24 dev vc
		link set br0 up
		link set va master br0 up
		link set vb master br0 up
		link set vc up
		route add $END_B via 10.25.2.2
	END_OF_R
	ip -n "$B" -batch - <<-END_OF_B
		link set v0 address $MAC_B
		addr add $ADDR_B/24 dev v0
		addr add 10.25.2.2/24 dev v1
		addr add $END_B/32 dev lo
		link set v0 up
		link set v1 up
		route add $ADDR_A/32 via 10.25.2.254
	END_OF_B
}

routed_hosts() {
	links && addresses && ip netns exec "$R" sysctl -qw \
		net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=1 &&
	in_a sysctl -qw net.ipv4.conf.all.accept_redirects=1 &&
	within 5 carrier "$A" && within 5 carrier "$B"
}

# Looking a route up would take what is too old out: this only reads.
told() { [[ $(on_a route show cache) == *"via $ADDR_B "*redirected* ]]; }
not_told() { ! told; }

received() { in_b cat "/sys/class/net/v0/statistics/rx_bytes"; }

tell_better() {
	on_r route replace "$END_B" via "$ADDR_B" && within 30 told
}

tell_no_more() { on_r route replace "$END_B" via 10.25.2.2; }

followed() {
	local before after

	before=$(received)
	during tell_better || return 1
	after=$(received)
	tell_no_more
	note "$((after - before)) bytes of $size by the better gateway"
	[[ $((after - before)) -gt $((size / 2)) ]]
}

arrived() { got=$(stat -c %s "$tmp/got.a"); }

# What was told is too old to be told anybody else, but not forgotten by the
# connection.
gateway_dies() {
	local before

	tell_better && tell_no_more && within 30 not_told &&
		on_r link set vb nomaster && silence 1 && arrived || return 1
	before=$got
	silence 2 && arrived || return 1
	[[ $got == "$before" ]] ||
		{ note "$((got - before)) bytes through a dead gateway"; return 1; }
	knob "$A" retries1 1
}

start sysctl stat
trap cleanup_router EXIT
routed_hosts || skip_all 'no hosts'
random_file f.a $size
random_file f.b 0
# The rest is as fast as it can.
shaped=("$A v0")
# A short queue: timeouts are to be short, too.
# shellcheck disable=SC2034 # for during
rate=500 options_a='--sndbuf 5000'
check 'a redirect is followed' followed
old_ttl=$(<"$ttl") && echo 1 >"$ttl"
on_a route flush cache
check 'many retries: the gateway is believed in' knob "$A" retries1 8
check 'few: it is not, the old way leads on' during gateway_dies
check 'no illegal state change' legal_edges
finish
