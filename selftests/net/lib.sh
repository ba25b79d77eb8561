# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2119,SC2120
#
# For the scripts of this folder: TAP output, two hosts (namespaces joined by
# veth), transfers between them, and a clean end whatever happens.
#
# XTCP_TEST_TRANSPORT=tcp runs a script over native TCP: the oracle.
#
# A process costs up to half a second in a busy emulator, a transfer less: so
# bash does here what it can do itself.
set -u

transport=${XTCP_TEST_TRANSPORT:-xtcp}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
flag=()
[[ $transport == tcp ]] && flag=(--tcp)

A=xt-a-$$ B=xt-b-$$	# the hosts
shaped=("$A v0" "$B v0")	# where netem applies: namespace and device
ADDR_A=10.25.1.1 ADDR_B=10.25.1.2
port=7000
tests=0 failures=0
tmp='' pids=()

skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}

find_apps() {
	local d

	for d in "${XTCP_APPS:-}" "$here/../../build/selftests/apps" \
		 "$here/../apps" "$here"; do
		[[ -n $d && -x $d/xfer ]] || continue
		apps=$d
		return
	done
	skip_all 'the programs of selftests/apps are not built'
}

need() {
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip_all "no $tool"
	done
}

# Everything that was started, by its own number and name.
cleanup() {
	local p ns

	for p in "${pids[@]}"; do
		kill -9 "$p" 2>/dev/null
	done
	for ns in "$A" "$B"; do
		ip netns del "$ns" 2>/dev/null
	done
	[[ -n $tmp ]] && rm -rf "$tmp"
	return 0
}

start() {
	[[ $(id -u) = 0 ]] || skip_all 'root only'
	[[ $transport == tcp || -d /sys/module/xtcp ]] ||
		skip_all 'xtcp.ko is not loaded'
	find_apps
	need ip tc "$@"
	tmp=$(mktemp -d /dev/shm/xtcp-net.XXXXXX) || exit 1
	trap cleanup EXIT
	trap 'exit 1' INT TERM
	echo 'TAP version 13'
	echo "# transport $transport"
}

finish() {
	echo "1..$tests"
	[[ $failures = 0 ]]
	exit
}

