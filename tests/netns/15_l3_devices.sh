#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices without MAC addresses (PPP, tunnels; here TUN) as links and as a LAN, and a bridge as a LAN.
#
#   [c]  eth0 ──── lan0 ──┐ br-lan                    wan1 ════ [net]   (Ethernet)
#   [c2] eth0 ──── lan1 ──┘        [gw]               tun1 ════ [net]   (point-to-point, no gateway)
#   [c3] tun0 ──── tun9
. "$(dirname "$0")/lib.sh"
[ -c /dev/net/tun ] || skip_all 'no /dev/net/tun'
lab
wan 1
space c2
space c3
ip -n "$gw" addr flush dev lan0
ip -n "$gw" link add br-lan type bridge
cable "$c2" eth0 "$gw" lan1
for d in lan0 lan1; do ip -n "$gw" link set $d master br-lan; done
ip -n "$gw" link set br-lan up
ip -n "$gw" addr add 10.0.0.1/24 dev br-lan
ip -n "$gw" addr add fd00:1::1/64 dev br-lan
ip -n "$gw" route replace 10.1.0.0/16 via 10.0.0.2
ip -n "$c2" addr add 10.0.0.3/24 dev eth0
ip -n "$c2" route add default via 10.0.0.1

tun() { # NS1 DEV1 ADDR1 NS2 DEV2 ADDR2
	keep "$build/tests/netns/tunlink" "$1" "$2" "$4" "$5"
	wait_for ip -n "$1" link show dev "$2"
	wait_for ip -n "$4" link show dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
	ip -n "$1" addr add "$3" peer "$6" dev "$2"
	ip -n "$4" addr add "$6" peer "$3" dev "$5"
}
tun "$gw" tun1 100.64.2.2 "$net" p2 100.64.2.1
ip -n "$gw" route add default dev tun1 metric 102
watch_line 2 100.64.2.0/24 2001:db8:2::/64
tun "$gw" tun9 10.0.9.1 "$c3" tun0 10.0.9.2
ip -n "$c3" route add default via 10.0.9.1

needs 'load' asym load --iface wan1 --iface tun1 --lan br-lan --lan tun9
is 'both links are live' "$(status '[.links[].ipv4.state] | unique | length')" 1
spread() { # DESCRIPTION TEXT
	is "$1: none fails" "$(failures "$2")" 0
	near "$1: the TUN link" "$(to "$2" 2)" 500 80
}
spread 'TCP from the first port of the bridge' "$(c "$traffic" tcp -n 1000 198.51.100.0/24 80)"
spread 'TCP from the second port of the bridge' "$(ip netns exec "$c2" "$traffic" tcp -n 1000 198.51.100.0/24 80)"
spread 'TCP from the TUN LAN' "$(ip netns exec "$c3" "$traffic" tcp -n 1000 198.51.100.0/24 80)"
spread 'UDP from the TUN LAN' "$(ip netns exec "$c3" "$traffic" udp -n 1000 198.51.100.0/24 53)"
spread 'the router itself' "$(gw "$traffic" udp -u -n 1000 198.51.100.0/24 53)"
is 'bound to the TUN device' "$(gw "$traffic" tcp -i tun1 -n 50 198.51.100.7 80)" '100.64.2.2 50'
run_in "$gw" "$build/tests/netns/echod" 2222
wait_for listening "$gw" 2222
is 'inbound by the TUN link' "$(failures "$(net "$traffic" tcp -t 1000 -s 198.51.100.0/24 -n 100 100.64.2.2 2222)")" 0
no_strays 'every packet has the source of its link' 1 2
ok 'the bridge still bridges' c ping -q -c 2 -i 0.05 -W 1 10.0.0.3
ip -n "$gw" link set tun1 down
ok 'reload with the TUN device down' asym reload
is 'the other link takes all' "$(c "$traffic" tcp -n 100 198.51.100.0/24 80)" '100.64.1.2 100'
ok 'unload' asym unload
done_testing
