#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a daemon does that cannot do what it is to: /run is full, a configuration that cannot be loaded any more,
# a load that takes long; and a WAN that gets another name.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
for k in 1 2; do wan $k; done
holes
conf() { # KEYS...
	config <<-END
		$*
		probe { interval = 200ms timeout = 300ms }
		link wan1 { probe { ping = 203.0.113.1 } } link wan2 { probe { ping = 198.51.100.1 } }
		policy all { links = { wan1, wan2 } }
		rule all { policy = all }
	END
}
said() { # TEXT: how often in the log
	grep -c -- "$1" "$tmp/log" || true
}
has_said() { [ "$(said "$1")" -gt 0 ]; }

# --- a load that takes long -----------------------------------------------------------------------------------
conf 'lan { devices = "lan0" } host-traffic = no'
ok 'load' asym load --config "$tmp/conf"
file=$(state_file)
keep flock "$file.lock" sleep 100
wait_for test -e "$file.lock"
daemon_start
wait_for test -S "${file%.json}.starting"
kill -STOP "$daemon" # it would not wait for the lock for as long as this may take
kill "$(pgrep -P "$kept")" "$kept" 2>/dev/null || true
like 'while it loads it is said to be starting' "$(asym status)" 'daemon: starting'
is 'also in JSON' "$(asym status --json | jq -c .daemon)" '{"running":false,"starting":true}'
exits 'who asks for more' 1 'the daemon is starting' asym link wan1 down
exits 'a second one' 1 'another asymbpf monitor runs' gw "$asymbpf" monitor
kill -CONT "$daemon"
ok 'it starts' wait_for started
is 'then it answers' "$(asym status --json | jq .daemon.running)" true

# --- programs gone, a configuration that is wrong ------------------------------------------------------------------
wait_for link_is wan1 ipv4 up
echo 'nonsense = 1' >>"$tmp/conf"
for d in lan0 wan1 wan2; do gw "$build/tests/netns/programs" -d $d; done
is 'no program is left' "$(programs)" ''
touch_state() { cp -p "$(state_file)" "$(state_file).x" && mv "$(state_file).x" "$(state_file)"; }
touch_state
ok 'what cannot be loaded is said' wait_for has_said nonsense
sleep 4
is 'but once' "$(said nonsense)" 1
sed -i /nonsense/d "$tmp/conf"
t=$(now)
ip -n "$gw" addr add 192.0.2.77/32 dev lan0
ok 'something happens: it is tried again' wait_for has_said 'loaded again'
at_most 'at once' $((($(now) - t) / 1000)) 2000 ms
ok 'the programs run' test -n "$(programs)"
is 'the daemon says no more of it' "$(said 'loaded again')" 1
daemon_end
asym unload

# --- without a lan section ------------------------------------------------------------------------------------------
lans() { asym status --json | jq -c .lans; }
conf
daemon 'a daemon that finds LANs itself' --config "$tmp/conf"
is 'there is one' "$(lans)" '["lan0"]'
ip -n "$gw" link set wan2 down
ip -n "$gw" link set wan2 name other
ip -n "$gw" link set other up
ip -n "$gw" addr replace 100.64.2.2/24 dev other
wait_for link_is wan2 ipv4 down
quiet 300
is 'a WAN of another name is none' "$(lans) $(programs | grep other)" '["lan0"] '
daemon_end KILL
daemon 'nor for the next daemon'
quiet 300
is 'there is one still' "$(lans) $(programs | grep other)" '["lan0"] '
ok 'nor for a reload' asym reload --config "$tmp/conf"
is 'nor then' "$(lans)" '["lan0"]'
daemon_end
asym unload

# --- /run is full ---------------------------------------------------------------------------------------------------
# Its own, which no process but the daemon sees; ip netns exec lets nothing of it out.
mark_events
ip netns exec "$gw" sh -c 'mount -t tmpfs -o size=64k none /run && exec "$@"' - "$asymbpf" monitor --json \
	--config "$tmp/conf" >>"$tmp/events" 2>>"$tmp/log" </dev/null &
daemon=$!
asym_pids+=("$daemon")
ok 'a daemon with a small /run' wait_for started
run=/proc/$daemon/root/run/asymbpf
quiet 500
cat /dev/zero >"$run/fill" 2>/dev/null || true
mark_events
unsaved='.event == "error" and (.text | test("state not saved: No space"))'
times() { [ "$(told_times "$1")" -ge "$2" ]; } # JQ-CONDITION N
for i in 1 2 3; do
	deaf 203.0.113.1
	ok "a target is silent: the link is left ($i)" wait_for times "$(goes wan1 down)" "$i"
	hearing 203.0.113.1
	ok "it answers: the link is back ($i)" wait_for times "$(goes wan1 up)" "$i"
done
deaf 203.0.113.1
wait_for times "$(goes wan1 down)" 4
quiet 300
is 'that it cannot be saved is said once' "$(told_times "$unsaved")" 1
is_saved() { jq -e '.ids[] | select(.name == "wan1").failed_ipv4' "$run"/*.json; }
is 'it is not' "$(is_saved 2>&1 >/dev/null && echo saved)" ''
rm "$run/fill"
soon() { for _ in 1 2 3; do wait_for is_saved && return; done; }
ok 'once there is room it is saved' soon
daemon_end
is 'the daemon ends' "$ended" 0
asym unload
done_testing
