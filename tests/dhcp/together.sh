# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Several scenarios at once, each a test of its own.  Sourced after lib.sh.
names=() wanted=() pids=()
scenario() { # PASS|FAIL: REGEX DESCRIPTION NAME=VALUE...
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

breaks() { scenario "FAIL: .*$1" "without asymbpf: $2" "${@:3}"; }
holds() { scenario PASS "$@"; }
