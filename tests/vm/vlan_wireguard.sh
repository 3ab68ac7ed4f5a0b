#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VLAN devices as a link and as a LAN, next to their own parent, and a WireGuard tunnel as a link whose
# packets travel over the other link.  Either end of the tunnel takes only the other's addresses, so
# a wrong source does not get through.
#
#   [c]  eth0 ───────────── lan0 ┐      wan1 = eth1 VLAN 7 ════ p1 [net]
#   [c2] eth0 VLAN 20 ── trunk.20 [gw]  wg1 (to 198.51.100.99) ┄┄┄┄ p2
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/wire.sh"
command -v wg >/dev/null || skip_all 'needs wg'
lab
space c2
ip -n "$gw" link add wg1 type wireguard 2>/dev/null || skip_all 'this kernel has no WireGuard'
cable "$gw" eth1 "$net" line
ip -n "$gw" link add link eth1 name wan1 type vlan id 7 2>/dev/null || skip_all 'this kernel has no VLANs'
ip -n "$net" link add link line name p1 type vlan id 7
ip -n "$gw" link set wan1 up
ip -n "$net" link set p1 up
ip -n "$net" addr add 100.64.1.1/24 dev p1
ip -n "$net" addr add 2001:db8:1::1/64 dev p1
wan_address 1 wan1
watch_line 1 100.64.1.0/24 2001:db8:1::/64

(umask 077; for end in gw net; do wg genkey | tee "$tmp/$end.key" | wg pubkey >"$tmp/$end.pub"; done)
ip -n "$net" link add p2 type wireguard
net wg set p2 listen-port 51820 private-key "$tmp/net.key" \
	peer "$(<"$tmp/gw.pub")" allowed-ips 100.64.2.2/32,2001:db8:2::2/128
gw wg set wg1 private-key "$tmp/gw.key" \
	peer "$(<"$tmp/net.pub")" endpoint 198.51.100.99:51820 allowed-ips 0.0.0.0/0,::/0
ip -n "$gw" link set wg1 up
ip -n "$net" link set p2 up
for family in '100.64.2.%d/24' '2001:db8:2::%d/64'; do
	# shellcheck disable=SC2059
	ip -n "$net" addr add "$(printf "$family" 1)" dev p2
	# shellcheck disable=SC2059
	ip -n "$gw" addr add "$(printf "$family" 2)" dev wg1
done
ip -n "$gw" route add default dev wg1 metric 102
ip -n "$gw" -6 route add default dev wg1 metric 102
watch_line 2 100.64.2.0/24 2001:db8:2::/64

cable "$gw" trunk "$c2" eth0
ip -n "$gw" link add link trunk name trunk.20 type vlan id 20
ip -n "$c2" link add link eth0 name eth0.20 type vlan id 20
ip -n "$gw" link set trunk.20 up
ip -n "$c2" link set eth0.20 up
ip -n "$gw" addr add 10.0.20.1/24 dev trunk.20
ip -n "$gw" addr add fd00:20::1/64 dev trunk.20
ip -n "$c2" addr add 10.0.20.2/24 dev eth0.20
ip -n "$c2" addr add fd00:20::2/64 dev eth0.20
ip -n "$c2" route add default via 10.0.20.1
ip -n "$c2" route add default via fd00:20::1
c2() { ip netns exec "$c2" "$@"; }

needs 'the tunnel works' gw ping -q -c 1 -W 5 100.64.2.1
needs 'load' asym load --iface wan1 --iface wg1 --lan lan0 --lan trunk --lan trunk.20
is 'both links are live' "$(status '[.links[].ipv4.state] | unique | length')" 1
spread() { # DESCRIPTION TEXT: 600 over the two
	is "$1: none fails" "$(failures "$2")" 0
	near "$1: by the VLAN" "$(to "$2" 1)" 300 75
	near "$1: by WireGuard" "$(to "$2" 2)" 300 75
}
spread 'TCP from the LAN' "$(c "$traffic" tcp -n 600 198.51.100.0/24 80)"
spread 'TCP from the VLAN' "$(c2 "$traffic" tcp -n 600 198.51.100.0/24 80)"
spread 'UDP from the VLAN' "$(c2 "$traffic" udp -n 600 198.51.100.0/24 53)"
spread 'IPv6 from the VLAN' "$(c2 "$traffic" tcp -n 600 2001:db8:ffff::/64 80)"
spread 'the router itself' "$(gw "$traffic" tcp -n 600 198.51.100.0/24 80)"
is 'bound to the VLAN device' "$(gw "$traffic" tcp -i wan1 -n 50 198.51.100.7 80)" '100.64.1.2 50'
is 'bound to the WireGuard device' "$(gw "$traffic" udp -i wg1 -n 50 198.51.100.7 53)" '100.64.2.2 50'
run_in "$gw" "$build/tests/netns/echod" 2222
wait_for listening "$gw" 2222
for k in 1 2; do
	got=$(net "$traffic" tcp -t 3000 -s 198.51.100.0/24 -n 100 "100.64.$k.2" 2222)
	is "inbound by link $k: none fails" "$(failures "$got")" 0
