#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A hundred thousand connections in TIME_WAIT: what each costs, that no call
# looks at all of them, and that they end, by time and with their namespace.
# check and within call functions by name.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

many=${XTCP_TIMEWAITS:-100000}
few=1000

namespace() {
	ip netns add "$A" && ip -n "$A" link set lo up &&
		knob "$A" max_tw_buckets 1000000 || return 1
	[[ $transport == tcp ]] ||
		knob "$A" timewait "${1:-3000}"
}

# How many wait.
waiting() {
	if [[ $transport == tcp ]]; then
		in_a cat /proc/net/sockstat | sed -n 's/^TCP:.* tw \([0-9]*\).*/\1/p'
	else
		in_a cat /proc/net/xtcp_snmp | sed -n 's/^TimeWait //p'
	fi
}

fill() { in_a "$apps/timewait" "${flag[@]}" fill "$1"; }
there() { [[ $(waiting) = "$1" ]]; }
at_least() { [[ $(waiting) -ge $1 ]]; }

slab_kib() {
	awk '/^(SReclaimable|SUnreclaim):/ { n += $2 } END { print n }' \
		/proc/meminfo
}

bytes_each() {
	local each=$((($(slab_kib) - slab) * 1024 / many))

	note "$each bytes each, with the unused part of their slabs"
	# Native TCP: 256.  A sanitizer kernel adds to every object.
	((patience > 1)) || ((each <= 320))
}

settled() {
	echo 2 >/proc/sys/vm/drop_caches
	[[ $(slab_kib) -le $((slab_before + 4096)) ]]
}

start sysctl
echo 2 >/proc/sys/vm/drop_caches

namespace || skip_all 'no namespace'
fill 200 || note 'warming up failed'
slab_before=$(slab_kib)
check "$few in TIME_WAIT" fill $few
in_a "$apps/timewait" "${flag[@]}" cost >"$tmp/few"
echo 2 >/proc/sys/vm/drop_caches
slab=$(slab_kib) began=$SECONDS
check "$many in TIME_WAIT" fill "$many"
note "that took $((SECONDS - began)) s"
check 'all of them wait' at_least $((few + many))
echo 2 >/proc/sys/vm/drop_caches
check 'each costs a few hundred bytes' within 20 bytes_each
in_a "$apps/timewait" "${flag[@]}" cost >"$tmp/many"
paste -d ' ' "$tmp/few" "$tmp/many" | cut -d ' ' -f 1,2,4 >"$tmp/costs"
check 'no call looks at all of them' compare_costs

began=$SECONDS
ip netns del "$A"
check 'their namespace takes them along' within 20 settled
note "that took $((SECONDS - began)) s, $slab_before KiB before, $(slab_kib) after"

if [[ $transport != tcp ]]; then
	namespace 1 || skip_all 'no namespace'
	fill $few
	check 'they end when their time is over' within 20 there 0
	in_a bash -c 'echo 2 >/proc/sys/net/xtcp/max_tw_buckets'
	in_a bash -c 'echo 60 >/proc/sys/net/xtcp/timewait'
	fill 10
	check 'no more than max_tw_buckets' there 2
	ip netns del "$A"
	check 'no illegal state change' grep -qx 'illegal 0' /proc/net/xtcp_edges
fi
finish
