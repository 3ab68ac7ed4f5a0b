#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wg apply` and `wg down`: both schemes of asymmetric tunnels, each from one description.  What A sends to C
# goes by a relay, what C sends to A goes direct, whoever opens; firewalls are stateful and rp_filter
# is strict everywhere, A is behind NAT, the relay forwards nothing and has no routes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
mesh_lab

# Exchanges from either side, of either family, of nodes and of LANs behind them.
exchanges() { # DESCRIPTION A-ADDRESS C-ADDRESS A-ADDRESS6 C-ADDRESS6
	local d=$1 proto
	ok "$d: ping" in_node a ping -q -c 3 -i 0.1 -W 2 "$3"
	ok "$d: ping by C" in_node c ping -q -c 3 -i 0.1 -W 2 "$2"
	ok "$d: ping, IPv6" in_node a ping -q -c 3 -i 0.1 -W 2 "$5"
	for proto in tcp udp; do
		is "$d: $proto" "$(in_node a "$traffic" $proto -n 20 -t 3000 "$3" 5000)" "$2 20"
		is "$d: $proto by C" "$(in_node c "$traffic" $proto -n 20 -t 3000 "$2" 5000)" "$3 20"
		is "$d: $proto, IPv6" "$(in_node a "$traffic" $proto -n 20 -t 3000 "$5" 5000)" "$4 20"
		is "$d: $proto by C, IPv6" "$(in_node c "$traffic" $proto -n 20 -t 3000 "$4" 5000)" "$5 20"
		is "$d: $proto of LANs" "$(ip netns exec "$la" "$traffic" $proto -n 20 -t 3000 10.7.0.2 5000)" '10.5.0.2 20'
		is "$d: $proto of LANs by C" "$(ip netns exec "$lc" "$traffic" $proto -n 20 -t 3000 10.5.0.2 5000)" '10.7.0.2 20'
		is "$d: $proto of LANs, IPv6" "$(ip netns exec "$la" "$traffic" $proto -n 20 -t 3000 fd07::2 5000)" 'fd05::2 20'
		is "$d: $proto, LAN to node" "$(ip netns exec "$la" "$traffic" $proto -n 20 -t 3000 "$3" 5000)" '10.5.0.2 20'
	done
}
from_a='(src ~ /^(192.168.51.[35]|fd51::[35]|10.5.0.2|fd05::2)$/)'
from_c='(src ~ /^(192.168.51.2|fd51::2|10.7.0.2|fd07::2)$/)'
only() { # DESCRIPTION NAME CONDITION: packets of that kind were recorded, and no others
	ok "$1: packets" [ "$(seen "$2" "$3")" -gt 100 ]
	is "$1: no others" "$(lines "$2" "!$3" | head)" ''
}
none() { is "$1" "$(lines "$2" 1 | head)" ''; } # DESCRIPTION NAME

# --- scheme one ------------------------------------------------------------------------------------
scheme_one >"$tmp/mesh.conf"
for n in a b c; do needs "apply at $n" wg_apply $n; done
is 'the node is found by its key' "$(wg_status a .node)" a
wait_for reaches a 192.168.51.2
wait_for reaches c 192.168.51.5
is 'MTU' "$(in_node a cat /sys/class/net/ov0/mtu /sys/class/net/w-b/mtu | paste -sd' ')" '1420 1420'
is 'no link-local addresses' "$(in_node a ip -6 addr show scope link | grep -A1 -E 'ov0|w-' || true)" ''

tap a-b "$a" out w-b
tap b-a "$a" in w-b
tap a-c "$a" out w-c
tap c-a "$a" in w-c
tap b-in "$b" in w-a
tap b-out "$b" out w-c
tap b-back-in "$b" in w-c
tap b-back-out "$b" out w-a
tap c-in "$c" in w-b
tap c-out "$c" out w-a
exchanges 'scheme one' 192.168.51.5 192.168.51.2 fd51::5 fd51::2
untap a-b b-a a-c c-a b-in b-out b-back-in b-back-out c-in c-out
only 'A sends to B' a-b "$from_a"
only 'B passes on to C' b-out "$from_a"
only 'B has it of A' b-in "$from_a"
only 'C has it of B' c-in "$from_a"
only 'C sends to A' c-out "$from_c"
only 'A has it of C' c-a "$from_c"
none 'A sends C nothing directly' a-c
none 'B sends A nothing' b-back-out
none 'C sends B nothing' b-back-in
none 'A has nothing of B' b-a
is 'B takes one from the TTL' "$(lines c-in 'src == "192.168.51.5" && proto == "udp"' | awk '{ print $6 }' | sort -u)" 63
is 'checksums' "$(for t in b-out c-in c-a; do lines $t bad; done | head)" ''
is 'the way in use' "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.thin_percent == 100).way')" 'via b'
ok 'its traffic' [ "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.way == "via b").packets')" -gt 100 ]
is 'the other way has none' "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.way == "direct").packets')" 0
like 'as text' "$(wg a show)" $'TO .*\nc +via b +w-b +100%'
like 'tunnels as text' "$(wg a show)" 'w-b +b +100.64.2.2:[0-9]+ +[0-9]+ +[0-9]+s +[0-9]+ +[0-9]+'

