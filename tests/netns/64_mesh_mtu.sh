#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wg run` finds what gets through each way: behind a router that drops what is too large and says nothing,
# behind a relay that forwards nothing, behind one that fragments.  Nodes and LANs as in mesh.sh; b's line
# is the narrow one, so a's way by b is, while direct is not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
command -v iperf3 >/dev/null || skip_all 'no iperf3'
mesh_lab
kind=tun
! ip -n "$net" link add probe type wireguard 2>/dev/null || kind=wireguard

declare -A daemon
measure() { # NODE
	nsenter -t "${node_pid[$1]}" -m -n "$asymbpf" wg run --json >>"$tmp/log.$1" 2>>"$tmp/err.$1" &
	daemon[$1]=$!
	asym_pids+=("${daemon[$1]}")
}
finish() { # NODE [SIGNAL]
	kill "-${2-TERM}" "${daemon[$1]}"
	wait "${daemon[$1]}" || true
}
settles() { wait_for "$@" || wait_for "$@" || wait_for "$@"; } # a search may take as long
# What was found by the ways of FROM to TO: "1328 1420", null where nothing was.
found() { wg_status "$1" ".measured.peers[]? | select(.node == \"$2\").to | map(\"\\(.mtu)\") | join(\" \")"; } # FROM TO
finds() { [ "$(found "$1" "$2")" = "$3" ]; } # FROM TO WANT
mtus() { # NODE DESTINATION...: of these routes, one number if they are alike
	local at
	for at in "${@:2}"; do
		in_node "$1" ip -"$([[ $at = *:* ]] && echo 6 || echo 4)" route show "$at" | grep . || echo none
	done | sed -E 's/.* mtu (lock )?([0-9]+).*/\2/' | sort -u | paste -sd' '
}
to_c=(192.168.51.2 10.7.0.0/24 fd51::2 fd07::/64)
cut_to() { # BYTES [DESTINATION...]: what a sends, to c and its LAN
	local bytes=$1
	shift
	[ $# -gt 0 ] || set -- "${to_c[@]}"
	[ "$(mtus a "$@")" = "$bytes" ]
}
changes() { jq -r 'select(.state == "mtu").text' "$tmp/log.a" | grep -c "${1-}" || true; } # [REGEX]
at_start() { # NODE: daemons, and what they find while all is wide
	local n
	for n in a b c; do measure $n; done
	ok "$1: a finds its ways to c" settles finds a c '1420 1420'
	ok "$1: c finds its way to a" settles finds c a 1420
}

# The line of b carries so many bytes.  What the router at its other end has to say of that is dropped, and
# the kernel's WireGuard, whose packets it would fragment, has no luck either.
narrow() { # BYTES
	ip -n "$net" link set p2 mtu "$1"
	ip netns exec "$net" nft -f - <<-END
		table ip hole
		delete table ip hole
		table ip hole {
			chain output {
				type filter hook output priority filter
				icmp type destination-unreachable counter drop
			}
			chain forward {
				type filter hook forward priority filter
				$([ $kind = tun ] || echo "oifname p2 meta length > $1 drop; iifname p2 meta length > $1 drop")
			}
		}
	END
}
wide() {
	ip -n "$net" link set p2 mtu 1500
	ip netns exec "$net" nft delete table ip hole
}

scheme_one | sed 's/keepalive = 1s/keepalive = 1s  mtu-raise = 2s/' >"$tmp/mesh.conf"
for n in a b c; do needs "apply at $n" wg_apply $n; done
wait_for reaches a 192.168.51.2
at_start 'all is wide'
ok 'and cuts nothing' cut_to 1420
is 'nor says anything' "$(changes)" 0

# --- a black hole ----------------------------------------------------------------------------------
narrow 1400
t0=${EPOCHREALTIME/[.,]/}
ok 'the way by b becomes narrow' settles finds a c '1328 1420'
diag "found after $(((${EPOCHREALTIME/[.,]/} - t0) / 1000)) ms"
ok 'what goes to c is cut' settles cut_to 1328
ok 'and to b' settles cut_to 1328 192.168.51.1 fd51::1
is 'the other direction is not' "$(mtus c 192.168.51.5 10.5.0.0/24 fd51::5)" 1420
ok 'it is told' grep -q '"state":"mtu".*"text":"to c, via b: 1328 bytes"' "$tmp/log.a"
ok 'as text' sh -c "grep -q 'mtu: to c, via b: 1328 bytes' '$tmp/err.a'"
as_text() { grep -qE '^ *to c +via b +.* 1328 +thin' <<<"$(wg a show)"; }
ok 'wg show has it' as_text
[ "$last_rc" -eq 0 ] || diag "$(wg a show)"
is 'the devices are as described' "$(in_node a cat /sys/class/net/{ov0,w-b,w-c}/mtu | paste -sd' ')" '1420 1420 1420'

sizes() { # FLAG ADDRESS HEADERS: "fits" and "told" with the sizes, and "lost" for what is neither
	local size out last='' said
	for ((size = 1268; size <= 1440; size += 4)); do
		out=$(in_node a ping "$1" -c 1 -W 2 -M 'do' -s $((size - $3)) "$2" 2>&1) || true
		case $out in
		*' 0% packet loss'*) said=fits ;;
		*'essage too long'*) said=told ;;
		*) said="lost($out)" ;;
		esac
		[ "$said" = "$last" ] || printf '%s ' "$said $size"
		last=$said
	done
}
is 'ping of any size: fits, or its sender is told' "$(sizes -4 192.168.51.2 28)" 'fits 1268 told 1332 '
is 'likewise IPv6' "$(sizes -6 fd51::2 48)" 'fits 1268 told 1332 '
exits 'LANs are told' 1 'Frag needed and DF set \(mtu = 1328\)' ip netns exec "$la" ping -c 1 -W 1 -M 'do' -s 1400 10.7.0.2
exits 'LANs are told, IPv6' 1 'Packet too big: mtu=1328' ip netns exec "$la" ping -6 -c 1 -W 1 -M 'do' -s 1400 fd07::2
ok 'what may be fragmented is' ip netns exec "$la" ping -q -c 2 -i 0.1 -W 2 -M dont -s 3000 10.7.0.2

