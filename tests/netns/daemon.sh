# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the daemon, after lib.sh: `asymbpf monitor` in the gateway, what it tells, what the kernel
# holds, and faults of lines.  Sourced.
knock=$build/tests/netns/knock
pace=$build/tests/netns/pace
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{knock,pace,cookie,programs} >&2
now() { echo "${EPOCHREALTIME/[.,]/}"; } # µs since 1970
ms() { # US: in milliseconds, with a decimal
	printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100))
}
at_most() { # DESCRIPTION GOT LIMIT UNIT; on a slow machine more
	local limit=$(($3 * ${ASYM_TEST_SLOW:-1}))
	result "$([ "$2" -le "$limit" ] && echo 0 || echo 1)" "$1 ($2 $4, at most $limit)"
}
at_least() { # DESCRIPTION GOT LIMIT UNIT
	result "$([ "$2" -ge "$3" ] && echo 0 || echo 1)" "$1 ($2 $4, at least $3)"
}

# --- the daemon: $daemon is its pid, $tmp/events what it tells, $tmp/log its stderr ---------------------
mark=0 # of $tmp/events: lines before the one after this are old
daemon_start() { # ARGS...: without waiting
	mark_events
	ip netns exec "$gw" "$asymbpf" monitor --json "$@" >>"$tmp/events" 2>>"$tmp/log" </dev/null &
	daemon=$!
	asym_pids+=("$daemon")
}
started() { told '.event == "start"' || ! alive; }
daemon() { # DESCRIPTION ARGS...: a check that it takes over; without it the script ends
	local rc=0
	daemon_start "${@:2}"
	wait_for started || true
	told '.event == "start"' || rc=1
	result $rc "$1"
	[ $rc -eq 0 ] || {
		diag "$(tail -n 5 "$tmp/log")"
		done_testing
		exit 1
	}
}
# What else this machine does is then no delay of these; not so what the kernel does for them.
urgent() { # PID...
	local p
	for p; do chrt -f -p 1 "$p" 2>/dev/null || true; done
}
urgently() { # CMD...: a function, too
	(
		urgent "$BASHPID"
		"$@"
	)
}
alive() { [ -e "/proc/$daemon/exe" ]; }
daemon_end() { # [SIGNAL]: its status is then $ended
	local signal=${1:-TERM}
	kill -"$signal" "$daemon"
	ended=0
	wait "$daemon" || ended=$?
}
open_files() { find "/proc/$daemon/fd" -mindepth 1 2>/dev/null | wc -l; }
memory() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$daemon/status"; } # KiB, without what it maps now and then
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$daemon/stat"; }

# --- what it tells -----------------------------------------------------------------------------------------
mark_events() {
	touch "$tmp/events"
	mark=$(wc -l <"$tmp/events")
}
events() { tail -n +$((mark + 1)) "$tmp/events" | jq -c "select($1)"; } # JQ-CONDITION: since the mark
told() { [ -n "$(events "$1")" ]; }
told_times() { events "$1" | wc -l; }
told_at() { # JQ-CONDITION: when it was told first, µs since 1970
	events "$1" | head -n 1 |
		jq -r '.time | ((.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)) * 1000'
}
goes() { # LINK STATE [FAMILY]: a condition
	echo ".event == \"link\" and .link == \"$1\" and .state == \"$2\" and .family == \"${3:-ipv4}\""
}
repairs() { told_times '.event == "repair"'; }
quiet() { # MS: until nothing was told for so long
	local n=-1 end=$((SECONDS + 20))
	while [ "$n" != "$(wc -l <"$tmp/events")" ] && [ $SECONDS -lt $end ]; do
		n=$(wc -l <"$tmp/events")
		sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	done
}

# --- what it says when it is asked ---------------------------------------------------------------------------
socket_file() { local f; f=$(state_file) && echo "${f%.json}.sock"; }
ask() { # JSON: a line to the daemon's socket, and its answer
	perl -MIO::Socket::UNIX -e '$SIG{ALRM} = sub { exit 1 }; alarm 10;
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
		print $s "$ARGV[1]\n"; $s->flush; print scalar <$s>' "$(socket_file)" "$1"
}
link_says() { # LINK FAMILY: "state reason"
	ask '{"do": "status"}' | jq -r ".links[] | select(.name == \"$1\").$2 | \"\(.state) \(.reason)\""
}
link_is() { # LINK FAMILY STATE
	[[ $(link_says "$1" "$2") == "$3 "* ]]
}

