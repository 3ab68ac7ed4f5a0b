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
tunnel a b
tunnel b c
tunnel a c
pid_ac=$kept

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
	ok "iperf3 ${try#* }, from ${try%% *}" [ "$(moved $try)" -gt 1000000 ]
done
is 'a: out by b, in by c' "$(captured a)" 'w-b Out 1>3,w-c In 3>1'
is 'b: one direction only' "$(captured b)" 'w-a In 1>3,w-c Out 1>3'
is 'c: in by b, out by a' "$(captured c)" 'w-a Out 3>1,w-b In 1>3'
done_testing