for n in c lc la; do run_in "${!n}" iperf3 -s; done
for n in c lc la; do wait_for listening "${!n}" 5201; done
iperf() { ip netns exec "$1" timeout 60 iperf3 -c "$2" -n 4M --connect-timeout 5000 "${@:3}"; } # NS ADDRESS ARGS...
transfers() { # DESCRIPTION
	local x
	for x in '' -R; do
		# shellcheck disable=SC2086
		{
			ok "$1: a LAN by large segments $x" iperf "$la" 10.7.0.2 $x
			ok "$1: a LAN of the other side, IPv6 $x" iperf "$lc" fd05::2 $x
			ok "$1: a node itself $x" iperf "$a" 192.168.51.2 $x
			ok "$1: a node itself, IPv6 $x" iperf "$a" fd51::2 $x
		}
	done
}
tap line "$net" out p2
transfers 'a narrow way'
untap line
is 'nothing is fragmented' "$(lines line 'proto == "frag"' | head)" ''
# 1328, and what WireGuard adds: 16 and 16, UDP and IP
ok 'the way is used to its limit' [ "$(lines line 'largest == 1388' | wc -l)" -ge 1 ]

# --- no daemon -------------------------------------------------------------------------------------
finish a KILL
ok 'killed: packets are cut as before' cut_to 1328
ok 'apply keeps it' wg_apply a
ok 'it does' cut_to 1328
told=$(changes 'via b:')
measure a
is_begun() { [ "$(wg_status a .measured.pid)" = "${daemon[a]}" ]; }
wait_for is_begun
ok 'begun again: it is found again' settles finds a c '1328 1420'
is 'which changes nothing' "$(changes 'via b:')" "$told"
ok 'nor what is cut' cut_to 1328

# --- wide again ------------------------------------------------------------------------------------
wide
ok 'wide again: that is found' settles finds a c '1420 1420'
ok 'and used' settles cut_to 1420

