# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the flow cache: recorders on devices, whether what they saw is as conntrack has it, and what
# passed the cache.  Sourced after lib.sh.
wire=$build/tests/netns/wire
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{wire,forge} >&2
declare -A taps=()

needs_cache() { # after load
	[ "$(status .flow_cache.on)" = true ] || skip_all "no flow cache: $(status .flow_cache.reason)"
}
counter() { asym stats --json | jq "[.counters | ${1// /, }] | add"; } # JQ-FILTER..., e.g. '.lan_flow .link_flow'
of_flow() { # JQ-FILTER ARGS...: of the flows that `flows ARGS` lists
	local filter=$1
	shift
	asym flows --json "$@" | jq -r "$filter"
}
ways() { # MIN ARGS...: a listed flow has sent that many packets by the cache, either way
	[ "$(of_flow "[.[] | select(.original.packets >= $1 and .reply.packets >= $1)] | length" "${@:2}")" -gt 0 ]
}
one_way() { # MIN WAY ARGS...: likewise, by one way: original or reply
	[ "$(of_flow "[.[] | select(.$2.packets >= $1)] | length" "${@:3}")" -gt 0 ]
}
uncached() { # ARGS...: no packet of such a flow has passed the cache
	[ "$(of_flow '[.[] | .original.packets, .reply.packets] | add // 0' "$@")" = 0 ]
}

# --- recorders -------------------------------------------------------------------------------------
tap() { # NAME NS in|out DEVICE: records what crosses the device from now on
	ip netns exec "$2" "$wire" "$3" "$4" >"$tmp/tap.$1" 2>&1 </dev/null &
	taps[$1]=$!
	asym_pids+=($!)
	wait_for grep -q ready "$tmp/tap.$1"
}
untap() { # NAME...: ends these recorders
	local name
	for name; do
		kill "${taps[$name]}"
		wait "${taps[$name]}" || true
		unset "taps[$name]"
	done
}
lines() { # NAME AWK-CONDITION: what was recorded; src, sport, dst, dport, ttl, packets, largest, bad may be named
	awk "NF == 10 { proto = \$1; src = \$2; sport = \$3; dst = \$4; dport = \$5; ttl = \$6; packets = \$7
		bytes = \$8; largest = \$9; bad = \$10; if ($2) print }" "$tmp/tap.$1"
}
seen() { lines "$@" | awk '{ n += $7 } END { print n + 0 }'; } # likewise: how many packets
# All is well with the packets; their sources match a regular expression; OWN tells which the router sent.
clean() { # DESCRIPTION NAME SOURCES [OWN]
	local d=$1 name=$2 own=${4:-0}
	is "$d: nothing escaped the recorder" "$(tail -n 1 "$tmp/tap.$name")" 'lost 0'
	is "$d: checksums and lengths" "$(lines "$name" bad | head)" ''
	is "$d: TTL is one less" "$(lines "$name" "(proto == \"tcp\" || proto == \"udp\") && ttl != (($own) ? 64 : 63)" | head)" ''
	is "$d: sources" "$(lines "$name" "src !~ /^(fe80::.*|::|$3)\$/" | head)" ''
}

forge() { # NS DEVICE TO ARGS...: sends forged packets to the MAC address of the gateway's device TO
	local mac
	mac=$(ip -n "$gw" -j link show "$3" | jq -r '.[0] | select(.link_type == "ether").address // "-"')
	ip netns exec "$1" "$build/tests/netns/forge" "$2" "${mac:--}" "${@:4}"
}

# --- conntrack -------------------------------------------------------------------------------------
watch_connections() { # from now on
	ip netns exec "$gw" conntrack -E -e NEW -b 8388608 >"$tmp/connections" 2>&1 </dev/null &
	asym_pids+=($!)
	# it says nothing when it is there: so something to see, until it does
	wait_for sh -c "ip netns exec $gw ping -q -c 1 127.0.0.1; grep -q NEW $tmp/connections"
}
# Packets leave as the reverse of one of their connection's tuples; prints those recorded that do not.
unknown() { # NAME...
	local name
	awk 'function value(i) { sub(/.*=/, "", $i); return $i }
		/ (tcp|udp) / {
			n = 0
			for (i = 1; i <= NF; i++)
				if ($i ~ /^(src|dst|sport|dport)=/) v[n++] = value(i)
			proto = / tcp / ? "tcp" : "udp"
			for (i = 0; i < n; i += 4) print proto, v[i + 1], v[i + 3], v[i], v[i + 2]
		}' "$tmp/connections" >"$tmp/known"
	for name; do
		lines "$name" '(proto == "tcp" || proto == "udp") && src !~ /^fe80/' |
			awk -v name="$name" -v file="$tmp/known" 'BEGIN { while ((getline line <file) > 0) known[line] }
				!(($1 " " $2 " " $3 " " $4 " " $5) in known) { print name ": " $0 }'
	done
}

# --- conversations ---------------------------------------------------------------------------------
declare -A talks=()
talk() { # NAME NS ARGS of traffic...: exchanges until hush
	local time_out=1000
	[ "$3" != udp ] || time_out=3000 # what is lost never comes, what is slow may
	ip netns exec "$2" "$traffic" "${@:3:1}" -c 0 -t $time_out "${@:4}" >"$tmp/talk.$1" 2>&1 </dev/null &
	talks[$1]=$!
	asym_pids+=($!)
}
hush() { # NAME...
	local name
	for name; do kill "${talks[$name]}"; done
	for name; do
		wait "${talks[$name]}" || true
		unset "talks[$name]"
	done
}
# A queue between namespaces is its CPU's, shared by all that this machine does (net.core.netdev_max_backlog),
# and drops what it has no room for: on either side of the gateway, which is not to blame.  Both ends of
# the cable count that; what one end alone counts is something else.
dropped() { # packets of this lab that such queues dropped
	local ns
	for ns in "${asym_spaces[@]}"; do ip -n "$ns" -j -s link; done |
		jq -s '[.[][].stats64] | [([.[].tx.dropped] | add), ([.[].rx.dropped] | add)] | min'
}
excused=0
said() { # DESCRIPTION NAME: all exchanges succeeded, and there were many; one may be lost for each packet dropped
	local failed lost
	failed=$(grep '^!' "$tmp/talk.$2" || true)
	lost=$(awk '$1 == "!lost" { print $2 }' "$tmp/talk.$2")
	if [ -n "$lost" ] && [ $((excused + lost)) -le "$(dropped)" ]; then
		excused=$((excused + lost))
		diag "$1: $lost lost, this machine dropped $(dropped) packets before or behind the gateway"
		failed=$(grep -v '^!lost ' <<<"$failed" || true)
	fi
	is "$1: no exchange failed" "$failed" ''
	ok "$1: there were many" [ "$(awk '{ n += $2 } END { print n + 0 }' "$tmp/talk.$2")" -gt 100 ]
}
