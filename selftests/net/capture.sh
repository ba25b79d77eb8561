#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A capture of both ends is read by a program that has never heard of XTCP:
# every segment must be well-formed TCP with a right checksum.
# check and within call functions by name; hosts has a default.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

# The hosts' own checksums on the wire, not the ones a device would fill in.
wire_checksums() {
	in_a ethtool -K v0 tx off >/dev/null 2>&1 &&
		in_b ethtool -K v0 tx off >/dev/null 2>&1
}

capturing() { grep -q 'listening on' "$tmp/cap.$1.log"; }

capture() {
	local end ns

	for end in a b; do
		ns=$A
		[[ $end = b ]] && ns=$B
		background "$tmp/cap.$end.log" ip netns exec "$ns" tcpdump \
			-i v0 -s 0 -U --immediate-mode -Z root -w "$tmp/$end.pcap" \
			"ip proto $proto"
		cap[$end]=$last
		within 10 capturing "$end" || return 1
	done
}

stop_capture() {
	local end

	for end in a b; do
		kill -INT "${cap[$end]}"
		wait "${cap[$end]}" 2>/dev/null
	done
}

# One line a packet, as tshark takes long to start:
#   protocols | malformed | header length | status of TCP's and IP's checksum |
#   SYN | ACK | FIN | MSS option.  A status of 1 is "good".
dissect() {
	tshark -n -r "$tmp/$1.pcap" -o tcp.check_checksum:TRUE \
		-o ip.check_checksum:TRUE "${decode[@]}" -T fields \
		-E separator='|' -E occurrence=f -e frame.protocols \
		-e _ws.malformed -e tcp.hdr_len -e tcp.checksum.status \
		-e ip.checksum.status -e tcp.flags.syn -e tcp.flags.ack \
		-e tcp.flags.fin -e tcp.options.mss_val \
		>"$tmp/$1.txt" 2>"$tmp/$1.err"
}

# packets END AWK_CONDITION: how many there are.
packets() { awk -F'|' "$2 { n++ } END { print n + 0 }" "$tmp/$1.txt"; }

# none END AWK_CONDITION
none() {
	[[ $(packets "$1" "$2") = 0 ]] && return
	awk -F'|' "$2" "$tmp/$1.txt" | head -5 | sed 's/^/# /'
	return 1
}

well_formed() {
	local all tcp

	all=$(packets "$1" 1)
	tcp=$(packets "$1" '$1 ~ /:ip:tcp/ && $3 >= 20')
	note "$1: $all packets, $tcp of them TCP"
	[[ $all -gt 100 && $all = "$tcp" ]]
}

# What a handshake and an end have to look like.
shape() {
	local yes='(1|True)'

	[[ $(packets "$1" "\$6 ~ /$yes/ && \$7 !~ /$yes/ && \$9") -ge 1 &&
	   $(packets "$1" "\$6 ~ /$yes/ && \$7 ~ /$yes/ && \$9") -ge 1 &&
	   $(packets "$1" "\$8 ~ /$yes/") -ge 2 ]]
}

start ethtool tcpdump tshark
declare -A cap
proto=6 decode=()
if [[ $transport == xtcp ]]; then
	proto=$(cat /sys/module/xtcp/parameters/ipproto 2>/dev/null || echo 253)
	decode=(-d "ip.proto==$proto,tcp")
fi
hosts && wire_checksums || skip_all 'no hosts'
netem delay 1ms loss 1%
random_file f.a 300000
random_file f.b 200001
check 'both ends are captured' capture
check 'a transfer' transfer '' ''
stop_capture
for end in a b; do
	check "$end: dissected" dissect $end
	check "$end: every packet is TCP" well_formed $end
	check "$end: nothing malformed" none $end '$2 != ""'
	check "$end: every checksum is right" none $end '$4 != 1 || $5 != 1'
	check "$end: handshake and end" shape $end
done
check 'no illegal state change' legal_edges
finish
