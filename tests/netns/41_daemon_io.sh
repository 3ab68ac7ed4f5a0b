#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon among others: service manager, operator, hooks, loggers, and those who mean it no good.
. "$(dirname "$0")/lib.sh"
lab
wan 1
wan 2
socket=/run/asymbpf/$(gw "$build/tests/netns/cookie").sock
asym() { gw "$asymbpf" "$@"; }
hooked=$tmp/hooked
: >"$hooked"
cat >"$tmp/hook" <<END
#!/bin/sh
echo "\$ASYMBPF_EVENT \$ASYMBPF_LINK \$ASYMBPF_FAMILY \$ASYMBPF_STATE \$ASYMBPF_REASON" >>$hooked
[ ! -e $tmp/hang ] || { sleep 1000 & echo \$\$ \$! >$tmp/hanging; wait; }
END
chmod +x "$tmp/hook"
cat >"$tmp/conf" <<END
lan { devices = {"lan0"} }
hook = "$tmp/hook"
hook-timeout = 500ms
link wan1 { device = "wan1" }
link wan2 { device = "wan2" }
END

# The manager: what it is told goes into the file told, a line each, newlines within as spaces.
cat >"$tmp/manage" <<'END'
use IO::Socket::UNIX; use Socket;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
open my $told, '>>', $ARGV[1] or die;
$told->autoflush(1);
while (defined $s->recv(my $text, 4096)) { $text =~ tr/\n/ /; print {$told} "$text\n" }
END
keep perl "$tmp/manage" "$tmp/notify" "$tmp/told"
wait_for test -S "$tmp/notify"
told() { grep -qx -- "$1" "$tmp/told"; }
monitor() { # [CMD...]: the daemon, below CMD; its output goes to the files out and err
	ip netns exec "$gw" env NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=200000 "$@" \
		"$asymbpf" monitor --config "$tmp/conf" --json >"$tmp/out" 2>"$tmp/err" </dev/null &
	daemon=$!
	asym_pids+=("$daemon")
}
ready() { kill -0 "$daemon" && asym link wan1 auto && told READY=1; }
end() { # SIGNAL: sends it, and waits; the exit status is in $ended
	ended=0
	kill "-$1" "$daemon"
	wait "$daemon" || ended=$?
}
said() { grep -qE "$1" "$tmp/err"; }
saw_hook() { grep -qx "$1" "$hooked"; }
state() { asym status --json | jq -r ".links[0].ipv4 | \"\(.up) \(.reason)\""; }
is_up() { [[ $(state) = true* ]]; }
is_state() { [ "$(state)" = "$1" ]; }
fds() { ls "/proc/$daemon/fd" | wc -l; }

monitor
needs 'the daemon is ready and says so' wait_for ready
is 'its socket is for root alone' "$(stat -c '%a %U' "$socket")" '600 root'
ok 'and it shows that it is alive' wait_for sh -c "[ \$(grep -c WATCHDOG=1 '$tmp/told') -ge 3 ]"
is 'a link is up' "$(state | cut -d' ' -f1)" true
exits 'a second daemon refuses' 1 'another asymbpf monitor' asym monitor --config "$tmp/conf"

asym events >"$tmp/events" 2>&1 &
asym_pids+=("$!")
listens() { asym link wan2 auto && grep -q wan2 "$tmp/events"; }
ok 'a listener is told what happens' wait_for listens
ok 'a link is forced down' asym link wan1 down --for 2
ok 'and is down' wait_for is_state 'false forced'
like 'status says for how long' "$(asym status)" 'link wan1: forced down, [12]s left'
ok 'the hook was told' wait_for saw_hook 'link wan1 ipv4 down forced'
ok 'the operator'\''s will, too' saw_hook 'manual wan1  down '
ok 'the listener' wait_for grep -q 'Z link wan1: IPv4 down (forced)' "$tmp/events"
ok 'the log' said '^asymbpf: link wan1: IPv4 down \(forced\)$'
ok 'standard output' jq -s -e 'any(.event == "link" and .link == "wan1" and .state == "down")' "$tmp/out"
ok 'it is up again when the time is over' wait_for is_up
ok 'which the hook is told, too' wait_for saw_hook 'manual wan1  auto '
exits 'a link that is not there' 1 'no such link' asym link wan9 down

