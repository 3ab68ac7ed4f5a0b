#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs that talk to the daemon, to one that is played by a script, and to none.
. "$(dirname "$0")/lib.sh"
lab
wan 1
wan 2
cookie=$(gw "$build/tests/netns/cookie")
socket=/run/asymbpf/$cookie.sock
gw "$asymbpf" load --iface wan1 --iface wan2 --lan lan0
trap 'rm -f "$socket"; cleanup' EXIT

# Takes connections one after the other: appends the line it gets to asked, and answers with the file
# answer; then does not hang up before the file hangup is there.
cat >"$tmp/play" <<'END'
use IO::Socket::UNIX;
my ($path, $dir) = @ARGV;
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die;
$SIG{PIPE} = 'IGNORE';
while (my $peer = $listener->accept) {
	my $line = <$peer>;
	open my $asked, '>>', "$dir/asked"; print $asked $line; close $asked;
	open my $answer, '<', "$dir/answer"; print {$peer} readline $answer; close $answer;
	$peer->flush;
	select undef, undef, undef, 0.02 until -e "$dir/hangup";
}
END
play() { # ANSWER: a daemon that gives it to everybody and hangs up
	printf %s "$1" >"$tmp/answer"
	: >"$tmp/asked"
	touch "$tmp/hangup"
	[ -S "$socket" ] && return
	keep perl "$tmp/play" "$socket" "$tmp"
	player=$kept
	wait_for test -S "$socket"
}
asked() { cat "$tmp/asked"; }
asym() { gw "$asymbpf" "$@"; }

exits 'link without a daemon' 1 'no daemon.*asymbpf monitor' asym link wan1 down
exits 'events without a daemon' 1 'no daemon.*asymbpf monitor' asym events
ok 'a socket that nobody listens at' perl -e 'use IO::Socket::UNIX; IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$socket"
exits 'is no daemon, either' 1 'no daemon' asym link wan1 down
exits 'status without a daemon' 0 'daemon: not running.*LINK +DEVICE' asym status
is 'and as JSON' "$(asym status --json | jq -c '[.daemon, .links[0].manual]')" '[{"running":false},null]'
rm "$socket"

exits 'link without arguments' 2 'usage' asym link
exits 'link without a state' 2 'usage' asym link wan1
exits 'link with a wrong state' 2 '"on"' asym link wan1 on
exits 'link with a wrong time' 2 '"soon"' asym link wan1 up --for soon
exits 'no time at all' 2 '"0"' asym link wan1 up --for 0
exits 'a time for auto' 2 'auto' asym link wan1 auto --for 60
exits 'a name that no link has' 2 '"w n"' asym link 'w n' up
exits 'events of something' 2 '"wan1"' asym events wan1
exits 'status every 0 s' 2 '"0"' asym status --watch=0
exits 'help of link' 0 'for SECONDS' asym link --help
exits 'help of status' 0 'watch\[=SECONDS\]' asym status --help

play '{"ok":true}
'
ok 'a link is forced down' asym link wan1 down
ok 'up for two minutes' asym link wan1 --for 2m up
ok 'and let go' asym link wan1 auto
is 'what the daemon was asked' "$(jq -c . "$tmp/asked" | paste -sd' ')" \
	"$(printf '{"do":"link","link":"wan1","set":"%s","seconds":%s} ' down 0 up 120 auto 0 | sed 's/ $//')"
play '{"ok":false,"error":"no such link"}
'
exits 'a refusal' 1 'no such link' asym link wan9 down
for answer in '' '{' 'ok
' '[]
' '{"error":"x"}
' '{"ok":true}'; do
	play "$answer"
	exits "an answer that is none: '${answer%$'\n'}'" 1 'daemon' asym link wan1 down
done

play '{"ok":true}
{"time":"2026-11-22T10:00:00.123Z","event":"link","link":"wan1","family":"ipv4","state":"down","reason":"no-answer"}
{"time":"2026-11-22T10:00:01.000Z","event":"repair","text":"3 rules"}
{"event":"unheard-of","link":"wan1"}
no JSON
'
exits 'events' 1 '^2026-11-22T10:00:00.123Z link wan1: IPv4 down \(no-answer\)
2026-11-22T10:00:01.000Z repaired: 3 rules
\{"event":"unheard-of","link":"wan1"\}
no JSON
asymbpf: error: the daemon has ended$' asym events
is 'events as JSON' "$(asym events --json 2>/dev/null | head -n 2)" "$(sed -n 2,3p "$tmp/answer")"
exits 'events on a full disk' 1 'cannot print' sh -c "ip netns exec $gw $asymbpf events >/dev/full"
rm "$tmp/hangup"
asym events >"$tmp/out" &
listener=$!
asym_pids+=("$listener")
wait_for grep -q unheard-of "$tmp/out"
ok 'events go on while the daemon does' kill -0 "$listener"
touch "$tmp/hangup"
wait "$listener" || true

