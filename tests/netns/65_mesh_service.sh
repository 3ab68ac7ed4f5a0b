#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wg run` as a service: by the lines of its unit, told what happens to it by signals, killed on any node,
# with a clock that jumps; whatever it is told or finds in the way, no packet is lost by it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/mesh.sh"
. "$(dirname "$0")/mesh_lines.sh"
pace=$build/tests/netns/pace
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/pace >&2

three_nodes
for n in a c; do
	run_in "${!n}" "$build/tests/netns/echod" 5000
	wait_for listening "${!n}" 5000
done
static() { # [LINE...]: direct, which will be dead, and by B
	nodes
	echo 'direction up { from = a  to = c  paths = {direct, "via b"} }'
	echo 'direction down { from = c  to = a  paths = {direct, "via b"} }'
	printf '%s\n' "$@"
}
static >"$tmp/mesh.conf"
apply_all 'apply'

# --- the unit --------------------------------------------------------------------------------------
unit=$root/packaging/asymbpf-mesh.service
sed "s|@SBINDIR@|$build|" "$unit" >"$tmp/asymbpf-mesh.service"
if command -v systemd-analyze >/dev/null; then
	ok 'systemd understands the unit' systemd-analyze verify --man=no "$tmp/asymbpf-mesh.service"
	is 'and finds nothing to say' "$(systemd-analyze verify --man=no "$tmp/asymbpf-mesh.service" 2>&1)" ''
else
	echo "ok $((++n_tests)) - systemd understands the unit # SKIP no systemd-analyze"
fi
# The files where the unit has them, for A alone.
in_node a sh -c "cp -a /etc $tmp/etc && mkdir -p $tmp/etc/asymbpf && mount --bind $tmp/etc /etc"
cp "$tmp/mesh.conf" "$tmp/etc/asymbpf/mesh.conf"
cp "$tmp/a.key" "$tmp/etc/asymbpf/mesh.key"
cat >"$tmp/manage" <<'END'
use IO::Socket::UNIX; use Socket;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
open my $told, '>>', $ARGV[1] or die;
$told->autoflush(1);
while (defined $s->recv(my $text, 4096)) { $text =~ tr/\n/ /; print {$told} "$text\n" }
END
keep perl "$tmp/manage" "$tmp/notify" "$tmp/told"
wait_for test -S "$tmp/notify"
line_of() { sed -n "s/^$1=//p" "$tmp/asymbpf-mesh.service"; } # KEY
serve() { # [ARGS...]: A's daemon by the line of the unit
	local line
	read -ra line <<<"$(line_of ExecStart)"
	: >"$tmp/told"
	nsenter -t "${node_pid[a]}" -m -n env NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=1000000 "${line[@]}" --json \
		>>"$tmp/log.a" 2>>"$tmp/err.a" &
	daemon[a]=$!
	asym_pids+=("${daemon[a]}")
}
reload() {
	local MAINPID=${daemon[a]} line
	read -ra line <<<"$(line_of ExecReload)"
	"${line[@]/\$MAINPID/$MAINPID}"
}
told() { grep -q -- "$1" "$tmp/told"; }
open_tunnels
serve
ok 'ExecStart: it is ready' wait_for told READY=1
for n in b c; do measure $n; done
for n in a b c; do needs "$n measures" wait_for answers $n; done
ok 'it shows that it lives' wait_for told WATCHDOG=1
ok 'it says what it does' told 'STATUS=mesh lab, node a: measuring the ways to 2 nodes'

# --- direct is dead, and who forgets that loses packets ----------------------------------------------
dead='0 0 100 0 0'
shape ac "$dead" "$dead"
for n in a c; do ok "direct is dead: $n goes by B" wait_for sends_by $n 'via b'; done
sleep 2 # and all that was sent by it is lost by now
declare -A running=()
begin() { # flows with pauses in which they may move
	for n in a c; do
		nsenter -t "${node_pid[$n]}" -n "$pace" udp -n 20 -r 100 "${overlay[$(other_of $n)]}" 5000 >"$tmp/pace.$n" &
		running[$n]=$!
		asym_pids+=($!)
	done
	sleep 0.3
}
nothing_lost() { # DESCRIPTION
	local n
	sleep 0.7
	for n in a c; do kill "${running[$n]}"; done
	for n in a c; do wait "${running[$n]}" || true; done
	for n in a c; do
		is "$1: all that $n sent was answered" "$(awk '{ n += $7 } END { print n }' "$tmp/pace.$n")" \
			"$(awk '{ n += $5 } END { print n ? n : "something" }' "$tmp/pace.$n")"
	done
	for n in a c; do ok "$1: $n goes by B" sends_by $n 'via b'; done
}
begin
end_daemon a KILL
sleep 0.3
serve
ok 'killed and begun again' wait_for told READY=1
wait_for answers a
nothing_lost 'killed and begun again'

begin
: >"$tmp/told"
reload
ok 'ExecReload: it says that it reloads' wait_for told RELOADING=1
ok 'and when that is done' wait_for told READY=1
nothing_lost 'reload'
begin
ok 'apply beside it' wg_apply a
nothing_lost 'apply beside it'

