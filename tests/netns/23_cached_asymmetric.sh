#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets of a cached flow that arrive by another device than before: the stack is asked first, and may
# accept or refuse.  And flows of which this router sees one direction only.
#
#   [c]  eth0 ──── lan0 [gw] wan1, wan2 ════ [net]
#   [c2] eth0 ──── lan1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
lab
for k in 1 2; do wan $k; done
space c2
cable "$c2" eth0 "$gw" lan1
ip -n "$c2" addr add 10.0.1.2/24 dev eth0
ip -n "$gw" addr add 10.0.1.1/24 dev lan1
a=198.51.100.7 six=2001:db8:ffff::7
conf() { # KEYS of the links, RULE's keys
	config <<-END
		lan { devices = {"lan0", "lan1"} }
		link wan1 { $1 }
		link wan2 { $1 }
		policy one { links = {wan1} }
		rule one { policy = one $2 }
	END
}
conf '' ''
needs 'load' asym load --config "$tmp/conf"
needs_cache
by() { # K: answers to link 1's addresses come by link K from now on
	local k=$1
	if [ "$k" = 1 ]; then
		ip -n "$net" route flush proto 99
		ip -n "$net" -6 route flush proto 99
	else
		ip -n "$net" route replace 100.64.1.2/32 via "100.64.$k.2" proto 99
		ip -n "$net" route replace 2001:db8:1::2/128 via "2001:db8:$k::2" proto 99
	fi
}

