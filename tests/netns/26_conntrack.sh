#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow cache follows conntrack and the firewall: what is deleted or forbidden there stops here within
# the check period; what passes here does not expire there, and what idles, does; a connection of more
# bytes than TCP has sequence numbers still closes cleanly.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
lab
urgent_echod
for k in 1 2; do wan $k; done
watch_lines
host=198.51.100.7
late=1400 # ms: the check period of a second, two of the kernel's ticks, a busy machine
two_links
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
gw nft add table inet fw '{ chain forward { type filter hook forward priority 0; policy accept; }; }'
forbid() { gw nft add rule inet fw forward "$1" drop; }
allow() { gw nft flush chain inet fw forward; }

# --- entries deleted under traffic, with and without cache --------------------------------------------
ids() { gw conntrack -L -o id "$@" 2>/dev/null | sed -n 's/.* id=\([0-9]*\).*/\1/p' | sort; }
known() { [ "$(ids "$@" | wc -l)" -ge 1 ]; }
traffic_on() { # MODE: 20 UDP flows, 20 TCP connections, some of each on either link
	start udp$1 "$c" "$pace" udp -n 20 -r 1000 $host 53
	local p
	for p in {1..20}; do # of their own phase each: whether a request or an answer comes next is chance
		start tcp$1.$p "$c" "$traffic" tcp -n 1 -c 0 -p "$p" $host 443
	done
}
all_cached() { cached_are 40; }
assured() { [ "$(gw conntrack -L -p udp 2>/dev/null | grep -c ASSURED)" -ge 20 ]; }
deleted() { # how long after its deletion one flow is in conntrack anew, ms
	local port began
	port=$(c ss -Huan "dport = :53" | awk 'NR == 1 { sub(/.*:/, "", $4); print $4 }')
	gw conntrack -D -p udp --orig-port-src "$port" >/dev/null 2>&1
	began=$(now)
	wait_for known -p udp --orig-port-src "$port" >&2 || true
	echo $((($(now) - began) / 1000))
}
delete_all() { # MODE: the surviving flows and broken connections go into alive_MODE and broken_MODE
	local flushed alive broken
	gw conntrack -F 2>/dev/null
	flushed=$(now)
	sleep 2.2
	finish udp$1 tcp$1.{1..20}
	cat "$tmp"/tcp$1.* >"$tmp/tcp$1"
	alive=$(awk -v t="$flushed" '$1 == "flow" && $17 * 1e6 > t + 2e6' "$tmp/udp$1" | wc -l)
	printf -v alive_$1 %s "$alive"
	broken=$(grep -c '^!' "$tmp/tcp$1" || true)
	printf -v broken_$1 %s "$broken"
	diag "fastpath = $1: after -F $alive of 20 UDP flows go on, $(total udp$1 moved) answers to another port," \
		"$broken of 20 TCP connections break"
}
traffic_on yes
ok 'all flows are in the cache' wait_for all_cached
before=$(stat lan_flow)
at_most 'conntrack -D: a check brings the flow back' "$(deleted)" $late ms
delete_all yes
ok 'they passed the cache' [ $(($(stat lan_flow) - before)) -gt 2000 ]

two_links fastpath = no
ok 'reload without cache' asym reload --config "$tmp/conf"
before=$(stat lan_flow)
traffic_on no
ok 'UDP is assured' wait_for assured
diag "without cache a flow is in conntrack again after $(deleted) ms"
delete_all no
is 'none passed the cache' $(($(stat lan_flow) - before)) 0
is '-F: UDP flows survive as without cache' "$alive_yes" "$alive_no"
# Where an answer is the first packet that the stack sees of a connection it has forgotten, it answers
# with RST; with the cache this may be one of a later round.
at_most '-F: TCP connections break hardly more often than without cache' "$broken_yes" $((broken_no + 2)) times
two_links
ok 'reload with cache' asym reload --config "$tmp/conf"

# --- the firewall changes -----------------------------------------------------------------------------
# and, at the same time, steady flows with short time-outs: see below
gw conntrack -F 2>/dev/null
gw sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=8 net.netfilter.nf_conntrack_udp_timeout_stream=6 \
	net.netfilter.nf_conntrack_tcp_timeout_{close,time_wait,last_ack,close_wait}=2
start steady_udp "$c" "$pace" udp -r 200 $host 5000
start steady_tcp "$c" "$traffic" tcp -n 1 -c 0 -p 5 $host 5000
start udp "$c" "$pace" udp $host 53
run_in "$net" "$pace" sink 5300
wait_for listening "$net" 5300
start tcp "$c" "$pace" send $host 5300
talk 7 "$c" tcp -n 1 -H -b 64 $host 443
talk 8 "$c" udp -n 1 -H -b 64 $host 443
exchange() { say 7 1; say 8 1; sleep 0.1; }
idlers() { exchange; cached_are 2 --port 443; }
ok 'six connections are in the cache' wait_for cached_are 4
ok 'two of them will be idle' wait_for idlers
net nft -f - <<-END
	table inet seen {
		counter udp53 {}
		counter tcp5300 {}
		chain in {
			type filter hook prerouting priority raw; policy accept;
			udp dport 53 counter name udp53
			tcp dport 5300 counter name tcp5300
		}
	}
