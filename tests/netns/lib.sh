# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab: network namespaces, TAP, waiting, cleaning up.  Sourced by the scripts next to it.
#
#   [c] eth0 ──── lan0 [gw] wan1 ──── p1 [net]    net: the ISPs' routers and the Internet host in one
#                           wan2 ──── p2
#                           ...
#   c      10.0.0.2, all of 10.1.0.0/16, fd00:1::2, all of fd00:2::/64
#   wanK   100.64.K.2, 2001:db8:K::2; gateway 100.64.K.1, 2001:db8:K::1
#   net    all of 198.51.100.0/24, 203.0.113.0/24, 2001:db8:ffff::/64; echod on 53, 80, 443, 5000
#
# $c, $gw, $net are the namespaces' names; `c CMD...`, `gw CMD...`, `net CMD...` run a command there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
asymbpf=${ASYMBPF:-$root/build/asymbpf}
build=$(dirname "$asymbpf")
traffic=$build/tests/netns/traffic
id=${ASYM_TEST_ID:-$$}
tmp=$(mktemp -d)
asym_spaces=() asym_pids=()
n_tests=0

# The gateway's state file is named after its namespace's cookie.
state_file() { echo "/run/asymbpf/$(gw "$build/tests/netns/cookie").json"; }

# --- TAP -----------------------------------------------------------------------------------------
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
result() { # RC DESCRIPTION
	n_tests=$((n_tests + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n_tests - $2"; else echo "not ok $n_tests - $2"; fi
}
ok() { # DESCRIPTION CMD...: passes if CMD does; what CMD prints is shown if not
	local d=$1 rc=0 out
	shift
	out=$("$@" 2>&1) || rc=$?
	result $rc "$d"
	[ $rc -eq 0 ] || diag "'$*' ended with $rc" "$out"
	last_rc=$rc
}
needs() { # like ok, but the script ends if it fails
	ok "$@"
	[ "$last_rc" -eq 0 ] || { done_testing; exit 1; }
}
is() { # DESCRIPTION GOT WANT
	local rc=0
	[ "$2" = "$3" ] || rc=1
	result $rc "$1"
	[ $rc -eq 0 ] || diag "     got: $2"$'\n'"expected: $3"
}
like() { # DESCRIPTION GOT REGEX
	local rc=0
	[[ $2 =~ $3 ]] || rc=1
	result $rc "$1"
	[ $rc -eq 0 ] || diag "       got: $2"$'\n'"should be: $3"
}
near() { # DESCRIPTION GOT WANT TOLERANCE
	local rc=0
	[ "$2" -ge $(($3 - $4)) ] && [ "$2" -le $(($3 + $4)) ] || rc=1
	result $rc "$1 ($2, wanted $3 ± $4)"
}
exits() { # DESCRIPTION STATUS REGEX CMD...: the exit status, and REGEX in what CMD prints
	local d=$1 want=$2 re=$3 rc=0 out
	shift 3
	out=$("$@" 2>&1) || rc=$?
	is "$d: status" "$rc" "$want"
	like "$d: message" "$out" "$re"
}
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
done_testing() { echo "1..$n_tests"; }

# --- namespaces ----------------------------------------------------------------------------------
space() { # VAR [SUFFIX]: makes a namespace, its name goes into VAR
	local ns="at$id-$1${2-}"
	ip netns add "$ns"
	asym_spaces+=("$ns")
	printf -v "$1" %s "$ns"
	ip netns exec "$ns" sh -c 'sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.rp_filter=0 \
		net.ipv6.conf.default.accept_ra=0; ip link set lo up'
}
c() { ip netns exec "$c" "$@"; }
gw() { ip netns exec "$gw" "$@"; }
net() { ip netns exec "$net" "$@"; }
use_lab() { # SUFFIX: c, gw and net are from now on those of that lab
	c=at$id-c$1 gw=at$id-gw$1 net=at$id-net$1
}
cable() { # NS1 DEV1 NS2 DEV2: a veth pair, both ends up
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}
keep() { # CMD...: runs it in the background until the end; its pid is $kept
	"$@" >"$tmp/keep.$RANDOM" 2>&1 </dev/null &
	kept=$!
	asym_pids+=("$kept")
}
run_in() { # NS CMD...: like keep, for commands in a namespace (the pid is the command's own)
	local ns=$1
	shift
	keep ip netns exec "$ns" "$@"
}
cleanup() {
	local rc=$? ns pid
	trap - EXIT
	set +e
	for pid in "${asym_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${asym_pids[@]}"; do wait "$pid" 2>/dev/null; done
	for ns in "${asym_spaces[@]}"; do
		[[ $ns != *-gw* ]] || ip netns exec "$ns" "$asymbpf" unload >/dev/null 2>&1
		for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid"; done
	done
	for ns in "${asym_spaces[@]}"; do ip netns del "$ns"; done
	rm -rf "$tmp"
	exit "$rc"
}
trap cleanup EXIT
trap 'diag "line $LINENO of ${BASH_SOURCE[0]##*/} failed: $BASH_COMMAND"' ERR

wait_for() { # CMD...: until it succeeds, at most 10 s (on a slow machine more)
	local end=$((${EPOCHREALTIME/[.,]/} + 10000000 * ${ASYM_TEST_SLOW:-1}))
	until "$@" >/dev/null 2>&1; do
		if [ "${EPOCHREALTIME/[.,]/}" -gt "$end" ]; then
			diag "waited in vain for: $*"
			return 1
		fi
		sleep 0.02
	done
}
listening() { # NS PORT
	[ -n "$(ip netns exec "$1" ss -Htln "sport = :$2")" ]
}

# --- topologies ----------------------------------------------------------------------------------
lab() { # [SUFFIX]: the three namespaces, client and Internet host; links are added by wan
	space c "${1-}"
	space gw "${1-}"
	space net "${1-}"
	cable "$c" eth0 "$gw" lan0
	ip -n "$c" addr add 10.0.0.2/24 dev eth0
	ip -n "$c" addr add fd00:1::2/64 dev eth0
	ip -n "$c" route add local 10.1.0.0/16 dev lo
	ip -n "$c" route add local fd00:2::/64 dev lo
	ip -n "$c" route add default via 10.0.0.1 src 10.0.0.2
	ip -n "$c" route add default via fd00:1::1
	ip -n "$gw" addr add 10.0.0.1/24 dev lan0
	ip -n "$gw" addr add fd00:1::1/64 dev lan0
	ip -n "$gw" route add 10.1.0.0/16 via 10.0.0.2
	ip -n "$gw" route add fd00:2::/64 via fd00:1::2
	c sysctl -qw net.ipv6.ip_nonlocal_bind=1
	# ICMP errors without a limit: every refused connection is to be seen
	gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
		net.ipv6.icmp.ratelimit=0
	host_addresses
	run_in "$net" "$build/tests/netns/echod" 53 80 443 5000
	wait_for listening "$net" 5000
}
host_addresses() {
	ip -n "$net" route add local 198.51.100.0/24 dev lo
	ip -n "$net" route add local 203.0.113.0/24 dev lo
	ip -n "$net" route add local 2001:db8:ffff::/64 dev lo
	net sysctl -qw net.ipv6.ip_nonlocal_bind=1
	# what arrives on access line pK: new TCP, UDP; and what the ISP would refuse (BCP 38)
	net nft -f - <<-END
		table inet watch {
			chain in { type filter hook prerouting priority raw; policy accept; }
		}
	END
}
wan() { # K [DEV]: link K with its own subnet, 100.64.K.0/24, and its default routes in main
	local k=$1 dev=${2:-wan$1}
	cable "$gw" "$dev" "$net" "p$k"
	ip -n "$net" addr add "100.64.$k.1/24" dev "p$k"
	ip -n "$net" addr add "2001:db8:$k::1/64" dev "p$k"
	wan_address "$k" "$dev"
	watch_line "$k" "100.64.$k.0/24" "2001:db8:$k::/64"
}
wan_address() { # K DEV: as a DHCP client would
	ip -n "$gw" addr replace "100.64.$1.2/24" dev "$2"
	ip -n "$gw" addr replace "2001:db8:$1::2/64" dev "$2"
	ip -n "$gw" route replace default via "100.64.$1.1" dev "$2" metric $((100 + $1))
	ip -n "$gw" -6 route replace default via "2001:db8:$1::1" dev "$2" metric $((100 + $1))
}
watch_line() { # K PREFIX4 PREFIX6: counters on the ISP's end of link K
	net nft -f - <<-END
		table inet watch {
			counter tcp$1 {}
			counter udp$1 {}
			counter icmp$1 {}
			counter strays$1 {}
			chain in {
				iifname "p$1" tcp flags & (syn | ack) == syn counter name tcp$1
				iifname "p$1" meta l4proto udp counter name udp$1
				iifname "p$1" icmp type echo-request counter name icmp$1
				iifname "p$1" icmpv6 type echo-request counter name icmp$1
				iifname "p$1" ip saddr != $2 counter name strays$1 drop
				iifname "p$1" ip6 saddr != { $3, fe80::/10, ff00::/8, :: } counter name strays$1 drop
			}
		}
	END
}
arrived() { # COUNTER...: packets the ISPs' ends have seen, e.g. arrived tcp1 tcp2
	local k total=0
	for k; do
		total=$((total + $(net nft -j list counter inet watch "$k" |
			jq '[.nftables[].counter.packets? // empty] | add')))
	done
	echo "$total"
}
no_strays() { # DESCRIPTION K...
	local d=$1
	shift
	is "$d" "$(arrived "${@/#/strays}")" 0
}

# --- the product ---------------------------------------------------------------------------------
asym() { gw "$asymbpf" "$@"; }
config() { cat >"$tmp/conf"; } # a configuration on stdin; use with --config "$tmp/conf"
status() { asym status --json | jq -r "$1"; } # JQ-FILTER

# --- traffic -------------------------------------------------------------------------------------
# RESULT of `traffic`: lines "ADDRESS COUNT" and "!ERROR COUNT"
got() { # TEXT KEY: the count of KEY in it, 0 if there is none
	awk -v k="$2" '$1 == k { n = $2 } END { print n + 0 }' <<<"$1"
}
to() { # TEXT K...: how many went by the links K...
	local t=$1 k n=0
	shift
	for k; do n=$((n + $(got "$t" "100.64.$k.2") + $(got "$t" "2001:db8:$k::2"))); done
	echo "$n"
}
failures() { # TEXT: how many exchanges did not end with an address
	awk '/^!/ { n += $2 } END { print n + 0 }' <<<"$1"
}
# An ICMP error that comes back within connect() itself is only taken with the next SYN, 1 s later;
# Linux says EACCES for ICMPv6 "reject route".
refused='^!(EHOSTUNREACH|ENETUNREACH|EACCES) '
kinds() { awk '{ print $1 }' <<<"$1" | sort -u | paste -sd' '; } # TEXT: the distinct results

[ "$(id -u)" = 0 ] || skip_all 'needs root for network namespaces'
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{traffic,echod,tunlink} >&2
