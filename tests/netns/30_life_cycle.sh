#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload, unload, load and kills in the midst of a reload, while TCP and UDP pass the flow cache: nothing
# stalls, nothing leaves by a wrong link, nothing stays behind.  And two gateways, each with its own cache.
#
#   [cA] ──── lan0 [gwA] wan1, wan2 ════ [netA]          [cB] ──── lan0 [gwB] wan1, wan2 ════ [netB]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
for side in B A; do
	lab $side
	urgent_echod
	for k in 1 2; do wan $k; done
	watch_lines
	# what the router does without us
	gw nft -f - <<-'END'
		table ip user {
			chain post { type nat hook postrouting priority srcnat; oifname { "wan1", "wan2" } masquerade; }
		}
	END
done
host=198.51.100.7
# No packet is lost, and none later by more than 200 ms than those of side B, where nothing happens.
quiet() { # NAME: begins the flow of side B
	use_lab B
	start "$1" "$c" "$pace" udp -r 500 $host 53
	use_lab A
}
# main's default route is by wan1: what is on it can stay there without us
conf() { # WEIGHT KEY=VALUE...
	config <<-END
		${@:2}
		lan { devices = "lan0" }
		link wan1 { weight = $1 } link wan2 {}
		policy one { links = "wan1" }
		policy two { links = "wan2" }
		policy both { links = { "wan1", "wan2" } }
		rule one { proto = {tcp, udp} dport = {53, 443, 5300} policy = one }
		rule two { proto = {tcp, udp} dport = {80, 5301} policy = two }
		rule rest { policy = both }
	END
}
liberal() { gw cat /proc/sys/net/netfilter/nf_conntrack_tcp_{be_liberal,ignore_invalid_rst} | paste -sd' '; }
devices() { # every program on the gateway's devices
	local d
	gw bpftool -j net | jq -c '.[] | .tc' # by name of device and hook, tcx too
	for d in lan0 wan1 wan2; do tc -n "$gw" qdisc show dev $d; tc -n "$gw" filter show dev $d egress; done
}
ours() { # "prog ID" and "map ID" of all that serves this gateway's namespace
	local id cookie progs
	cookie=$(gw "$build/tests/netns/cookie")
	for id in $(bpftool -j map show | jq '.[] | select(.name == "asym_control").id'); do
		[ "$(bpftool -j map dump id "$id" 2>/dev/null | jq '.[0].formatted.value.netns_cookie')" = "$cookie" ] || continue
		progs=$(bpftool -j prog show | jq -c "[.[] | select((.map_ids // []) | index($id))]")
		jq -r '.[] | "prog \(.id) \(.name)"' <<<"$progs"
		bpftool -j map show | jq -r --argjson ids "$(jq -c '[.[].map_ids[]]' <<<"$progs")" \
			'.[] | select(.id | IN($ids[])) | "map \(.id) \(.name)"'
	done
}
there() { bpftool "$1" show id "$2" >/dev/null 2>&1; }
gone() { # NAME-REGEX: all of this name that `ours` told of
	local kind id name
	while read -r kind id name; do
		[[ ! $name =~ $1 ]] || ! there "$kind" "$id" || return 1
	done <"$tmp/ours"
}

# --- UDP on both links, 1000 a second, and TCP as fast as it goes ------------------------------------------
gw sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=0
sysctls=$(liberal)
devices >"$tmp/devices"
conf 1
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
is 'conntrack is liberal' "$(liberal)" '1 1'
sinks() { # K...: receivers of TCP, the report of each in $tmp/sinkK
	local k
	for k; do
		start sink$k "$net" chrt -f 1 "$pace" sink 530$k
		wait_for listening "$net" 530$k
	done
}
traffic_on() {
	start udp1 "$c" "$pace" udp -r 500 $host 53
	start udp2 "$c" "$pace" udp -r 500 $host 80
	start tcp1 "$c" chrt -f 1 "$pace" send -m 30 $host 5300
	start tcp2 "$c" chrt -f 1 "$pace" send -m 30 $host 5301
	ok 'four connections pass the cache' wait_for cached_are 4
}
off() { # K...: ends the traffic of these links and judges it
	local k stall
	for k; do finish udp$k tcp$k; done
	finish quiet
	stall=$((200 + 2 * $(field quiet longest)))
	diag "side B: at most $(field quiet longest) ms without an answer"
	for k; do
		at_most "wan$k: UDP does not stall" "$(field udp$k longest)" $stall ms
		is "wan$k: UDP loses nothing" "$(($(field udp$k sent) - $(field udp$k answered)))" 0
		is "wan$k: UDP stays where it is" "$(field udp$k moved)" 0
		like "wan$k: TCP ends well" "$(cat "$tmp/tcp$k")" '^end FIN'
		wait_for test -s "$tmp/sink$((k - 1))" || true
		is "wan$k: every byte arrived" "$(awk '{ print $2, $4 }' "$tmp/sink$((k - 1))")" "$(awk '{ print $2, $4 }' "$tmp/tcp$k")"
		at_most "wan$k: TCP does not stall" "$(awk '{ print $6 }' "$tmp/sink$((k - 1))")" $stall ms
	done
}
passes() { # LEAST: connections that pass the cache, and packets do
	local flow
	flow=$(stat lan_flow)
	wait_for cached_are "$1"
	goes_on() { [ "$(stat lan_flow)" -gt $((flow + 1000)) ]; }
	wait_for goes_on
}
sinks 0 1
quiet quiet
traffic_on
reloaded() { # DESCRIPTION
	ok "reload, $1" asym reload --config "$tmp/conf"
	ok "after that, $1, packets pass the cache" passes 4
}
reloaded 'the same'
conf 7
reloaded 'another weight'
conf 7 flow-pairs = 4096
reloaded 'another size'
is 'it has that size' "$(status .flow_cache.connections)" 4096
conf 7 fastpath = no
ok 'reload without cache' asym reload --config "$tmp/conf"
is 'conntrack is as before' "$(liberal)" "$sysctls"
flow=$(stat lan_flow)
sleep 0.3
is 'nothing passes a cache' "$(stat lan_flow)" "$flow"
conf 7
reloaded 'with the cache again'

