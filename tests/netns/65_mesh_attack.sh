#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forged probes.  B sees those of C to A on their way, and sends A others that say that A's way by B, which
# A uses, is dead.  Who belongs to the mesh and knows all can do that; but nothing does that is not quite
# right, comes again, from somebody else, or not through a tunnel, nor a flood of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
. "$(dirname "$0")/mesh_lines.sh"
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/mimic >&2
flood=5000 # per second, 250 times what C sends

three_nodes
nodes >"$tmp/mesh.conf" # all by measurement: 0 is direct, 1 is by B
apply_all 'apply'
measure_all
ok 'A goes by B' wait_for sends_by a 'via b'
ok 'C goes direct' wait_for sends_by c direct
number() { wg_status a ".nodes[] | select(.node == \"c\").ways | map(.way) | index(\"via b\")"; }
way=$(number)
mimic() { # OUT KIND [N [PER_S]]
	in_node b "$build/tests/netns/mimic" w-c "$1" "${overlay[c]}" "${overlay[a]}" "$way" "${@:2}"
}
quiet() { # DESCRIPTION: neither A nor C has seen a way die or moved since mark
	local n
	for n in a c; do is "$1: nothing changes at $n" "$(new_events $n)" ''; done
}
calm() { # since long enough for the next
	wait_for sends_by a 'via b'
	wait_for sends_by c direct
	wait_for all_live a
}

# --- one that is believed --------------------------------------------------------------------------
mark
mimic ov0 true
left() { new_events a | grep -q '"dead"'; }
ok 'a probe with all that it needs is believed' wait_for left
ok 'A comes back' wait_for sends_by a 'via b'
sleep 1 # it was sent earlier than it came, too: C's way by B looks the better one for two seconds
calm

# --- others are not --------------------------------------------------------------------------------
tap forged "$a" in w-b
n=0
for kind in magic version short long count hash session node source port ahead jump; do
	mark
	mimic ov0 $kind 20 1000
	sleep 0.3
	quiet "$kind"
	n=$((n + 20))
done
mark
sleep 1.5 # silence of a way is death after a second
quiet 'afterwards'
untap forged
ok 'they arrived' [ "$(seen forged 'proto == "udp" && dport == 51819')" -ge $((n / 2)) ]

tap outside "$a" in ab
mark
mimic ba true 20 1000
sleep 0.3
untap outside
quiet 'not through a tunnel'
is 'that arrived, too' "$(seen outside 'proto == "udp" && dport == 51819')" 20

# --- a flood ---------------------------------------------------------------------------------------
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/${daemon[a]}/stat"; }
got() { wg_status a .counters.in_local; }
for kind in session again source; do
	calm
	pings a "${overlay[c]}"
	before=$(cpu_ms) from=$(now_ms) arrived=$(got)
	mark
	mimic ov0 $kind $((flood * 3)) $flood
	took=$(($(now_ms) - from)) used=$(($(cpu_ms) - before)) arrived=$(($(got) - arrived))
	sleep 1
	ms=$(gap)
	diag "$kind: $arrived packets in $took ms, the daemon used $used ms of the CPU; no ping for $ms ms at most"
	quiet "flood of $kind"
	ok "flood of $kind: it arrived" [ "$arrived" -gt $((flood * 5 / 2)) ]
	ok "flood of $kind: the daemon uses less than a fifth of a CPU" [ $((used * 5)) -lt "$took" ]
	ok "flood of $kind: pings pass" [ "$ms" -lt 1000 ]
done
# those that would be believed: as many as two daemons send are looked at
before=$(cpu_ms) from=$(now_ms)
mimic ov0 true $((flood * 2)) $flood
took=$(($(now_ms) - from)) used=$(($(cpu_ms) - before))
diag "flood of true ones: $took ms, $used ms of the CPU"
ok 'a flood of true ones uses less than a fifth of a CPU' [ $((used * 5)) -lt "$took" ]
ok 'after it A goes by B' wait_for sends_by a 'via b'
ok 'and C direct' wait_for sends_by c direct

for n in a b c; do end_daemon $n; done
down_all 'down'
for n in a b c; do is "complaints of $n" "$(complaints $n)" ''; done
done_testing
