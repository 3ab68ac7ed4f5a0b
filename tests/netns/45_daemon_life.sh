#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's own life: killed, stopped, started twice, reloaded and unloaded beside; hooks that hang, flood
# and fork; netlink messages that are lost; nobody who reads what it says.
#
#   [c] ──── lan0 [gw] wan1, wan2, wan3 ════ [net]      ports 443 and 53 by wan1, 5000 by wan2, 80 by all;
#                                                       wan3's target does not answer
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
for k in 1 2 3; do wan $k; done
steady_lines 1 2 3
holes
deaf 203.0.113.3
host=198.51.100.7
conf() { # KEYS...
	config <<-END
		$*
		lan { devices = "lan0" }
		probe { interval = 200ms timeout = 300ms ping = 198.51.100.1 }
		link wan1 {} link wan2 {} link wan3 { probe { ping = 203.0.113.3 } }
		policy one { links = wan1 }
		policy two { links = wan2 }
		policy all { links = { wan1, wan2, wan3 } }
		rule one { proto = {tcp, udp} dport = {443, 53} policy = one }
		rule two { proto = {tcp, udp} dport = 5000 policy = two }
		rule all { policy = all }
	END
}
wan3_used() { [ "$(to "$(c "$traffic" tcp -n 100 $host 80)" 3)" -gt 0 ]; }
works() { # DESCRIPTION: connections by wan1 and wan2, none by wan3
	local text
	text=$(c "$traffic" tcp -n 100 $host 80)
	is "$1" "$(to "$text" 1 2) $(failures "$text")" '100 0'
}
# What no death and no change of the daemon may disturb.
traffic_on() {
	start udp1 "$c" "$pace" udp -n 4 -r 400 $host 53
	start udp2 "$c" "$pace" udp -n 4 -r 400 $host 5000
	start tcp1 "$c" "$traffic" tcp -n 20 -c 0 -p 10 -t 3000 $host 443
	start tcp2 "$c" "$traffic" tcp -n 20 -c 0 -p 10 -t 3000 $host 5000
	sleep 0.5
}
sum() { awk -v k="$2" '$1 == "flow" { for (i = 4; i < NF; i++) if ($i == k) n += $(i + 1) } END { print n + 0 }' "$tmp/$1"; }
traffic_off() { # DESCRIPTION
	local k
	finish udp1 udp2 tcp1 tcp2
	for k in 1 2; do
		is "$1: wan$k: datagrams lost and moved, of $(sum udp$k sent)" "$(($(sum udp$k sent) - $(sum udp$k answered))) $(sum udp$k moved)" '0 0'
		is "$1: wan$k: exchanges by TCP that failed" "$(failures "$(cat "$tmp/tcp$k")") $(awk 'END { print NR }' "$tmp/tcp$k")" '0 1'
	done
}

conf
daemon 'the daemon starts' --config "$tmp/conf"
wait_for told "$(goes wan3 down)"
wait_for link_is wan1 ipv4 up
works 'two links carry'
like 'its socket is for root alone' "$(stat -c '%a %U' "$(socket_file)")" '^600 root$'

# --- a second one ---------------------------------------------------------------------------------------
exits 'a second daemon' 1 'another' timeout 10 ip netns exec "$gw" "$asymbpf" monitor --config "$tmp/conf"
ok 'the first one lives' link_is wan1 ipv4 up

# --- killed and started again -----------------------------------------------------------------------------
traffic_on
mark_events
for _ in {1..5}; do
	daemon_end KILL
	daemon 'killed and started again' --config "$tmp/conf"
	is 'wan3 is still down' "$(link_says wan3 ipv4)" "$(link_says wan3 ipv4 | sed 's/^up/down/')"
	ok 'no connection goes there' eval '! wan3_used'
done
daemon_end
is 'it ends by itself' "$ended" 0
daemon 'and is started again'
traffic_off 'killed five times, ended once'
is 'no link went up or down' "$(jq -r 'select(.event == "link" and .link != "wan3") | .link + " " + .state + " " + .family' "$tmp/events")" ''
is 'wan3 never came up' "$(jq -r 'select(.event == "link" and .link == "wan3" and .state == "up" and .family == "ipv4")' "$tmp/events")" ''

# --- stopped and continued ----------------------------------------------------------------------------------
mark_events
kill -STOP "$daemon"
sleep 2
kill -CONT "$daemon"
sleep 0.7
is 'asleep for 2 s: no link goes down for that' "$(told_times '.event == "link"')" 0

