#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow cache lets nothing through that is too large: senders learn the path's MTU, what may be cut is
# cut, and when a route's or device's MTU goes down, nothing larger leaves after the check period.
#
#   [c] ──── lan0 [gw] wan1 (MTU 1400), wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
lab
urgent_echod
for k in 1 2; do wan $k; done
watch_lines
late=1400 # ms: the check period of a second, two of the kernel's ticks, a busy machine
four=198.51.100.7 six=2001:db8:ffff::7
untold=198.51.100.8 # the client sends nothing with DF to there, so it learns nothing of the path
ip -n "$gw" link set wan1 mtu 1400
# The host behind it keeps to it, but offers segments of 1500 bytes, and would take in larger packets.
far_mtu() { # K MTU
	ip -n "$net" route change 100.64.$1.0/24 dev p$1 src 100.64.$1.1 mtu lock "$2" advmss 1460
	ip -n "$net" -6 route change 2001:db8:$1::/64 dev p$1 proto kernel metric 256 mtu lock "$2" advmss 1440
}
far_mtu 1 1400
# what leaves is cut to segments before it can be seen
for k in 1 2; do gw ethtool -K wan$k tso off gso off >/dev/null; done
config <<-END
	lan { devices = "lan0" } mss-clamp = no
	link wan1 {} link wan2 {}
	policy one { links = "wan1" }
	policy two { links = "wan2" }
	rule two { proto = {tcp, udp} dport = {80, 443, 5302} policy = two }
	rule one { policy = one }
END
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
c nft -f - <<-'END'
	table inet watch {
		counter frag_needed {}
		counter too_big {}
		chain errors {
			type filter hook prerouting priority raw; policy accept;
			icmp type destination-unreachable icmp code frag-needed counter name frag_needed
			icmpv6 type packet-too-big counter name too_big
		}
	}
END
net nft -f - <<-'END'
	table inet sizes {
		counter fragments {}
		counter over1300 {}
		counter over1400 {}
		chain in {
			type filter hook prerouting priority -450; policy accept; # before fragments are put together
			iifname "p1" meta length > 1400 counter name over1400
			iifname "p2" meta length > 1300 counter name over1300
			ip frag-off & 0x3fff != 0 counter name fragments
		}
	}
END
seen() { net nft -j list counter inet sizes "$1" | jq '[.nftables[].counter.packets? // empty] | add'; }
largest() { asym flows --json --port "$1" | jq '[.[].original.largest] | max'; }
rose() { # DESCRIPTION NS COUNTER BEFORE
	local n
	n=$(counter "$2" "$3")
	ok "$1 ($((n - $4)))" [ "$n" -gt "$4" ]
}
forget() { # what the client has learned of paths
	c ip route flush cache
	c ip -6 route flush cache
}

# --- TCP ------------------------------------------------------------------------------------------------
for p in 5300 5301 5302; do run_in "$net" "$pace" sink $p; done
for p in 5300 5301 5302; do wait_for listening "$net" $p; done
tcp() { # DESCRIPTION ADDRESS ERROR
	local error lan sizes
	forget
	error=$(counter "$c" "$3") lan=$(stat lan_flow)
	start tcp "$c" "$pace" send "$2" 5300
	sized() { [ "$(largest 5300)" = 1400 ] && cached_are 1 --port 5300; }
	ok "$1: segments as large as the path takes pass the cache" wait_for sized
	finish tcp
	like "$1: it ends well" "$(cat "$tmp/tcp")" '^end FIN'
	rose "$1: the sender was told" "$c" "$3" "$error"
	ok "$1: packets passed the cache ($(($(stat lan_flow) - lan)))" [ $(($(stat lan_flow) - lan)) -gt 100 ]
}
tcp 'TCP, large packets' $four frag_needed
tcp 'TCP over IPv6, large packets' $six too_big
c ethtool -K eth0 tso off gso off >/dev/null
tcp 'TCP, segments' $four frag_needed
gw ethtool -K lan0 gro on >/dev/null
tcp 'TCP, segments put together' $four frag_needed
gw ethtool -K lan0 gro off >/dev/null
c ethtool -K eth0 tso on gso on >/dev/null

