#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The mesh's programs on tunnels without crypto: three nodes, each pair joined by a cable of TUN devices.
# a sends to c by way of b, all else goes direct; b forwards nothing and has no routes.
#
#   [la] ─── lan0 [a] w-c ════ w-a [c]          w-b [a] ════ w-a [b] w-c ════ w-b [c]
. "$(dirname "$0")/lib.sh"
[ -c /dev/net/tun ] || skip_all 'no /dev/net/tun'
overlay=$build/tests/netns/overlay
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{overlay,sequence,tunlink} >&2
space a
space b
space c
space la
in_a() { ip netns exec "$a" "$@"; }
in_b() { ip netns exec "$b" "$@"; }
in_c() { ip netns exec "$c" "$@"; }
in_la() { ip netns exec "$la" "$@"; }
declare -A at=([a]=$a [b]=$b [c]=$c) number=([a]=1 [b]=2 [c]=3)

tunnel() { # NODE NODE [MS MS]: delays there and back
	local x=${at[$1]} y=${at[$2]}
	keep "$build/tests/netns/tunlink" "$x" "w-$2" "$y" "w-$1" "${@:3}"
	wait_for ip -n "$x" link show dev "w-$2"
	wait_for ip -n "$y" link show dev "w-$1"
	ip -n "$x" link set "w-$2" mtu 1420 up
	ip -n "$y" link set "w-$1" mtu 1420 up
}
# by way of b is faster
tunnel a b 4 4
tunnel b c 4 4
tunnel a c 40 5

# Strict everywhere: every packet arrives by the device that leads back to its source.
for n in a b c; do
	ip -n "${at[$n]}" tuntap add ov0 mode tun
	ip -n "${at[$n]}" link set ov0 mtu 1420 up
	ip -n "${at[$n]}" addr add "10.77.0.${number[$n]}/32" dev ov0
	ip -n "${at[$n]}" addr add "fd77::${number[$n]}/128" dev ov0
	ip netns exec "${at[$n]}" sh -c 'for d in all default ov0 $(cd /sys/class/net; ls -d w-*); do
		sysctl -qw net.ipv4.conf.$d.rp_filter=1; done'
	ip netns exec "${at[$n]}" nft -f - <<-'END'
		table inet fw {
			chain rpf {
				type filter hook prerouting priority raw
				meta nfproto ipv6 ip6 saddr != fe80::/10 fib saddr . iif oif missing drop
			}
			chain input {
				type filter hook input priority filter; policy drop
				ct state invalid drop
				ct state established,related accept
				meta l4proto { icmp, ipv6-icmp } accept
				iifname { ov0, lo } ct state new accept
			}
			chain forward {
				type filter hook forward priority filter; policy drop
				ct state invalid drop
				ct state established,related accept
				iifname { ov0, lan0 } ct state new accept
			}
		}
	END
done
for n in a c; do
	ip -n "${at[$n]}" route add 10.77.0.0/24 dev ov0 src "10.77.0.${number[$n]}"
	ip -n "${at[$n]}" route add fd77::/64 dev ov0 src "fd77::${number[$n]}"
done
cable "$la" eth0 "$a" lan0
ip -n "$la" addr add 10.5.0.2/24 dev eth0
ip -n "$a" addr add 10.5.0.1/24 dev lan0
ip -n "$la" route add default via 10.5.0.1
ip -n "$c" route add 10.5.0.0/24 dev ov0 src 10.77.0.3
in_a sysctl -qw net.ipv4.ip_forward=1
is 'b does not forward' "$(in_b sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | paste -sd' ')" '0 0'

describe() { # DIRECTION...: on stdin what a sends to c
	cat >"$tmp/mesh" <<-END
		mesh m { port = 51820 mtu = 1420 }
		node a { address = {"10.77.0.1", "fd77::1"} public-key = "1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA=" lan = "10.5.0.0/24" }
		node b { address = {"10.77.0.2", "fd77::2"} public-key = "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA=" endpoint = "192.0.2.2" metered = yes }
		node c { address = {"10.77.0.3", "fd77::3"} public-key = "3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA=" endpoint = "192.0.2.3" }
		direction back { from = c to = a paths = direct }
		direction up { from = a to = c $1 }
	END
	local n
	for n in a b c; do ip netns exec "${at[$n]}" "$overlay" apply "$tmp/mesh" "$n"; done
}
count() { # NODE KEY [FIELD]: of a counter or a way
	ip netns exec "${at[$1]}" "$overlay" counters | awk -v k="$2" -v f="${3:-2}" '$1 == k { n = $f } END { print n + 0 }'
}

