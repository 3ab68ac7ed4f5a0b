#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP and UDP through the flow cache, both families and directions, under masquerade, NAT to a fixed
# address and no NAT; packets small and large, in one piece and in segments, with and without offloads.
# Whatever leaves is as conntrack says, whole, and by no link with the source of another.
#
#   [c] ──9000── lan0 [gw] wan1 (1500, masquerade), wan2 (9000, snat), wan3 (1500, no NAT) ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
command -v iperf3 >/dev/null && command -v ethtool >/dev/null || skip_all 'needs iperf3 and ethtool'
lab
for k in 1 2; do wan $k; done
cable "$gw" wan3 "$net" p3
ip -n "$net" addr add 100.64.3.1/24 dev p3
ip -n "$net" addr add 2001:db8:3::1/64 dev p3
wan_address 3 wan3
for p in 10.0.0.0/8 fd00::/16; do
	[ $p = "${p#*:}" ] && gate=100.64.3.2 || gate=2001:db8:3::2
	ip -n "$net" route add $p via $gate
done
watch_line 3 10.0.0.0/8 '2001:db8:3::/64, fd00::/16'
for d in "$c eth0" "$gw lan0" "$gw wan2" "$net p2"; do ip -n "${d% *}" link set "${d#* }" mtu 9000; done
a=198.51.100.7 six=2001:db8:ffff::7

config <<-END
	lan { devices = {"lan0"} }
	link wan1 {}
	link wan2 { nat = "100.64.2.77"  nat6 = "2001:db8:2::77" }
	link wan3 { nat = none  nat6 = none }
	policy one { links = {wan1} }
	policy two { links = {wan2} }
	policy three { links = {wan3} }
	rule one { proto = {tcp, udp} dport = {5210-5219} policy = one }
	rule two { proto = {tcp, udp} dport = {5220-5229} policy = two }
	rule three { proto = {tcp, udp} dport = {5230-5239} policy = three }
END
for x in 100.64.2.77/24 2001:db8:2::77/64; do ip -n "$gw" addr add "$x" dev wan2; done
needs 'load' asym load --config "$tmp/conf"
needs_cache
for k in 1 2 3; do
	for i in {0..2}; do run_in "$net" iperf3 -s -B $a -p 52$k$i; done
	for i in {4..7}; do run_in "$net" iperf3 -s -B $six -p 52$k$i; done
done
run_in "$net" "$build/tests/netns/echod" 5219 5229 5239
wait_for listening "$net" 5237
wait_for listening "$net" 5239

