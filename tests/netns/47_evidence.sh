#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What real traffic says of a link whose targets are silent: connections that are made through it keep it
# up; packets that merely arrive do not; and many that go out without any answer have it tested sooner.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
command -v iperf3 >/dev/null || skip_all 'needs iperf3'
lab
for k in 1 2; do wan $k; done
host=198.51.100.7 target=203.0.113.1
run_in "$net" iperf3 -s -B $host
monitored() { # PROBE: what tells the life of wan1
	config <<-END
		lan { devices = {"lan0"} }
		link wan1 { device = "wan1" probe { ping = {$target} $1 } }
		link wan2 { device = "wan2" }
		policy main { tier { links = {"wan1"} } tier { links = {"wan2"} } }
		rule all { policy = main }
	END
}
events=$tmp/events
daemon() {
	ip netns exec "$gw" "$asymbpf" monitor --config "$tmp/conf" --json >>"$events" 2>"$tmp/log" </dev/null &
	daemon=$!
	asym_pids+=("$daemon")
}
said() { jq -s -e "any(.event == \"link\" and .link == \"wan1\" and .family == \"ipv4\" and .state == \"$1\")" "$events"; }
is_up() { [ "$(status '.links[0].ipv4.up')" = "$1" ]; }
ready() { asym link wan2 auto && is_up true; }
reload() { # PROBE
	monitored "$1"
	asym reload --config "$tmp/conf"
}
up_again() { # after rise, and the events from here on
	wait_for is_up true
	: >"$events"
}
# The ISP of wan1, beyond its router: a table of its own, as whole.
net nft add table inet far '{ chain in { type filter hook prerouting priority -350; policy accept; }; }'
broken() { net nft "flush chain inet far in; add rule inet far in iifname p1 $1 drop"; }
whole() { net nft flush chain inet far in; }
down_after() { # SINCE: how long it took to be down, ms; at most 20 s
	until said down >/dev/null || [ $(($(now) - $1)) -gt 20000000 ]; do sleep 0.02; done
	echo $((($(now) - $1) / 1000))
}
attempts() { # ARGS of traffic: again and again
	run_in "$c" bash -c 'while :; do "$0" tcp "$@" 443; sleep 0.3; done' "$traffic" "$@" $host
	clients=$kept
}
open_by() { [ -n "$(c ss -Htn "dport = :443")" ]; }
no_attempts() {
	kill "$clients"
	wait "$clients" || true
	while open_by; do sleep 0.02; done
}

monitored ''
daemon
needs 'the daemon is there, wan1 is up' wait_for ready
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'

# --- nothing but probes ------------------------------------------------------------------------------
broken 'icmp type echo-request'
silent=$(now)
at_most 'no traffic: silent targets end it' "$(down_after "$silent")" 3000 ms
whole
ok 'it comes back' up_again

# --- a target that is gone, the link is not -------------------------------------------------------------
attempts -n 20 -w 20 -c 3 -t 500 # of some milliseconds each, which is less than looks are apart
via_wan1() { [ "$(arrived tcp1)" -ge "$1" ]; }
ok 'connections use wan1' wait_for via_wan1 60
broken 'icmp type echo-request'
before=$(arrived tcp1)
asks() { jq -s -e 'any(.event == "target" and .link == "wan1" and .state == "down")' "$events"; }
ok 'its target does not answer' wait_for asks
ok 'for long' wait_for via_wan1 $((before + 400))
ok 'but connections are made: it is up' is_up true
ok 'and was, all the time' sh -c "! grep -q '\"event\":\"link\"' $events"
is 'nothing went by wan2' "$(arrived tcp2)" 0
no_attempts
ended=$(now)
at_most 'they end, and so does the link' "$(down_after "$ended")" 3000 ms
whole
ok 'it is back' up_again

# --- half dead: it brings packets, and takes none -----------------------------------------------------
run_in "$c" iperf3 -c $host -t 60 --bidir -P 4 -b 20M
ok 'connections in both directions are in the cache' wait_for cached_are 6 --link wan1
flood=$kept
run_in "$net" perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "100.64.1.2", PeerPort => 9) or die;
	while (1) { $s->send("x" x 100); select undef, undef, undef, 0.01 }'
broken ''
silent=$(now)
rx() { gw cat /sys/class/net/wan1/statistics/rx_packets; }
before=$(rx)
at_most 'half dead: down, whatever arrives' "$(down_after "$silent")" 3000 ms
ok 'which was a lot' [ $(($(rx) - before)) -ge 100 ]
kill "$flood" "$kept"
wait "$flood" "$kept" || true
whole
ok 'it is up again' up_again

# --- a link that is seldom asked ------------------------------------------------------------------------
ok 'the next question is in 30 s' reload 'interval = 30s failure-interval = 500ms recovery-interval = 500ms'
attempts -n 5 -t 300
before=$(arrived tcp1)
ok 'connections use wan1' wait_for via_wan1 $((before + 20))
broken ''
silent=$(now)
at_most 'they get no answer: it is asked at once' "$(down_after "$silent")" 8000 ms
no_attempts
kill "$daemon"
ended=0
wait "$daemon" || ended=$?
is 'the daemon ends in peace' "$ended" 0
done_testing
