#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Three WANs in one subnet with one gateway: connections leave by all of them, each with its own
# address and MAC; ARP answers for an address come from its device alone; neighbours in the subnet are
# reached by the right device too.
#
#   [c] ──── lan0 [gw] wan1 .11 ──┐
#                      wan2 .12 ──┼── bridge isp [net] 100.71.64.1/24, 198.51.100.0/24
#                      wan3 .13 ──┤
#                 [nb] eth0 .99 ──┘
. "$(dirname "$0")/lib.sh"
lab
space nb
ip -n "$net" link add isp type bridge
ip -n "$net" link set isp up
ip -n "$net" addr add 100.71.64.1/24 dev isp
ip -n "$net" addr add 2001:db8:64::1/64 dev isp
for k in 1 2 3; do
	cable "$gw" wan$k "$net" p$k
	ip -n "$net" link set p$k master isp
	ip -n "$gw" addr add 100.71.64.1$k/24 dev wan$k
	ip -n "$gw" addr add 2001:db8:64::1$k/64 dev wan$k
	ip -n "$gw" route add default via 100.71.64.1 dev wan$k metric $((100 + k))
	ip -n "$gw" -6 route add default via 2001:db8:64::1 dev wan$k metric $((100 + k))
done
cable "$nb" eth0 "$net" p9
ip -n "$net" link set p9 master isp
ip -n "$nb" addr add 100.71.64.99/24 dev eth0
run_in "$nb" "$build/tests/netns/echod" 80 53
wait_for listening "$nb" 80
mac() { ip -n "$gw" -j link show dev "wan$1" | jq -r '.[0].address'; }
# on each access line: packets with another link's address or MAC
for k in 1 2 3; do
	net nft -f - <<-END
		table netdev line$k {
			counter strays { }
			chain in {
				type filter hook ingress device "p$k" priority 0
				ether type ip ip saddr != 100.71.64.1$k counter name strays
				ether type ip6 ip6 saddr != { 2001:db8:64::1$k, fe80::/10, :: } counter name strays
				ether type arp arp saddr ip != 100.71.64.1$k counter name strays
				ether saddr != $(mac $k) counter name strays
			}
		}
	END
done
strays() {
	local k n=0
	for k in 1 2 3; do
		n=$((n + $(net nft -j list counter netdev line$k strays | jq '[.nftables[].counter.packets? // empty] | add')))
	done
	echo $n
}
seen() { got "$1" "100.71.64.1$2"; }
spread() { # DESCRIPTION TEXT: 3000 over the three
	local k
	is "$1: none fails" "$(failures "$2")" 0
	for k in 1 2 3; do near "$1: wan$k" "$(seen "$2" $k)" 1000 110; done
}

needs 'load' asym load --iface wan1 --iface wan2 --iface wan3 --lan lan0
ip -n "$net" neigh flush dev isp
ip -n "$nb" neigh flush dev eth0
spread 'TCP by one gateway' "$(c "$traffic" tcp -n 3000 198.51.100.0/24 80)"
spread 'UDP by one gateway' "$(c "$traffic" udp -n 3000 198.51.100.7 53)"
spread 'TCP to a neighbour' "$(c "$traffic" tcp -n 3000 100.71.64.99 80)"
spread 'router, TCP' "$(gw "$traffic" tcp -n 3000 198.51.100.7 80)"
spread 'router, UDP sendto' "$(gw "$traffic" udp -u -t 300 -n 3000 198.51.100.7 53)"
six=$(c "$traffic" tcp -n 300 2001:db8:ffff::/64 80)
is 'IPv6: none fails' "$(failures "$six")" 0
for k in 1 2 3; do
	is "router bound to .1$k" "$(gw "$traffic" tcp -n 200 -s 100.71.64.1$k 198.51.100.7 80)" "100.71.64.1$k 200"
	is "router bound to wan$k" "$(gw "$traffic" udp -n 200 -i wan$k 198.51.100.7 53)" "100.71.64.1$k 200"
	is "router bound to .1$k, to a neighbour" "$(gw "$traffic" tcp -n 200 -s 100.71.64.1$k 100.71.64.99 80)" "100.71.64.1$k 200"
	is "router bound to wan$k, to a neighbour" "$(gw "$traffic" udp -n 200 -i wan$k 100.71.64.99 53)" "100.71.64.1$k 200"
done
is 'nothing left with the address or MAC of another link' "$(strays)" 0

# ARP flux: ask often, every answer must come from the owner
flux=0
for _ in {1..10}; do
	for k in 1 2 3; do
		ip -n "$net" neigh flush dev isp
		net ping -q -c 1 -W 1 100.71.64.1$k >/dev/null || flux=$((flux + 1))
		ip -n "$net" neigh show 100.71.64.1$k | grep -q " $(mac $k) " || flux=$((flux + 1))
	done
done
is 'ARP answers come from the owner of the address, 30 of 30' "$flux" 0
is 'still nothing from a wrong device' "$(strays)" 0
done_testing
