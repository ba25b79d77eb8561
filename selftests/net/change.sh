# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2015 # shared with lib.sh
#
# A transfer in the middle of which something changes:
#   during COMMAND...	the transfer, and the change
#   silence N		a part of a change: A hears nothing for N timeouts
# $END_B is where B listens, $rate (kbit) and $options_a are the transfer's.

client='' count=0

# How often A's timer has run out, to $count: of all connections for XTCP, of
# those that there are for native TCP.
timeouts() {
	local name value again probes n=0

	if [[ $transport == xtcp ]]; then
		while read -r name value; do
			[[ $name != TCPTimeouts && $name != TCPWinProbe ]] ||
				n=$((n + value))
		done <"/proc/$client/net/xtcp_snmp"
	else
		while read -r _ _ _ _ _ _ again _ probes _; do
			[[ $again == tr ]] ||
				n=$((n + 16#$again + probes))
		done <"/proc/$client/net/tcp"
	fi
	count=$n
}

more_timeouts() { timeouts; ((count >= $1)); }

# A hears nothing, for so many timeouts more.
silence() {
	timeouts
	within 30 more_timeouts $((count + $1)) && return
	note "only $count timeouts"
	return 1
}

# So slow that no machine is too slow to change the way before the end.
slow() { netem "delay 2ms rate $((${rate:-500} / patience))kbit"; }

over() { [[ ! -d /proc/$1 ]]; }

# during COMMAND...: files cross both ways, and once the first piece of A's is
# there, that happens.  The network is fast from then on.
during() {
	local server opt_a rc=0

	port=$((port + 1))
	read -ra opt_a <<<"${options_a:-}"
	rm -f "$tmp/got.a" "$tmp/got.b"
	slow || return 1
	background "$tmp/b.log" ip netns exec "$B" "$apps/xfer" "${flag[@]}" \
		--timeout $((60 * patience)) --in "$tmp/f.b" --out "$tmp/got.a" \
		listen "$END_B" "$port"
	server=$last
	within 10 listening "$tmp/b.log" || return 1
	background "$tmp/a.log" ip netns exec "$A" "$apps/xfer" "${flag[@]}" \
		--timeout $((60 * patience)) "${opt_a[@]}" --in "$tmp/f.a" --out "$tmp/got.b" \
		connect "$END_B" "$port"
	client=$last
	within 30 test -s "$tmp/got.a" && "$@" || rc=1
	over "$client" && { note "over before it was done: $*"; rc=1; }
	netem
	[[ $rc == 0 ]] || kill "$client" 2>/dev/null
	wait "$client" || rc=1
	transferred "$server" $rc
}