begin
(umask 077 && "$asymbpf" wg genkey >"$tmp/d.key")
static "node d { address = 192.168.51.9  public-key = \"$(public d)\"  endpoint = 100.64.4.2 }" >"$tmp/etc/asymbpf/mesh.conf"
reload
ok 'another description' wait_for in_node a ip link show w-d
nothing_lost 'another description'
grown=$(in_node a ip -br link show w-d)
says() { tail -n "+$1" "$tmp/err.a" | grep -qE "$2"; } # LINE REGEX
refuses() { # DESCRIPTION REGEX: what it says to SIGHUP; all stays as it was
	local from=$(($(wc -l <"$tmp/err.a") + 1))
	begin
	reload
	ok "$1" wait_for says "$from" "$2"
	ok "$1: it says what follows" wait_for says "$from" 'the mesh stays as it was'
	nothing_lost "$1"
	is "$1: devices stay" "$(in_node a ip -br link show w-d)" "$grown"
}
before=$(<"$tmp/etc/asymbpf/mesh.conf")
echo 'node d { nonsense = 1 }' >>"$tmp/etc/asymbpf/mesh.conf"
refuses 'a description that is wrong' 'mesh.conf:[0-9]+: '
cp "$tmp/d.key" "$tmp/etc/asymbpf/mesh.key"
echo "$before" >"$tmp/etc/asymbpf/mesh.conf"
sed -i '/node d/d' "$tmp/etc/asymbpf/mesh.conf"
refuses "a stranger's key" 'no node of the mesh lab has the private key'
cp "$tmp/a.key" "$tmp/etc/asymbpf/mesh.key"
(umask 077 && "$asymbpf" wg genkey >"$tmp/e.key")
ip -n "$a" link add w-e type veth peer name other
echo "$before
node e { address = 192.168.51.10  public-key = \"$(public e)\"  endpoint = 100.64.5.2 }" >"$tmp/etc/asymbpf/mesh.conf"
refuses "another's device of this name" 'there is a device w-e that asymbpf did not make'
ok 'it is there still' ip -n "$a" link show w-e
ip -n "$a" link del w-e

# --- two descriptions --------------------------------------------------------------------------------
differ() { wg c show | grep -qx 'a has another description of the mesh'; }
ok 'C shows that A has another description' wait_for differ
cp "$tmp/mesh.conf" "$tmp/etc/asymbpf/mesh.conf"
begin
reload
agree() { ! differ; }
ok 'and that it has not any more' wait_for agree
nothing_lost 'one node less'
ok 'its device is gone' sh -c "! ip -n $a link show w-d"

# --- killed on any node, clocks that jump --------------------------------------------------------------
begin
for n in a b c; do
	end_daemon $n KILL
	sleep 0.2
	measure $n
	wait_for answers $n
done
nothing_lost 'each daemon killed once'
jump() { # SECONDS: C's daemon is killed and begins with another clock
	end_daemon c KILL
	nsenter -t "${node_pid[c]}" -m -n unshare --time --boottime "$1" --monotonic "$1" --fork --kill-child \
		"$asymbpf" wg run --json >>"$tmp/log.c" 2>>"$tmp/err.c" &
	daemon[c]=$!
	asym_pids+=("${daemon[c]}")
}
mark
begin
jump 864000
wait_for answers a
sleep 1
nothing_lost 'ten days ahead'
begin
end_daemon c KILL # unshare; its child goes with it
measure c
wait_for answers a
sleep 1
nothing_lost 'ten days back'
is 'A sees no way die meanwhile' "$(new_events a | grep -E '"(dead|chosen)"' || true)" ''
usual
for n in a c; do ok "direct lives: $n goes there" wait_for sends_by $n direct; done

# --- what it does not begin with -----------------------------------------------------------------------
exits 'a second one' 1 'another asymbpf wg run is at it' timeout 5 nsenter -t "${node_pid[b]}" -m -n "$asymbpf" wg run
end_daemon b
run_in "$b" "$build/tests/netns/echod" 51819
wait_for listening "$b" 51819
exits 'the port of probes is taken' 1 "the port of probes is somebody else's" \
	timeout 5 nsenter -t "${node_pid[b]}" -m -n "$asymbpf" wg run
exits "a stranger's key" 1 'no node of the mesh lab has the private key' in_node b "$asymbpf" wg run --key "$tmp/d.key" --config "$tmp/mesh.conf"
exits 'no such key' 1 'cannot open .*nowhere' in_node b "$asymbpf" wg run --key "$tmp/nowhere" --config "$tmp/mesh.conf"
exits 'a description without a key' 2 '--key FILE is needed' in_node b "$asymbpf" wg run --config "$tmp/mesh.conf"
exits 'words' 2 'what is "now"' in_node b "$asymbpf" wg run now
ok 'the mesh is as it was' wait_for reaches b "${overlay[c]}"

kill -TERM "${daemon[a]}"
rc=0
wait "${daemon[a]}" || rc=$?
is 'SIGTERM ends it' "$rc" 0
end_daemon c
down_all 'down'
is 'what it complained of was what was wrong' "$(complaints a | grep -vE 'mesh stays as it was|mesh.conf:[0-9]|no node of the mesh|that asymbpf did not make' || true)" ''
done_testing