# --- reload and unload beside it ----------------------------------------------------------------------------
traffic_on
shares() { status '.policies[] | select(.name == "all").ipv4 | map_values(. * 100 | round) | tostring'; }
weighs() { [ "$(shares)" = "$1" ]; }
mark_events
conf
sed -i 's/link wan1 {}/link wan1 { weight = 3 }/' "$tmp/conf"
kill -HUP "$daemon"
ok 'SIGHUP: told' wait_for told '.event == "reload"'
ok 'SIGHUP: the new weights' wait_for weighs '{"wan1":75,"wan2":25}'
echo 'link wan1 { weihgt = 2 }' >"$tmp/conf"
mark_events
kill -HUP "$daemon"
ok 'SIGHUP with a bad file: it is named' wait_for grep -q weihgt "$tmp/log"
ok 'the daemon lives' link_is wan1 ipv4 up
is 'and the configuration is as before' "$(shares)" '{"wan1":75,"wan2":25}'
is 'no reload is told' "$(told_times '.event == "reload"')" 0
rm "$tmp/conf"
kill -HUP "$daemon"
ok 'SIGHUP without a file' wait_for grep -q 'No such file' "$tmp/log"
conf
mark_events
for ((i = 1; i <= 5; i++)); do
	conf
	sed -i "s/link wan1 {}/link wan1 { weight = $i }/" "$tmp/conf"
	ok 'asymbpf reload' asym reload --config "$tmp/conf"
done
wait_for told '.event == "reload"'
ok 'asymbpf reload: the new weights' wait_for weighs '{"wan1":83,"wan2":17}'
is 'wan3 is still down' "$(told_times "$(goes wan3 up)") $(link_says wan3 ipv4)" '0 down silence'
traffic_off 'reloaded seven times'
works 'still two links'
mark_events
hearing 203.0.113.3
ok 'wan3 comes up, probed as the new configuration says' wait_for told "$(goes wan3 up)"
ok 'it is used' wait_for wan3_used
ok 'asymbpf unload beside it' asym unload
gone() { ! alive; }
ok 'ends the daemon' wait_for gone
wait "$daemon" && ended=0 || ended=$?
is 'without an error' "$ended" 0
is 'nothing is left in /run/asymbpf' "$(ls "$(state_file)" "$(socket_file)" 2>/dev/null)" ''
is 'nor in the kernel' "$(ip -n "$gw" rule | grep -c 'proto 171') $(gw nft list tables | grep -c asymbpf) $(programs | wc -l)" '0 0 0'

# --- hooks ----------------------------------------------------------------------------------------------------
hook() { # BODY
	printf '#!/bin/sh\necho "$ASYMBPF_EVENT $ASYMBPF_LINK $ASYMBPF_DEVICE $ASYMBPF_FAMILY $ASYMBPF_STATE $ASYMBPF_REASON" >>%s/hooked\n%s\n' \
		"$tmp" "$1" >"$tmp/hook.new"
	chmod +x "$tmp/hook.new"
	mv "$tmp/hook.new" "$tmp/hook"
	: >"$tmp/hooked"
}
hook_pids() { ip netns pids "$gw" | while read -r p; do # but not zombies
	tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -E 'sleep 87|yes 87|hook' || true; done; }
flap() { # one flap; prints how long the switch took, ms
	local t
	mark_events
	t=$(now)
	unplug 1
	wait_for told "$(goes wan1 down)" >&2
	echo $((($(told_at "$(goes wan1 down)") - t) / 1000))
	plug 1
	wait_for told "$(goes wan1 up)" >&2
}
hook 'exit 0'
conf "hook = \"$tmp/hook\" hook-timeout = 400ms"
daemon 'the daemon loads' --config "$tmp/conf"
wait_for link_is wan1 ipv4 up
flap >/dev/null
hooked() { grep -q "$1" "$tmp/hooked"; }
ok 'a hook is told what happens' wait_for hooked '^link wan1 wan1 ipv4 down no-carrier$'
ok 'a hook is told what happens' wait_for hooked '^link wan1 wan1 ipv4 up'
files=$(open_files)
for body in 'sleep 87' 'yes 87' 'sleep 87 & sleep 87 & (sleep 87 &) & yes 87 & exit 0' 'kill -STOP $$'; do
	hook "$body"
	at_most "hook: $body: the daemon goes on" "$(flap)" 300 ms
	ok "hook: $body: it was run" wait_for hooked 'wan1'
	idle() { [ -z "$(hook_pids)" ]; }
	ok "hook: $body: nothing of it is left" wait_for idle
done
hook 'exit 3'
flap >/dev/null
ok 'a hook that fails is told' wait_for told '.event == "error" and (.text | test("hook"))'
quiet 500
is 'descriptors' "$(open_files)" "$files"

