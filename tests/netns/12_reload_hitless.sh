#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Twenty reloads with changing weights under load: no datagram is lost, no connection breaks or
# leaves its link, no new connection fails.
#
#   [c] ──── lan0 [gw] wan1, wan2, wan3 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
needs 'load' asym load --iface wan1 --iface wan2 --iface wan3 --lan lan0

background() { # NAME NS ARGS...: a traffic until SIGTERM, its report in $tmp/NAME
	local name=$1 ns=$2
	shift 2
	ip netns exec "$ns" "$traffic" "$@" >"$tmp/$name" 2>&1 </dev/null &
	asym_pids+=($!)
	running+=($!)
}
running=()
background udp "$c" udp -n 40 -c 0 -p 1 198.51.100.0/24 53
background tcp "$c" tcp -n 40 -c 0 -p 1 -b 4096 198.51.100.0/24 80
background six "$c" udp -n 20 -c 0 -p 1 2001:db8:ffff::/64 53
background own "$gw" udp -n 20 -c 0 -p 1 198.51.100.0/24 53
all_arrive() { [ "$(arrived tcp1 tcp2 tcp3)" -ge 40 ] && [ "$(arrived udp1 udp2 udp3)" -ge 2000 ]; }
ok 'traffic flows' wait_for all_arrive

# one connection after the other while reloads go on
background fresh "$c" tcp -n 1000000 -w 1 -t 1000 198.51.100.0/24 443
refused=0
for ((i = 1; i <= 20; i++)); do
	asym reload --iface wan1:$((i % 5 + 1)) --iface wan2:$((i % 3 + 1)) --iface wan3:$((i % 7 + 1)) --lan lan0 \
		>"$tmp/reload" 2>&1 || { refused=$((refused + 1)); diag "$(cat "$tmp/reload")"; }
done
is '20 reloads' "$refused" 0
before=$(arrived udp1 udp2 udp3)
more() { [ "$(arrived udp1 udp2 udp3)" -gt $((before + 500)) ]; }
ok 'traffic still flows' wait_for more
for pid in "${running[@]}"; do kill -TERM "$pid"; done
for pid in "${running[@]}"; do wait "$pid" || true; done

for name in udp tcp six own; do
	text=$(cat "$tmp/$name")
	diag "$name: $(awk '{ n += $2 } END { print n }' <<<"$text") exchanges"
	is "$name: nothing lost, nothing moved, nothing broken" "$(failures "$text")" 0
	ok "$name: all links were in use" [ "$(wc -l <<<"$text")" -eq 3 ]
done
no_strays 'no packet left by another link than its connection' 1 2 3
is 'no new connection failed' "$(failures "$(cat "$tmp/fresh")")" 0
ok 'new connections were made all the time' [ "$(awk '{ n += $2 } END { print n }' "$tmp/fresh")" -gt 500 ]
done_testing
