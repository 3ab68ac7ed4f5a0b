#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Switching by hand and back: the last resort of each policy while no link lives, with the LAN as before;
# `asymbpf link`; what becomes of connections when a better link is back.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
#   [other] ─ lan1     wan3            (no link: only main knows it) ════
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
for k in 1 2 3; do wan $k; done
steady_lines 1 2
space other
cable "$other" eth0 "$gw" lan1
ip -n "$gw" addr add 10.9.0.1/24 dev lan1
ip -n "$other" addr add 10.9.0.2/24 dev eth0
ip -n "$other" route add default via 10.9.0.1
run_in "$other" "$build/tests/netns/echod" 80
run_in "$gw" "$build/tests/netns/echod" 22
wait_for listening "$other" 80
wait_for listening "$gw" 22
gw nft -f - <<-'END'
	table ip test {
		chain post { type nat hook postrouting priority srcnat; oifname "wan3" masquerade; }
	}
END
# main has other routes as soon as a line has no carrier
gw sysctl -qw net.ipv4.conf.wan1.ignore_routes_with_linkdown=1 net.ipv4.conf.wan2.ignore_routes_with_linkdown=1
host=198.51.100.7
config <<-'END'
	reset = yes
	lan { devices = {lan0, lan1} }
	probe { gateway = no }
	link wan1 {} link wan2 {}
	policy refuse { links = {wan1, wan2}  last-resort = unreachable }
	policy silent { links = {wan1, wan2}  last-resort = blackhole }
	policy fallen { links = {wan1, wan2}  last-resort = main }
	policy kept { tier { links = wan1 } tier { links = wan2 }  failback = keep }
	rule r80 { proto = {tcp, udp} dport = 80 policy = refuse }
	rule r443 { proto = tcp dport = 443 policy = silent }
	rule r5000 { proto = tcp dport = 5000 policy = fallen }
	rule kept { policy = kept }
END
daemon 'the daemon starts' --config "$tmp/conf"

# --- the last resort --------------------------------------------------------------------------------------
connect() { c "$traffic" tcp -t 600 -n 50 $host "$1"; } # PORT
# a connection to another LAN and one to the router, as long as all of this lasts
start lan "$c" "$traffic" tcp -n 5 -c 0 -p 10 10.9.0.2 80
start router "$c" "$traffic" tcp -n 5 -c 0 -p 10 10.0.0.1 22
is 'by both links' "$(to "$(connect 80)" 1 2)" 50
mark_events
unplug 1
unplug 2
wait_for told "$(goes wan2 down)"
like 'unreachable: an ICMP error' "$(c "$traffic" tcp -t 2500 -s 10.1.0.0/16 -n 20 $host 80)" "${refused}20\$"
like 'IPv6, too' "$(c "$traffic" tcp -t 2500 -n 20 2001:db8:ffff::7 80)" "${refused}20\$"
is 'blackhole: silence' "$(connect 443)" '!ETIMEDOUT 50'
is 'main: as if asymbpf were not there' "$(to "$(connect 5000)" 3)" 50
like 'the router itself is refused' "$(gw "$traffic" tcp -n 20 $host 80)" "${refused}20\$"
is 'a new connection to the other LAN' "$(c "$traffic" tcp -n 20 10.9.0.2 80)" '10.0.0.2 20'
is 'one to the router' "$(c "$traffic" tcp -n 20 10.0.0.1 22)" '10.0.0.2 20'
mark_events
t=$(now)
plug 2
wait_for told "$(goes wan2 up)"
first_back() { [ "$(to "$(c "$traffic" tcp -t 200 -n 1 $host 80)" 2)" = 1 ]; }
wait_for first_back
diag "the first link is back: a connection by it $((($(now) - t) / 1000)) ms after its plug"
for port in 80 443 5000; do is "all traffic is back, port $port" "$(to "$(connect $port)" 2)" 50; done
plug 1
wait_for link_is wan1 ipv4 up
text=$(connect 80)
is 'and by both' "$(to "$text" 1 2) $([ "$(to "$text" 1)" -gt 5 ] && echo both)" '50 both'
finish lan router
for name in lan router; do
	is "$name: a connection from the LAN has noticed nothing" "$(failures "$(cat "$tmp/$name")")" 0
done