done
no_strays 'every packet has the source of its link' 1 2

# --- the flow cache --------------------------------------------------------------------------------
# The clients learn the tunnel's MTU by ICMP alone: no segments are clamped, and the other end has another.
if [ "$(status .flow_cache.on)" = true ]; then
	a=198.51.100.7 six=2001:db8:ffff::7
	config <<-END
		mss-clamp = no
		lan { devices = {"lan0", "trunk", "trunk.20"} }
		link wan1 {} link wg1 {}
		policy vlan { links = {wan1} }
		policy tunnel { links = {wg1} }
		rule tunnel { proto = {tcp, udp} dport = {5000, 5210-5219} policy = tunnel }
		rule vlan { policy = vlan }
	END
	ip -n "$net" link set p2 mtu 1500
	net ethtool -K p2 gro off # packets are to be seen as they were sent
	ok 'reload with rules' asym reload --config "$tmp/conf"
	for port in 5210 5220; do run_in "$net" iperf3 -s -B $a -p $port; run_in "$net" iperf3 -s -B $six -p $((port + 1)); done
	wait_for listening "$net" 5221
	tap 1 "$net" in p1
	tap 2 "$net" in p2
	tap lan "$c" in eth0
	tap vlan "$c2" in eth0.20
	throughput() { # DESCRIPTION NS DST PORT ARGS...: iperf3 moves 8 MB, and the cache has its part in it
		local d=$1 ns=$2 before
		before=$(counter '.lan_flow .link_flow')
		ok "$d: iperf3" ip netns exec "$ns" iperf3 -c "$3" -p "$4" -n 8M --connect-timeout 5000 "${@:5}"
		ok "$d: by the cache" [ $(($(counter '.lan_flow .link_flow') - before)) -gt 60 ]
	}
	for x in '' -R; do
		throughput "LAN to WireGuard $x" "$c" $a 5210 $x
		throughput "VLAN to WireGuard $x" "$c2" $a 5210 $x
		throughput "LAN to VLAN $x" "$c" $a 5220 $x
		throughput "VLAN to VLAN $x" "$c2" $a 5220 $x
		throughput "LAN to WireGuard, IPv6 $x" "$c" $six 5211 $x
		throughput "VLAN to VLAN, IPv6 $x" "$c2" $six 5221 $x
	done
	talk udp "$c2" udp -n 2 -p 5 -b 1000 $a 5000
	ok 'UDP from the VLAN passes the cache to WireGuard' wait_for ways 100 --port 5000
	is 'its devices' "$(of_flow '.[0] | [.original.in, .original.out, .reply.in, .reply.out] | join(" ")' --port 5000)" \
		'trunk.20 wg1 wg1 trunk.20'
	hush udp
	said 'UDP' udp
	untap 1 2 lan vlan
	clean 'VLAN link' 1 '100.64.1.2|2001:db8:1::2' 'proto == "udp" && dport == 51820'
	clean 'WireGuard link' 2 '100.64.2.2|2001:db8:2::2'
	clean 'LAN' lan '198.51.100.7|2001:db8:ffff::7|10.0.0.1|fd00:1::1'
	clean 'VLAN' vlan '198.51.100.7|2001:db8:ffff::7|10.0.20.1|fd00:20::1'
	is 'nothing is too large for the tunnel' "$(lines 2 'largest > 1420' | head)" ''
	ok 'its MTU is used' [ "$(lines 2 'largest == 1420' | wc -l)" -ge 2 ]
	ok 'the clients were told of it' [ "$(seen lan 'proto == "icmp" && (sport == 3 && dport == 4 || sport == 2)')" -ge 2 ]
	no_strays 'no packet had the source of another link' 1 2
else
	diag "no flow cache: $(status .flow_cache.reason)"
fi

ip -n "$gw" link set wg1 down
ok 'reload with the tunnel down' asym reload
is 'the VLAN takes all' "$(c2 "$traffic" tcp -n 100 198.51.100.0/24 80)" '100.64.1.2 100'
ok 'unload' asym unload
done_testing
