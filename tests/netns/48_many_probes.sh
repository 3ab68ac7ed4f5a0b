#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 250 links with two targets each, asked once a second: what the daemon needs for that, of a CPU and of memory.
#
#   [c] ──── lan0 [gw] wan1..wan250 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
n=250 seconds=15
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
			ip daddr { 198.51.100.1, 203.0.113.1 } icmp type echo-request counter name asked
		}
	}
END
{
	echo 'lan { devices = "lan0" } probe { interval = 1s ping = {198.51.100.1, 203.0.113.1} }'
	for ((k = 1; k <= n; k++)); do echo "link wan$k {}"; done
} | config
asked() { net nft -j list counter inet asked asked | jq '[.nftables[].counter.packets? // empty] | add'; }
links() { # JQ-CONDITION: how many links it is true of, by IPv4
	ask '{"do": "status"}' | jq "[.links[].ipv4 | select($1)] | length"
}
all_answer() { [ "$(links '.state == "up" and (.targets | length == 2 and all(.latency_ms != null))')" = $n ]; }

# Each of 750 programs that are attached may wait for all CPUs, which takes its time on a machine that is busy.
wait_long() { wait_for "$@" || wait_for "$@"; }
daemon_start --config "$tmp/conf"
ok 'the daemon starts' wait_long told '.event == "start"'
ok 'both targets of all links answer' wait_for all_answer
quiet 300
mark_events
files=$(open_files) probes=$(asked) cpu=$(cpu_ms) t=$(now)
sleep $seconds
cpu=$(($(cpu_ms) - cpu)) probes=$(($(asked) - probes)) t=$((($(now) - t) / 1000))
diag "$((probes * 1000 / t)) probes a second: $(ms $((cpu * 1000000 / t))) ms of a CPU per second," \
	"$(memory) KiB, $(open_files) descriptors"
near 'probes in this time' "$probes" $((2 * n * t / 1000)) $n
if [ "$build" = "$root/build-san" ]; then
	echo "ok $((++n_tests)) - CPU and memory # SKIP of a build with sanitizers they tell nothing"
else
	at_most 'of a CPU' $((cpu * 1000 / t)) 50 'tenths of a percent'
	at_most 'memory' "$(memory)" 20480 KiB
fi
is 'no descriptor is left over' "$(open_files)" "$files"
is 'no link has gone down' "$(told_times '.event == "link"')" 0

# it does see them: the answers of a fifth of the links stay away
holes
for ((k = 1; k <= 50; k++)); do echo "add element inet holes black { \"p$k\" }"; done | net nft -f -
fifty_down() { [ "$(links '.state == "down" and .reason == "silence"')" = 50 ]; }
ok '50 links that lose everything are down' wait_for fifty_down
is 'the others are up' "$(links '.state == "up"')" $((n - 50))
net nft delete table inet holes
all_up() { [ "$(links '.state == "up"')" = $n ]; }
ok 'and up again' wait_for all_up
daemon_end
is 'the daemon ends' "$ended" 0
done_testing
