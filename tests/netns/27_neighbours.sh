#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow cache follows its neighbours and devices: new MAC addresses of gateways and clients, links that
# go down, vanish and come back.  What another link carries loses nothing.
#
#   [c] ──── lan0 [gw] wan1, wan2, wan3 ════ [net]
#
# The same happens to wan1, whose flows pass the cache, and to wan2, whose flows do not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
lab
urgent_echod
for k in 1 2 3; do wan $k; done
watch_lines
late=1400 # ms: the check period of a second, two of the kernel's ticks, a busy machine
four=198.51.100.7 six=2001:db8:ffff::7
config <<-END
	lan { devices = "lan0" }
	link wan1 {} link wan2 {} link wan3 {}
	policy one { links = "wan1" }
	policy two { links = "wan2" }
	policy three { links = "wan3" }
	rule one { proto = udp dport = 53 policy = one }
	rule two { proto = udp dport = 80 policy = two fastpath = no }
	rule three { policy = three }
END
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
# By default the kernel takes half a minute to find out that a neighbour has gone without a word.
for f in ipv4 ipv6; do
	for d in wan1 wan2; do
		gw sysctl -qw net.$f.neigh.$d.base_reachable_time_ms=600 net.$f.neigh.$d.delay_first_probe_time=1 \
			net.$f.neigh.$d.retrans_time_ms=100 net.$f.neigh.$d.ucast_solicit=1
	done
done

two_gateways() { # MAC-SUFFIX
	happened=$(now)
	ip -n "$net" link set p1 address "02:00:00:00:01:$1"
	ip -n "$net" link set p2 address "02:00:00:00:02:$1"
}
both() { cached_are 2 --link wan1; }
passing() { both && [ "$(stat lan_flow)" -gt $((base + 3000)) ]; }
recovered() { # DESCRIPTION: the cache is used again for wan1, and never is for wan2
	base=$(stat lan_flow)
	ok "$1: the cache is used again" wait_for passing
	is "$1: not for wan2" "$(asym flows --json --link wan2 | jq length)" 0
}
# The longest gap since it happened, 0 if none was longer than 30 ms.
gap_of() { awk -v t="$happened" '$1 == "gap" && $5 * 1e6 > t - 50000 && $3 > n { n = $3 } END { print n + 0 }' "$tmp/$1"; }
gaps() { # DESCRIPTION BASE: no longer than BASE ms more than without cache
	local f stack
	for f in 4 6; do
		stack=$(gap_of two.$f)
		at_most "$1, IPv$f: how long no answer comes, $stack ms without cache" "$(gap_of one.$f)" $((stack + $2)) ms
	done
}
start one.4 "$c" "$pace" udp -g 30 -r 500 $four 53
start one.6 "$c" "$pace" udp -g 30 -r 500 $six 53
# The kernel limits its IPv4 errors by destination, hence another source.
start two.4 "$c" "$pace" udp -g 30 -r 500 -s 10.1.0.1 $four 80
start two.6 "$c" "$pace" udp -g 30 -r 500 $six 80
start three.4 "$c" "$pace" udp -r 200 $four 5000
start three.6 "$c" "$pace" udp -r 200 $six 5000
start three.tcp "$c" "$traffic" tcp -n 8 -c 0 -p 5 $four 443
ok 'flows are in the cache' wait_for both
ok 'also those of the link that nothing happens to' wait_for cached_are 10 --link wan3

# --- a gateway's MAC ----------------------------------------------------------------------------------
for k in 1 2; do net sysctl -qw net.ipv4.conf.p$k.arp_notify=1 net.ipv6.conf.p$k.ndisc_notify=1; done
two_gateways 01
sleep 1.2
recovered 'new MAC, announced'
gaps 'new MAC, announced' $late
for f in 4 6; do ok "IPv$f: it had an effect" [ "$(gap_of one.$f)" -gt 30 ]; done

for k in 1 2; do net sysctl -qw net.ipv4.conf.p$k.arp_notify=0 net.ipv6.conf.p$k.ndisc_notify=0; done
two_gateways 02
found() { [ "$(gap_of one.4)" -gt 0 ] && [ "$(gap_of one.6)" -gt 0 ]; }
ok 'new MAC, found out' wait_for found
recovered 'new MAC, found out'
# one period until a packet meets the stale neighbour, one until one meets the failed one
gaps 'new MAC, found out' $((2 * late))

# --- a link down, a device gone -------------------------------------------------------------------------
c nft -f - <<-'END'
	table inet watch {
		counter one4 {}
		counter one6 {}
		counter two4 {}
		counter two6 {}
		chain errors {
			type filter hook prerouting priority raw; policy accept;
			icmp type destination-unreachable @th,240,16 53 counter name one4
			icmp type destination-unreachable @th,240,16 80 counter name two4
			icmpv6 type destination-unreachable @th,400,16 53 counter name one6
			icmpv6 type destination-unreachable @th,400,16 80 counter name two6
		}
	}
END
without_links() { # DESCRIPTION: the client is told of links that are gone, in IPv4 once a second
	local f least=1
	sleep 1.5
	for f in 4 6; do
		ok "$1, IPv$f: the client is told" [ "$(counter "$c" one$f)" -ge $least ]
		ok "$1, IPv$f: as without cache" [ "$(counter "$c" two$f)" -ge $least ]
		least=100
	done
	c nft reset counters table inet watch >/dev/null
}
links_again() { # DESCRIPTION
	for k in 1 2; do wan_address $k wan$k; done
	ok "$1: reload" asym reload --config "$tmp/conf"
	recovered "$1"
}
strays_of_lan=$(counter "$c" strays)
happened=$(now)
for k in 1 2; do ip -n "$gw" link set wan$k down; done
without_links 'links down'
for k in 1 2; do ip -n "$gw" link set wan$k up; done
links_again 'links up'

strays_of_lan=$((strays_of_lan + $(counter "$c" strays)))
for k in 1 2; do ip -n "$gw" link del wan$k; done
without_links 'devices gone'
for k in 1 2; do
	cable "$gw" wan$k "$net" p$k
	ip -n "$net" addr add "100.64.$k.1/24" dev p$k
	ip -n "$net" addr add "2001:db8:$k::1/64" dev p$k
done
links_again 'devices again'
finish three.{4,6,tcp}
for f in 4 6; do is "the other link lost nothing, IPv$f" "$(field three.$f answered)" "$(field three.$f sent)"; done
is 'nor did its TCP' "$(failures "$(cat "$tmp/three.tcp")")" 0
for f in 4 6; do is "no answer went elsewhere, IPv$f" "$(field three.$f moved)" 0; done

# --- a client's MAC -----------------------------------------------------------------------------------
happened=$(now)
ip -n "$c" link set eth0 address 02:00:00:00:00:01
sleep 1.2
recovered "a client's new MAC"
gaps "a client's new MAC" $late
finish one.{4,6} two.{4,6}
for l in one two; do
	for f in 4 6; do is "$l, IPv$f: all answers to one address" "$(field $l.$f moved)" 0; done
done
[ "$strays_of_lan" = 0 ] || diag "$strays_of_lan strays on the LAN"
clean_lines 1 2 3
done_testing