# --- UDP, at once: with DF and without, random sizes -------------------------------------------------------
forget
frag_needed=$(counter "$c" frag_needed) too_big=$(counter "$c" too_big) fragments=$(seen fragments)
lan=$(stat lan_flow) oversize=$(stat cache_oversize)
start df "$c" "$pace" udp -d -b 100 -x 1372 -t 4 $four 53
start six "$c" "$pace" udp -d -b 100 -x 1352 -t 4 $six 53
start cut "$c" "$pace" udp -D -b 1300 -x 172 -t 4 $untold 5000
for n in df six cut; do ended $n; done
rose 'UDP with DF: the sender was told' "$c" frag_needed "$frag_needed"
rose 'UDP over IPv6: the sender was told' "$c" too_big "$too_big"
for n in df six; do
	ok "UDP, $n: what was too large was refused" [ "$(field $n refused)" -gt 100 ]
	at_most "UDP, $n: all else arrived" $(($(field $n sent) - $(field $n answered))) 3 lost
done
is 'UDP without DF: all arrived' "$(field cut answered)" "$(field cut sent)"
ok 'in fragments' [ $(($(seen fragments) - fragments)) -gt 500 ]
near 'UDP with DF: large ones passed the cache' "$(largest 53)" 1395 5
ok 'UDP without DF: none that had to be cut did' [ "$(largest 5000)" -le 1400 ]
lan=$(($(stat lan_flow) - lan)) oversize=$(($(stat cache_oversize) - oversize))
ok 'they passed the cache' [ $lan -gt 2000 ]
is 'nothing larger than the MTU has left' "$(seen over1400)" 0

# --- sizes that rise: one packet of each new size is shown, in each direction -------------------------------
oversize=$(stat cache_oversize) lan=$(stat lan_flow)
c "$pace" udp -b 100 -x 1000 -u 20 -t 4 $four 443 >"$tmp/rising"
at_most 'rising sizes: one look at each' $(($(stat cache_oversize) - oversize)) $((2 * 4000 / 20 + 20)) times
ok 'rising sizes: the rest passed the cache' [ $(($(stat lan_flow) - lan)) -gt 1000 ]

# --- the MTU goes down under traffic ------------------------------------------------------------------------
lowered() { # DESCRIPTION CMD...: nothing larger leaves after the period
	local d=$1 n began
	shift
	forget
	began=$(now)
	"$@"
	sleep 1
	while [ $(($(now) - began)) -lt $((late * 1000)) ]; do sleep 0.01; done
	n=$(seen over1300)
	sleep 1
	is "$d: nothing larger leaves after $late ms" "$(seen over1300)" "$n"
}
many() { # all flows pass the cache, and are large
	asym flows --json --link wan2 | jq -e '[.[] | select(.state == "fast" and .original.largest > 1400)] | length >= 4'
}
traffic_on() {
	forget
	start df "$c" "$pace" udp -d -b 1400 $four 80
	start cut "$c" "$pace" udp -D -b 1400 $untold 443
	start six "$c" "$pace" udp -b 1400 $six 80
	start tcp "$c" "$pace" send $four 5302
	ok 'large packets pass the cache' wait_for many
	frag_needed=$(counter "$c" frag_needed) too_big=$(counter "$c" too_big) fragments=$(seen fragments)
}
done_with() { # DESCRIPTION
	finish df cut six tcp
	rose "$1: IPv4 senders are told" "$c" frag_needed "$frag_needed"
	rose "$1: IPv6 senders are told" "$c" too_big "$too_big"
	at_most "$1: what may be cut arrives" $(($(field cut sent) - $(field cut answered))) 0 lost
	ok "$1: in fragments" [ "$(seen fragments)" -gt $((fragments + 200)) ]
	like "$1: TCP goes on" "$(cat "$tmp/tcp")" '^end FIN'
}
lower_routes() {
	local f route
	for f in -4 -6; do
		route=$(ip -n "$gw" $f route show table 10002 default dev wan2)
		ip -n "$gw" $f route change $route dev wan2 table 10002 mtu 1300
	done
}
lower_device() { ip -n "$gw" link set wan2 mtu 1300; }
traffic_on
lowered 'routes' lower_routes
done_with 'routes'
ok 'reload' asym reload --config "$tmp/conf"
far_mtu 2 1300 # a device takes in no frames that are larger than its MTU either
traffic_on
lowered 'device' lower_device
done_with 'device'
clean_lines 1 2
done_testing