# --- by hand ----------------------------------------------------------------------------------------------
mark_events
t=$(now)
ok 'link wan1 down --for 2' asym link wan1 down --for 2
is 'a connection at once goes by the other' "$(to "$(connect 80)" 2)" 50
is 'why' "$(link_says wan1 ipv4)" 'down forced'
wait_for told '.event == "manual" and .state == "down"'
wait_for told '.event == "manual" and .state == "auto"'
held=$((($(told_at '.event == "manual" and .state == "auto"') - t) / 1000))
at_least 'for two seconds' $held 1000 ms # whole seconds of the clock
at_most 'not longer' $held 3100 ms
wait_for link_is wan1 ipv4 up
is 'then it is in use again' "$([ "$(to "$(connect 80)" 1)" -gt 5 ] && echo yes)" yes
ok 'link wan1 down' asym link wan1 down
daemon_end
daemon 'the daemon is started anew'
is 'and remembers' "$(link_says wan1 ipv4)" 'down forced'
is 'so do connections' "$(to "$(connect 80)" 2)" 50
ok 'link wan1 auto' asym link wan1 auto
wait_for link_is wan1 ipv4 up
exits 'a link that is not there' 1 'no such link' asym link wan9 down
exits 'no such word' 2 'sideways' asym link wan1 sideways
# up by hand: against probes, not against a missing device
sed -i 's/gateway = no/ping = 203.0.113.9 interval = 100ms timeout = 100ms/' "$tmp/conf"
holes
deaf 203.0.113.9
ok 'reload with a target that does not answer' asym reload --config "$tmp/conf"
wait_for link_is wan1 ipv4 down
wait_for link_is wan2 ipv4 down
is 'down by its probes' "$(link_says wan1 ipv4)" 'down silence'
like 'unreachable' "$(kinds "$(connect 80)")" '^!E'
ok 'link wan1 up' asym link wan1 up
wait_for link_is wan1 ipv4 up
is 'up by hand' "$(to "$(connect 80)" 1)" 50
unplug 1
wait_for link_is wan1 ipv4 down
is 'a link without carrier is down nevertheless' "$(link_says wan1 ipv4)" 'down no-carrier'
plug 1
ok 'link wan1 auto' asym link wan1 auto
wait_for link_is wan1 ipv4 down
hearing 203.0.113.9
wait_for link_is wan1 ipv4 up
wait_for link_is wan2 ipv4 up

# --- failback ---------------------------------------------------------------------------------------------
# What is opened while wan1 is down; when it is back: PORT 80 stays, 443 is moved, 5000 has 3 s.
config <<-'END'
	reset = yes
	lan { devices = {lan0, lan1} }
	probe { gateway = no }
	link wan1 {} link wan2 {} link wan3 {}
	policy keep { tier { links = wan1 } tier { links = wan2 } }
	policy move { tier { links = wan1 } tier { links = wan3 }  failback = move }
	rule keep { proto = tcp dport = 80 policy = keep }
	rule move { proto = tcp dport = 443 policy = move }
END
open_on_second() { # N PORT K: ten connections
	talk "$1" "$c" tcp -n 10 -H -t 4000 $host "$2"
	wait_for test -s "$tmp/said$1"
	is "port $2: ten connections by wan$3" "$(to "$(cat "$tmp/said$1")" "$3")" 10
}
ok 'reload' asym reload --config "$tmp/conf"
wait_for link_is wan3 ipv4 up
unplug 1
wait_for link_is wan1 ipv4 down
open_on_second 7 80 2
open_on_second 8 443 3
mark_events
plug 1
wait_for told "$(goes wan1 up)"
is 'new connections go by wan1' "$(to "$(connect 80)" 1) $(to "$(connect 443)" 1)" '50 50'
is 'keep: they go on where they are' "$(to "$(say 7)" 2)" 10
like 'move: they end at once' "$(say 8)" '^!ECONNRESET 10'
sed -i 's/failback = move/failback = 3s/; /rule keep/d; /policy keep/d' "$tmp/conf"
ok 'reload with a time' asym reload --config "$tmp/conf"
wait_for link_is wan1 ipv4 up
unplug 1
wait_for link_is wan1 ipv4 down
open_on_second 9 443 3
mark_events
plug 1
wait_for told "$(goes wan1 up)"
t=$(now)
is 'drain: they go on' "$(to "$(say 9)" 3)" 10
is 'drain: new ones go by wan1' "$(to "$(connect 443)" 1)" 50
drained() { grep -q '^!' <<<"$(say 9)"; }
wait_for drained || true
took=$((($(now) - t) / 1000))
at_least 'drain: until the time is over' $took 2500 ms
at_most 'drain: and no longer' $took 4500 ms
# the same, and another daemon is there in the end
wait_for link_is wan1 ipv4 up
unplug 1
wait_for link_is wan1 ipv4 down
open_on_second 8 443 3
mark_events
plug 1
wait_for told "$(goes wan1 up)"
t=$(now)
wait_for grep -q at_ns "$(state_file)"
daemon_end KILL
daemon 'another daemon'
is 'drain, restarted: they go on' "$(to "$(say 8)" 3)" 10
drained() { grep -q '^!' <<<"$(say 8)"; }
wait_for drained || true
took=$((($(now) - t) / 1000))
at_least 'drain, restarted: until the time is over' $took 2500 ms
at_most 'drain, restarted: and no longer' $took 4500 ms
no_strays 'no packet left by another link than its connection' 1 2 3
daemon_end
is 'the daemon ends' "$ended" 0
done_testing