# --- either direction its own way ------------------------------------------------------------------
needs 'programs on the devices' describe 'paths = {"via b", direct}'
declare -A capturing
capture() { # NODE: until captured
	run_in "${at[$1]}" tcpdump -i any -nU -Z root -w "$tmp/$1.pcap" 'icmp or icmp6 or tcp or udp'
	capturing[$1]=$kept
	wait_for test -s "$tmp/$1.pcap"
}
# "DEVICE In|Out FROM>TO" for each that was seen
captured() { # NODE
	kill "${capturing[$1]}"
	wait "${capturing[$1]}" || true
	ip netns exec "${at[$1]}" tcpdump -Z root -nr "$tmp/$1.pcap" 2>/dev/null | awk '$2 ~ /^w-/ {
		for (i = 3; i <= NF; i++) if ($i == ">") {
			f = $(i - 1); t = $(i + 1); sub(/:$/, "", t)
			if (f ~ /^10/) { sub(/^10\.77\.0\./, "", f); sub(/^10\.77\.0\./, "", t); sub(/\..*/, "", f); sub(/\..*/, "", t) }
			else { sub(/^fd77::/, "", f); sub(/^fd77::/, "", t); sub(/\..*/, "", f); sub(/\..*/, "", t) }
			print $2, $3, f ">" t } }' | sort -u | paste -sd,
}
for n in a b c; do capture $n; done
ok 'a pings c' in_a ping -q -c 5 -i 0.02 -W 2 10.77.0.3
ok 'c pings a' in_c ping -q -c 5 -i 0.02 -W 2 10.77.0.1
ok 'a pings c, IPv6' in_a ping -q -c 5 -i 0.02 -W 2 fd77::3
ok 'c pings a, IPv6' in_c ping -q -c 5 -i 0.02 -W 2 fd77::1
run_in "$c" iperf3 -s
wait_for listening "$c" 5201
run_in "$a" iperf3 -s
wait_for listening "$a" 5201
moved() { # NS ARG...: bits per second that arrived
	ip netns exec "$1" timeout 20 iperf3 --json -t 1 "${@:2}" | jq '.end.sum_received.bits_per_second // .end.sum.bits_per_second | floor'
}
for try in "$a -c 10.77.0.3" "$a -c 10.77.0.3 -R" "$c -c 10.77.0.1" "$a -c fd77::3" "$a -u -b 5M -c 10.77.0.3"; do
	# shellcheck disable=SC2086
	ok "iperf3 ${try#* }, from ${try%% *}" [ "$(moved $try)" -gt 100000 ]
done
is 'a: out by b, in by c' "$(captured a)" 'w-b Out 1>3,w-c In 3>1'
is 'b: one direction only' "$(captured b)" 'w-a In 1>3,w-c Out 1>3'
is 'c: in by b, out by a' "$(captured c)" 'w-a Out 3>1,w-b In 1>3'

# --- from a LAN, and what does not fit --------------------------------------------------------------
ok 'a LAN behind a' in_la ping -q -c 3 -i 0.02 -W 2 10.77.0.3
ok 'TCP from the LAN' [ "$(moved "$la" -c 10.77.0.3)" -gt 100000 ]
ok 'TCP to the LAN' [ "$(moved "$la" -c 10.77.0.3 -R)" -gt 100000 ]
ok 'ICMP in fragments' in_la ping -q -c 2 -i 0.1 -W 2 -s 4000 10.77.0.3
ip -n "$b" link set w-c mtu 1300
like 'too long for the second tunnel: b, which forwards nothing, loses it' \
	"$(in_a ping -q -c 1 -W 1 -M 'do' -s 1300 10.77.0.3 || true)" '100% packet loss'
