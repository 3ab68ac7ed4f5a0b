#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Renewals of two DHCP links on one LAN, by every kind of socket: each leaves by its own link with its own
# address, MAC and port, as the captures at the ISP's ends tell; all else passes untouched.  No daemon.
#
#   [c] ──── lan0 [gw] wan1 .11 ── p1 ┬ bridge isp [net]  100.71.64.1, 203.0.113.0/24
#                      wan2 .12 ── p2 ┤
#                      tun3 ════ t3   └ q1 ── eth0 [net2] 100.71.64.2, wan2's gateway
. "$(dirname "$0")/lib.sh"
command -v tcpdump >/dev/null || skip_all 'no tcpdump'
renew=$build/tests/netns/renew
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{renew,wire,cookie} >&2
lab
space net2
ip -n "$net" link add isp address 02:00:00:00:01:01 type bridge
ip -n "$net" link set isp up
ip -n "$net" addr add 100.71.64.1/24 dev isp
for k in 1 2; do
	cable "$gw" wan$k "$net" p$k
	ip -n "$gw" link set wan$k address 02:00:00:00:00:1$k
	ip -n "$net" link set p$k master isp
	ip -n "$gw" addr add 100.71.64.1$k/24 dev wan$k
	ip -n "$gw" route add default via 100.71.64.$k dev wan$k metric $((100 + k))
done
cable "$net" q1 "$net2" eth0
ip -n "$net" link set q1 master isp
ip -n "$net2" link set eth0 address 02:00:00:00:01:02
ip -n "$net2" addr add 100.71.64.2/24 dev eth0
mac1=02:00:00:00:00:11 mac2=02:00:00:00:00:12
isp=02:00:00:00:01:01 isp2=02:00:00:00:01:02
if [ -c /dev/net/tun ]; then
	keep "$build/tests/netns/tunlink" "$gw" tun3 "$net" t3
	wait_for ip -n "$gw" link show dev tun3
	wait_for ip -n "$net" link show dev t3
	ip -n "$gw" link set tun3 up
	ip -n "$net" link set t3 up
	ip -n "$gw" addr add 100.64.3.2 peer 100.64.3.1 dev tun3
	ip -n "$gw" route add 203.0.113.50 dev tun3
fi

# --- captures ------------------------------------------------------------------------------------
watch() { # NAME NS DEVICE FILTER...
	local name=$1 ns=$2 device=$3
	shift 3
	ip netns exec "$ns" tcpdump -q -U -i "$device" -w "$tmp/$name.pcap" "$@" 2>"$tmp/$name.said" &
	asym_pids+=($!)
	wait_for grep -q 'listening on' "$tmp/$name.said"
}
packets() { # NAME: one line for each
	tcpdump -nn -t -e -vv -r "$tmp/$1.pcap" 2>/dev/null |
		awk '/^[^ \t]/ { if (p) print p; p = $0; next } { p = p " " $0 } END { if (p) print p }'
}
xid=0
sent() { # of the last message: lines "WHERE SRC-MAC DST-MAC SRC.PORT DST.PORT CHECKSUM"
	local k
	for k in p1 p2 t3; do
		[ ! -e "$tmp/$k.pcap" ] || packets $k | grep -E "xid $(printf '0x%x' $xid)[, ]" |
			sed -E "s/^([0-9a-f:]+) > ([0-9a-f:]+),/\1 \2/; s/^([0-9a-f:]+ [0-9a-f:]+) .*\) +([0-9.]+) > ([0-9.]+): (\[[^]]*\])?.*/$k \1 \2 \3 \4/"
	done
}
say() { # ARGS...: the gateway sends it
	xid=$((xid + 1))
	gw "$renew" -x $xid "$@"
}
has_left() { [ -n "$(sent)" ]; }
leaves() { # DESCRIPTION WHERE-AND-HOW ARGS...
	local d=$1 want=$2
	shift 2
	say "$@"
	wait_for has_left || true
	is "$d" "$(sent)" "$want"
}
frames() { tcpdump -nn -t -xx -r "$tmp/$1.pcap" 2>/dev/null | grep -P '^\t' | cut -d: -f2; } # NAME: as they are
for k in p1 p2; do watch $k "$net" $k -Q in udp port 67; done
[ ! -c /dev/net/tun ] || watch t3 "$net" t3 udp port 67
gw ethtool -K wan1 tx off >/dev/null
gw ethtool -K wan2 tx off >/dev/null

two() { say "$@" 100.71.64.12 $mac2 100.71.64.1; }
sum='[udp sum ok]'
right2="p2 $mac2 $isp 100.71.64.12.68 100.71.64.1.67"

# --- without asymbpf: the problem, and what is to pass as it was ------------------------------------
leaves 'without asymbpf an unbound socket renews by the wrong link' \
	"p1 $mac1 $isp 100.71.64.11.68 100.71.64.1.67 $sum" 100.71.64.12 $mac2 100.71.64.1
