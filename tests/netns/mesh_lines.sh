# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A mesh of three nodes with a line of their own between each two, each direction with its delay, jitter,
# loss and rate, and their daemons.  Sourced after lib.sh and mesh.sh.
#
#	[a] ab ── 8 ms ── ba [b] bc ── 7 ms ── cb [c]
#	 └── ac ──────── 55 ms there, 15 ms back ──── ca
#
# A's ways to C and C's to A are what is looked at.  $family: 4 or 6, of endpoints and overlay alike; both:
# IPv4, and the overlay has IPv6, too.
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{line,overlay} >&2
declare -A line_pid daemon lines_before outer overlay
use_family() { # 4|6|both
	family=$1
	if [ "$1" != 6 ]; then
		outer=([a]=100.64.1.2 [b]=100.64.2.2 [c]=100.64.3.2)
		overlay=([a]=192.168.51.5 [b]=192.168.51.1 [c]=192.168.51.2)
	else
		outer=([a]=2001:db8:1::2 [b]=2001:db8:2::2 [c]=2001:db8:3::2)
		overlay=([a]=fd51::5 [b]=fd51::1 [c]=fd51::2)
	fi
}
shape() { # LINE "THERE" "BACK": delay, jitter, loss, rate, room
	printf '%s\n%s\n' "$2" "$3" >"$tmp/line.$1"
	[ -z "${line_pid[$1]-}" ] || kill -HUP "${line_pid[$1]}"
}
usual() {
	shape ab '8 1 0 0 0' '8 1 0 0 0'
	shape bc '7 1 0 0 0' '7 1 0 0 0'
	shape ac '55 3 0 0 0' '15 1 0 0 0'
}
wire() { # X Y: devices xy and yx, addresses are on lo
	local f
	keep "$build/tests/netns/line" "${!1}" "$1$2" "${!2}" "$2$1" "$tmp/line.$1$2"
	line_pid[$1$2]=$kept
	wait_for ip -n "${!1}" link set "$1$2" up
	wait_for ip -n "${!2}" link set "$2$1" up
	for f in 4 6; do
		use_family $f
		ip -n "${!1}" route add "${outer[$2]}" dev "$1$2" src "${outer[$1]}"
		ip -n "${!2}" route add "${outer[$1]}" dev "$2$1" src "${outer[$2]}"
	done
}
three_nodes() { # [CMD...]: begins with this shape of lines, `usual` if none is given
	local n f
	for n in a b c; do
		space $n
		for f in 4 6; do
			use_family $f
			ip -n "${!n}" addr add "${outer[$n]}/$((f == 4 ? 32 : 128))" dev lo
		done
		own_run $n
		(umask 077 && "$asymbpf" wg genkey >"$tmp/$n.key")
	done
	"${@:-usual}"
	wire a b
	wire b c
	wire a c
	use_family 4
}
endpoint_of() { [ "$family" = 6 ] && echo "\"[${outer[$1]}]\"" || echo "${outer[$1]}"; } # NODE
address_of() {                                                                           # NODE
	[ "$family" = both ] && echo "{${overlay[$1]}, fd51::${overlay[$1]##*.}}" || echo "${overlay[$1]}"
}
nodes() { # [LINE of b's]
	cat <<-END
		mesh lab { keepalive = 1s }
		node a { address = $(address_of a)  public-key = "$(public a)" }
		node b { address = $(address_of b)  public-key = "$(public b)"  endpoint = $(endpoint_of b)  ${1-} }
		node c { address = $(address_of c)  public-key = "$(public c)"  endpoint = $(endpoint_of c) }
	END
}
apply_all() { # DESCRIPTION: $tmp/mesh.conf on all nodes at once
	local n pids=() rc=0
	for n in a b c; do wg_apply $n & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" || rc=1; done
	result $rc "$1"
}
down_all() {
	local n pids=() rc=0
	for n in a b c; do wg $n down & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" || rc=1; done
	result $rc "$1"
}

# --- daemons ---------------------------------------------------------------------------------------
measure() { # NODE [ARGS...]
	nsenter -t "${node_pid[$1]}" -m -n "$asymbpf" wg run --json "${@:2}" >>"$tmp/log.$1" 2>>"$tmp/err.$1" &
	daemon[$1]=$!
	asym_pids+=("${daemon[$1]}")
}
# Who opens a tunnel at the same time as the other side waits for 5 s (REKEY_TIMEOUT): so one side does.
open_tunnels() {
	wait_for reaches b "${overlay[c]}"
	wait_for reaches a "${overlay[c]}"
	wait_for reaches a "${overlay[b]}"
}
measure_all() { # and waits until each hears the others, by all ways
	local n
	open_tunnels
	for n in a b c; do measure $n; done
	for n in a b c; do needs "$n measures" wait_for answers $n; done
	for n in a c; do needs "all ways of $n live" wait_for all_live $n; done
}
all_live() { # NODE: its ways to the other end
	[ "$(wg_status "$1" "[.measured.peers[] | select(.node == \"$(other_of "$1")\").to[].state] | unique | join(\" \")")" = alive ]
}
end_daemon() { # NODE [SIGNAL]
	kill "-${2-TERM}" "${daemon[$1]}"
	wait "${daemon[$1]}" 2>/dev/null || true
}
answers() { [ "$(wg_status "$1" '[.measured.peers[]?.answers] | all and length == 2')" = true ]; } # NODE
other_of() { [ "$1" = a ] && echo c || echo a; }                                                  # NODE
sends_by() { # NODE WAY: what the programs do with thin flows to the other end
	[ "$(wg_status "$1" ".nodes[] | select(.node == \"$(other_of "$1")\").ways[] | select(.thin_percent == 100).way")" = "$2" ]
}
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
mark() { # all that is logged from now on is new
	local n
	t0=$(now_ms)
	for n in a c; do lines_before[$n]=$(wc -l <"$tmp/log.$n"); done
}
new_events() { tail -n "+$((lines_before[$1] + 1))" "$tmp/log.$1" | jq -c 'select(.event == "way")'; } # NODE
moves() { # NODE: times of moves of thin flows to the other end since mark, in ms after it
	new_events "$1" | jq -r --argjson t0 "$t0" 'select(.state == "chosen" and (.text | test("^to [ac], thin")))
		| (.time | (sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) * 1000 + (capture("\\.(?<ms>[0-9]+)Z$").ms | tonumber)) - $t0'
}

# --- traffic ---------------------------------------------------------------------------------------
pings() { # NODE ADDRESS: until gap
	nsenter -t "${node_pid[$1]}" -m -n ping -D -i 0.05 "$2" >"$tmp/pings" &
	pinger=$!
	asym_pids+=("$pinger")
	wait_for grep -q time= "$tmp/pings"
}
gap() { # ends them; longest time between two answers, in ms
	kill -INT "$pinger"
	wait "$pinger" || true
	awk '/time=/ { gsub(/[][]/, "", $1); if (last && $1 - last > most) most = $1 - last; last = $1 } END { printf "%d\n", most * 1000 }' "$tmp/pings"
}
# What daemons said that they should not have.
complaints() { # NODE
	grep -v 'no mesh here yet' "$tmp/err.$1" | grep -iE 'error|warning|cannot|in use|runtime|Sanitizer' || true
}
