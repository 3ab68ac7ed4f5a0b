#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Classes by rules: what A sends to C goes by B (thin) or direct (thick); rules say which flows are
# never thick and which are from their first packet.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
command -v iperf3 >/dev/null || skip_all 'no iperf3'
sequence=$build/tests/netns/sequence
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{sequence,cookie} >&2
mesh_lab

describe() { # RULES
	scheme_one "$1" | sed 's/paths = {"via b", direct}/& bulk = direct/' >"$tmp/mesh.conf"
}
rules='
	rule voice { dscp = {ef, cs5}  class = interactive }
	rule ssh { proto = tcp  dport = 2222  class = interactive }
	rule backup { to = c  proto = {tcp, udp}  dport = {7010, 8730-8739}  class = bulk }
	rule other { from = !a  class = interactive }'
describe "$rules"
for n in a b c; do needs "apply at $n" wg_apply $n; done
wait_for reaches a 192.168.51.2
wait_for reaches c 192.168.51.5
for port in 2222 5201 8730; do
	run_in "$c" iperf3 -s -p $port
	wait_for listening "$c" $port
done
way() { wg_status a ".nodes[] | select(.node == \"c\").ways[] | select(.way == \"$1\").$2"; } # WAY packets|bytes
begun() { wg_status a ".counters.flow_$1"; } # CLASS
note() { # what has gone until now
	by_b=$(way 'via b' bytes) by_c=$(way direct bytes)
}
grown() { # sets grown_b and grown_c: bytes since then
	grown_b=$(($(way 'via b' bytes) - by_b)) grown_c=$(($(way direct bytes) - by_c))
}
send() { # NS PORT ARG...: 3 MB to c, less what iperf3 has in its socket's buffer at the end
	local ns=$1 port=$2
	shift 2
	note
	ok "3 MB to port $port $*" ip netns exec "$ns" \
		timeout 60 iperf3 -c 192.168.51.2 -p "$port" -n 3M -w 128K "$@"
	grown
}

# --- by what they send, by port, by DSCP -------------------------------------------------------------
send "$a" 5201
ok "default: its beginning by B ($grown_b)" [ "$grown_b" -ge 200000 ]
ok "the rest direct ($grown_c)" [ "$grown_c" -ge 2000000 ]

was=$(begun interactive)
send "$a" 2222
ok "interactive: all of it by B ($grown_b)" [ "$grown_b" -ge 2500000 ]
is 'nothing direct' "$grown_c" 0
is 'it counts: a connection and its data' $(($(begun interactive) - was)) 2
send "$la" 2222
is 'likewise from a LAN' "$grown_c" 0

tap ab "$a" out w-b
tap ac "$a" out w-c
was=$(begun bulk)
send "$a" 8730
is 'refused' "$(in_node a "$traffic" tcp -n 5 192.168.51.2 8731)" '!ECONNREFUSED 5'
untap ab ac
ok "bulk: all of it direct ($grown_c)" [ "$grown_c" -ge 2500000 ]
is 'by B acknowledgements alone' "$(lines ab 'proto == "tcp" && largest > 92')" ''
is 'the first packet direct' "$(seen ac 'proto == "tcp" && dport == 8731')" 5
is 'not by B' "$(seen ab 'proto == "tcp" && dport == 8731')" 0
is 'it counts' $(($(begun bulk) - was)) 7
tap ab "$a" out w-b
tap ac "$a" out w-c
send "$a" 8730 -R
untap ab ac
ok 'bulk the other way: its acknowledgements by B' [ "$(seen ab 'proto == "tcp" && dport == 8730')" -gt 50 ]
ok 'hardly anything direct' [ "$(seen ac 'proto == "tcp" && dport == 8730')" -lt 30 ]

