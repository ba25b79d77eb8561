#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Removing the module: refused while a socket is open, clean otherwise, also
# with connections in TIME_WAIT and unacknowledged data on its way to nobody.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/puppet.sh"

ko=${XTCP_KO:-$here/../../build/$(uname -r)/xtcp.ko}

loaded() { [[ -d /sys/module/xtcp ]]; }
inserted() { loaded || insmod "$ko"; }

# delete_module(2) says EBUSY; rmmod says it in words.
refused() {
	local text

	text=$(rmmod xtcp 2>&1) && { note 'rmmod succeeded'; inserted; return 1; }
	note "$text"
	loaded && [[ ${text,,} == *"in use"* || ${text,,} == *busy* ]]
}

gone() {
	keep_edges
	rmmod xtcp || return 1
	! loaded && ! grep -q '^XTCP' /proc/net/protocols
}

family_gone() {
	puppet none "$A" || return 1
	! tell none "listen $ADDR_A 7400" >/dev/null &&
		[[ $answer == EAFNOSUPPORT ]]
	local rc=$?

	puppets_end
	return "$rc"
}

pair() {
	puppet srv "$B" && puppet cli "$A" &&
	tell srv "listen $ADDR_B 7400" && tell cli "connect $ADDR_B 7400" &&
	tell srv accept
}

# An end that closed first: nothing of it is left but TIME_WAIT.
time_wait() {
	pair && tell cli close && tell srv 'recv 1' && tell srv close
	local rc=$?

	puppets_end
	return "$rc"
}

# Data that can never be acknowledged, and no descriptor left.
orphan() {
	pair || return 1
	netem loss 100% || return 1
	tell cli 'send 50000' && tell cli close && tell srv 'send 50000' &&
		tell srv close
	local rc=$?

	puppets_end
	return "$rc"
}

# A connection attempt that nobody answers.
half_open() {
	puppet cli "$A" && puppet srv "$B" &&
	tell srv "listen $ADDR_B 7401" || return 1
	netem loss 100%
	echo "connect $ADDR_B 7401" >&"${puppet_in[cli]}"
	# The SYN is on its way once the socket shows; killing the owner
	# leaves whatever is left of it to the module.
	within 10 syn_sent
	local rc=$?

	puppets_end
	return "$rc"
}

# The listener and the one that calls it.
syn_sent() { [[ $(protocol_sockets) -ge 2 ]]; }

# Sockets come and go through both doors all the time: rmmod is refused or
# done, nothing else, and what was open for a moment is nobody's for ever.
removed() { rmmod xtcp 2>/dev/null; ! loaded; }

unused() { [[ $(awk '$1 == "xtcp" { print $3 }' /proc/modules) == 0 ]]; }

doors() {
	local pid rc=0 i

	"$apps/doors" 2 & pid=$!
	for ((i = 1; i <= ${XTCP_DOORS:-20}; i++)); do
		keep_edges
		within 60 removed && insmod "$ko" || { rc=1; break; }
	done
	kill "$pid" && wait "$pid" 2>/dev/null
	# Its children are killed with it, and not waited for.
	within 20 unused || rc=1
	return "$rc"
}

# Each allocation of its start fails once; at last it is in.
starved() {
	local text rc=0

	text=$("$apps/starve" "$ko" 2>&1) || rc=1
	note "$text"
	[[ $rc == 0 ]] && loaded
}

start ethtool rmmod insmod
[[ $transport == xtcp ]] || skip_all 'about the module'
[[ -f $ko ]] || skip_all "no $ko"

hosts || skip_all 'no hosts'
check 'a listener and a connection' pair
check 'refused with sockets open' refused
puppets_end
check 'clean after they are closed' gone
check 'the family is gone with it' family_gone
check 'inserted again' inserted
check 'a connection in TIME_WAIT' time_wait
check 'clean with TIME_WAIT' gone
check 'inserted again after TIME_WAIT' inserted
check 'data to a dead peer, owners gone' orphan
check 'clean with retransmission in flight' gone
check 'inserted again after that' inserted
netem
check 'a connection attempt in flight, its owner killed' half_open
check 'clean after it' gone
check 'inserted at last' inserted
netem
random_file f.a 100000
random_file f.b 100000
check 'and it works' transfer '' ''
for i in 1 2 3 4 5; do
	check "in and out, $i" gone
	check "and in again, $i" inserted
done
check 'in and out with sockets opened all the time' doors
check 'clean after that' gone
if [[ -e /sys/kernel/debug/failslab ]]; then
	check 'no start without memory leaves anything' starved
else
	skip 'no start without memory leaves anything' 'no fault injection'
fi
check 'inserted at the end' inserted
finish
