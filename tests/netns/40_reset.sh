#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reset = yes: what is left of a TCP connection that conntrack does not know any more is answered by a RST
# when it would leave by a link, and only then.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
#   [d] ──── lan1
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
space d
cable "$d" eth0 "$gw" lan1
ip -n "$gw" addr add 10.9.0.1/24 dev lan1
ip -n "$gw" addr add fd00:9::1/64 dev lan1
ip -n "$d" addr add 10.9.0.2/24 dev eth0
ip -n "$d" addr add fd00:9::2/64 dev eth0
ip -n "$d" route add default via 10.9.0.1
ip -n "$d" route add default via fd00:9::1
for ns in "$d" "$gw"; do
	run_in "$ns" "$build/tests/netns/echod" 5000
	wait_for listening "$ns" 5000
done
for ns in "$c" "$net"; do
	ip netns exec "$ns" nft -f - <<-END
		table inet resets {
			counter resets {}
			chain in { type filter hook prerouting priority raw; tcp flags rst counter name resets; }
		}
	END
done
resets() { ip netns exec "$1" nft -j list counter inet resets resets | jq '[.nftables[].counter.packets? // empty] | add'; }

internet=(198.51.100.7 2001:db8:ffff::7)
inside=(10.9.0.2 fd00:9::2 10.0.0.1 fd00:1::1) # another LAN, the router
open() { [ "$(c ss -Htn state established "dport = :5000" | wc -l)" -ge $((10 * (${#internet[@]} + ${#inside[@]}))) ]; }
# Ten connections each, over whose heads the table is emptied; results in $tmp/ADDRESS.
talk() {
	local a pids=()
	for a in "${internet[@]}" "${inside[@]}"; do
		ip netns exec "$c" "$traffic" tcp -n 10 -c 100 -p 30 "$a" 5000 >"$tmp/$a" 2>&1 &
		pids+=($!)
	done
	wait_for open
	gw conntrack -F 2>/dev/null
	for a in "${pids[@]}"; do wait "$a" || true; done
}
broken() { awk '$1 == "!ECONNRESET" { n += $2 } END { print n + 0 }' "$tmp/$1"; }
both='lan { devices = {"lan0", "lan1"} } link wan1 { device = "wan1" } link wan2 { device = "wan2" }'

config <<<"$both"
needs 'load without' asym load --config "$tmp/conf"
talk
for a in "${internet[@]}"; do
	# an answer that comes before the next request is the router's, which knows no such connection
	like "without: most connections to $a go on" "$(broken "$a")" '^[0-4]$'
done
for a in "${inside[@]}"; do is "without: all to $a go on" "$(broken "$a")" 0; done

config <<<"reset = yes $both"
needs 'load with' asym reload --config "$tmp/conf"
talk
for a in "${internet[@]}"; do is "with: all connections to $a end" "$(broken "$a")" 10; done
for a in "${inside[@]}"; do is "with: all to $a go on, it is not behind a link" "$(broken "$a")" 0; done

is 'new connections' "$(to "$(c "$traffic" tcp -n 50 198.51.100.0/24 80)" 1 2)" 50
is 'new connections, IPv6' "$(to "$(c "$traffic" tcp -n 50 2001:db8:ffff::/64 80)" 1 2)" 50

mac() { ip -n "$gw" -j link show dev "$1" | jq -r '.[0].address'; }
send() { # NS DEVICE MAC SRC DST FLAGS: one segment out of the blue; prints the RSTs it gave
	local before
	before=$(resets "$1")
	ip netns exec "$1" "$build/tests/netns/forge" "$2" "$3" tcp "$4" 4000 "$5" 5000 -f "$6" >/dev/null
	sleep 0.2 # one that must not come cannot be waited for
	echo $(($(resets "$1") - before))
}
lan=$(mac lan0) line=$(mac wan1)
for f in A PA; do is "the LAN's $f out of the blue" "$(send "$c" eth0 "$lan" 10.0.0.2 203.0.113.9 $f)" 1; done
is "the LAN's RST" "$(send "$c" eth0 "$lan" 10.0.0.2 203.0.113.10 R)" 0
is 'what arrives by a link, though it leaves by one' "$(send "$net" p1 "$line" 100.64.1.1 192.0.2.11 A)" 0
done_testing
