#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 250 links with two targets each, asked once a second: what the daemon needs for that, of a CPU and of memory,
# whatever it asks, and whether there is an answer or not.
#
#   [c] ──── lan0 [gw] wan1..wan250 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
n=250 seconds=10
for ((k = 1; k <= n; k++)); do echo "link add wan$k type veth peer name p$k netns $net"; done | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set wan$k up" "addr add 100.64.$k.2/24 dev wan$k" \
		"route add default via 100.64.$k.1 dev wan$k metric $((100 + k))"
done | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set p$k up" "addr add 100.64.$k.1/24 dev p$k"
done | ip -n "$net" -batch -
net nft -f - <<-'END'
	table inet asked {
		counter asked {}
		chain in {
			type filter hook prerouting priority raw; policy accept;
			ip daddr != { 198.51.100.1, 203.0.113.1 } accept
			icmp type echo-request counter name asked
			tcp flags & (syn | ack) == syn counter name asked
			udp dport 53 counter name asked
		}
	}
END
probe() { # KEYS: what all links ask
	echo "lan { devices = \"lan0\" } probe { interval = 1s timeout = 1s $1 }"
	for ((k = 1; k <= n; k++)); do echo "link wan$k {}"; done
}
asked() { net nft -j list counter inet asked asked | jq '[.nftables[].counter.packets? // empty] | add'; }
links() { # JQ-CONDITION: how many links it is true of, by IPv4
	ask '{"do": "status"}' | jq "[.links[].ipv4 | select($1)] | length"
}
all_answer() { # KIND
	[ "$(links ".state == \"up\" and (.targets | length == 2 and all(.latency_ms != null)
		and any(.kind == \"$1\"))")" = $n ]
}
all_silent() { [ "$(links '.state == "down" and .reason == "silence"')" = $n ]; }
all_up() { [ "$(links '.state == "up"')" = $n ]; }
files_are() { [ "$(open_files)" = "$1" ]; }
# Each of 750 programs that are attached may wait for all CPUs, which takes its time on a machine that is busy.
wait_long() { wait_for "$@" || wait_for "$@"; }

costs() { # DESCRIPTION TARGETS: of each link that the far end counts
	local probes cpu t
	quiet 300
	mark_events
	probes=$(asked) cpu=$(cpu_ms) t=$(now)
	sleep $seconds
	cpu=$(($(cpu_ms) - cpu)) probes=$(($(asked) - probes)) t=$((($(now) - t) / 1000))
	diag "$1: $((probes * 1000 / t)) probes a second: $(ms $((cpu * 1000000 / t))) ms of a CPU per second," \
		"$(memory) KiB, $(open_files) descriptors"
	near "$1: probes in this time" "$probes" $(($2 * n * t / 1000)) $n
	if [ "$build" = "$root/build-san" ]; then
		echo "ok $((++n_tests)) - CPU and memory # SKIP of a build with sanitizers they tell nothing"
	else
		at_most "$1: of a CPU" $((cpu * 1000 / t)) 50 'tenths of a percent'
		at_most "$1: memory" "$(memory)" 20480 KiB
	fi
	is "$1: no link has changed" "$(told_times '.event == "link"')" 0
}
ask_instead() { # KEYS
	probe "$1" | config
	asym reload --config "$tmp/conf"
}

probe 'ping = {198.51.100.1, 203.0.113.1}' | config
daemon_start --config "$tmp/conf"
ok 'the daemon starts' wait_long told '.event == "start"'
ok 'ping: both targets of all links answer' wait_for all_answer ping
costs ping 2
files=$(open_files)

ok 'tcp instead' ask_instead 'tcp = {198.51.100.1:80, 203.0.113.1:81}'
ok 'tcp: both targets of all links answer' wait_for all_answer tcp
costs tcp 2

ok 'the gateway as well' ask_instead 'tcp = 198.51.100.1:80 gateway = yes'
ok 'tcp and gateway: both answer' wait_for all_answer gateway
costs 'tcp and gateway' 1

net nft -f - <<-'END'
	table inet silent { chain in { type filter hook input priority 0; policy drop; }; }
END
ok 'nobody is there' ask_instead 'ping = 198.51.100.1 dns = 203.0.113.1'
ok 'all links are down' wait_long all_silent
costs silence 2
net nft delete table inet silent
ok 'and up again' wait_for all_up
ok 'ping again' ask_instead 'ping = {198.51.100.1, 203.0.113.1}'
ok 'both targets of all links answer again' wait_for all_answer ping
# the gateway was asked by a socket of each device, which stays with it
ok 'no other descriptor is left over' wait_for files_are $((files + n))

# it does see them: the answers of a fifth of the links stay away
holes
for ((k = 1; k <= 50; k++)); do echo "add element inet holes black { \"p$k\" }"; done | net nft -f -
fifty_down() { [ "$(links '.state == "down" and .reason == "silence"')" = 50 ]; }
ok '50 links that lose everything are down' wait_for fifty_down
is 'the others are up' "$(links '.state == "up"')" $((n - 50))
net nft delete table inet holes
ok 'and these are up again' wait_for all_up
daemon_end
is 'the daemon ends' "$ended" 0
done_testing