offloads() { # off|on|merged: merged is off, but that the gateway joins what it receives
	local at to=$1
	[ "$1" != merged ] || to=off
	for at in "$c eth0" "$gw lan0" "$gw wan1" "$gw wan2" "$gw wan3" "$net p1" "$net p2" "$net p3"; do
		ip netns exec "${at% *}" ethtool -K "${at#* }" tx "$to" gso "$to" tso "$to" gro "$to" >/dev/null 2>&1
	done
	[ "$1" = merged ] || return 0
	for at in lan0 wan1 wan2 wan3; do gw ethtool -K $at gro on rx-udp-gro-forwarding on >/dev/null; done
}
iperf() { # K I ARGS...: in the background; all of a link's clients use the same port
	local dst=$a from=10.1.$1.$((10 + $2)) port=$1$2
	if [ "$3" = -6 ]; then dst=$six from=fd00:2::$1:$2; fi
	ip netns exec "$c" iperf3 -c $dst -B $from -p 52$port -t 4 --connect-timeout 3000 "${@:3}" \
		>"$tmp/iperf.$port" 2>&1 </dev/null &
	running+=($!)
}
exchange() { # K PROTO DST SIZE SRC...: requests and answers; each source has the same ports
	local src
	for src in "${@:5}"; do
		ip netns exec "$c" "$traffic" "$2" -n 2 -c 0 -p 2 -b "$4" -s "$src" -S 41000 "$3" "52${1}9" \
			>"$tmp/exchange.$1.$2.${src%/*}" 2>&1 </dev/null &
		exchanging+=($!)
	done
}
start_traffic() {
	local k large proto
	running=() exchanging=()
	for k in 1 2 3; do
		iperf $k 0 -4 --cport 40000 -b 30M
		iperf $k 1 -4 --cport 40000 -b 30M -R
		[ $k = 2 ] && large=8200 || large=1400
		iperf $k 2 -4 --cport 40000 -b 4M -u -l 700 --bidir
		for proto in tcp udp; do
			exchange $k $proto $a $((large - 200)) 10.1.$k.32/28 10.1.$k.48/28
			exchange $k $proto $six $((large - 300)) fd00:2::$k:20/124 fd00:2::$k:30/124
		done
		iperf $k 4 -6 --cport 40000 -b 30M
		iperf $k 5 -6 --cport 40000 -b 30M -R
		iperf $k 6 -6 --cport 40000 -b 4M -u -l $((large - 99)) --bidir
		iperf $k 7 -6 --cport 50000 -b 1M -u -l 16
	done
}
end_traffic() { # not in a subshell; $ended is what went wrong
	local pid rc=0
	for pid in "${running[@]}"; do wait "$pid" || rc=$?; done
	kill "${exchanging[@]}"
	wait "${exchanging[@]}" || rc=$?
	ended=$(grep -H '^!' "$tmp"/exchange.* || true)
	[ $rc = 0 ] || ended+=$(tail -n 3 "$tmp"/iperf.*)
}
all_cached() { # each of the 24 has sent packets by the cache, now or when we looked before
	of_flow '.[] | select(([.original.packets, .reply.packets] | max) > 50) | .sent.destination_port' >>"$tmp/cached"
	[ "$(sort -u "$tmp/cached" | wc -l)" = 24 ]
}
new_ports() { # ARGS...: of both families a flow passes that got another port
	[ "$(of_flow '[.[] | select(.sent.source_port != .translated.source_port and .original.packets > 100 and
		.reply.packets > 100) | .family] | unique | length' "$@")" = 2 ]
}
crossed() { # packets of the flows that the recorders saw
	local name n=0
	for name in 1 2 3 lan; do n=$((n + $(seen $name 'sport >= 5200 && sport < 5300 || dport >= 5200 && dport < 5300'))); done
	echo $n
}
run() { # OFFLOADS
	local before passed k x all
	diag "offloads $1"
	offloads "$1"
	for k in 1 2 3; do tap $k "$net" in p$k; done
	tap lan "$c" in eth0
	tap own "$c" out eth0
	before=$(counter '.lan_flow .link_flow')
	: >"$tmp/cached"
	start_traffic
	ok "offloads $1: all flows pass the cache" wait_for all_cached
	for k in 1 2 3; do
		for x in tcp udp; do
			ok "offloads $1: exchanges pass both ways, wan$k, $x, IPv4" wait_for ways 200 --port 52${k}9 --proto $x --dst $a
			ok "offloads $1: exchanges pass both ways, wan$k, $x, IPv6" wait_for ways 200 --port 52${k}9 --proto $x --dst $six
			[ $k = 3 ] || ok "offloads $1: some of them with ports of the NAT's" wait_for new_ports --port 52${k}9 --proto $x
		done
	done
	end_traffic
	is "offloads $1: all ends well" "$ended" ''
	passed=$(($(counter '.lan_flow .link_flow') - before))
	untap 1 2 3 lan own
	all=$(crossed)
	ok "$passed of $all packets passed the cache" [ $passed -gt $((all * 4 / 10)) ]
	clean 'wan1' 1 '100.64.1.2|2001:db8:1::2'
	clean 'wan2' 2 '100.64.2.77|2001:db8:2::77|2001:db8:2::2|100.64.2.2'
	clean 'wan3' 3 '10.1.3.[0-9]+|fd00:2::3:[0-9a-f]+|2001:db8:3::2|100.64.3.2'
	clean 'LAN' lan '198.51.100.7|2001:db8:ffff::7|10.0.0.1|fd00:1::1'
	is 'all is as conntrack says' "$(unknown 1 2 3 lan | head)" ''
	is 'what the client holds of its packets stays as it sent them' \
		"$(lines own '(proto == "tcp" || proto == "udp") && (src !~ /^(10.1.|fd00:)/ || ttl != 64)' | head)" ''
	for k in 1 2 3; do
		ok "wan$k: its flows, and no others" [ "$(lines $k 'proto == "tcp" || proto == "udp"' | wc -l)" -ge 16 ]
		is "wan$k: no flow of another link" "$(lines $k "(proto == \"tcp\" || proto == \"udp\") && dport !~ /^52$k/" | head)" ''
	done
}
watch_connections
run off
for k in 1 3; do ok "no packet of wan$k was larger than its MTU" [ "$(lines $k 'largest > 1500' | wc -l)" = 0 ]; done
ok 'wan2 carried large packets' [ "$(lines 2 'largest > 8000' | wc -l)" -gt 0 ]
ok 'and so did the LAN' [ "$(lines lan 'proto == "tcp" && largest > 8000' | wc -l)" -gt 0 ]
run merged
for k in 1 3; do ok "no packet of wan$k was larger than its MTU" [ "$(lines $k 'largest > 1500' | wc -l)" = 0 ]; done
run on
ok 'wan1 carried segments in one packet' [ "$(lines 1 'largest > 1500' | wc -l)" -gt 0 ]
no_strays 'and the whole time no packet had another source' 1 2 3
ok 'unload' asym unload
done_testing