: >"$tmp/told"
kill -HUP "$daemon"
ok 'SIGHUP: reloading' wait_for told 'RELOADING=1 MONOTONIC_USEC=[0-9]*'
ok 'and ready again' wait_for told READY=1
ok 'the hook was told' wait_for saw_hook 'reload    '

before=$(fds)
ok 'a thousand who connect, and nonsense' perl -e '
	use IO::Socket::UNIX; use Socket; $SIG{PIPE} = "IGNORE"; srand 1; my @all;
	for my $i (1 .. 1000) {
		my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $ARGV[0]) or die "$i: $!";
		push @all, $s;
		next if $i % 3;
		$s->blocking(0);
		$s->syswrite($i % 2 ? join("", map { chr rand 256 } 1 .. rand 9000) : "{\"do\":\"status\"}\n" x 300);
	}' "$socket"
ok 'and the operator is heard' asym link wan2 auto
calm() { [ "$(fds)" -le "$before" ]; }
ok 'no descriptor is left of them' wait_for calm
ok 'the listener is still one' sh -c "kill -0 $!"

touch "$tmp/hang"
asym link wan1 down
ok 'a hook that hangs' wait_for test -s "$tmp/hanging"
ok 'holds up nobody' wait_for is_state 'false forced'
rm "$tmp/hang"
read -r one two <"$tmp/hanging"
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }
ok 'is killed' wait_for gone "$one"
ok 'with its child' wait_for gone "$two"
ok 'which is said' wait_for said 'error: hook .*: killed after 0.5 s'
asym link wan1 auto
ok 'and the next one runs' wait_for sh -c "tail -n 3 '$hooked' | grep -q 'auto'"

end KILL
ok 'killed: nothing changes for what is loaded' sh -c "ip -n $gw rule | grep -q fwmark"
ok 'its socket is still there' test -S "$socket"
exits 'but nobody listens' 1 'no daemon' asym link wan1 down
exits 'status says so' 0 'daemon: not running' asym status
: >"$tmp/told"
monitor
ok 'another one takes its place' wait_for ready
end TERM
is 'SIGTERM: the status is 0' "$ended" 0
ok 'the manager is told' told STOPPING=1
ok 'the socket is gone' test ! -e "$socket"

# with nowhere to write to, and no more capabilities than the unit has
flips() { # DESCRIPTION: that the daemon does what it is there for
	ok "$1" wait_for ready
	ip -n "$gw" link set wan1 down
	ok "$1: a link goes down" wait_for is_state 'false down'
	ip -n "$gw" link set wan1 up
	wan_address 1 wan1
	ok "$1: and comes up" wait_for is_up
	end TERM
	is "$1: and it ends" "$ended" 0
}
: >"$tmp/told"
monitor sh -c 'exec "$@" >/dev/full 2>/dev/full' sh
flips 'full disks'
: >"$tmp/told"
monitor sh -c 'exec "$@" <&- >&- 2>&-' sh
flips 'nothing open'
: >"$tmp/told"
mkfifo "$tmp/fifo"
exec 8<>"$tmp/fifo"
for _ in {1..64}; do head -c 1024 /dev/zero; done >&8
monitor sh -c 'exec "$@" >"$0" 2>"$0"' "$tmp/fifo"
flips 'pipes that nobody reads'
exec 8<&-
: >"$tmp/told"
caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$root/packaging/asymbpf.service" | tr ' ' '\n' | sed 's/^CAP_/+/' |
	tr 'A-Z\n' 'a-z,' | sed 's/,*$//')
monitor setpriv --no-new-privs --bounding-set="-all,$caps"
flips 'with the capabilities of the unit'
done_testing
