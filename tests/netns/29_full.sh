#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A flow cache that is too small: ten times as many flows as it holds lose nothing, idle pairs make room
# with both of their directions; nor does a full table of hops lose anything.
#
#   [cA] ──── lan0 [gwA] wan1, wan2 ════ [netA]          [cB] ──── lan0 [gwB] wan1, wan2 ════ [netB]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
for side in B A; do
	lab $side
	for k in 1 2; do wan $k; done
	watch_lines
done
host=198.51.100.0/24 many=10240
two_links flow-pairs = 1024
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
is 'there is room for 1024 connections' "$(status .flow_cache.connections)" 1024
is 'and half as many of IPv6' "$(status .flow_cache.connections_ipv6)" 512
lossless() { # DESCRIPTION NAME
	diag "$2: $(paste -sd' ' "$tmp/$2")"
	is "$1: every datagram was answered, by way of one link" "$(failures "$(cat "$tmp/$2")")" 0
	ok "$1: both links were in use" [ "$(wc -l <"$tmp/$2")" -eq 2 ]
}
half_pairs() { # entries without their reverse
	asym flows --json | jq '[.[] | select((.original.in and .reply.in) | not)] | length'
}
rises() { # COUNTER BASE
	[ "$(stat "$1")" -gt "$2" ]
}

# --- ten times as many flows as there is room for -------------------------------------------------------
start first "$c" "$traffic" udp -n 200 -c 0 -p 20 $host 5000
ok 'few flows are all in the cache' wait_for cached_are 200
start rest "$c" "$traffic" udp -n 824 -c 0 -p 50 -t 4000 -S 20000 $host 443
# 98 of 100, and that by lot: 16 or 17 are not, give or take 4
ok 'as many as there is room for are in the cache' wait_for cached_are 990
is 'no pair had to go' "$(stat cache_evicted)" 0
finish rest
lossless 'as many as there is room for' rest
start many "$c" "$traffic" udp -n $many -w 256 -c 0 -p 1 -t 4000 $host 53
ok 'flows are refused' wait_for rises cache_full 1000
flow=$(stat lan_flow)
ok 'those in the cache pass it' wait_for rises lan_flow $((flow + 5000))
size=$(asym flows --count --json | jq .total)
# all places of the table, of which pairs take two: half of them when there are as many as there is room for
ok "the cache is full ($size)" [ "$size" -ge 1024 -a "$size" -le 2048 ]
ok 'the first ones are still in it' cached_are 180 --port 5000
finish first many
quiet=$SECONDS
lossless 'few flows' first
lossless 'many flows' many

# --- meanwhile, elsewhere: more hops than there is room for -----------------------------------------------------------------------
# each check of a flow finds another priority, and so another hop: the table holds 16384
use_lab B
two_links flow-pairs = 16384
ok 'load with more room' asym load --config "$tmp/conf"
gw nft -f - <<-'END'
	table inet hops {
		chain forward { type filter hook forward priority 0; policy accept; meta priority set numgen random mod 60000; }
	}
END
full=$(stat cache_full)
start hops "$c" "$traffic" udp -n 4000 -w 256 -c 0 -p 20 -t 4000 $host 443
ok 'hops find no room' wait_for rises cache_full $((full + 1000))
flow=$(stat lan_flow)
ok 'flows pass the cache' wait_for rises lan_flow $((flow + 1000))
gw nft delete table inet hops
ok 'one priority: flows are in the cache again' wait_for cached_are 3500 --port 443
finish hops
lossless 'many hops' hops
clean_lines 1 2
use_lab A

# --- idle pairs make room --------------------------------------------------------------------------------
# Busy entries may be checked as late as after 16 s; those of twice that age are not busy.
evicted=$(stat cache_evicted)
while [ $SECONDS -lt $((quiet + 33)) ]; do sleep 0.1; done
start next "$c" "$traffic" udp -n 2048 -c 0 -p 20 -t 4000 -S 20000 $host 80
renewed() { cached_are 900 --port 80; }
ok 'new flows take their place' wait_for renewed
evicted=$(($(stat cache_evicted) - evicted))
ok "idle pairs were evicted ($evicted)" [ "$evicted" -ge 700 ]
finish next
is 'no half of a pair is left' "$(half_pairs)" 0
lossless 'new flows' next
ok 'old and new ones are no more than there are places for' [ "$(asym flows --count --json | jq .total)" -le 2048 ]

clean_lines 1 2
done_testing