answer() { # PORT ARGS...: the ISP sends a reply out of this port
	local port=$1
	shift
	net "$renew" -x $((++xid)) -r -k packet -d "$port" -o 100.71.64.1 "$@"
}
asked_for() { packets arp | grep -qF "who-has $1 "; } # an address on the ISP's LAN
watch arp "$net" isp arp
answer p1 -m $mac1 0.0.0.0 $mac1 100.71.64.50
ok 'an offer for an address to come is forwarded' wait_for asked_for 100.71.64.50
untouched() { # sends what is none of guard's business
	xid=1000
	say -k packet -d wan1 0.0.0.0 $mac1 255.255.255.255
	say -k packet -d wan1 0.0.0.0 $mac2 255.255.255.255
	say -k packet -d wan1 100.71.64.12 $mac2 255.255.255.255
	say -k packet -d wan1 -m $isp -g 10.0.0.1 100.71.64.12 $mac2 100.71.64.1
	say -k packet -d wan1 -m $isp -o 100.71.64.11 100.71.64.77 02:00:00:00:00:77 100.71.64.1
	say -k packet -d wan1 -m $isp 100.71.64.11 $mac1 100.71.64.1
	wait_for has_left
}
: >"$tmp/p1.before"
untouched
frames p1 | tail -n 132 >"$tmp/p1.before"

# --- with ----------------------------------------------------------------------------------------
links=(--iface wan1 --iface wan2)
[ ! -c /dev/net/tun ] || links+=(--iface tun3)
needs 'load' asym load "${links[@]}" --lan lan0
were=$(frames p1 | wc -l)
untouched
six_more() { [ $(($(frames p1 | wc -l) - were)) -ge 132 ]; }
wait_for six_more || true
frames p1 | tail -n 132 >"$tmp/p1.after"
is 'broadcasts, relayed and foreign messages pass byte for byte' "$(diff "$tmp/p1.before" "$tmp/p1.after")" ''
is 'there were six' "$(wc -l <"$tmp/p1.after")" 132

dhcp() { # FIELD LINK: a counter of map asym_dhcp
	local id cookie maps
	cookie=$(gw "$build/tests/netns/cookie")
	bpftool -j prog show | jq -c '.[] | select(.name == "asym_guard_eth").map_ids' | while read -r maps; do
		id=$(bpftool -j map show | jq ".[] | select(.name == \"asym_control\" and (.id | IN($maps[]))).id")
		[ "$(bpftool -j map dump id "$id" | jq '.[0].formatted.value.netns_cookie')" = "$cookie" ] || continue
		id=$(bpftool -j map show | jq ".[] | select(.name == \"asym_dhcp\" and (.id | IN($maps[]))).id")
		bpftool -j map dump id "$id" | jq ".[$2].formatted.value.$1"
	done
}
xid=100
is 'counters: the foreign one belongs to nobody, the last was right' "$(dhcp right 1) $(dhcp moved 2) $(dhcp failed 1)" '1 0 0'
for offload in off on; do
	gw ethtool -K wan1 tx $offload >/dev/null
	gw ethtool -K wan2 tx $offload >/dev/null
	# with offload the checksum that the ISP's end sees of a UDP socket is the pseudo header's
	how() { sent | cut -d' ' -f1-5; }
	leaves "tx $offload: raw IP" "$right2 [no cksum]" -k raw 100.71.64.12 $mac2 100.71.64.1
	leaves "tx $offload: raw IP, a source of its own" "$right2 [no cksum]" -k raw -o 100.71.64.11 100.71.64.12 $mac2 100.71.64.1
	leaves "tx $offload: raw IP bound to the wrong device" "$right2 [no cksum]" -k raw -d wan1 100.71.64.12 $mac2 100.71.64.1
	leaves "tx $offload: a frame out of the wrong device" "$right2 $sum" -k packet -d wan1 -m $isp 100.71.64.12 $mac2 100.71.64.1
	leaves "tx $offload: the same to all MACs" "$right2 $sum" -k packet -d wan1 100.71.64.12 $mac2 100.71.64.1
	leaves "tx $offload: a cooked packet with a wrong source" "$right2 $sum" -k cooked -d wan1 -o 100.71.64.11 -p 501 100.71.64.12 $mac2 100.71.64.1
	ip netns exec "$net" "$build/tests/netns/wire" in p2 >"$tmp/wire" 2>&1 &
	wire=$!
	asym_pids+=($wire)
	wait_for grep -q ready "$tmp/wire"
	for args in '' '-p 501' '-a 100.71.64.12' '-d wan1' '-d wan1 -p 9'; do
		say $args 100.71.64.12 $mac2 100.71.64.1
		wait_for has_left || true
		is "tx $offload: UDP socket $args" "$(how)" "$(cut -d' ' -f1-5 <<<"$right2")"
		[ $offload = on ] || is "tx $offload: UDP socket $args: checksum" "$(sent | cut -d' ' -f6-)" "$sum"
	done
	kill $wire
	wait $wire || true
	is "tx $offload: five datagrams, one flow, no bad checksum" \
		"$(awk '$1 == "udp" && $5 == 67 { print $2, $3, $7, $10 }' "$tmp/wire")" '100.71.64.12 68 5 0'
	say 100.71.64.11 $mac1 100.71.64.1
	wait_for has_left || true
	is "tx $offload: the first link's own" "$(how)" "p1 $mac1 $isp 100.71.64.11.68 100.71.64.1.67"
