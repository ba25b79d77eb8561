#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A listener does not pay for others, however many they are and whatever ports
# they have chosen, nor bind() for those whom a listener has accepted: what calls
# cost without them and beside them.
# check calls functions by name.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2119,SC2120,SC2015
. "$(dirname "$0")/lib.sh"

many=${XTCP_LISTENERS:-20000}

costs() { in_a "$apps/listeners" "${flag[@]}" "$many" >"$tmp/costs"; }
kids=2000

binds() { in_a "$apps/listeners" "${flag[@]}" "$kids" kids >"$tmp/costs"; }
gone() { ! in_a grep -q LISTEN /proc/net/xtcp; }

start
ulimit -n $((many > 2 * kids ? many + 100 : 2 * kids + 100)) || skip_all 'too few files'
ip netns add "$A" && ip -n "$A" link set lo up || skip_all 'no namespace'
began=$SECONDS
check "$many listeners" costs
note "that took $((SECONDS - began)) s"
check 'no call looks at all of them' compare_costs
[[ $transport == tcp ]] || check 'they end with their process' within 20 gone
check "bind() beside $kids accepted connections" binds
check 'no bind() looks at all of them' compare_costs
finish
