# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts that deal with kernels share. Sourced, never run.

# An unprivileged user's PATH has no sbin, where modprobe and friends live
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# The directory for what is expensive to make and safe to throw away
cache_dir() {
	local dir=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/xtcp

	if ! { mkdir -p "$dir" && [[ -w $dir ]]; } 2>/dev/null; then
		dir=${TMPDIR:-/tmp}/xtcp-cache-$(id -u)
		mkdir -m 700 "$dir" 2>/dev/null || true
		# Somebody else's directory could hold anybody's kernel
		[[ -O $dir ]] || { echo "$dir is not ours" >&2; return 1; }
	fi
	echo "$dir"
}

# 6.1 or 6.12 -> the newest installed release of that series; the cloud
# flavour has no 9p, the rt one is another kernel. Anything else is a release.
kernel_release() {
	local newest

	case $1 in
	sanitizers) echo sanitizers; return ;;
	*[0-9].*[0-9].*) echo "$1"; return ;;
	esac
	newest=$(cd /boot && printf '%s\n' "vmlinuz-$1"[.+-]*-amd64 |
		grep -Ev '\*|cloud|-rt-' | sed 's/^vmlinuz-//' |
		sort -V | tail -n 1)
	[[ -n $newest ]] || {
		case $1 in
		6.1 | 6.12) echo "no kernel $1 in /boot: run 'make setup'" ;;
		*) echo "no kernel $1 in /boot: 6.1 and 6.12 are the two" \
			"that 'make setup' installs; any other is named by" \
			"its whole release, as uname -r prints it" ;;
		esac >&2
		return 1
	}
	echo "$newest"
}

# Of a kernel log on stdin, the lines in which the kernel complains; not those
# that match one of the expressions given
kernel_problems() {
	local filter=(cat)

	[[ $# == 0 ]] || filter=(grep -Ev "$(IFS='|'; echo "$*")")
	"${filter[@]}" | grep -E -f <(grep -v '^#' "$vm/log-problems") |
		awk '!seen[$0]++' | head -n 40
}