# --- answers by the other link ---------------------------------------------------------------------
talk tcp4 "$c" tcp -n 1 -p 2 -b 600 $a 443
talk udp4 "$c" udp -n 1 -p 2 -b 600 $a 53
talk tcp6 "$c" tcp -n 1 -p 2 -b 600 $six 443
talk udp6 "$c" udp -n 1 -p 2 -b 600 $six 53
arrives() { # K: answers of all four flows pass the cache, from link K
	[ "$(of_flow "[.[] | select(.reply.in == \"wan$1\" and .reply.packets > $2)] | length")" = 4 ]
}
ok 'answers by the same link pass the cache' wait_for arrives 1 100
arrivals=$(counter .cache_arrival)
by 2
ok 'answers by another link pass the cache' wait_for arrives 2 200
ok 'after they were shown to the stack' [ "$(counter .cache_arrival)" -ge $((arrivals + 4)) ]
tap 1 "$gw" in wan1
tap 2 "$gw" in wan2
tap lan "$c" in eth0
before=$(counter .link_flow)
sleep 1
untap 1 2 lan
is 'all answers arrive by it' "$(seen 1 'sport == 443 || sport == 53')" 0
answers=$(seen 2 'sport == 443 || sport == 53')
passed=$(($(counter .link_flow) - before))
ok "most of them pass the cache: $passed of $answers" [ "$passed" -gt $((answers / 2)) ]
clean 'the LAN' lan '198.51.100.7|2001:db8:ffff::7|fd00:1::1'
by 1
ok 'they come back to the first link' wait_for arrives 1 300
hush tcp4 udp4 tcp6 udp6
for name in tcp4 udp4 tcp6 udp6; do said "asymmetric $name" $name; done
no_strays 'requests have the right source' 1 2

# --- packets of a flow that somebody else sends --------------------------------------------------------
talk flow "$c" udp -n 1 -p 20 -S 40000 $a 5000
ok 'a flow of UDP passes the cache' wait_for ways 20 --port 5000
gw nft -f - <<-END
	table ip user {
		counter spoofed {}
		chain fw {
			type filter hook forward priority filter
			iifname "lan1" ip saddr != 10.0.1.0/24 counter name spoofed drop
		}
	}
END
spoofed() { gw nft -j list counter ip user spoofed | jq '.nftables[].counter.packets? // empty'; }
reached() { [ $(($(spoofed) + $(dropped) - before)) -ge 500 ]; }
tap 1 "$net" in p1
arrivals=$(counter .cache_arrival) before=$(dropped)
forge "$c2" eth0 lan1 udp 10.0.0.2 40000 $a 5000 -n 500 -t 41 -l 4
ok 'spoofed packets reach the firewall' wait_for reached
sleep 0.3
untap 1
is 'and not the link' "$(seen 1 'ttl == 40')" 0
ok 'the cache has told of them' [ "$(counter .cache_arrival)" -gt "$arrivals" ]
on() { one_way $((sent + 50)) original --port 5000; }
sent=$(of_flow '.[0].original.packets' --port 5000)
ok 'the flow itself goes on through the cache' wait_for on
gw nft flush chain ip user fw
tap 1 "$net" in p1
forge "$c2" eth0 lan1 udp 10.0.0.2 40000 $a 5000 -n 100 -t 64 -l 200
own() { one_way $((sent + 50)) original --port 5000 && [ "$(of_flow '.[0].original.in' --port 5000)" = lan0 ]; }
sent=$(of_flow '.[0].original.packets' --port 5000)
ok 'the flow comes back to its own device' wait_for own
untap 1
ok 'without a firewall the stack accepts them' [ "$(seen 1 'largest == 228')" -ge 150 ]
is 'translated as the flow is' "$(lines 1 'dport == 5000' | awk '{ print $2, $3 }' | sort -u | wc -l)" 1
clean 'on the link' 1 '100.64.1.2|2001:db8:1::2'
hush flow
said 'the flow' flow
no_strays 'requests have the right source' 1 2

# --- one direction -------------------------------------------------------------------------------------
cable "$c" eth1 "$net" around
for x in 4 6; do
	[ $x = 4 ] && pre=10.9.0. len=24 || pre=fd00:9:: len=64
	ip -n "$c" addr add ${pre}1/$len dev eth1
	ip -n "$net" addr add ${pre}2/$len dev around
done
net nft flush chain inet watch in
watch_line 1 10.0.0.0/8 fd00::/16
there() { # requests go through the gateway, answers around it
	ip -n "$net" route replace 10.0.0.0/16 via 10.9.0.1
	ip -n "$net" route replace fd00:1::/64 via fd00:9::1
}
back() { # the other way round
	ip -n "$net" route replace 10.0.0.0/16 via 100.64.1.2
	ip -n "$net" route replace fd00:1::/64 via 2001:db8:1::2
	ip -n "$c" route replace 198.51.100.0/24 via 10.9.0.2 src 10.0.0.2
	ip -n "$c" route replace 2001:db8:ffff::/64 via fd00:9::2 src fd00:1::2
}
stateless() { # N IN: so many flows pass the cache, in one direction, from that device
	[ "$(of_flow "[.[] | select(.stateless and .original.packets > 100 and .original.in == \"$2\"
		and (.reply.packets // 0) == 0)] | length")" = "$1" ]
}
one_direction() { # DESCRIPTION IN
	local name
	gw conntrack -F 2>/dev/null
	talk tcp4 "$c" tcp -n 1 -p 2 -b 600 $a 443
	talk udp4 "$c" udp -n 1 -p 2 -b 600 $a 53
	talk tcp6 "$c" tcp -n 1 -p 2 -b 600 $six 443
	talk udp6 "$c" udp -n 1 -p 2 -b 600 $six 53
	ok "$1: passes the cache, TCP and UDP, both families" wait_for stateless 4 "$2"
	tap lan "$gw" in lan0
	tap 1 "$gw" in wan1
	tap out "$([ "$2" = lan0 ] && echo "$net" || echo "$c")" in "$([ "$2" = lan0 ] && echo p1 || echo eth0)"
	sleep 0.5
	untap lan 1 out
	is "$1: the other direction does not come here" \
		"$(seen "$([ "$2" = lan0 ] && echo 1 || echo lan)" 'proto == "tcp" || proto == "udp"')" 0
	ok "$1: this one does" [ "$(seen out 'proto == "tcp" || proto == "udp"')" -gt 100 ]
	clean "$1" out '10.0.0.2|fd00:1::2|198.51.100.7|2001:db8:ffff::7|100.64.1.2|2001:db8:1::2|fd00:1::1'
	hush tcp4 udp4 tcp6 udp6
	for name in tcp4 udp4 tcp6 udp6; do said "$1 $name" $name; done
}
conf 'nat = none nat6 = none' 'fastpath = stateless'
ok 'reload with a stateless rule' asym reload --config "$tmp/conf"
there
one_direction 'requests only' lan0
conf 'nat = none nat6 = none fastpath = stateless' ''
ok 'reload with stateless links' asym reload --config "$tmp/conf"
back
one_direction 'answers only' wan1
conf 'nat = none nat6 = none' ''
ok 'reload with neither' asym reload --config "$tmp/conf"
before=$(counter '.lan_flow .link_flow')
is 'it works as well' "$(c "$traffic" tcp -n 4 -c 300 -p 2 -s 10.0.0.2 $a 443)" '10.0.0.2 1200'
is 'without the cache' "$(counter '.lan_flow .link_flow')" "$before"
ok 'unload' asym unload
done_testing
