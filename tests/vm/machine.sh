#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/vm itself: what it passes on, what it makes of a broken kernel, what it leaves behind.
. "$(dirname "$0")/../netns/lib.sh"
vm=$root/scripts/vm
"$vm" --fetch 2>"$tmp/why" || skip_all "no virtual machine: $(tail -n 1 "$tmp/why")"
export TMPDIR=$tmp/runs # each run has its directory here
mkdir "$TMPDIR" "$tmp/shared"
cd "$tmp"

ends() { # DESCRIPTION STATUS REGEX ARG...: of scripts/vm
	exits "$1" "$2" "$3" "$vm" "${@:4}"
}
rc=0
"$vm" -- sh -c 'echo to out; echo to err >&2; pwd; exit 42' >"$tmp/out" 2>"$tmp/err" || rc=$?
is 'the command'\''s status' $rc 42
is 'its output and the working directory' "$(<"$tmp/out")" "to out"$'\n'"$tmp"
is 'its errors' "$(<"$tmp/err")" 'to err'
# shellcheck disable=SC2016
ends 'ended by a signal' 143 '' -- sh -c 'kill $$'
is 'a megabyte' "$("$vm" -- head -c 1000000 /dev/zero | wc -c)" 1000000
is 'arguments and environment' "$(A='b  c' "$vm" -- sh -c 'echo "$A|$1"' sh 'd  e"')" 'b  c|d  e"'
"$vm" --rw "$tmp/shared" -- sh -c "echo kept >$tmp/shared/file; echo lost >$tmp/lost"
is 'what it writes below --rw stays' "$(cat "$tmp/shared/file")" kept
ok 'what it writes elsewhere does not' [ ! -e "$tmp/lost" ]
ends 'a child that stays is no hindrance' 0 '' -- sh -c 'sleep 1000 & exit 0'
ends 'time is up' 124 'stopped after 6 s' --timeout 6 -- sleep 1000
ends 'the kernel panics' 120 'sysrq triggered crash' -- sh -c 'echo c >/proc/sysrq-trigger'
ends 'the kernel warns' 121 'WARNING: CPU' -- sh -c 'echo "WARNING: CPU: 0" >/dev/kmsg'
ends 'the kernel warns and the command fails' 3 'WARNING: CPU' -- sh -c 'echo "WARNING: CPU: 0" >/dev/kmsg; exit 3'
ends 'a kernel that is not' 125 'unknown kernel' --kernel 2.4 -- true
ends 'a directory without kernel' 125 'no kernel in' --kernel ./shared -- true
is 'two processors' "$("$vm" --smp 2 -- nproc)" 2
mkdir own
ln -s "$(readlink -f "${ASYMBPF_VM_CACHE:-${XDG_CACHE_HOME:-/var/cache}/asymbpf-vm}/6.1")"/{vmlinux,lib} own
is 'a kernel of one'\''s own' "$("$vm" --kernel ./own -- uname -s)" Linux
ends 'no command' 125 'no command' --

# of a run's processes each has its directory in the command line
left() { [ -n "$(ls "$TMPDIR")" ] || pgrep -f "$TMPDIR/" >/dev/null; }
nothing_left() { ! left; }
ok 'nothing is left of all that' wait_for nothing_left
for signal in TERM KILL; do
	"$vm" -- sh -c 'echo up; sleep 1000' >"$tmp/up" 2>&1 &
	pid=$!
	wait_for grep -q up "$tmp/up" || true
	kill -$signal $pid
	rc=0
	wait $pid 2>/dev/null || rc=$?
	is "SIG$signal: status" $rc $((128 + $(kill -l $signal)))
	ok "SIG$signal: nothing is left" wait_for nothing_left
done
"$vm" -- echo one >"$tmp/one" &
pid=$!
is 'two at once: the second' "$("$vm" -- echo two)" two
wait $pid
is 'two at once: the first' "$(<"$tmp/one")" one
done_testing