# --- killed ----------------------------------------------------------------------------------------------
for step in bpf maps nft-check routing state sysctl nft attach switch done; do
	conf 2 flow-pairs = 2048
	ASYMBPF_FAULT=$step:kill asym reload --config "$tmp/conf" >/dev/null 2>&1 && rc=0 || rc=$?
	conf 3
	ok "killed at $step ($rc), reload" asym reload --config "$tmp/conf"
	[ "$rc" -ge 128 ] || ok "reload was killed at $step" false
done
ok 'after that packets pass the cache' passes 4
off 1 2

# --- unload and load --------------------------------------------------------------------------------------
finish sink0 sink1
sinks 0
quiet quiet
start udp1 "$c" "$pace" udp -r 1000 $host 53
start tcp1 "$c" chrt -f 1 "$pace" send -m 30 $host 5300
ok 'two connections pass the cache' wait_for cached_are 2
ours >"$tmp/ours"
ok "there are programs and maps ($(wc -l <"$tmp/ours"))" grep -q asym_learn "$tmp/ours"
ok 'unload' asym unload
is 'sysctls are as before' "$(liberal)" "$sysctls"
devices >"$tmp/now"
ok 'nothing is left on devices' diff -u "$tmp/devices" "$tmp/now"
ok 'no program and no map is left' wait_for gone .
sleep 0.3
conf 1
ok 'load again' asym load --config "$tmp/conf"
ok 'packets pass the cache again' passes 2
off 1
clean_lines 1 2

# --- two gateways -------------------------------------------------------------------------------------------
use_lab B
conf 1
ok 'load B' asym load --config "$tmp/conf"
is 'the cache of B is empty' "$(asym flows --count --json | jq .total)" 0
start udpB "$c" "$pace" udp -r 200 $host 443
ok 'a flow of B passes its cache' wait_for cached_are 1
use_lab A
is 'A does not see it' "$(asym flows --count --json --port 443 | jq .total)" 0
start udpA "$c" "$pace" udp -r 200 $host 443
ok 'the same flow of A passes its own' wait_for cached_are 1 --port 443
use_lab B
new=$(stat cache_new)
use_lab A
ok 'reload A' asym reload --config "$tmp/conf"
ok 'the flow of A comes into the cache again' wait_for cached_are 1 --port 443
finish udpA
use_lab B
is 'that of B was always there' "$(stat cache_new)" "$new"

# --- a namespace that goes -----------------------------------------------------------------------------------
use_lab A
start udpA "$c" "$pace" udp -r 200 $host 443
ok 'a flow of A is in the cache' wait_for cached_are 1 --port 443
ours >"$tmp/ours"
state=$(state_file)
touch "$state.lock" # as a killed process leaves it
ip netns del "$gw"
for i in "${!asym_spaces[@]}"; do [ "${asym_spaces[i]}" != "$gw" ] || unset "asym_spaces[i]"; done
ok 'programs and cache go with it' wait_for gone '^asym_((lan|link|learn)_|flows|hops)'
finish udpA
use_lab B
ok 'the flow of B passes the cache' cached_are 1
ok 'reload B' asym reload --config "$tmp/conf"
ok 'the state of A stays while its number is not given again' [ -e "$state" ]
jq ".netns = $(command stat -Lc %i "/run/netns/$gw")" "$state" >"$tmp/state"
cp "$tmp/state" "$state"
ok 'reload B as if it had got the number of A' asym reload --config "$tmp/conf"
ok 'the state of A is gone' [ ! -e "$state" -a ! -e "$state.lock" ]
ok 'that of B is not' [ -e "$(state_file)" ]
ok 'the flow of B passes the cache again' wait_for cached_are 1
ok 'unload B' asym unload
ok 'no program and no map of A is left' wait_for gone . # those at the cgroup tree
finish udpB
is 'B has lost nothing' "$(field udpB answered)" "$(field udpB sent)"
clean_lines 1 2
done_testing