is 'it went to the stack' "$(count b in_big)" 1
in_b sysctl -qw net.ipv4.ip_forward=1
ip -n "$b" route add 10.77.0.0/24 dev ov0
ip -n "$b" link set ov0 mtu 1300
like 'b forwards: a hears of it' "$(in_a ping -c 1 -W 1 -M 'do' -s 1300 10.77.0.3 || true)" 'Frag needed.*mtu = 1300'
ip -n "$a" route flush cache
ip -n "$b" link set w-c mtu 1420
ip -n "$b" link set ov0 mtu 1420

# --- no loops ---------------------------------------------------------------------------------------
like 'at the end of its TTL: b says so' "$(in_a ping -c 1 -W 1 -t 1 10.77.0.3 || true)" 'From 10.77.0.2.*Time to live exceeded'
in_b "$overlay" set 2 direct=0
# the friendliest stack that there is
in_b sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w-a.rp_filter=0
in_b nft add rule inet fw forward accept
before=$(count b in_unknown) loops=$(count b out_loop)
exits 'b has no tunnel to c, but forwards' 1 '100% packet loss' in_a ping -q -c 3 -i 0.1 -W 0.5 10.77.0.3
is 'each came by once' $(($(count b in_unknown) - before)) 3
is 'what the stack made of it goes nowhere' $(($(count b out_loop) - loops)) 3
in_b sysctl -qw net.ipv4.ip_forward=0
ip -n "$b" route del 10.77.0.0/24 dev ov0

# --- classes, weights, budget -----------------------------------------------------------------------
sequence=$build/tests/netns/sequence
flow() { # PORT SIZE PER_S COUNT: from a to c; what c says of it is in $tmp/PORT afterwards
	ip netns exec "$c" "$sequence" receive "$1" >"$tmp/$1" &
	asym_pids+=($!)
	wait_for udp_listening "$1"
	in_a "$sequence" send 10.77.0.3 "$@"
	wait_for test -s "$tmp/$1"
}
udp_listening() { [ -n "$(in_c ss -Huln "sport = :$1")" ]; }
describe 'paths = {"via b", direct} bulk = direct'
b0=$(count a 2:0 3) b1=$(count a 2:1 3)
flow 7001 972 1000 1000
like 'a thick flow arrives' "$(<"$tmp/7001")" '^1000 received, 0 lost'
near 'its beginning by b' $(($(count a 2:0 3) - b0)) 215000 15000
near 'the rest direct' $(($(count a 2:1 3) - b1)) 790000 20000
b1=$(count a 2:1 3)
ok 'a download' [ "$(moved "$a" -c 10.77.0.3 -R)" -gt 100000 ]
is 'its acknowledgements by b' $(($(count a 2:1 3) - b1)) 0

describe 'paths = {"via b:1", "direct:3"}'
b0=$(count a 2:0) b1=$(count a 2:1)
in_a "$traffic" udp -t 20 -n 400 10.77.0.3 7002 >/dev/null || true
near 'a quarter of the flows by b' $(($(count a 2:0) - b0)) 100 35
is 'all others direct' $(($(count a 2:0) - b0 + $(count a 2:1) - b1)) 400

# --- again, while packets pass ----------------------------------------------------------------------
describe 'paths = {"via b", direct} bulk = direct'
programs() { for n in a b c; do ip netns exec "${at[$n]}" bpftool -j net show | jq '.[].tc | length'; done | paste -sd' '; }
was=$(programs) out=$(count a out) moves=$(count a out_moved)
flow 7010 972 1000 3000 &
bulk=$!
sleep 0.8
for ((i = 0; i < 5; i++)); do describe 'paths = {"via b", direct} bulk = direct'; done
ip -n "$a" link add other type bridge
ip -n "$a" link set other up
describe 'paths = {"via b", direct} bulk = direct rate = 9mbit'
wait $bulk
again_moves=$(count a out_moved)
like 'no packet is lost by it' "$(<"$tmp/7010")" '^3000 received, 0 lost'
ok 'counters go on' [ $(($(count a out) - out)) -ge 3000 ]
is 'a hook has one program of ours' "$(programs)" "$was"

