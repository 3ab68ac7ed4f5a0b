#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's switch when it cannot happen at once, and what a switch must leave alone:
# - all links die, and only later a worse one is back;
# - a link dies, and another process loads before the daemon has seen it;
# - the operator speaks while another process is loading;
# - connections that came in by the backup link, when the better one is back.
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
config <<-END
	link wan1 { device = "wan1" }
	link wan2 { device = "wan2" }
	policy tiers {
		failback = move
		tier { links = {"wan1"} }
		tier { links = {"wan2"} }
	}
	rule all { policy = tiers }
END
run_in "$gw" "$asymbpf" monitor --config "$tmp/conf"
daemon=$kept
link() { status ".links[] | select(.name == \"$1\") | $2"; } # NAME JQ-FILTER
is_up() { [ "$(link "$1" .ipv4.up)" = "$2" ]; }              # NAME true|false
both_up() { is_up wan1 true && is_up wan2 true; }
marked() { # K: connections of link K
	gw conntrack -L -f ipv4 2>/dev/null | grep -c "mark=$(($1 * 256)) " || true
}
has() { [ "$(marked "$1")" = "$2" ]; } # K N
open() {
	run_in "$c" "$traffic" tcp -n 5 -c 0 -p 300 -t 30000 198.51.100.7 5000
}
line() { # K up|down: the ISP's end
	ip -n "$net" link set "p$1" "$2"
	[ "$2" = down ] || wan_address "$1" "wan$1"
}
needs 'both links are up' wait_for both_up

# --- nothing better at first
open
needs 'five connections by wan1' wait_for has 1 5
line 2 down
wait_for is_up wan2 false
line 1 down
wait_for is_up wan1 false
is 'all links dead: the connections wait' "$(marked 1)" 5
line 2 up
wait_for is_up wan2 true
ok 'they end when wan2 is back' wait_for has 1 0
line 1 up
needs 'both are up again' wait_for both_up

# --- another process loads first
gw conntrack -F 2>/dev/null
open
needs 'five connections by wan1' wait_for has 1 5
kill -STOP "$daemon"
line 1 down
ok 'reload beside the daemon' asym reload
kill -CONT "$daemon"
ok 'connections of the dead link end all the same' wait_for has 1 0
told() { cat "$tmp"/keep.*; }
is 'and it is told' "$(told | grep -c 'wan1: IPv4 down')" 2
line 1 up
needs 'both are up again' wait_for both_up

# --- the operator's word
lock=$(state_file).lock
(
	exec 8>"$lock"
	flock 8
	asym link wan2 down
	cp "$(state_file)" "$tmp/state"
	mv "$tmp/state" "$(state_file)"
	rm -f "$lock"
)
ok 'what the operator says during a load is done after it' wait_for is_up wan2 false
asym link wan2 auto
needs 'both are up again' wait_for both_up

# --- who came in by the backup
asym link wan1 down
wait_for is_up wan1 false
gw nft -f - <<-END
	table ip services {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan2" tcp dport 2222 dnat to 10.0.0.2:5000
		}
	}
END
run_in "$c" "$build/tests/netns/echod" 5000
wait_for listening "$c" 5000
gw conntrack -F 2>/dev/null
run_in "$net" "$traffic" tcp -n 2 -c 0 -p 300 -t 30000 100.64.2.2 2222
open
needs 'two connections in and five out by wan2' wait_for has 2 7
asym link wan1 auto
ok 'those that go out follow to wan1, those that came in stay' wait_for has 2 2
done_testing