# ok STATUS NAME: one TAP line.
ok() {
	tests=$((tests + 1))
	if [[ $1 = 0 ]]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		failures=$((failures + 1))
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# check NAME COMMAND...: a test that is one command.
check() {
	local name=$1 rc=0

	shift
	"$@" || rc=$?
	ok $rc "$name"
}

note() { echo "# $*"; }

# How much slower than usual the kernel is by design: a factor for limits.
patience=${XTCP_SLOW:-1}

# within SECONDS COMMAND...: repeats it until it succeeds.
within() {
	local end=$((SECONDS + $1 * patience))

	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		nap
	done
}

# A short sleep, or one of $1 seconds, without a process: nobody ever writes to
# that pipe.
exec {nap_fd}<> <(:)
nap() { read -r -t "${1:-0.02}" -u "$nap_fd" _ || return 0; }

in_a() { ip netns exec "$A" "$@"; }
in_b() { ip netns exec "$B" "$@"; }

carrier() { [[ $(ip -n "$1" link show v0) == *'state UP'* ]]; }

# Two hosts.  Without offloads a packet on the wire is one segment, so that
# what netem does to a packet it does to a segment.
hosts() {
	local mtu=${1:-1500} ns addr=$ADDR_A

	ip netns add "$A" && ip netns add "$B" || return 1
	ip link add v0 netns "$A" type veth peer name v0 netns "$B" || return 1
	for ns in "$A" "$B"; do
		ip -n "$ns" -batch - <<-END || return 1
			link set lo up
			addr add $addr/24 dev v0
			link set v0 mtu $mtu gso_max_segs 1 up
		END
		ip netns exec "$ns" ethtool -K v0 tso off gso off gro off \
			tx-sctp-segmentation off >/dev/null 2>&1
		addr=$ADDR_B
	done
	within 5 carrier "$A" && within 5 carrier "$B"
}

# set_mtu N: another one for both ends.
set_mtu() {
	ip -n "$A" link set v0 mtu "$1" && ip -n "$B" link set v0 mtu "$1"
}

no_hosts() {
	ip netns del "$A"
	ip netns del "$B"
}

# netem WORDS...: the same in both directions; nothing without words.
netem() {
	local at dev

	for at in "${shaped[@]}"; do
		dev=${at#* } at=${at% *}
		if [[ $# = 0 ]]; then
			tc -n "$at" qdisc del dev "$dev" root 2>/dev/null
			continue
		fi
		# Another kind in between: netem changed in place would keep
		# what is not named this time.
		tc -n "$at" -batch - <<-END || return 1
			qdisc replace dev $dev root pfifo
			qdisc replace dev $dev root netem limit 10000 $*
		END
	done
}

# random_file NAME BYTES
random_file() { head -c "$2" /dev/urandom >"$tmp/$1"; }

listening() { [[ -f $1 && $(<"$1") == listening* ]]; }

# background LOG COMMAND...: its number goes to $last.
background() {
	local log=$1

	shift
	# Here and not by the child: what an earlier one said must be gone.
	: >"$log"
	"$@" >>"$log" 2>&1 &
	last=$!
	pids+=("$last")
}

# The path of one transfer: files f.a and f.b cross both ways at once.
#   transfer "OPTIONS OF A" "OPTIONS OF B"
transfer() {
	local opt_a opt_b rc=0 server

	read -ra opt_a <<<"$1"
	read -ra opt_b <<<"$2"
	port=$((port + 1))
	background "$tmp/b.log" ip netns exec "$B" "$apps/xfer" "${flag[@]}" \
		--timeout $((60 * patience)) "${opt_b[@]}" --in "$tmp/f.b" --out "$tmp/got.a" \
		listen "$ADDR_B" $port
	server=$last
	within 10 listening "$tmp/b.log" || { note 'no listener'; return 1; }
	in_a "$apps/xfer" "${flag[@]}" --timeout $((60 * patience)) \
		"${opt_a[@]}" --in "$tmp/f.a" \
		--out "$tmp/got.b" connect "$ADDR_B" $port >"$tmp/a.log" 2>&1 ||
		rc=1
	transferred "$server" $rc
}

# transferred SERVER STATUS: the end of a transfer whose client ended with STATUS.
transferred() {
	local rc=$2

	[[ $rc = 0 ]] || kill "$1" 2>/dev/null
	wait "$1" || rc=1
	if [[ $rc != 0 ]]; then
		sed 's/^/# /' "$tmp/a.log" "$tmp/b.log"
		return 1
	fi
	note "a: $(<"$tmp/a.log")"
	same
}

# What was sent and what arrived, both ways.
same() {
	local sum

	mapfile -t sum < <(sha256sum "$tmp/f.a" "$tmp/got.a" "$tmp/f.b" \
		"$tmp/got.b")
	[[ ${#sum[@]} = 4 && ${sum[0]%% *} == "${sum[1]%% *}" &&
	   ${sum[2]%% *} == "${sum[3]%% *}" ]] && return
	note 'SHA-256 differs:'
	printf '# %s\n' "${sum[@]}"
	return 1
}

# knob HOST NAME VALUE: tcp_NAME of native TCP, NAME of ours.
knob() {
	local prefix=net.xtcp.

	[[ $transport == xtcp ]] || prefix=net.ipv4.tcp_
	ip netns exec "$1" sysctl -qw "$prefix$2=$3"
}

# No state change outside of the table may have been asked for.
legal_edges() {
	local ns edges

	[[ $transport == xtcp ]] || return 0
	for ns in "$A" "$B"; do
		edges=$(ip netns exec "$ns" cat /proc/net/xtcp_edges)
		[[ $'\n'$edges$'\n' == *$'\nillegal 0\n'* ]] && continue
		printf '%s\n' "$edges" | sed 's/^/# /'
		return 1
	done
}

# To be called before the module is removed: its counts of edges go with it,
# and run-all adds up those of all machines.
keep_edges() {
	[[ -z ${XTCP_EDGES:-} ]] || cat /proc/net/xtcp_edges >>"$XTCP_EDGES"
}

# Sockets of both hosts; /proc/net/protocols counts those of a namespace.
protocol_sockets() {
	local ns

	for ns in "$A" "$B"; do
		ip netns exec "$ns" cat /proc/net/protocols 2>/dev/null
	done | awk '$1 == "XTCP" { n += $3 } END { print n + 0 }'
}

no_sockets() { [[ $(protocol_sockets) = 0 ]]; }

# Objects in our slabs, in all namespaces, existing or not: the only place
# where a socket that nobody can reach any more is still seen.  shrink gives
# back what the CPUs hold in reserve, so that the count is exact; a cache that
# the kernel has merged with others of its size tells nothing about us.
live_objects() {
	local s n=0 v

	for s in /sys/kernel/slab/XTCP /sys/kernel/slab/xtcp_*; do
		[[ -w $s/shrink && $(<"$s/aliases") = 0 ]] || continue
		echo 1 >"$s/shrink"
		read -r v _ <"$s/objects"
		n=$((n + v))
	done
	echo "$n"
}

# KiB of kernel memory that nobody can reclaim.
kernel_memory() {
	awk '/^(SUnreclaim|Percpu|KernelStack):/ { n += $2 } END { print n }' \
		/proc/meminfo
}

# What calls cost with few and with many of something, lines of NAME FEW MANY in
# $tmp/costs; none has grown much.  Chains of a table are some entries longer,
# and caches are colder: the factor of 4 is for that, a walk over all of them
# would be 30 and more.
compare_costs() {
	awk '{ r = $3 / $2; bad += r > 4
	       printf "# %s: %d ns beside few, %d ns beside many, %.2f\n",
		      $1, $2, $3, r }
	     END { exit bad > 0 || !NR }' "$tmp/costs"
}

# Against $objects and $memory, noted before.
memory_back() {
	# Freed objects linger behind RCU.
	echo 2 >/proc/sys/vm/drop_caches
	# shellcheck disable=SC2154
	[[ $(live_objects) -le $objects &&
	   $(kernel_memory) -le $((memory + 4096)) ]]
}
