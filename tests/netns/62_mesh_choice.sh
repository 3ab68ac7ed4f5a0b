#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wg run`: each direction goes by the way that measurement finds best, and by another one within a second
# when that dies; the other direction stays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/mesh.sh"
. "$(dirname "$0")/mesh_lines.sh"
command -v iperf3 >/dev/null || skip_all 'no iperf3'

fails_over() { # DESCRIPTION WHO WAY-AFTER COMMAND...: who moves, and nobody else; pings stop for less than a second
	local d=$1 who=$2 way=$3 other
	shift 3
	other=$([ "$who" = a ] && echo c || echo a)
	pings a 192.168.51.2
	sleep 1
	mark
	"$@"
	ok "$d: $who goes $way" wait_for sends_by "$who" "$way"
	sleep 1
	g=$(gap)
	diag "$d: moved after $(moves "$who" | head -1) ms, no answers for $g ms"
	ok "$d: no answers for $g ms" [ "$g" -lt 1000 ]
	is "$d: $other stays" "$(moves "$other")" ''
}
comes_back() { # DESCRIPTION WHO WAY
	mark
	usual
	ok "$1: $2 comes back to $3" wait_for sends_by "$2" "$3"
	diag "$1: back after $(moves "$2" | tail -1) ms"
}

three_nodes
use_family both
{ nodes; echo 'direction up { from = a  to = c  paths = {"via b", direct} }
direction down { from = c  to = a  paths = {direct, "via b"} }'; } >"$tmp/mesh.conf"
for n in a b c; do needs "apply at $n" wg_apply $n; done
measure_all
exits 'one daemon only' 1 'another asymbpf wg run' timeout 3 nsenter -t "${node_pid[a]}" -m -n "$asymbpf" wg run

# --- failover of what is written -------------------------------------------------------------------
ok 'A goes by B' wait_for sends_by a 'via b'
ok 'C goes direct' wait_for sends_by c direct
dead='0 0 100 0 0'
b_dies() { shape ab "$dead" "$dead"; shape bc "$dead" "$dead"; }
fails_over 'the relay dies' a direct b_dies
comes_back 'the relay is there again' a 'via b'
b_to_c_dies() { shape bc "$dead" '7 1 0 0 0'; }
fails_over 'B to C dies, one way' a direct b_to_c_dies
comes_back 'B to C is there again' a 'via b'
b_stops() { in_node b "$build/tests/netns/overlay" remove; }
fails_over 'the relay lives but passes nothing on' a direct b_stops
ok 'apply at b again' wg_apply b
comes_back 'the relay passes on again' a 'via b'
direct_dies() { shape ac "$dead" "$dead"; }
fails_over 'direct dies' c 'via b' direct_dies
comes_back 'direct is there again' c direct
direct_back_dies() { shape ac '55 3 0 0 0' "$dead"; }
fails_over 'direct dies, C to A' c 'via b' direct_back_dies
comes_back 'direct C to A is there again' c direct

# --- by measurement --------------------------------------------------------------------------------
{ nodes; } >"$tmp/mesh.conf"
for n in a b c; do ok "apply at $n: by measurement" wg_apply $n; done
ok 'A goes by B, which is faster' wait_for sends_by a 'via b'
ok 'C goes direct' wait_for sends_by c direct
[ "$last_rc" -eq 0 ] || diag "$(wg c show; tail -20 "$tmp/log.c" "$tmp/err.c")"
reason() { [ "$(wg_status a '.measured.peers[]? | select(.node == "c").thin.reason')" = "$1" ]; }
ok 'as it is faster' wait_for reason faster
difference() { wg_status "$1" ".measured.peers[] | select(.node == \"$2\").to[] | select(.way == \"$3\").delay_ms" | cut -d. -f1; }
near 'direct there is slower' "$(difference a c direct)" 40 4
ok 'both are alike back' [ "$(difference c a direct)" -le 2 ]
as_text() { grep -qE '^ *to c +direct +[0-9.]+ ms +0\.0% +alive' <<<"$(wg a show)"; }
ok 'as text' wait_for as_text # what was lost before is forgotten after a while
diag "$(wg a show)"
moves_only_a() { # DESCRIPTION
	local ms
	ok "$1: A goes direct" wait_for sends_by a direct
	ms=$(moves a | head -1)
	diag "$1: A moved after $ms ms"
	ok "$1: within 5 s" [ "${ms:-9999}" -lt 5000 ]
	is "$1: C stays" "$(moves c)" ''
}
mark
shape ab '120 1 0 0 0' '8 1 0 0 0'
moves_only_a '112 ms more'
comes_back 'as before' a 'via b'
sleep 3
mark
shape ab '8 1 25 0 0' '8 1 0 0 0'
moves_only_a '25 % of loss'
mark
usual
sleep 1

# --- own load --------------------------------------------------------------------------------------
shape ac '55 1 0 0 0' '15 1 0 20000 250000'
run_in "$c" iperf3 -s -1
wait_for listening "$c" 5201
relayed() { in_node b cat /sys/class/net/w-a/statistics/tx_bytes /sys/class/net/w-c/statistics/tx_bytes | paste -sd' '; }
read -r to_a to_c < <(relayed)
mark
in_node a iperf3 -c 192.168.51.2 -R -t 10 -J >"$tmp/iperf" || diag "$(<"$tmp/iperf")"
read -r to_a2 to_c2 < <(relayed)
payload=$(jq '.end.sum_received.bytes // 0' "$tmp/iperf")
diag "download of 10 s: $((payload * 8 / 10000)) kbit/s; B to A $((to_a2 - to_a)), B to C $((to_c2 - to_c)) of $payload bytes"
ok 'a download uses the line' [ $((payload * 8 / 10000)) -gt 10000 ]
ok 'the relay carries no data' [ $(((to_a2 - to_a) * 100)) -lt $((payload * 5)) ]
ok 'but acknowledgements' [ $(((to_c2 - to_c) * 100)) -lt $((payload * 15)) ]
is 'thick flows stay' "$(tail -n "+$((lines_before[c] + 1))" "$tmp/log.c" | grep 'thick flows' || true)" ''
usual

# --- life ------------------------------------------------------------------------------------------
pings a 192.168.51.2
sleep 1
kill -9 "${daemon[a]}"
before=$(wg_status a '[.nodes[].ways[] | [.thin_percent, .thick_percent]]')
sleep 5
is 'killed: the ways stay' "$(wg_status a '[.nodes[].ways[] | [.thin_percent, .thick_percent]]')" "$before"
measure a
ok 'begun again' wait_for answers a
g=$(gap)
diag "killed and begun again: no answers for $g ms"
ok 'killed: packets pass' [ "$g" -lt 1000 ]

# --- a node without daemon -------------------------------------------------------------------------
ok 'A goes by B again' wait_for sends_by a 'via b'
kill -9 "${daemon[c]}"
pinged() { [ "$(wg_status a '.measured.peers[] | select(.node == "c") | [.answers, (.to | map(.state) | unique)]' | jq -c .)" = '[false,["alive"]]' ]; }
ok 'C says nothing: pings tell' wait_for pinged
ok 'A goes by B still' sends_by a 'via b'
fails_over 'the relay dies, C says nothing' a direct b_dies
comes_back 'the relay is there again, C says nothing' a 'via b'
measure c
ok 'C begins again' wait_for answers a

pings a 192.168.51.2
sleep 1
ip -n "$a" addr add 100.64.1.9/32 dev lo
ip -n "$a" route replace 100.64.2.2 dev ab src 100.64.1.9
ip -n "$a" route replace 100.64.3.2 dev ac src 100.64.1.9
for n in b c; do ip -n "${!n}" route add 100.64.1.9 dev ${n}a; done
ip -n "$a" addr del 100.64.1.2/32 dev lo
sleep 4
g=$(gap)
diag "another address of A: no answers for $g ms"
ok "another address of A: no answers for $g ms" [ "$g" -lt 2000 ]

wg_apply_other() { { nodes; echo 'direction up { from = a  to = b  paths = direct }'; } >"$tmp/other.conf"; wg a apply --config "$tmp/other.conf" --key "$tmp/a.key"; }
# one node after the other was given another one before, too
mark
ok 'another description at A' wg_apply_other
differs() { [ "$(wg_status c '.measured.peers[] | select(.node == "a").differs')" = true ]; }
ok 'C tells' wait_for differs
is 'once' "$(new_events c | grep -c '"state":"differs"')" 1
ok 'packets pass' in_node a ping -q -c 2 -W 2 192.168.51.2
kill "${daemon[b]}"
rc=0
wait "${daemon[b]}" || rc=$?
is 'SIGTERM ends a daemon' "$rc" 0
for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do is "errors of $n" "$(complaints $n)" ''; done
done_testing