# --- again, and differently ------------------------------------------------------------------------
handshake() { wg_status a '.tunnels[] | select(.device == "w-c") | now - .handshake_age_s | floor'; }
identity() { # what must not change: devices, processes
	in_node a ip -j link | jq -c '[.[] | [.ifname, .ifindex]]'
	for pid in $(ip netns pids "$a"); do echo "$pid $(<"/proc/$pid/comm")"; done | grep wireguard | sort || true
}
before=$(identity) first=$(handshake) routes=$(in_node a ip route) sent=$(wg_status a '.tunnels[0].tx_bytes')
ip netns exec "$a" ping -i 0.02 192.168.51.2 >"$tmp/ping" &
pinger=$!
asym_pids+=("$pinger")
talk one "$c" tcp -n 4 -t 5000 192.168.51.5 5000
for _ in 1 2 3; do ok 'apply again' wg_apply a; done
is 'nothing is made anew' "$(identity)" "$before"
is 'routes are as before' "$(in_node a ip route)" "$routes"
near 'the session goes on' "$(handshake)" "$first" 1
ok 'counters go on' [ "$(wg_status a '.tunnels[0].tx_bytes')" -ge "$sent" ]

tap direct "$a" out w-c
scheme_one | sed 's/paths = {"via b", direct}/paths = direct/' >"$tmp/mesh.conf"
ok 'another direction' wg_apply a
wait_for eval '[ "$(wg_status a ".nodes[] | select(.node == \"c\").ways[] | select(.way == \"direct\").packets")" -gt 20 ]'
untap direct
ok 'packets go there' [ "$(seen direct 'dst == "192.168.51.2"')" -gt 10 ]
(umask 077 && "$asymbpf" wg genkey >"$tmp/d.key")
scheme_one "node d { address = 192.168.51.9  public-key = \"$(public d)\"  endpoint = 100.64.4.2 }" >"$tmp/mesh.conf"
for n in a b c; do ok "one more node at $n" wg_apply $n; done
ok 'its tunnel' in_node a ip link show w-d
ok 'its route' in_node a sh -c 'ip route | grep -q "^192.168.51.9 dev ov0 .*src 192.168.51.5"'
scheme_one >"$tmp/mesh.conf"
for n in a b c; do ok "one node less at $n" wg_apply $n; done
ok 'its tunnel is gone' [ ! -e "/proc/${node_pid[a]}/root/sys/class/net/w-d" ]
ok 'its tunnel is gone from the kernel' sh -c "! ip -n $a link show w-d"
is 'its route is gone' "$(in_node a ip route | grep 51.9 || true)" ''
is 'the rest is as before' "$(identity)" "$before"
near 'and the session goes on' "$(handshake)" "$first" 130
kill -INT "$pinger"
wait "$pinger" || true
hush one
# the last may have been on its way when ping was stopped
missed() { awk -F'[= ]' '/icmp_seq=/ { for (i = 1; i < NF; i++) if ($i == "icmp_seq") seen[$(i + 1)] = 1 }
	/transmitted/ { for (n = 1; n < $1; n++) if (!(n in seen)) print n }' "$tmp/ping"; }
diag "$(tail -n 2 "$tmp/ping" | head -n 1)"
is 'no ping was lost meanwhile' "$(missed)" ''
is 'no TCP exchange failed' "$(grep '^!' "$tmp/talk.one" || true)" ''

for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do bare "down at $n" $n; done

# --- scheme two ------------------------------------------------------------------------------------
scheme_two >"$tmp/mesh.conf"
run_in "$r" "$forwarder" 14967 100.64.3.2 27002
for n in a c; do needs "apply at $n" wg_apply $n; done
wait_for reaches a 192.168.51.2
wait_for reaches c 192.168.51.3
tap a-out "$a" out f-hk
tap a-in "$a" in w-c
tap a-wrong-out "$a" out w-c
tap a-wrong-in "$a" in f-hk
tap c-in "$c" in f-hk
tap c-out "$c" out w-a
exchanges 'scheme two' 192.168.51.3 192.168.51.2 fd51::3 fd51::2
untap a-out a-in a-wrong-out a-wrong-in c-in c-out
only 'A sends by the forwarder' a-out "$from_a"
only 'C has it of the forwarder' c-in "$from_a"
only 'C sends direct' c-out "$from_c"
only 'A has it directly' a-in "$from_c"
none 'A sends nothing directly' a-wrong-out
none 'A has nothing of the forwarder' a-wrong-in
for n in a c; do ok "down at $n" wg $n down; done
for n in a c; do bare "down at $n" $n; done
done_testing
