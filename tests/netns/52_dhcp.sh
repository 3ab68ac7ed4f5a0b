#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Leases of WANs on one LAN of a provider, with real clients and servers: a part of tests/dhcp/matrix, all of it at
# once, as it sleeps most of the time.  Without asymbpf leases break, with it they hold.
. "$(dirname "$0")/lib.sh"
names=() wanted=() pids=()
scenario() { # passes|FAIL: REGEX DESCRIPTION NAME=VALUE...
	local i=${#names[@]}
	wanted+=("$1") names+=("$2")
	"$root/tests/dhcp/scenario" lab="x$i" "${@:3}" >"$tmp/$i" 2>&1 </dev/null &
	pids+=($!)
}
verdicts() {
	local i
	for i in "${!names[@]}"; do
		wait "${pids[i]}" || true
		like "${names[i]}" "$(tail -n 1 "$tmp/$i")" "^${wanted[i]}"
		[[ $(tail -n 1 "$tmp/$i") =~ ^${wanted[i]} ]] || diag "$(cat "$tmp/$i")"
	done
}