# --- SIGTERM in the midst of a switch -------------------------------------------------------------------------
hook 'exit 0'
start new "$c" "$traffic" tcp -n 20 -c 0 -p 10 -t 3000 $host 5000
for ms in 0 2 4 6 8 10 13 17 22 30; do
	unplug 1
	sleep "0.0$(printf %02d $ms)"
	daemon_end
	[ "$ended" = 0 ] || ok "SIGTERM after $ms ms: status $ended" false
	plug 1
	daemon "SIGTERM after $ms ms: started again"
	wait_for link_is wan1 ipv4 up || ok "SIGTERM after $ms ms: wan1 is back" false
done
finish new
is 'SIGTERM ten times in the midst of a switch: the other link has noticed nothing' "$(failures "$(cat "$tmp/new")")" 0
is 'and all links carry' "$(failures "$(c "$traffic" tcp -n 100 $host 80)")" 0
kernel_state >"$tmp/state"
daemon_end KILL
ok 'unload' asym unload
is 'nothing is left of the one that was killed' "$(ls "$(state_file)" "$(socket_file)" 2>/dev/null)" ''
ok 'load' asym load --config "$tmp/conf"
ok 'the state was that of a fresh load' same_state "$tmp/state"

# --- nobody reads; a full disk ---------------------------------------------------------------------------------
ip netns exec "$gw" "$asymbpf" monitor --json </dev/null >/dev/full 2>/dev/full &
daemon=$!
asym_pids+=("$daemon")
ok 'a daemon whose output has no room' wait_for link_is wan1 ipv4 up
unplug 1
ok 'sees a link go' wait_for link_is wan1 ipv4 down
plug 1
ok 'and come' wait_for link_is wan1 ipv4 up
daemon_end
is 'it ends' "$ended" 0
mkfifo "$tmp/pipe"
sleep 60 <>"$tmp/pipe" & # holds it open, reads nothing
asym_pids+=($!)
ip netns exec "$gw" "$asymbpf" monitor --json </dev/null >"$tmp/pipe" 2>&1 &
daemon=$!
asym_pids+=("$daemon")
ok 'a daemon whose output nobody reads' wait_for link_is wan1 ipv4 up
for _ in {1..5}; do # each more than a pipe holds, by reloads
	ask '{"do": "link", "link": "wan2", "set": "down"}' >/dev/null
	ask '{"do": "link", "link": "wan2", "set": "auto"}' >/dev/null
done
for ((i = 0; i < 400; i++)); do printf '{"do": "link", "link": "wan2", "set": "%s"}\n' up auto; done |
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
		while (<STDIN>) { print $s $_; $s->flush; scalar <$s> }' "$(socket_file)"
unplug 1
ok 'sees a link go' wait_for link_is wan1 ipv4 down
plug 1
ok 'and come' wait_for link_is wan1 ipv4 up
daemon_end
is 'it ends' "$ended" 0

# --- lost messages -----------------------------------------------------------------------------------------------
daemon 'the daemon again'
drops() { # that its sockets have seen
	local inodes
	inodes=$(find "/proc/$daemon/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' | paste -sd'|')
	gw cat /proc/net/netlink | awk -v i="^($inodes)\$" '$NF ~ i { n += $(NF - 1) } END { print n + 0 }'
}
wait_for link_is wan1 ipv4 up
quiet 300
kernel_state >"$tmp/state"
rss=$(memory) files=$(open_files)
for what in add del; do
	for ((i = 0; i < 12000; i++)); do echo "route $what 172.$((16 + i / 4096)).$((i / 16 % 256)).$((i % 16 * 16))/28 via 100.64.2.1"; done >"$tmp/$what"
done
mark_events
kill -STOP "$daemon"
ip -n "$gw" -b "$tmp/add"
ip -n "$gw" rule del priority 20610
unplug 1
ip -n "$gw" -b "$tmp/del"
gw nft delete table inet asymbpf
kill -CONT "$daemon"
ok 'after a flood of messages it finds out what has changed' wait_for told "$(goes wan1 down)"
plug 1
at_least 'messages were lost' "$(drops)" 1 'times'
wait_for link_is wan1 ipv4 up
quiet 300
ok 'all is as before' wait_for same_state "$tmp/state"
at_most 'its memory has grown by' $(($(memory) - rss)) 8192 KiB
is 'its descriptors' "$(open_files)" "$files"
wait_for eval '! asked 1'
is 'traffic passes' "$(failures "$(c "$traffic" tcp -n 100 $host 80)")" 0
daemon_end
is 'the daemon ends' "$ended" 0
done_testing
