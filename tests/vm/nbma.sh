#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tunnels without a fixed remote, as links and as a LAN: where a packet goes is in its route or neighbour,
# which a redirected packet has not.  So nothing leaves by them through the flow cache; what arrives by
# them does.
#
#   [c] ──────────── lan0 [gw] wan1 ════════════════ p1 [net]
#       ┄┄ ipip ┄┄┄┄ lan9      tun2, tun3, tun4 ┄┄┄┄ p2, p3, p4   ipip, gre, sit over a line of their own
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/flow.sh"
lab
wan 1
space probe
for kind in ipip gre sit; do
	ip -n "$probe" link add name tun0 type $kind local 192.0.2.1 2>/dev/null || skip_all "this kernel has no $kind"
	ip -n "$probe" link del tun0
done
cable "$gw" line "$net" line
ip -n "$gw" addr add 192.0.2.1/24 dev line
ip -n "$net" addr add 192.0.2.2/24 dev line
k=2
for kind in ipip gre sit; do
	ip -n "$gw" link add tun$k type $kind local 192.0.2.1
	ip -n "$net" link add p$k type $kind local 192.0.2.2 remote 192.0.2.1
	ip -n "$gw" link set tun$k up
	ip -n "$net" link set p$k up
	k=$((k + 1))
done
for k in 2 3; do
	ip -n "$gw" addr add 100.64.$k.2/32 dev tun$k
	ip -n "$net" route add 100.64.$k.2 dev p$k
	watch_line $k 100.64.$k.0/24 2001:db8:$k::/64
done
ip -n "$gw" route add default via 192.0.2.2 dev tun2 onlink metric 102
ip -n "$gw" route add default via 100.64.3.1 dev tun3 onlink metric 103
ip -n "$gw" neigh add 100.64.3.1 lladdr 192.0.2.2 dev tun3 nud permanent
ip -n "$gw" addr add 2001:db8:4::2/128 dev tun4
ip -n "$gw" -6 route add default via ::192.0.2.2 dev tun4 onlink metric 104
ip -n "$net" route add 2001:db8:4::2 dev p4

ip -n "$gw" link add lan9 type ipip local 10.0.0.1
ip -n "$gw" link set lan9 up
ip -n "$gw" addr add 10.0.9.1/32 dev lan9
ip -n "$gw" route add 10.0.9.2 via 10.0.0.2 dev lan9 onlink
ip -n "$c" link add tun9 type ipip local 10.0.0.2 remote 10.0.0.1
ip -n "$c" link set tun9 up
ip -n "$c" addr add 10.0.9.2/32 dev tun9
ip -n "$c" rule add from 10.0.9.2 lookup 9
ip -n "$c" route add default dev tun9 table 9

config <<-END
	lan { devices = {"lan0", "lan9"} }
	link one { device = wan1 } link two { device = tun2 } link three { device = tun3 } link four { device = tun4 }
	policy ethernet { links = one }
	policy ipip { links = two }
	policy gre { links = three }
	policy sit { links = four }
	rule ipip { proto = tcp dport = 53 policy = ipip }
	rule gre { proto = tcp dport = 80 policy = gre }
	rule sit { proto = tcp dport = 443 policy = sit }
	rule rest { policy = ethernet }
END
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
# The way of packets from gre goes on through the stack, too: where others have a link-layer header, such a
# device has the outer IP header.
declare -A by=([ipip]='2 198.51.100.7 53' [gre]='3 198.51.100.7 80' [sit]='4 2001:db8:ffff::7 443' [lan]='1 198.51.100.7 5000')
go() { # NAME ARGS of traffic...
	local to
	read -ra to <<<"${by[$1]}"
	start "$1" "$c" "$traffic" tcp -n 4 -c 60 -p 20 "${@:2}" "${to[@]:1}"
}
arrive() { # NAME...
	local n got
	for n; do
		ended "$n"
		got=$(<"$tmp/$n")
		is "$n: no exchange fails" "$(failures "$got")" 0
		is "$n: by its link" "$(to "$got" "${by[$n]%% *}")" 240
	done
}
passed() { asym stats --json | jq -c '.counters | [.lan_flow, .link_flow] | map(if . > 100 then "many" else . end)'; }
for name in ipip gre sit; do go $name; done
arrive ipip gre sit
is 'what comes from links passes the cache, what leaves by them does not' "$(passed)" '[0,"many"]'
before=$(stat link_flow)
go lan -s 10.0.9.2
arrive lan
is 'what comes from a LAN passes the cache' "$(passed)" '["many","many"]'
is 'what leaves by it does not' "$(stat link_flow)" "$before"
no_strays 'every packet has the source of its link' 1 2 3
ok 'unload' asym unload
done_testing
