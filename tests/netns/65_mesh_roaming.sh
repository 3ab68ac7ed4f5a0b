#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A is behind a NAT, and moves: the NAT gets another address, forgets what it knew, A gets another address
# behind it, or another access line.  Packets go on within a second, of nodes and of LANs behind them, whoever
# opened; each direction by its way, as soon as it has one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
pace=$build/tests/netns/pace
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/pace >&2
mesh_lab
# keepalives are no help
scheme_one | sed 's/keepalive = 1s/keepalive = 1m/' >"$tmp/mesh.conf"
for n in a b c; do needs "apply at $n" wg_apply $n; done
declare -A daemon
for n in a b c; do
	nsenter -t "${node_pid[$n]}" -m -n "$asymbpf" wg run >>"$tmp/log.$n" 2>&1 &
	daemon[$n]=$!
	asym_pids+=($!)
done
answers() { [ "$(wg_status "$1" '[.measured.peers[]?.answers] | all and length == 2')" = true ]; } # NODE
for n in a b c; do needs "$n measures" wait_for answers $n; done
by_b() { [ "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.thin_percent == 100).way')" = 'via b' ]; }
wait_for by_b

# --- traffic that must not stop --------------------------------------------------------------------
declare -A running=()
start() { # NAME NS CMD...: what it reports is in $tmp/NAME
	ip netns exec "$2" "${@:3}" >"$tmp/$1" 2>&1 </dev/null &
	running[$1]=$!
	asym_pids+=($!)
}
talkers='a-to-c c-to-a lan-a-to-lan-c lan-c-to-lan-a lan-a-to-c'
begin() {
	start a-to-c "$a" "$pace" udp -r 50 192.168.51.2 5000
	start c-to-a "$c" "$pace" udp -r 50 192.168.51.5 5000
	start lan-a-to-lan-c "$la" "$pace" udp -r 50 10.7.0.2 5000
	start lan-c-to-lan-a "$lc" "$pace" udp -r 50 10.5.0.2 5000
	start lan-a-to-c "$la" "$pace" udp -r 50 fd51::2 5000
	sleep 0.5
}
longest() { awk '$1 == "flow" { print $13 }' "$tmp/$1"; } # NAME: ms
finish() { # DESCRIPTION
	local name ms
	for name in $talkers; do kill "${running[$name]}"; done
	for name in $talkers; do wait "${running[$name]}" || true; done
	for name in $talkers; do
		ms=$(longest "$name")
		ok "$1: $name goes on after ${ms:-no} ms" [ "${ms:-9999}" -lt 1000 ]
		like "$1: $name keeps its address" "$(<"$tmp/$name")" 'moved 0'
	done
}
forward='src ~ /^(192.168.51.5|10.5.0.2|fd05::2)$/'
back='src ~ /^(192.168.51.2|10.7.0.2|fd51::2|fd07::2)$/'
ways() { # DESCRIPTION: A sends by B, C direct, in two seconds
	local d=$1 name n
	for name in 'a-b a out w-b' 'a-c a out w-c' 'c-a c out w-a' 'c-b c out w-b'; do
		read -r name n dir device <<<"$name"
		tap "$name" "${!n}" "$dir" "$device"
	done
	sleep 1
	untap a-b a-c c-a c-b
	local data='proto == "udp" && (sport == 5000 || dport == 5000)'
	ok "$d: A sends by B" [ "$(seen a-b "$data && $forward")" -gt 100 ]
	is "$d: nothing direct" "$(lines a-c "$data")" ''
	ok "$d: C answers direct" [ "$(seen c-a "$data && $back")" -gt 100 ]
	is "$d: nothing by B" "$(lines c-b "$data")" ''
}
moves() { # DESCRIPTION CMD...
	local d=$1
	shift
	begin
	"$@"
	sleep 2.5 # a way that was taken for dead has to live for a second
	ways "$d"
	finish "$d"
}
endpoint() { # NODE: where it takes A to be, by its tunnel
	wg_status "$1" '.tunnels[] | select(.peer == "a").endpoint'
}

begin
ways 'at first'
finish 'at first'
like 'C sees the NAT' "$(endpoint c)" '^100\.64\.1\.2:'

nat_moves() {
	ip -n "$nat" addr add 100.64.1.9/24 dev eth0
	ip -n "$nat" addr del 100.64.1.2/24 dev eth0
	ip -n "$nat" addr show dev eth0 | grep -q 100.64.1.9 || ip -n "$nat" addr add 100.64.1.9/24 dev eth0
	ip -n "$nat" route replace default via 100.64.1.1
}
moves 'another address of the NAT' nat_moves
for n in b c; do like "$n sees it" "$(endpoint $n)" '^100\.64\.1\.9:'; done

nat_forgets() { ip netns exec "$nat" conntrack -F >/dev/null 2>&1; }
moves 'the NAT forgets' nat_forgets

a_moves() {
	ip -n "$a" addr add 10.99.0.7/24 dev eth0
	ip -n "$a" addr del 10.99.0.2/24 dev eth0
	ip -n "$a" addr show dev eth0 | grep -q 10.99.0.7 || ip -n "$a" addr add 10.99.0.7/24 dev eth0
	ip -n "$a" route replace default via 10.99.0.1
}
moves 'another address of A' a_moves

cable "$net" p9 "$a" eth1
ip -n "$net" addr add 100.64.9.1/24 dev p9
in_node a nft insert rule inet fw input iifname eth1 udp dport 27000-52100 accept
line_changes() {
	ip -n "$a" addr add 100.64.9.2/24 dev eth1
	ip -n "$a" route replace default via 100.64.9.1
	ip -n "$a" link set eth0 down
}
moves 'another line of A' line_changes
for n in b c; do like "$n sees that" "$(endpoint $n)" '^100\.64\.9\.2:'; done

for n in a b c; do
	kill "${daemon[$n]}"
	wait "${daemon[$n]}" || true
	ok "down at $n" wg $n down
	is "complaints of $n" "$(grep -iE 'error|warning|cannot|in use|runtime|Sanitizer' "$tmp/log.$n" || true)" ''
done
done_testing
