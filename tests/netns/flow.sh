# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the flow cache, after lib.sh: a lab with links, connections that are watched, and proof
# that no packet was on the wrong line with the wrong address.  Sourced.
pace=$build/tests/netns/pace

# After `lab`: echod runs before all that is not as urgent, like `pace udp`.  What else this machine does
# is then no gap in what they send each other.
urgent_echod() { chrt -f -p 1 "$kept"; }

# Every packet that the client or an ISP gets is looked at, from here to clean_lines: lib.sh's counters
# at the ISPs' ends, and one for what is no address of the client's.  Packets that conntrack does not
# want are counted at the gateway.
watch_lines() {
	c nft -f - <<-END
		table inet watch {
			counter strays {}
			chain in {
				type filter hook prerouting priority raw; policy accept;
				iifname "eth0" ip daddr != { 10.0.0.0/15, 224.0.0.0/4, 255.255.255.255 } counter name strays
				iifname "eth0" ip6 daddr != { fd00::/8, fe80::/10, ff00::/8 } counter name strays
			}
		}
	END
	gw nft -f - <<-END
		table inet watch {
			counter invalid {}
			chain in {
				type filter hook prerouting priority 0; policy accept;
				ct state invalid meta l4proto { tcp, udp } counter name invalid
			}
		}
	END
}
counter() { # NS NAME: packets of a counter in that namespace's table "watch"
	ip netns exec "$1" nft -j list counter inet watch "$2" | jq '[.nftables[].counter.packets? // empty] | add'
}
clean_lines() { # K...
	no_strays 'no packet on a link had a wrong source' "$@"
	is 'no packet on the LAN had a wrong destination' "$(counter "$c" strays)" 0
}
two_links() { # [KEY = VALUE]...: a configuration of wan1 and wan2
	config <<<"$* lan { devices = \"lan0\" } link wan1 {} link wan2 {}"
}
stat() { asym stats --json | jq ".counters.$1"; }
now() { echo "${EPOCHREALTIME/[.,]/}"; } # µs

# --- connections ---------------------------------------------------------------------------------
# Each runs in the background under a name; what it reports is in $tmp/NAME.
declare -A running=()
start() { # NAME NS CMD...
	local name=$1
	ip netns exec "$2" "${@:3}" >"$tmp/$name" 2>&1 </dev/null &
	running[$name]=$!
	asym_pids+=($!)
}
finish() { # NAME...: ends them and waits
	local n
	for n; do kill -TERM "${running[$n]}" 2>/dev/null || true; done
	for n; do ended "$n"; done
}
ended() { wait "${running[$1]}" || true; } # NAME: waits
field() { # NAME KEY [N]: of flow N (0) in pace's report
	awk -v k="$2" -v n="${3:-0}" '$1 == "flow" && $2 == n { for (i = 4; i < NF; i++) if ($i == k) print $(i + 1) }' "$tmp/$1"
}
total() { # NAME KEY
	awk -v k="$2" '$1 == "flow" { for (i = 4; i < NF; i++) if ($i == k) n += $(i + 1) } END { print n + 0 }' "$tmp/$1"
}
longest() { awk '$1 == "flow" && $13 > n { n = $13 } END { print n + 0 }' "$tmp/$1"; } # NAME: ms
us() { echo "${1/./}000"; } # seconds with three decimals
at_most() { # DESCRIPTION GOT LIMIT UNIT
	result "$([ "$2" -le "$3" ] && echo 0 || echo 1)" "$1 ($2 $4, at most $3)"
}

# A connection on which exchanges take place when told, and which then stays open: descriptor N.
talk() { # N NS ARGS of traffic...
	local n=$1 ns=$2
	shift 2
	mkfifo "$tmp/line$n"
	run_in "$ns" sh -c "exec $traffic \"\$@\" <$tmp/line$n >$tmp/said$n" - "$@"
	eval "exec $n>$tmp/line$n"
}
say() { # N COUNT: exchanges, one after the other
	yes '' | head -n "$2" >&"$1" || true
}
answers() { awk -v ok="$2" '/^end/ { next } /^!/ != ok { n += $2 } END { print n + 0 }' "$tmp/said$1"; } # N 1|0: good or bad

# --- the cache -----------------------------------------------------------------------------------
cached() { # JQ-CONDITION [ARGS of flows...]: how many flows pass the cache both ways
	asym flows --json "${@:2}" | jq "[.[] | select(.state == \"fast\" and .original.in and .reply.in and ($1))] | length"
}
cached_are() { [ "$(cached true "${@:2}")" -ge "$1" ]; } # N [ARGS of flows]