# --- what a machine that is too busy cannot show ---------------------------------------------------
if [ "${ASYM_TEST_SLOW:-1}" = 1 ]; then
	for port in 7001 7010; do like "$port: none overtakes another" "$(<"$tmp/$port")" ' 0 lost, 0 late'; done
	ok 'flows stay flows: one moved, once' [ $((again_moves - moves)) = 1 ]
	describe 'paths = {"via b", direct} rate = 4mbit'
	b0=$(count a 2:0 3) b1=$(count a 2:1)
	flow 7003 972 2500 2500 &
	bulk=$!
	sleep 0.6
	p0=$(count a 2:0)
	ok 'a ping beside it' in_a ping -q -c 3 -i 0.1 -W 2 10.77.0.3
	wait $bulk
	is 'past its budget a flow spills in order' "$(<"$tmp/7003")" '2500 received, 0 lost, 0 late'
	near 'b carried a burst and a half' $(($(count a 2:0 3) - b0)) 290000 80000
	ok 'the ping stayed on b' [ $(($(count a 2:0) - p0)) -ge 3 ]
	ok 'the flow did not' [ $(($(count a 2:1) - b1)) -gt 2000 ]
	spilled=$(count a out_spilled)
	ok "it spilled, again only if the sender was held up ($spilled)" [ $((spilled > 0 && spilled < 4)) = 1 ]

	# --- moves ------------------------------------------------------------------------------------------
	describe 'paths = {"via b", direct}'
	to_and_fro() { # COUNT: 20 times to the slow way, 20 times to the fast one
		local i
		for ((i = 0; i < 20; i++)); do
			in_a "$overlay" set 2 thin=$((i % 2 == 0)) thick=$((i % 2 == 0)) "$@"
			sleep 0.1
		done
	}
	moves=$(count a out_moved)
	flow 7004 200 1000 3000 &
	bulk=$!
	sleep 0.3
	to_and_fro
	wait $bulk
	is 'a flow without silences: no packet overtakes another' "$(<"$tmp/7004")" '3000 received, 0 lost, 0 late'
	moves=$(($(count a out_moved) - moves))
	ok "it moved to the slower way, and back only if the sender was held up ($moves)" [ $((moves > 0 && moves < 10)) = 1 ]
	moves=$(count a out_moved)
	flow 7005 200 15 45 &
	bulk=$!
	sleep 0.2
	to_and_fro
	wait $bulk
	is 'a flow with silences: likewise' "$(<"$tmp/7005")" '45 received, 0 lost, 0 late'
	ok 'it moved often' [ $(($(count a out_moved) - moves)) -gt 8 ]
	in_a "$overlay" set 2 thin=1 thick=1
	flow 7006 200 1000 3000 &
	bulk=$!
	sleep 0.3
	to_and_fro delay0=1000 delay1=0
	wait $bulk
	ok 'were the slow way said to be faster, they would' grep -qv ' 0 late' "$tmp/7006"

	# A way dies: all that is on the road is lost, nothing else.
	describe 'paths = {"via b", direct}'
	flow 7007 200 1000 2000 &
	bulk=$!
	sleep 0.5
	began=${EPOCHREALTIME/[.,]/}
	ip -n "$b" link set w-a down
	sleep 0.2
	in_a "$overlay" set 2 dead0=1
	ms=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
	wait $bulk
	lost=$(sed 's/.*received, \([0-9]*\) lost.*/\1/' "$tmp/7007")
	ok "a dead way costs what was sent in the $ms ms before it was known ($lost)" [ $((lost > 150 && lost < ms + 50)) = 1 ]
	like 'and overtakes nothing' "$(<"$tmp/7007")" ' 0 late'
	ip -n "$b" link set w-a up
fi

# --- probes, and going away -------------------------------------------------------------------------
b1=$(count a 2:1)
ok 'a mark forces a way' in_a ping -q -c 2 -i 0.02 -W 1 -m $((2 << 16)) 10.77.0.3
is 'it does' $(($(count a 2:1) - b1)) 2
exits 'a tunnel'\''s own mark goes nowhere' 1 '100% packet loss' in_a ping -q -c 1 -W 0.3 -m $((0xff0000)) 10.77.0.3
is 'as it would go in circles' "$(count a out_loop)" 1
for n in a b c; do ip netns exec "${at[$n]}" "$overlay" remove; done
is 'no program is left' "$(for n in a b c; do ip netns exec "${at[$n]}" bpftool net show; done | grep -c asym_ov || true)" 0
exits 'nor any map' 1 'maps: No such file' in_a "$overlay" counters
done_testing
