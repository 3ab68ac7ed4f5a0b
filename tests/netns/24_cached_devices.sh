#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Cached flows between devices with and without MAC addresses, each way, over a bridge and a macvlan; a
# tunnel's smaller MTU that the client has to be told of; short frames with padding.
#
#   [c]  eth0 ──── lan0 in br-lan [gw] wan1 ════ p1 [net]     (Ethernet)
#   [c3] tun0 ──── tun9                tun2 ════ p2           (point-to-point, MTU 1420)
#                                      wan3 on eth9 ════ p3   (macvlan)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
[ -c /dev/net/tun ] || skip_all 'no /dev/net/tun'
lab
wan 1
space c3
ip -n "$gw" link add br-lan type bridge
ip -n "$gw" addr flush dev lan0
ip -n "$gw" link set lan0 master br-lan
ip -n "$gw" link set br-lan up
ip -n "$gw" addr add 10.0.0.1/24 dev br-lan
ip -n "$gw" addr add fd00:1::1/64 dev br-lan
# else netfilter's prerouting comes before tc on a bridge, and its marks keep packets from the cache
bridge_netfilter() { gw sysctl -qw net.bridge.bridge-nf-call-iptables="$1" net.bridge.bridge-nf-call-ip6tables="$1" 2>/dev/null; }
bridge_netfilter 0 || true

tun() { # NS1 DEV1 ADDR1 SIX1 NS2 DEV2 ADDR2 SIX2
	keep "$build/tests/netns/tunlink" "$1" "$2" "$5" "$6"
	wait_for ip -n "$1" link show dev "$2"
	wait_for ip -n "$5" link show dev "$6"
	ip -n "$1" link set "$2" up
	ip -n "$5" link set "$6" up
	ip -n "$1" addr add "$3" peer "$7" dev "$2"
	ip -n "$5" addr add "$7" peer "$3" dev "$6"
	ip -n "$1" addr add "$4" peer "$8" dev "$2"
	ip -n "$5" addr add "$8" peer "$4" dev "$6"
}
tun "$gw" tun2 100.64.2.2 2001:db8:2::2 "$net" p2 100.64.2.1 2001:db8:2::1
ip -n "$gw" link set tun2 mtu 1420
ip -n "$gw" route add default dev tun2 metric 102
ip -n "$gw" -6 route add default dev tun2 metric 102
watch_line 2 100.64.2.0/24 2001:db8:2::/64
tun "$gw" tun9 10.0.9.1 fd00:9::1 "$c3" tun0 10.0.9.2 fd00:9::2
ip -n "$c3" route add default via 10.0.9.1
ip -n "$c3" route add default via fd00:9::1 dev tun0
cable "$gw" eth9 "$net" p3
ip -n "$gw" link add wan3 link eth9 type macvlan mode bridge 2>/dev/null || skip_all 'this kernel has no macvlan'
ip -n "$gw" link set wan3 up
ip -n "$net" addr add 100.64.3.1/24 dev p3
ip -n "$net" addr add 2001:db8:3::1/64 dev p3
wan_address 3 wan3
watch_line 3 100.64.3.0/24 2001:db8:3::/64
a=198.51.100.7 six=2001:db8:ffff::7
run_in "$net" "$build/tests/netns/echod" 5201 5202 5203
wait_for listening "$net" 5203

config <<-END
	mss-clamp = no
	lan { devices = {"br-lan", "tun9"} }
	link wan1 {} link tun2 {} link wan3 {}
	policy one { links = {wan1} }
	policy two { links = {tun2} }
	policy three { links = {wan3} }
	rule one { proto = {tcp, udp} dport = 5201 policy = one }
	rule two { proto = {tcp, udp} dport = 5202 policy = two }
	rule three { proto = {tcp, udp} dport = 5203 policy = three }
END
needs 'load' asym load --config "$tmp/conf"
needs_cache
watch_connections
tap lan "$c" in eth0
tap tun "$c3" in tun0
for k in 1 2 3; do tap $k "$net" in p$k; done

# --- every kind of device to every other -----------------------------------------------------------
names=()
for k in 1 2 3; do
	for x in 4 6; do
		[ $x = 4 ] && dst=$a || dst=$six
		for from in c c3; do
			for proto in tcp udp; do
				# TCP in segments, UDP that fits into each device
				[ $proto = tcp ] && size=6000 || size=1000
				names+=("$from to $k, $proto$x")
				talk "${names[-1]}" "${!from}" $proto -n 1 -p 4 -t 3000 -b $size $dst 520$k
			done
		done
	done
done
pass() { # IN OUT: four flows, TCP and UDP of both families, pass both ways
	[ "$(of_flow "[.[] | select(.original.in == \"$1\" and .original.out == \"$2\" and .reply.in == \"$2\"
		and .reply.out == \"$1\" and .original.packets > 100 and .reply.packets > 100)] | length")" = 4 ]
}
links=(wan1 tun2 wan3)
for from in br-lan tun9; do
	for to in "${links[@]}"; do ok "$from to $to: all pass the cache" wait_for pass $from $to; done
done
hush "${names[@]}"
for name in "${names[@]}"; do said "$name" "$name"; done
untap lan tun 1 2 3
for k in 1 2 3; do clean "${links[k - 1]}" $k "100.64.$k.2|2001:db8:$k::2"; done
clean 'br-lan' lan '198.51.100.7|2001:db8:ffff::7|10.0.0.1|fd00:1::1'
clean 'tun9' tun '198.51.100.7|2001:db8:ffff::7|10.0.9.1|fd00:9::1'
is 'all is as conntrack says' "$(unknown lan tun 1 2 3 | head)" ''
is 'nothing is too large for the tunnel' "$(lines 2 'largest > 1420' | head)" ''
ok 'its MTU is used' [ "$(lines 2 'largest == 1420' | wc -l)" -ge 2 ]
ok 'the client was told' [ "$(seen lan 'proto == "icmp" && (sport == 3 && dport == 4 || sport == 2)')" -ge 2 ]

# --- padding ---------------------------------------------------------------------------------------
for k in 1 2; do
	talk "short $k" "$c" udp -n 1 -p 20 -b 100 -S $((40000 + k)) $a 520$k
	ok "a flow to ${links[k - 1]} passes the cache" wait_for ways 10 --port $((40000 + k))
	tap $k "$net" in p$k
	before=$(counter .lan_flow)
	forge "$c" eth0 br-lan udp 10.0.0.2 $((40000 + k)) $a 520$k -n 50 -l 4 -t 41 -p 46
	sleep 0.2
	hush "short $k"
	untap $k
	ok "padded frames pass the cache to ${links[k - 1]}" [ $(($(counter .lan_flow) - before)) -ge 50 ]
	is "all of them arrive, and whole (${links[k - 1]})" "$(lines $k 'ttl == 40' | awk '{ print $7, $9, $10 }')" '50 32 0'
done
# --- a bridge whose packets netfilter sees first -----------------------------------------------------
if bridge_netfilter 1; then
	talk 'seen tcp' "$c" tcp -n 4 -p 2 -b 600 $a 5201
	talk 'seen udp' "$c" udp -n 4 -p 2 -b 600 $a 5202
	tap lan "$c" in eth0
	sleep 3
	hush 'seen tcp' 'seen udp'
	untap lan
	for proto in tcp udp; do said "with br_netfilter, $proto" "seen $proto"; done
	clean 'with br_netfilter' lan '198.51.100.7|10.0.0.1|fd00:1::1'
fi
no_strays 'and the whole time no packet had a wrong source' 1 2 3
ok 'unload' asym unload
done_testing
