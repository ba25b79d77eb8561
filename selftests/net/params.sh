#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module's parameters: what cannot work is refused when the module is
# inserted, with an errno that fits and one line in the kernel log that says
# why; what can work does, and the log says what is there.
# check calls functions by name.
# shellcheck source-path=SCRIPTDIR disable=SC2317
. "$(dirname "$0")/lib.sh"

ko=${XTCP_KO:-$here/../../build/$(uname -r)/xtcp.ko}
marks=0

loaded() { [[ -d /sys/module/xtcp ]]; }

# The kernel log since mark was called last, what XTCP itself said.
mark() {
	marks=$((marks + 1))
	echo "params.sh: mark $marks of $$" >/dev/kmsg
}

own_log() {
	dmesg | sed -n "/params.sh: mark $marks of $$\$/,\$p" |
		sed -n 's/^\(\[[^]]*\] *\)\{0,1\}xtcp: //p'
}

# refuses ERROR PARAMETERS...: insmod's words for the errno, and one line that
# names the first of the parameters.
refuses() {
	local error=$1 text log

	shift
	mark
	text=$(insmod "$ko" "$@" 2>&1) && { note 'inserted'; rmmod xtcp; return 1; }
	log=$(own_log)
	note "$text; log: $log"
	! loaded && [[ $text == *"$error" && $log == "$1: "* &&
		       $log != *$'\n'* ]]
}

# The numbers that a parameter's socket has: listens and connects over lo.
works() {
	python3 - "$1" "$2" <<-'END'
	import socket, sys
	family, number = int(sys.argv[1]), int(sys.argv[2])
	socket.socket(family, socket.SOCK_STREAM, 0).close()
	server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, number)
	server.bind(("127.0.0.1", 0))
	server.listen()
	client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, number)
	client.connect(server.getsockname())
	other, _ = server.accept()
	client.sendall(b"here")
	assert other.recv(10) == b"here"
	END
}

# takes FAMILY NUMBER PARAMETERS...: with these it is there and says so.
takes() {
	local family=$1 number=$2 rc=0 log

	shift 2
	mark
	insmod "$ko" "$@" || return 1
	log=$(own_log)
	note "$log"
	[[ $log == *" family $family,"*" protocol $number" &&
	   $log != *$'\n'* ]] || rc=1
	works "$family" "$number" || rc=1
	# Its sockets are closed, and nothing else holds the module.
	keep_edges
	rmmod xtcp || rc=1
	return "$rc"
}

# A parameter's name that is wrong is the kernel's to tell: it does.
misspelt() {
	local rc=0

	mark
	insmod "$ko" famly=23 || return 1
	own_log | grep -q "unknown parameter 'famly' ignored" || rc=1
	keep_edges
	rmmod xtcp || rc=1
	return "$rc"
}

described() {
	[[ -n $(modinfo -F version "$ko") && -n $(modinfo -F author "$ko") &&
	   -n $(modinfo -F description "$ko") ]]
}

start insmod rmmod modinfo python3 dmesg
[[ $transport == xtcp ]] || skip_all 'about the module'
[[ -f $ko ]] || skip_all "no $ko"

invalid='Invalid parameters' busy='Device or resource busy'
check 'modinfo has version, author and description' described
keep_edges
check 'removed' rmmod xtcp
# Not an address family's number at all; 0 is AF_UNSPEC, 46 the first beyond.
for family in -2147483648 -1 0 46 255 256 65561; do
	check "family=$family is refused" refuses "$invalid" family=$family
done
# Others', also when their module has not been loaded yet: AF_UNIX, AF_INET,
# AF_INET6, AF_NETLINK, AF_PACKET, AF_RDS, AF_PPPOX, AF_BLUETOOTH, AF_VSOCK,
# AF_MCTP; AF_BRIDGE and AF_IB stand for something without a socket.
for family in 1 2 10 16 17 21 24 31 40 45 7 27; do
	check "family=$family is refused" refuses "$busy" family=$family
done
for number in -1 0 255 256 509; do
	check "ipproto=$number is refused" refuses "$invalid" ipproto=$number
done
# IPIP, TCP, UDP, 6in4, GRE, ESP, AH, SCTP, UDP-Lite among them.
for number in 1 2 4 6 17 33 41 47 50 51 89 103 108 115 132 136 137 143 147; do
	check "ipproto=$number is refused" refuses "$busy" ipproto=$number
done
check 'both wrong: one line is enough' refuses "$invalid" family=-1 ipproto=6
check 'the defaults' takes 25 253
check 'another family' takes 23 253 family=23
check 'another protocol number' takes 25 254 ipproto=254
check 'both, at the edges of what is free' takes 4 148 family=4 ipproto=148
check 'a misspelt name is told by the kernel' misspelt
check 'inserted at the end' insmod "$ko"
finish
