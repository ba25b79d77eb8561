#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random networks.  The seed is printed; XTCP_SEED repeats a run, XTCP_ROUNDS
# makes it longer.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

seed=${XTCP_SEED:-$((SRANDOM % 1000000))}
rounds=${XTCP_ROUNDS:-6}
toss=0 n=0

# pick VARIABLE LOW HIGH: a generator of our own, as bash's gives 15 bits and
# another sequence in every subshell.
state=$seed
pick() {
	state=$(((state * 1103515245 + 12345) & 0x7fffffff))
	printf -v "$1" %d $(($2 + (state >> 8) % ($3 - $2 + 1)))
}

# coin N: true once in N times.
coin() {
	pick toss 1 "$1"
	[[ $toss = 1 ]]
}

options() {
	a='' b=''
	coin 3 && pick n 4000 60000 && a+=" --rcvbuf $n"
	coin 3 && pick n 5000 60000 && b+=" --sndbuf $n"
	coin 3 && pick n 200 9000 && b+=" --nodelay --chunk $n"
	coin 4 && pick n 200 1460 && a+=" --mss $n"
	return 0
}

network() {
	pick n 1 12; net="delay ${n}ms"
	pick n 0 3; net+=" ${n}ms"
	pick n 0 25; net+=" loss $((n / 10)).$((n % 10))%"
	pick n 0 3; net+=" duplicate $n%"
	pick n 0 5; net+=" reorder $n%"
	pick n 0 9; net+=" corrupt 0.$n%"
}

one() {
	local a b n net mtu size_a size_b

	pick mtu 576 1500
	pick size_a 1 700000
	pick size_b 1 300000
	network
	options
	note "seed $seed round $1: mtu $mtu, $net, a:$a b:$b, $size_a and $size_b bytes"
	set_mtu "$mtu" || return 1
	random_file f.a "$size_a"
	random_file f.b "$size_b"
	# shellcheck disable=SC2086 # a list of words
	netem $net && transfer "$a" "$b"
}

start ethtool
hosts || skip_all 'no hosts'
for ((i = 1; i <= rounds; i++)); do
	check "random network $i of seed $seed" one "$i"
done
check 'no illegal state change' legal_edges
finish