done
gw ethtool -K wan1 tx off >/dev/null
gw ethtool -K wan2 tx off >/dev/null
# of each eleven one was bound to its address: right by the routes
is 'counters: each under one name' "$(dhcp right 1) $(dhcp right 2) $(dhcp moved 2) $(dhcp mended 2) $(dhcp failed 2)" '3 2 20 0 0'

# A relay on this machine is a server's client like any other: its answers come in as conntrack knows it.
tracked() { gw conntrack -L -p udp --orig-port-dst 67 2>/dev/null | grep -c "src=$1 .*sport=$2 "; } # SRC PORT
gw conntrack -F 2>/dev/null
say -k udp -p 67 -a 10.0.0.1 -g 10.0.0.1 0.0.0.0 02:00:00:00:00:77 100.71.64.1
say -k udp -p 67 -a 10.0.0.1 -g 10.0.0.1 100.71.64.12 $mac2 100.71.64.2
is 'relayed requests are tracked' "$(tracked 10.0.0.1 67)" 2
say -k udp -a 100.71.64.11 100.71.64.12 $mac2 100.71.64.1
is 'what is to be moved is not' "$(tracked 100.71.64.11 68)" 0

leaves 'a server behind the other gateway' "p2 $mac2 $isp2 100.71.64.12.68 203.0.113.9.67 $sum" 100.71.64.12 $mac2 203.0.113.9
leaves 'its first link has its own gateway' "p1 $mac1 $isp 100.71.64.11.68 203.0.113.9.67 $sum" 100.71.64.11 $mac1 203.0.113.9
if [ -c /dev/net/tun ]; then
	leaves 'out of a device without MAC' "p2 $mac2 $isp2 100.71.64.12.68 203.0.113.50.67 $sum" 100.71.64.12 $mac2 203.0.113.50
	leaves 'the same, raw' "p2 $mac2 $isp2 100.71.64.12.68 203.0.113.50.67 [no cksum]" -k raw 100.71.64.12 $mac2 203.0.113.50
fi
ip -n "$gw" neigh flush all
leaves 'a neighbour that is not known yet' "$right2 $sum" 100.71.64.12 $mac2 100.71.64.1

# a LAN client with its own DHCP server out there; even with our MAC in its message
xid=$((xid + 1))
c "$renew" -x $xid 10.0.0.2 $mac2 100.71.64.1
wait_for has_left || true
like 'a LAN client keeps the source that NAT gave it' "$(sent)" "^p[12] $mac1 .*100.71.64.11|^p2 $mac2 .*100.71.64.12"
c "$renew" -x $((++xid)) -p 6868 100.71.64.12 $mac2 100.71.64.1
wait_for has_left || true
like 'and its port' "$(sent)" '^p[12] .*\.6868 100'

# --- replies ---------------------------------------------------------------------------------------
watch w2 "$gw" wan2 -Q in udp port 68
arrived_on2() { packets w2 | grep "xid $(printf '0x%x' $xid)," | sed -E 's/^([0-9a-f:]+) > ([0-9a-f:]+),.*/\2/' | grep .; }
listen() { # DEVICE XID
	ip netns exec "$gw" "$renew" -w "$1" "$2" >"$tmp/listen.$2" 2>&1 &
	asym_pids+=($!)
	wait_for grep -q ready "$tmp/listen.$2"
}
listen wan2 $((xid + 1))
answer p1 -m $mac1 100.71.64.12 $mac2 100.71.64.12
ok 'a reply with the MAC of the wrong link reaches the client' wait_for grep -q got "$tmp/listen.$xid"
wait_for arrived_on2 || true
is 'with its own MAC' "$(arrived_on2)" $mac2
listen wan1 $((xid + 1))
answer p1 -m $mac1 0.0.0.0 $mac1 100.71.64.51
ok 'an offer for an address to come reaches the client' wait_for grep -q got "$tmp/listen.$xid"
listen wan2 $((xid + 1))
answer p1 -m $mac1 0.0.0.0 $mac2 100.71.64.51
ok 'also by the wrong link' wait_for grep -q got "$tmp/listen.$xid"
listen wan1 $((xid + 1))
answer p1 0.0.0.0 $mac1 255.255.255.255
ok 'a broadcast reply, too' wait_for grep -q got "$tmp/listen.$xid"
gw ping -q -c 1 -W 1 -I wan2 100.71.64.1 >/dev/null
is 'no offer was forwarded' "$(packets arp | grep -cF '100.71.64.51')" 0
ok 'unload' asym unload
leaves 'after unload all is as before' "p1 $mac1 $isp 100.71.64.11.68 100.71.64.1.67 $sum" 100.71.64.12 $mac2 100.71.64.1
done_testing
