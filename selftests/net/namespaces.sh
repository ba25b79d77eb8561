#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the module costs those who make many namespaces: the time that they need
# to end, with sockets of ours in them, compared with native TCP's without the
# module; and memory where nobody opens a socket.
# check calls functions by name.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

ko=${XTCP_KO:-$here/../../build/$(uname -r)/xtcp.ko}
many=100
((patience > 1)) && many=20

# Milliseconds for $many namespaces with a listener in each, from first to gone.
round_ms() { "$apps/namespaces" "$@" turns "$many" 3; }

settled_memory() { echo 2 >/proc/sys/vm/drop_caches; kernel_memory; }

# KiB of kernel memory for $many namespaces.
held_kib() {
	local before after word in out

	coproc "$apps/namespaces" hold "$many" || return 1
	in=${COPROC[1]} out=${COPROC[0]} last=$COPROC_PID
	read -r word <&"$out" && [[ $word == ready ]] || return 1
	before=$(settled_memory)
	echo >&"$in"
	read -r word <&"$out" && [[ $word == held ]] || return 1
	after=$(settled_memory)
	exec {in}>&-
	wait "$last"
	kib=$((after - before))
}

with_module() {
	held_kib && with_kib=$kib && with_ms=$(round_ms)
}

without_module() {
	keep_edges
	rmmod xtcp && held_kib && without_kib=$kib &&
		without_ms=$(round_ms --tcp) && insmod "$ko"
}

# A grace period, or a walk over a table, for each in the machine's one thread
# for this was four times as much.
cheap_end() {
	note "$many namespaces: $with_ms ms, native TCP without the module $without_ms"
	((with_ms <= 2 * without_ms))
}

# A sanitizer kernel adds to every object.
small() {
	note "$many namespaces: $with_kib KiB, without the module $without_kib"
	((patience > 1 || with_kib - without_kib <= 32 * many))
}

start
[[ $transport == xtcp ]] || skip_all 'compares the two'
check "$many namespaces" with_module
check 'and without the module' without_module
check 'they end as fast as with native TCP' cheap_end
check 'one without sockets costs little' small
finish
