# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # shared with lib.sh, callers
#
# Sockets held by a helper program that obeys line by line: see puppet.c.
#   puppet NAME NAMESPACE     starts one
#   tell NAME 'COMMAND'       waits for the answer; fails if it is an error
#   puppets_end               all of them exit

declare -A puppet_in puppet_out puppet_pid

puppet() {
	local name=$1 in out pid

	mkfifo "$tmp/$name.in" "$tmp/$name.out" || return 1
	ip netns exec "$2" "$apps/puppet" "${flag[@]}" <"$tmp/$name.in" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" &
	pid=$!
	exec {in}>"$tmp/$name.in" {out}<"$tmp/$name.out"
	rm -f "$tmp/$name.in" "$tmp/$name.out"
	pids+=("$pid")
	puppet_in[$name]=$in puppet_out[$name]=$out puppet_pid[$name]=$pid
}

tell() {
	local line

	echo "$2" >&"${puppet_in[$1]}" || return 1
	read -r -t 20 line <&"${puppet_out[$1]}" || line='error silence'
	answer=${line#* }
	[[ $line == ok* ]] || { note "$1: $2: $line"; return 1; }
}

puppets_end() {
	local name in out

	for name in "${!puppet_pid[@]}"; do
		in=${puppet_in[$name]} out=${puppet_out[$name]}
		# Not by the end of its stdin: the others hold that open too.
		# SIGPIPE is the one death that bash does not comment on.
		kill -PIPE "${puppet_pid[$name]}" 2>/dev/null
		wait "${puppet_pid[$name]}" 2>/dev/null
		exec {in}>&- {out}<&-
	done
	puppet_in=() puppet_out=() puppet_pid=()
	return 0
}
