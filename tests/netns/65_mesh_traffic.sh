#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What flows of a direction do: they are spread by weights, thick ones leave the dear way after their first
# 200 kB, or when its budget is used up, while a ping stays there; a node that moves to another address goes
# on within a second.  All of it by IPv4, then on a mesh with nothing but IPv6.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
. "$(dirname "$0")/mesh_lines.sh"
command -v iperf3 >/dev/null || skip_all 'no iperf3'
pace=$build/tests/netns/pace
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/pace >&2

three_nodes
for n in a c; do
	run_in "${!n}" "$build/tests/netns/echod" 5000
	wait_for listening "${!n}" 5000
done
run_in "$c" iperf3 -s
wait_for listening "$c" 5201
run_in "$c" "$pace" sink 5300
wait_for listening "$c" 5300

description() { # UP [LINE of b's]
	nodes "${2-}"
	echo "direction up { from = a  to = c  $1 }"
	echo 'direction down { from = c  to = a  paths = direct }'
}
of_family() { # DESCRIPTION
	echo "IPv$family: $1"
}
record() { # all that A sends, by either tunnel
	tap relayed "$a" out w-b
	tap direct "$a" out w-c
}
to_c() { echo "dst == \"${overlay[c]}\" && ($1)"; } # AWK-CONDITION
flows_of() { lines "$1" "$(to_c 'proto == "udp" && dport == 5000')" | awk '{ print $3 }' | sort -u; } # NAME: ports

# --- weights ---------------------------------------------------------------------------------------
spread() { # DESCRIPTION FLOWS PERCENT-OF-THE-RELAY
	local d n=$2 relayed both
	d=$(of_family "$1")
	record
	is "$d: no exchange fails" "$(in_node a "$traffic" udp -n "$n" -c 2 -p 200 -t 5000 "${overlay[c]}" 5000)" \
		"${overlay[a]} $((2 * n))"
	untap relayed direct
	relayed=$(flows_of relayed | wc -l)
	both=$(comm -12 <(flows_of relayed) <(flows_of direct) | wc -l)
	near "$d: flows by the relay" $((relayed * 1000 / n)) $(($3 * 10)) "${4-90}"
	is "$d: the others go direct" $((relayed + $(flows_of direct | wc -l) - both)) "$n"
	is "$d: no flow goes both ways" "$both" 0
}
weights() {
	description 'paths = {"via b:3", "direct:1"}' >"$tmp/mesh.conf"
	apply_all "$(of_family 'three to one')"
	spread '3 : 1' 500 75
	description 'paths = {"via b:1", "direct:4"}' >"$tmp/mesh.conf"
	apply_all "$(of_family 'one to four')"
	spread '1 : 4' 500 20
	shape bc '0 0 100 0 0' '0 0 100 0 0'
	dead() { [ "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.dead).way')" = 'via b' ]; }
	ok "$(of_family 'the relay dies')" wait_for dead
	spread 'the relay is dead' 100 0 0
	usual
	wait_for all_live a
}

# Only to a slower way flows move without a pause.
direct_is_slower() {
	slower() { wg_status a '.measured.peers[] | select(.node == "c").to[] | select(.way == "direct" and .delay_ms > 30).way' | grep -q .; }
	wait_for sends_by a 'via b'
	wait_for slower
	sleep 1.2 # it is written each second
}
# --- the first 200 kB ------------------------------------------------------------------------------
bytes_by() { # NAME AWK-CONDITION: of the flow that has most of them
	lines "$1" "$(to_c "$2")" | awk '$8 > n { n = $8 } END { print n + 0 }'
}
classes() {
	description 'paths = {"via b", direct}  bulk = direct' >"$tmp/mesh.conf"
	apply_all "$(of_family 'bulk goes direct')"
	direct_is_slower
	record
	# 320 kB in 4 s: long, but slow
	in_node a "$pace" udp -t 4 -r 80 -b 1000 "${overlay[c]}" 5000 >"$tmp/slow" &
	local slow=$!
	for x in 1 2 3; do
		ok "$(of_family "3 MB, $x")" in_node a "$pace" send -B 3 "${overlay[c]}" 5300
	done
	wait "$slow"
	untap relayed direct
	local n=0 bytes
	while read -r bytes; do
		near "$(of_family 'the first 200 kB by the relay')" $((bytes / 1000)) 235 45
		n=$((n + 1))
	done < <(lines relayed "$(to_c 'proto == "tcp" && dport == 5300')" | awk '{ print $8 }')
	is "$(of_family 'all three')" "$n" 3
	like "$(of_family 'a slow flow loses nothing')" "$(<"$tmp/slow")" 'sent 3[12][0-9] answered 3[12][0-9] moved 0 refused 0'
	is "$(of_family 'it stays')" "$(lines direct "$(to_c 'proto == "udp" && dport == 5000')")" ''
	ok "$(of_family 'it was long')" [ "$(bytes_by relayed 'proto == "udp" && dport == 5000')" -gt 300000 ]
}