END
seen() { net nft -j list counter inet seen "$1" | jq '[.nftables[].counter.packets? // empty] | add'; }
quiet() { # COUNTER: nothing has come for 300 ms
	local n
	n=$(seen "$1")
	sleep 0.3
	[ "$(seen "$1")" = "$n" ]
}
tcp_id=$(ids -p tcp --dport 443) udp_id=$(ids -p udp --dport 443)
steady_ids=$(ids --dport 5000) steady_since=$(now)
exchange
spoken=$(now)
forbid "ip daddr $host meta l4proto { tcp, udp } th dport { 53, 5300 }"
forbidden=$(now)
wait_for quiet tcp5300 || true
tcp_stopped=$((($(now) - forbidden) / 1000 - 300))
ok 'a rule stops TCP' quiet tcp5300
at_most 'it stopped in time' "$tcp_stopped" $((late + 300)) ms
ok 'and UDP' quiet udp53
allow
flowing() { ! quiet udp53; }
ok 'UDP flows again without the rule' wait_for flowing
finish udp tcp
stopped=$(($(us "$(field udp from)") - forbidden / 1000 * 1000))
at_most 'it stopped UDP in time' $((stopped / 1000)) $late ms
ok 'for as long as it was there' [ "$(field udp longest)" -gt 500 ]

# --- idle for nearly as long as conntrack lets them -----------------------------------------------------
until_past() { # TIME TENTHS of a second
	local left=$(($1 + $2 * 100000 - $(now)))
	[ $left -le 0 ] || sleep "$((left / 1000000)).$(printf %06d $((left % 1000000)))"
}
until_past "$spoken" 41
is 'UDP that idled for 4.1 of 6 s is still known' "$(ids -p udp --dport 443)" "$udp_id"
say 8 1
until_past "$spoken" 61
is 'TCP that idled for 6.1 of 8 s is still known' "$(ids -p tcp --dport 443)" "$tcp_id"
say 7 1
good() { [ "$(answers 7 1)" -gt "$1" ] && [ "$(answers 8 1)" -gt "$2" ]; }
sleep 0.1
is 'TCP went on' "$(answers 7 0)" 0
is 'UDP went on' "$(answers 8 0)" 0
is 'TCP: the same entry afterwards' "$(ids -p tcp --dport 443)" "$tcp_id"

# --- and for longer; a sequence number wraps meanwhile ---------------------------------------------------
sink() { # HOW PORT
	ip netns exec "$net" "$pace" sink "$2" >"$tmp/sink$1" 2>&1 </dev/null &
	asym_pids+=($!)
	wait_for listening "$net" "$2"
}
bulk() { # HOW PORT [-R]: 4.6 GiB, then the end
	local invalid lan left
	sink "$1" "$2"
	invalid=$(counter "$gw" invalid) lan=$(stat lan_flow)
	start bulk "$c" "$pace" send -B 4700 "${@:3}" $host "$2"
	ended bulk
	like "$1: sent and ended" "$(cat "$tmp/bulk")" "^end $1 bytes 49[0-9]{8}\$"
	wait_for test -s "$tmp/sink$1" || true
	like "$1: it arrived" "$(cat "$tmp/sink$1")" "^end $1 bytes "
	[ "$1" = RST ] || is "$1: so did every byte" "$(awk '{ print $4 }' "$tmp/sink$1")" "$(awk '{ print $4 }' "$tmp/bulk")"
	diag "$(cat "$tmp/sink$1")"
	ok "$1: nearly all of it passed the cache" [ $(($(stat lan_flow) - lan)) -gt 50000 ]
	is "$1: nothing was invalid" "$(counter "$gw" invalid)" "$invalid"
	# a RST of another sequence number than conntrack waits for only shortens the time-out
	# (nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet)
	left=$(gw conntrack -L -p tcp --dport "$2" 2>/dev/null | awk '{ print $3 }')
	at_most "$1: conntrack has seen the end" "${left:-0}" 2 's left'
	is "$1: it is no more in the cache" "$(asym flows --json --port "$2" | jq length)" 0
}
bulk FIN 5301
bulk RST 5302 -R
expired() { ! known --dport 443; }
ok 'idle connections expire' wait_for expired
until_past "$steady_since" 170
is 'steady ones do not, though their time was up twice' "$(ids --dport 5000)" "$steady_ids"
finish steady_udp steady_tcp
ok 'steady UDP has always passed' [ $(($(field steady_udp sent) - $(field steady_udp answered))) -le 5 ]
is 'steady TCP has not broken' "$(failures "$(cat "$tmp/steady_tcp")")" 0
clean_lines 1 2
done_testing