play "$(jq -c . <<'END'
{"ok": true, "pid": 4711, "running_s": 11100, "links": [
 {"name": "wan1", "id": 1, "manual": "down", "manual_left_s": 58,
  "ipv4": {"state": "down", "since_s": 192, "reason": "forced", "degraded": false, "targets": [
   {"kind": "ping", "target": "198.51.100.1", "answers": true, "loss": 3, "latency_ms": 12.345, "jitter_ms": 0.4},
   {"kind": "dns", "target": "198.51.100.2", "answers": false, "loss": 100, "latency_ms": null, "jitter_ms": null}]},
  "ipv6": {"state": "up", "since_s": 5, "reason": "answers", "degraded": true, "targets": []}},
 {"name": "wan2", "id": 2, "manual": "auto", "manual_left_s": null, "ipv4": null}]}
END
)
"
status=$(asym status)
like 'status tells of the daemon' "$status" 'daemon: process 4711, for 3h5m'
like 'a link, why and since when' "$status" \
	$'\nwan1 +IPv4 +down +3m12s +forced +ping 198\.51\.100\.1 +yes +3% +12\.3 ms +0\.4 ms\n'
like 'its second target' "$status" $'\n +dns 198\.51\.100\.2 +no +100% +- +-\n'
like 'a family without targets' "$status" $'\nwan1 +IPv6 +up, degraded +5s +answers +- +- +- +- +-\n'
like 'an override and its end' "$status" $'\nlink wan1: forced down, 58s left\n'
is 'of the other link nothing is known' "$(grep -c 'wan2 *IPv' <<<"$status")" 0
is 'the same as JSON' "$(asym status --json | jq -c '[.daemon.pid, (.links[0] | .manual, .manual_left_s, .ipv4.up,
	.ipv4.since_s, .ipv4.targets[1].answers, .ipv6.degraded), (.links[1] | .manual, .ipv4.up)]')" \
	'[4711,"down",58,false,192,false,true,"auto",null]'
play '{"ok":true,"links":[1,null,{"name":2,"ipv4":[],"ipv6":{"targets":{}}},{"ipv4":{"targets":[5,{"loss":{}}]}}],"pid":[]}
'
exits 'status with a daemon of another version' 0 'LINK +DEVICE' asym status
ok 'and as JSON' asym status --json
play '{"ok":true,"links":[1,{"name":"wan1","lease":5,"shim":[]},{"name":"wan2","lease":{"address":{},"client":[],"t1_s":"x","expires_s":{},"watchdog":3,"state":null},"shim":{"moved":"x"}}]}
'
exits 'dhcp with it' 0 'wan1 +not seen renewing' asym dhcp
ok 'and as JSON' asym dhcp --json
ok 'and status' asym status

asym status --watch >"$tmp/out" &
watcher=$!
asym_pids+=("$watcher")
twice() { [ "$(grep -c '^LINK *DEVICE' "$tmp/out")" -ge 2 ]; }
ok 'status --watch shows it again and again' wait_for twice
ok 'until it is interrupted' kill -0 "$watcher"
kill "$watcher"
ok 'without control sequences where there is no terminal' sh -c "! grep -q \"\$(printf '\\033')\" '$tmp/out'"
asym status --watch=1 --json >"$tmp/out.json" 2>/dev/null & # the first one may still write
watcher=$!
asym_pids+=("$watcher")
ok 'as JSON, too' wait_for sh -c "jq -s -e 'length >= 2' '$tmp/out.json'"
kill "$watcher"
ok 'a terminal is cleared first' sh -c \
	"timeout 3 script -qec 'ip netns exec $gw $asymbpf status --watch' /dev/null </dev/null | grep -q \"\$(printf '\\033')\\[2J\""

rm -f "$tmp/hangup"
printf '' >"$tmp/answer"
exits 'a daemon that hangs' 1 'does not answer' asym link wan1 down
touch "$tmp/hangup"
kill "$player"
rm -f "$socket"
done_testing
