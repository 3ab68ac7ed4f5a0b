#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Noise is no reason to move: delays that vary by 20 % up and down, on two ways that are alike; neither
# direction moves, no way dies.  Half a minute, or MINUTES of it.  Then the way in use gets slower, its
# direction leaves it, and comes back when it is as before.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/mesh.sh"
. "$(dirname "$0")/mesh_lines.sh"
seconds=$((${MINUTES:-0} * 60))
[ "$seconds" -gt 0 ] || seconds=30

# A line's delay is DELAY_MS to DELAY_MS + JITTER_MS: of 20 % up and down, 80 % and 40 % of the mean.
noisy() { # LINE THERE BACK: means in ms
	shape "$1" "$(awk -v d="$2" 'BEGIN { print d * .8, d * .4, 0, 0, 0 }')" \
		"$(awk -v d="$3" 'BEGIN { print d * .8, d * .4, 0, 0, 0 }')"
}
noise() { # both ways take 30 ms on average, in both directions
	noisy ab 16 16
	noisy bc 14 14
	noisy ac 30 30
}
three_nodes noise
nodes >"$tmp/mesh.conf" # all by measurement
apply_all 'apply'
measure_all
settled() { # NODE: it goes direct, which is the first of ways that are alike, and no way has died
	sends_by "$1" direct
}
for n in a c; do ok "$n goes direct" wait_for settled $n; done
sleep 5 # what was measured at the beginning has left the windows
figures() { # NODE: delays that it has measured, "MS MS"
	wg_status "$1" ".measured.peers[] | select(.node == \"$(other_of "$1")\") | [.to[].delay_ms, .rtt_ms] | map(. // \"-\") | join(\" \")"
}
# Pings see whether this machine stood still meanwhile: then ways died, and that is not the noise's fault.
watched=()
for n in b c; do
	nsenter -t "${node_pid[a]}" -n ping -i 0.05 "${overlay[$n]}" >"$tmp/watch.$n" &
	watched+=($!)
	asym_pids+=($!)
done
stood_still() { # pings, lost ones too, that took twice as long as noise can make them
	local n
	for n in b c; do
		awk -F'[= ]' '/time=/ { t = $(NF - 1); got++; if (t > 150) n++ } /transmitted/ { n += $1 - got - 2 > 0 ? $1 - got - 2 : 0 }
			END { print n + 0 }' "$tmp/watch.$n"
	done | awk '{ n += $1 } END { print n }'
}
mark
end=$(($(now_ms) + seconds * 1000))
n_figures=0
while [ "$(now_ms)" -lt $end ]; do
	sleep 1
	figures a >>"$tmp/figures"
	n_figures=$((n_figures + 1))
done
for pid in "${watched[@]}"; do
	kill -INT "$pid"
	wait "$pid" || true
done
stalls=$(stood_still)
ok 'it was measured all the time' [ "$(grep -cE '^[0-9.]+ [0-9.]+ [0-9.]+$' "$tmp/figures")" -ge $((n_figures * 9 / 10)) ]
varied=$(sort -u "$tmp/figures" | wc -l)
diag "$seconds s of noise: $(new_events a | wc -l) and $(new_events c | wc -l) events;" \
	"A's differences and round trip, of $varied kinds: $(sort -u "$tmp/figures" | head -3 | paste -sd';')"
ok 'there was noise' [ "$varied" -ge $((n_figures / 3)) ]
for n in a c; do
	is "$n: no noise moves anything in $seconds s" "$(new_events $n | grep -E '"(faster|less-loss)"' || true)" ''
	if [ "$stalls" -eq 0 ]; then
		is "$n: nothing dies in $seconds s" "$(new_events $n)" ''
	else
		diag "$n: this machine stood still, $stalls pings were late; ways that died: $(new_events $n | grep -c '"dead"' || true)"
	fi
done

mark
shape ac '64 12 0 0 0' '24 12 0 0 0' # 70 ms there
ok 'direct gets slower: A goes by B' wait_for sends_by a 'via b'
ms=$(moves a | head -1)
diag "40 ms more: A moved after $ms ms"
ok 'within 5 s' [ "${ms:-9999}" -lt 5000 ]
is 'C stays' "$(moves c)" ''
mark
noise
# good for 5 s, or for 10 s when it has been left before
patiently() {
	local ASYM_TEST_SLOW=$((3 * ${ASYM_TEST_SLOW:-1}))
	wait_for "$@"
}
ok 'direct is as before: A comes back' patiently sends_by a direct
diag "A came back after $(moves a | head -1) ms"
is 'C stays again' "$(moves c)" ''
down_all 'down'
for n in a b c; do is "complaints of $n" "$(complaints $n)" ''; done
done_testing
