#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace that is deleted with live sockets in it takes them all along.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/puppet.sh"

# A namespace is taken apart in the background, and its sockets with it.
all_freed() { [[ $(live_objects) -le $objects ]]; }

namespaces_gone() {
	! ip netns list | grep -qE "^($A|$B)( |$)"
}

# Sockets in as many states as can be held, then no more owner.
fill() {
	puppet srv "$B" && puppet cli "$A" && puppet full "$A" || return 1
	tell srv "listen $ADDR_B 7500" && tell cli "connect $ADDR_B 7500" &&
	tell srv accept && tell cli 'send 1000' && tell srv 'send 1000' ||
		return 1
	# More that wait for an accept that never comes, data included.
	for _ in 1 2 3; do
		tell full "connect $ADDR_B 7500" && tell full 'send 500' ||
			return 1
	done
	tell cli shutdown
}

# Closed sockets with data for a dead peer, then the namespace.
drop_orphans() {
	netem loss 100% || return 1
	tell cli close && tell srv close || return 1
	puppets_end
	no_hosts
	namespaces_gone && within 20 all_freed
}

# The name goes first; the sockets live on in it until their owners end.
drop_name_first() {
	no_hosts
	tell full 'send 10' || return 1
	puppets_end
	namespaces_gone && within 20 all_freed
}

# A's segments get stuck in B: there they are for nobody, and go into a queue
# that holds them for minutes.
trap_in_b() {
	ip -n "$B" -batch - <<-END || return 1
		link add br0 type bridge
		link add p0 type veth peer name p1
		addr del $ADDR_B/24 dev v0
		addr add $ADDR_B/24 dev br0
		link set v0 master br0
		link set p0 master br0
		link set p0 up
		link set p1 up
		link set br0 up
	END
	tc -n "$B" qdisc add dev p0 root netem delay 250s
}

queued() { [[ $(tc -n "$B" -s qdisc show dev p0) =~ backlog\ [0-9]+b\ [1-9] ]]; }

other_gone() { ! ip -n "$B" link show c0 >/dev/null 2>&1; }

# Whoever deletes another namespace meanwhile need not wait for that.
segments_elsewhere() {
	local rc=0

	hosts && trap_in_b && puppet srv "$B" && puppet cli "$A" || return 1
	tell srv "listen $ADDR_B 7500" && tell cli "connect $ADDR_B 7500" &&
		tell srv accept || return 1
	ip -n "$A" neigh replace "$ADDR_B" lladdr 02:00:00:00:00:09 dev v0 \
		nud permanent || return 1
	tell cli 'send 1000' && tell cli close && within 5 queued || return 1
	kill -PIPE "${puppet_pid[cli]}"
	ip netns del "$A"
	ip netns add "$A" && ip -n "$B" link add c0 type veth peer name c1 \
		netns "$A" && ip netns del "$A" || return 1
	within 20 other_gone || rc=1
	puppets_end
	ip netns del "$B"
	return "$rc"
}

start ethtool
objects=$(live_objects)
note "objects before: $objects"
for round in 1 2; do
	how=drop_orphans
	((round % 2)) || how=drop_name_first
	hosts || skip_all 'no hosts'
	check "round $round: sockets in many states" fill
	check "round $round: the namespace takes them along, $how" $how
	note "objects left: $(live_objects)"
done
check 'segments that another namespace keeps hold nobody up' segments_elsewhere
check 'and are freed with it' within 20 all_freed
if [[ $transport == xtcp ]]; then
	check 'the next namespace works' hosts
	random_file f.a 10000
	random_file f.b 10000
	check 'and carries data' transfer '' ''
	check 'no illegal state change' legal_edges
fi
finish
