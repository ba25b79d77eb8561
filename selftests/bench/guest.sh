#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh LOAD WHAT: what selftests/bench/bench runs in the machine. LOAD is
# the load generator, WHAT is "all" or "bytes" (without the counts of
# connections and of memory). One line of JSON for each load, in $OUT/raw.jsonl.
set -euo pipefail

what=$2
# 9p's latency is the host's
load=/tmp/load
cp "$1" $load
raw=$OUT/raw.jsonl

# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$(dirname "$0")/paths.sh"
declare -A who=([xtcp]="-f 2 -p ${XTCP_PROTOCOL:-253}" [tcp]="-f 2 -p 6" [unix]="-f 1")

# one ROW TRANSPORT PATH MODE OPTIONS...: what fails is a line as well, and
# makes the whole fail in the end. No time limit here: while the guest waits for
# the host's files its clock runs ahead by minutes. The machine has one outside.
failed=0
one() {
	local row=$1 transport=$2 on=$3 line
	shift 3

	# shellcheck disable=SC2086 # words
	if line=$($load "$@" ${who[$transport]} ${where_of[$on]}); then
		line=${line#\{}
	else
		failed=1 line='"failed": true}'
	fi
	echo "{\"row\": \"$row\", \"path\": \"$on\", \"transport\": \"$transport\", $line" |
		tee -a "$raw"
}

# each ROW PATH MODE OPTIONS...: XTCP and TCP, and AF_UNIX where there is no network
each() {
	local transport

	for transport in xtcp tcp unix; do
		[[ $transport != unix || $2 == lo ]] || continue
		one "$1" $transport "${@:2}"
	done
}

seeds='11 22 33'
lossy() {
	local transport seed

	for transport in xtcp tcp; do
		for seed in $seeds; do
			$load loss v0 loss-a 0.001 "$seed"
			one "bulk" $transport loss bulk -s 65536 -n 30000000 -w 0 -r 1
		done
	done
}

memory() {
	local round

	# The first takes pages that others left: it is thrown away
	for round in 0 1 2; do
		[[ $round != 0 ]] || local raw=/dev/null
		[[ $round != 1 ]] || raw=$OUT/raw.jsonl
		each "idle pair" lo idle -c 2000
	done
}

bytes() {
	local on size

	for on in lo veth nogso nogro; do
		each "bulk" $on bulk -s 65536 -n 30000000
	done
	lossy
	for on in lo veth; do
		each "rr 1 B" $on rr -s 1 -n 2000
		each "rr 1 KiB" $on rr -s 1024 -n 2000
		each "connect..close" $on crr -s 1 -n 500
	done
	for size in 64 1024 4096 16384 65536; do
		for on in lo veth; do
			each "message $size" $on message -s $size \
				-n $((size > 4096 ? 1000 : 4000))
		done
	done
}

counts() {
	local number

	for number in 100 1000; do
		each "epoll $number" lo epoll -s 64 -c $number -n 4000
	done
	for number in 1000 20000; do
		each "connect..close beside $number" lo crr -s 1 -n 300 -c $number
	done
	for number in 1000 20000; do
		for transport in xtcp tcp; do
			one "connect..close beside $number TIME_WAIT" $transport lo \
				crr -s 1 -n 300 -t $number
		done
	done
}

for knob in /proc/sys/net/ipv4/tcp_max_tw_buckets /proc/sys/net/xtcp/max_tw_buckets; do
	[[ ! -e $knob ]] || echo 262144 >$knob
done
make_paths
[[ $what != all ]] || memory
bytes
[[ $what != all ]] || counts
exit $failed