# --- a relay that does not forward -----------------------------------------------------------------
is 'b forwards nothing' "$(in_node b sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | paste -sd' ')" '0 0'
ip -n "$b" link set w-c mtu 1300
ok 'the second tunnel is narrow: a finds out' settles finds a c '1296 1420'
ok 'and cuts' settles cut_to 1296
exits 'its sockets are told' 1 'message too long, mtu=1296|Message too long' in_node a ping -c 1 -W 1 -M 'do' -s 1300 192.168.51.2
exits 'LANs behind it, too' 1 'mtu = 1296' ip netns exec "$la" ping -c 1 -W 1 -M 'do' -s 1300 10.7.0.2
ok 'TCP of LANs' iperf "$la" 10.7.0.2
ok 'b has seen some' [ "$(wg_status b '.counters | to_entries[] | select(.key == "in_big").value')" -gt 0 ]
ip -n "$b" link set w-c mtu 1420
ok 'wide again' settles cut_to 1420

# --- who says nothing of padded probes, and who does not want any ------------------------------------
in_node c nft add rule inet fw rpf iifname ov0 udp dport 51819 meta length '>' 1000 drop
for n in a b c; do finish $n; done
rm "$tmp"/log.*
for n in a b c; do measure $n; done
answers() { [ "$(wg_status a '.measured.peers[]? | select(.node == "c").answers')" = true ]; }
wait_for answers
ok 'another version: a finds its way to b' settles finds a b '1420 1420'
is 'another version: nothing is found of it' "$(found a c)" 'null null'
sleep 3
is 'what was given stays' "$(mtus a "${to_c[@]}") $(changes)" '1420 0'
in_node c nft flush chain inet fw rpf
narrow 1400
ok 'it takes part again' settles cut_to 1328
sed -i 's/mtu-raise = 2s/mtu-probe = no/' "$tmp/mesh.conf"
for n in a b c; do ok "apply without probing at $n" wg_apply $n; done
ok 'what was given is used' wait_for cut_to 1420
measured_anew() { [ "$(wg_status a '.measured.hash == .hash')" = true ] && answers; }
wait_for measured_anew
is 'nothing is found' "$(found a c)" 'null null'
for n in a b c; do finish $n; done
wide
for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do bare "down at $n" $n; done

# --- probes of IPv6 --------------------------------------------------------------------------------
sed -E -i 's/mtu-probe = no/mtu-raise = 2s/; s/(192\.168\.51\.[0-9]|10\.[57]\.0\.0\/24), //' "$tmp/mesh.conf"
for n in a b c; do ok "IPv6 alone: apply at $n" wg_apply $n; done
wait_for reaches a fd51::2
at_start 'IPv6 alone'
narrow 1400
ok 'IPv6 alone: a narrow way' settles finds a c '1328 1420'
ok 'IPv6 alone: what is cut' settles cut_to 1328 fd51::2 fd07::/64
wide
ok 'IPv6 alone: wide again' settles finds a c '1420 1420'
ok 'IPv6 alone: nothing is cut' settles cut_to 1420 fd51::2 fd07::/64
is 'IPv6 alone: nor locked' "$(in_node a ip -6 route show fd51::2 | grep -o 'mtu.*1420')" 'mtu 1420'
for n in a b c; do finish $n; done
for n in a b c; do ok "down at $n" wg $n down; done

# --- a router that fragments -----------------------------------------------------------------------
# As the kernel's WireGuard has it: packets that may be fragmented.
for n in a b c; do in_node $n sysctl -qw net.ipv4.ip_no_pmtu_disc=1; done
scheme_one | sed 's/keepalive = 1s/keepalive = 1s  mtu-raise = 2s/' >"$tmp/mesh.conf"
ip -n "$net" link set p2 mtu 1400
ip -n "$b" link set eth0 mtu 1400
for n in a b c; do ok "apply at $n" wg_apply $n; done
wait_for reaches a 192.168.51.2
at_start 'fragments'
tap line "$b" in eth0
transfers 'fragments'
untap line
ok 'there were some' [ "$(lines line 'proto == "frag"' | wc -l)" -gt 0 ]
ok 'nothing is cut' cut_to 1420
for n in a b c; do finish $n; done
for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do bare "down at $n" $n; done
done_testing
