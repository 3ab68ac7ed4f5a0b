#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 250 links with two targets each, once a second: how much they take, whether they are answered or not.
#
#   [gw] wan1..wan250 ════ [net]
. "$(dirname "$0")/lib.sh"
prober=$build/tests/netns/prober
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/prober >&2
lab
n=250 rounds=10
for ((k = 1; k <= n; k++)); do echo "link add wan$k type veth peer name p$k netns $net"; done | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set wan$k up" "addr add 100.64.$k.2/24 dev wan$k" \
		"route add default via 100.64.$k.1 dev wan$k metric $((100 + k))"
done | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set p$k up" "addr add 100.64.$k.1/24 dev p$k"
done | ip -n "$net" -batch -

links() { # TARGETS: a file with all links
	echo 'lan { devices = "lan0" }'
	echo "probe { interval = 1s timeout = 1s $1 }"
	for ((k = 1; k <= n; k++)); do echo "link wan$k { }"; done
}
costs() { # DESCRIPTION RESULT TARGETS: all of them end so, and take no more than they may
	local said want=$((2 * n))
	links "$3" | config
	said=$(gw "$prober" "$tmp/conf" -n $rounds -c)
	is "$1: all $2" "$(grep -c " $2 $rounds\$" <<<"$said")" $want
	diag "$1: $(sed -n 's/^cpu //p' <<<"$said") % of a core, $(sed -n 's/^memory //p' <<<"$said") KiB"
	# the far end's work is done in the sender's name here, too
	ok "$1: less than 5 % of a core" awk '/^cpu / { exit !($2 < 5) }' <<<"$said"
	ok "$1: less than 20 MiB" awk '/^memory / { exit !($2 < 20480) }' <<<"$said"
}
links 'gateway = no' | config
ok 'load' asym load --config "$tmp/conf"
costs 'ping' answered 'ping = {"198.51.100.1", "203.0.113.1"}'
costs 'tcp' answered 'tcp = {"198.51.100.1:80", "203.0.113.1:81"}'
costs 'tcp and gateway' answered 'tcp = {"198.51.100.1:80"} gateway = yes'
net nft -f - <<-'END'
	table inet silent { chain in { type filter hook input priority 0; policy drop; }; }
END
costs 'nobody there' timeout 'ping = {"198.51.100.1"} dns = {"203.0.113.1"}'
ok 'unload' asym unload
done_testing