in_node a nft add table inet stamp
in_node a nft 'add chain inet stamp out { type filter hook output priority mangle; }'
in_node a nft add rule inet stamp out udp dport 7001 ip dscp set ef
flow() { # PORT SIZE PER_S COUNT: from a to c; what c says of it is in $tmp/PORT afterwards
	in_node c "$sequence" receive "$1" >"$tmp/$1" &
	asym_pids+=($!)
	wait_for bound "$1"
	note
	in_node a "$sequence" send 192.168.51.2 "$@"
	wait_for test -s "$tmp/$1"
	grown
}
bound() { [ -n "$(in_node c ss -Huln "sport = :$1")" ]; }
flow 7001 972 1000 1500
ok "expedited forwarding: by B ($grown_b)" [ "$grown_b" -ge 1400000 ]
is 'nothing direct' "$grown_c" 0
flow 7002 972 1000 1500
ok "without it, direct past its beginning ($grown_c)" [ "$grown_c" -ge 900000 ]

# --- what is told --------------------------------------------------------------------------------
like 'as text' "$(wg a show)" $'\nFlows that began: [0-9]+ default, [0-9]+ interactive, [0-9]+ bulk'
plan() { in_node a "$asymbpf" wg plan --config "$tmp/mesh.conf" --node "$1" "${@:2}"; }
like 'the plan' "$(plan a)" $'\nclass bulk rule backup to c proto tcp,udp dport 7010,8730-8739\n'
is 'those of others are not in it' "$(plan a | grep -c other)" 0
is 'the plan as JSON' \
	"$(plan c --json | jq -c '.nodes[0].rules | [map(.name), map(.class), .[2].to, .[0].dscp]')" \
	'[["voice","ssh","backup","other"],["interactive","interactive","bulk","interactive"],["c"],["cs5","ef"]]'
describe $'rule x { proto = tcp\n dport = 22 }'
exits 'bad input' 1 "mesh.conf:[0-9]+: .*class: rule \"x\" has none, expected interactive, bulk or default" plan a

# --- other rules, while packets pass -------------------------------------------------------------
was=$(begun bulk)
count=$((2400 * ${ASYM_TEST_SLOW:-1}))
flow 7010 100 300 $count >"$tmp/before" &
bulk=$!
begins() { [ "$(begun bulk)" -gt "$was" ]; }
wait_for begins
describe 'rule backup { proto = udp  dport = 7010  class = interactive }'
for ((i = 0; i < 3; i++)); do wg_apply a >/dev/null; done
note
moved=$(wg_status a .counters.out_moved)
sleep 1
grown
wait $bulk
like 'no packet is lost by it' "$(<"$tmp/7010")" "^$count received, 0 lost"
is 'a flow that was known keeps its class' "$grown_b" 0
ok "all of it direct ($grown_c)" [ "$grown_c" -gt 10000 ]
is 'and its way' "$(wg_status a .counters.out_moved)" "$moved"
flow 7010 972 1000 1000
is 'one that begins has the new one' "$grown_c" 0
for n in b c; do ok "apply at $n" wg_apply $n; done
is 'the same description everywhere' "$(for n in a b c; do wg_status $n .hash; done | sort -u | wc -l)" 1

# --- programs of another version -------------------------------------------------------------------
programs() { in_node a bpftool -j net | jq '[.[].tc[]?] | length'; }
config_value() { # ID: a byte a line
	bpftool -j map lookup id "$1" key 0 0 0 0 | jq -r '.value[]'
}
config_map() { # id of that of a: its cookie is in bytes 8 to 15
	local id hex
	for id in $(bpftool -j map show | jq -r '.[] | select(.name == "ov_config").id'); do
		hex=$(config_value "$id" | sed -n '9,16s/^0x//p' | tac | paste -sd '')
		[ $((0x$hex)) != "$cookie" ] || echo "$id"
	done
}
cookie=$(in_node a "$build/tests/netns/cookie")
number=$(programs) map=$(config_map)
mapfile -t value < <(config_value "$map")
bpftool map update id "$map" key 0 0 0 0 value 1 "${value[@]:1}"
exits 'they are not taken for ours' 0 'programs do not run' wg a show
ok 'apply' wg_apply a
is 'each in place of the old one' "$(programs)" "$number"
is 'they count anew' "$(begun interactive)" 0
flow 7010 972 1000 1000
is 'and have the rules' "$grown_c" 0

for n in a b c; do ok "down at $n" wg $n down; done
done_testing