# --- what the kernel holds -----------------------------------------------------------------------------------
programs() { # of all devices of the gateway: "DEVICE HOOK NAME", by tcx or clsact
	local devices
	mapfile -t devices < <(ip -n "$gw" -j link | jq -r '.[].ifname')
	{
		gw "$build/tests/netns/programs" "${devices[@]}"
		gw bpftool -j net | jq -r '.[].tc[]? | "\(.devname) \(.kind) \(.name)"'
	} | grep asym_ | sort
}
kernel_state() { # all that is ours, without counters and ids
	local family
	for family in -4 -6; do
		ip -n "$gw" $family rule
		ip -n "$gw" $family route show table all proto 171 | sed 's/ *$//' | sort
	done
	gw nft -s list table inet asymbpf
	programs
	asym status --json | jq -S 'del(.daemon, .flow_cache) | walk(if type == "object" then
		with_entries(select(.key | IN("rx_bytes", "tx_bytes", "connections_out", "connections_in",
		"packets", "bytes", "degraded", "reason", "since_s", "targets", "up", "manual", "manual_left_s", "lease") | not)) else . end)'
}
same_state() { # FILE: the kernel's is as there
	kernel_state >"$tmp/state.now" 2>&1
	diff -u "$1" "$tmp/state.now"
}

# --- lines ---------------------------------------------------------------------------------------------------
# Lines that lose their carrier and get it back: the ISP's end keeps its addresses.  A packet that meets the
# dead line has the kernel ask for the gateway, in vain, and again 1 s and 2 s later, carrier or not; here
# that is over after 150 ms.
steady_lines() { # K...
	local k
	for k; do
		net sysctl -qw "net.ipv6.conf.p$k.keep_addr_on_down=1"
		gw sysctl -qw "net.ipv4.neigh.wan$k.retrans_time_ms=50" "net.ipv6.neigh.wan$k.retrans_time_ms=50"
	done
}
asked() { ip -n "$gw" neigh show dev "wan$1" | grep -q INCOMPLETE; } # K: for the gateway, in vain so far
unplug() { ip -n "$net" link set "p$1" down; } # K: the gateway's end loses its carrier
plug() { ip -n "$net" link set "p$1" up; }
holes() { # a table for what ISPs lose
	net nft -f - <<-END
		table inet holes {
			set black { type ifname; }
			set deaf { type ipv4_addr; }
			chain in {
				type filter hook prerouting priority -350; policy accept;
				iifname @black drop
				ip daddr @deaf drop
			}
		}
	END
}
black() { net nft add element inet holes black "{ \"p$1\" }"; } # K: the line carries, but nothing comes through
clear() { net nft delete element inet holes black "{ \"p$1\" }"; }
deaf() { net nft add element inet holes deaf "{ $1 }"; } # ADDRESS: it does not answer
hearing() { net nft delete element inet holes deaf "{ $1 }"; }

# --- traffic -------------------------------------------------------------------------------------------------
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
	for n; do wait "${running[$n]}" || true; done
}
# Of connections by knock that began after FROM (µs): when the first was open by link K.
first_by() { # NAME FROM K
	awk -v from="$2" -v a="100.64.$3.2" '$1 >= from && $3 == a && (!at || $1 + $2 < at) { at = $1 + $2 }
		END { printf "%.0f\n", at }' "$tmp/$1"
}
has_first_by() { [ "$(first_by "$@")" -gt 0 ]; }
# When the last of those that began in this time began that was not open within 200 ms.
last_stuck() { # NAME FROM TO
	awk -v from="$2" -v to="$3" '$1 >= from && $1 < to && ($2 > 200000 || $3 ~ /^!/) && $1 > at { at = $1 }
		END { printf "%.0f\n", at }' "$tmp/$1"
}
# A connection on which exchanges take place when told, and which then stays open: descriptor N.
talk() { # N NS ARGS of traffic...
	local n=$1 ns=$2
	rm -f "$tmp/line$n"
	mkfifo "$tmp/line$n"
	run_in "$ns" sh -c "exec $traffic \"\$@\" <$tmp/line$n >$tmp/said$n" - "${@:3}"
	eval "exec $n>$tmp/line$n"
}
say() { # N: an exchange on each of its connections; prints what came of it
	local seen
	seen=$(grep -c '^end' "$tmp/said$1" || true)
	echo >&"$1"
	said_more() { [ "$(grep -c '^end' "$tmp/said$1" || true)" -gt "$2" ]; }
	wait_for said_more "$1" "$seen" >&2 || true
	awk -v n="$seen" '/^end/ { e++; next } e == n' "$tmp/said$1"
}
