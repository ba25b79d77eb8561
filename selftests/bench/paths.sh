# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# The networks that guest.sh and profile measure. Sourced, in the guest.

# Where a load runs: arguments of load
declare -A where_of=(
	[lo]="-a 127.0.0.1"
	[veth]="-a 10.9.1.2 -C veth-a -S veth-b"
	[nogso]="-a 10.9.2.2 -C nogso-a -S nogso-b"
	[nogro]="-a 10.9.3.2 -C nogro-a -S nogro-b"
	[loss]="-a 10.9.4.2 -C loss-a -S loss-b"
)

# make_path NAME NUMBER FEATURES...: two hosts in 10.9.NUMBER.0/24
make_path() {
	local name=$1 number=$2 end peer
	shift 2

	ip netns add "$name-a"
	ip netns add "$name-b"
	ip link add v0 netns "$name-a" type veth peer name v0 netns "$name-b"
	for end in a b; do
		[[ $end == a ]] && peer=1 || peer=2
		ip -n "$name-$end" addr add "10.9.$number.$peer/24" dev v0
		ip -n "$name-$end" link set lo up
		ip -n "$name-$end" link set v0 up
		[[ $# == 0 ]] || ip netns exec "$name-$end" \
			ethtool -K v0 "$@" >/dev/null
	done
}

# netem drops what it sees as one: bursts if they were not cut before it
make_paths() {
	make_path veth 1
	make_path nogso 2 tso off gso off gro on
	make_path nogro 3 tso off gso off gro off
	make_path loss 4 tso off gso off gro on
}
