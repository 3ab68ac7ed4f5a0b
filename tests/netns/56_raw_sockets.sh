#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What no program on a cgroup sees, raw sockets above all, is spread by nftables as the last rule says,
# without the kernel module by a hash.  Bound sockets, marked ones and DHCP stay where they are.
#
#   [gw] wan1 (main's default), wan2, wan3 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
for k in 1 2 3; do wan $k; done
pings=240
conf() { # WEIGHTS-OF-1-2-3 MORE
	local k weights
	read -ra weights <<<"$1"
	{
		echo "lan { devices = {\"lan0\"} } ${2-}"
		for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" weight = ${weights[k - 1]} }"; done
	} >"$tmp/conf"
}
# one ping to each of so many addresses; prints how many were answered
volley() { # N PREFIX: PREFIX1, PREFIX2, ...
	gw sh -c "for i in \$(seq $1); do ping -n -q -c 1 -W 2 $2\$i & [ \$((i % 20)) != 0 ] || wait; done; wait" |
		grep -c ' 1 received' || true
}
links_of() { # DESCRIPTION N PREFIX SHARE1 SHARE2 SHARE3: percent, ± 15; none is lost
	local k before=() share=("${@:4}")
	for k in 1 2 3; do before[k]=$(arrived icmp$k); done
	is "$1: all are answered" "$(volley "$2" "$3")" "$2"
	for k in 1 2 3; do
		if [ "${share[k - 1]}" = 0 ]; then
			is "$1: none by wan$k" $(($(arrived icmp$k) - before[k])) 0
		else
			near "$1: by wan$k" $(($(arrived icmp$k) - before[k])) $(($2 * share[k - 1] / 100)) $(($2 * 15 / 100))
		fi
	done
}
table() { gw nft -a list table inet asymbpf-module 2>/dev/null; }
v4=198.51.100. v6=2001:db8:ffff::

conf '1 2 1'
needs 'load' asym load --config "$tmp/conf"
is 'status: no module' "$(status .module.state)" absent
is 'status: the hash' "$(status .router.raw_sockets)" hash
like 'status as text' "$(asym status)" $'kernel module absent\nraw sockets of the router are spread by a hash of nftables'
links_of 'IPv4' $pings $v4 25 50 25
links_of 'IPv6' $pings $v6 25 50 25
no_strays 'masquerade gave each the source of its link' 1 2 3
gw ping -n -q -c 20 -i 0.01 -W 2 198.51.100.7 >"$tmp/ping"
like 'a ping keeps its link: nothing is lost' "$(<"$tmp/ping")" '20 received'

before=$(arrived icmp1 icmp2 icmp3) first=$(arrived icmp1)
gw sh -c 'for i in $(seq 20); do ping -n -q -c 1 -W 2 -I wan1 198.51.100.$i; ping -n -q -c 1 -W 2 -I 100.64.1.2 198.51.100.$i; done' >/dev/null
is 'sockets bound to device or address of main'\''s default' \
	$(($(arrived icmp1) - first)) $(($(arrived icmp1 icmp2 icmp3) - before))
is 'that were as many' $(($(arrived icmp1) - first)) 40
first=$(arrived icmp1)
gw sh -c 'for i in $(seq 20); do ping -n -q -c 1 -W 2 -I wan1 2001:db8:ffff::$i; done' >/dev/null
is 'the same with IPv6' $(($(arrived icmp1) - first)) 20
third=$(arrived icmp3)
gw sh -c 'for i in $(seq 20); do ping -n -q -c 1 -W 2 -m 768 198.51.100.$i; done' >/dev/null
is 'a mark of its owner counts' $(($(arrived icmp3) - third)) 20

# main has a route of its own: the mark does not lead away from it
ip -n "$gw" route add 203.0.113.0/24 via 100.64.3.1
links_of 'a specific route' 40 203.0.113. 0 0 100
ip -n "$gw" route del 203.0.113.0/24
links_of 'the LAN' 1 10.0.0. 0 0 0

conf '1 2 1' 'policy p { key = src tier { links = {"wan3"} } tier { links = {"wan1", "wan2"} } } rule all { policy = p sticky = 10 }'
ok 'reload: tiers, by source' asym reload --config "$tmp/conf"
links_of 'the first tier' 40 $v4 0 0 100

conf '1 2 1' 'rule dns { proto = udp dport = 53 policy = q } policy q { tier { links = {"wan1"} } }'
ok 'reload: no rule for all' asym reload --config "$tmp/conf"
is 'no rule, no table' "$(table)" ''
is 'status: main' "$(status .router.raw_sockets)" main
links_of 'no rule for all' 40 $v4 100 0 0
conf '1 2 1' 'host-raw = no'
ok 'reload: host-raw = no' asym reload --config "$tmp/conf"
links_of 'host-raw = no' 40 $v4 100 0 0
conf '1 2 1' 'host-raw = perhaps'
exits 'a value that is none' 1 'conf:1: .*host-raw: "perhaps"' asym reload --config "$tmp/conf"

conf '1 2 1'
sed -i 's/wan2"/& nat = none/' "$tmp/conf"
ok 'reload: a link without NAT' asym reload --config "$tmp/conf"
links_of 'IPv4 keeps to main, sources would be wrong' 40 $v4 100 0 0
links_of 'IPv6 does not' $pings $v6 25 50 25
conf '1 2 1'
ok 'reload as at first' asym reload --config "$tmp/conf"

# the daemon
daemon 'the daemon'
is_back() { table | grep -q jhash; }
gw nft flush ruleset
ok 'flushed: it comes back' wait_for is_back
links_of 'then' $pings $v4 25 50 25
ok 'and that is told' wait_for told '.event == "repair" and (.text | contains("asymbpf-module"))'
handle=$(table | awk '/chain router/ { print $NF }')
gw nft add rule inet asymbpf-module router accept
ok 'a rule of somebody goes' wait_for eval '! table | grep -qw "accept #"'
ip -n "$net" link set p2 down
one_gone() { ! table | grep -q 'goto mark_wan2'; }
ok 'a link dies: the hash leaves it' wait_for one_gone
links_of 'without wan2' $pings $v4 50 0 50
ip -n "$net" link set p2 up
ok 'it comes again' wait_for eval "! one_gone"
daemon_end

gw nft delete table inet asymbpf-module
gw nft add table inet asymbpf-module
ok 'a table of that name that is not ours is no hindrance' asym reload
like 'and is told' "$(asym reload 2>&1)" "table inet asymbpf-module: is somebody else's"
ok 'unload' asym unload
is 'leaves it alone' "$(gw nft list tables)" 'table inet asymbpf-module'
gw nft delete table inet asymbpf-module
ok 'load' asym load --config "$tmp/conf"
ok 'unload again' asym unload
is 'nothing is left' "$(gw nft list ruleset)" ''
done_testing