# --- a budget --------------------------------------------------------------------------------------
from_a() { in_node b cat /sys/class/net/w-a/statistics/rx_bytes; } # bytes that the relay has of A
sample() { # SECONDS: "MS BYTES" of what has come to the relay, ten times a second
	local end=$(($(now_ms) + $1 * 1000))
	while [ "$(now_ms)" -lt "$end" ]; do
		echo "$(now_ms) $(from_a)"
		sleep 0.1
	done
}
most_in() { # MS: the most bytes within any such time of $tmp/sample, for a second each
	awk -v ms="$1" '{ t[NR] = $1; b[NR] = $2 }
		END {
			for (i = 1; i <= NR; i++)
				for (k = i + 1; k <= NR; k++)
					if (t[k] - t[i] >= ms) {
						n = (b[k] - b[i]) * 1000 / (t[k] - t[i])
						if (n > most) most = n
						break
					}
			printf "%d\n", most
		}' "$tmp/sample"
}
rtts() { sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$tmp/pings" | sort -n; }
percentile() { rtts | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100); printf "%d\n", v[i < 1 ? 1 : i] }'; }
budget() {
	local seconds=7 rate=1000000 size
	description 'paths = {"via b", direct}  rate = 8mbit' 'metered = yes' >"$tmp/mesh.conf"
	shape ac '55 1 0 40000 250000' '15 1 0 0 0'
	apply_all "$(of_family '8 Mbit/s for the relay')"
	direct_is_slower
	record
	pings a "${overlay[c]}"
	sample $seconds >"$tmp/sample" &
	local sampler=$!
	in_node a iperf3 -c "${overlay[c]}" -P 3 -t $((seconds - 1)) -J >"$tmp/iperf" &
	local iperf=$!
	# those would leave the relay once and for all; new flows look for what it has left
	while kill -0 $iperf 2>/dev/null; do
		in_node a "$pace" send -B 1 "${overlay[c]}" 5300 >>"$tmp/small"
	done
	wait $iperf || diag "$(<"$tmp/iperf")"
	wait $sampler
	kill -INT "$pinger"
	wait "$pinger" || true
	untap relayed direct
	usual
	size=$(awk '{ last = $2 } NR == 1 { first = $2 } END { print last - first }' "$tmp/sample")
	diag "bulk: $(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$tmp/iperf") Mbit/s; the relay had $size bytes," \
		"at most $(most_in 1000) in a second; ping $(percentile 50) ms, 90 % within $(percentile 90) ms"
	# a burst is 200 kB, half of one may be owed, and a GSO packet is not divided; probes come to it
	ok "$(of_family 'the relay carries no more than the rate')" [ "$size" -le $((seconds * rate * 105 / 100 + 400000)) ]
	ok "$(of_family 'in no two seconds')" [ "$(most_in 2000)" -le $((rate * 105 / 100 + 200000)) ]
	ok "$(of_family 'but it carries some')" [ "$size" -ge $((seconds * rate / 4)) ]
	ok "$(of_family 'bulk goes by both')" [ "$(jq '.end.sum_received.bytes' "$tmp/iperf")" -gt $((seconds * rate * 3 / 2)) ]
	local icmp='proto == "icmp" && (sport == 8 || sport == 128)'
	ok "$(of_family 'the ping goes by the relay')" [ "$(seen relayed "$(to_c "$icmp")")" -gt 100 ]
	is "$(of_family 'it stays there')" "$(lines direct "$(to_c "$icmp")")" ''
	# by the other way it would be 70 ms, and up to 50 ms more for what waits there
	ok "$(of_family 'and has its short time')" [ "$(percentile 50)" -lt 50 ]
	# a queue of this machine's may have no room
	ok "$(of_family "hardly any is lost ($(lost_pings))")" [ "$(lost_pings)" -le 3 ]
}
lost_pings() { # but the last, which may have been under way
	awk -F'[= ]' '/icmp_seq=/ { for (i = 1; i < NF; i++) if ($i == "icmp_seq") seen[$(i + 1)] = 1 }
		/transmitted/ { for (n = 1; n < $1 - 1; n++) lost += !(n in seen) } END { print lost + 0 }' "$tmp/pings"
}

# --- another address -------------------------------------------------------------------------------
roam() {
	local new=${outer[a]}9 length=$((family == 4 ? 32 : 128)) n
	pings a "${overlay[c]}"
	ip -n "$a" addr add "$new/$length" dev lo
	for n in b c; do
		ip -n "${!n}" route add "$new" dev "${n}a"
		ip -n "$a" route replace "${outer[$n]}" dev "a$n" src "$new"
	done
	ip -n "$a" addr del "${outer[a]}/$length" dev lo
	roamed() { in_node c "$asymbpf" wg show --json | jq -e --arg x "$new" '.tunnels[] | select(.device == "w-a").endpoint | contains($x)'; }
	ok "$(of_family 'another address of A')" wait_for roamed
	sleep 1
	n=$(gap)
	ok "$(of_family "within a second ($n ms)")" [ "$n" -lt 1000 ]
}

for family in 4 6; do
	use_family $family
	description 'paths = {"via b", direct}' >"$tmp/mesh.conf"
	apply_all "$(of_family 'apply')"
	is "$(of_family 'addresses')" "$(in_node a ip -o addr show dev ov0 scope global | awk '{ print $4 }')" \
		"${overlay[a]}/$((family == 4 ? 32 : 128))"
	measure_all
	weights
	classes
	budget
	roam
	for n in a b c; do end_daemon $n; done
	down_all "$(of_family 'down')"
done
for n in a b c; do is "complaints of $n" "$(complaints $n)" ''; done
done_testing
