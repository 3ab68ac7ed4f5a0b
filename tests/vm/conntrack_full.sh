#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# conntrack's table is full: what passes the flow cache goes on and loses nothing, new connections are
# refused as without the cache, and come up when there is room again.  The table's size is the whole
# machine's, so this is for a virtual one.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/flow.sh"
[ -n "${ASYM_TEST_SLOW-}" ] || skip_all 'for a virtual machine: conntrack has one limit for all of it'
lab
for k in 1 2; do wan $k; done
watch_lines
two_links
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
limit=$(sysctl -n net.netfilter.nf_conntrack_max)
used() { # of all namespaces
	local ns n=0
	for ns in "$c" "$gw" "$net"; do n=$((n + $(ip netns exec "$ns" conntrack -C))); done
	echo $n
}
asked() { c "$traffic" udp -n 20 -t 300 198.51.100.7 443; }

start udp "$c" "$traffic" udp -n 10 -c 0 -p 20 -t 5000 198.51.100.7 53
start tcp "$c" "$traffic" tcp -n 10 -c 0 -p 20 -t 5000 198.51.100.7 80
ok 'connections pass the cache' wait_for cached_are 20
sysctl -qw net.netfilter.nf_conntrack_max="$(used)"
text=$(asked)
flow=$(stat lan_flow)
sleep 3
ok "no new connection comes up ($(failures "$text") of 20 fail)" [ "$(failures "$text")" -ge 15 ]
ok 'the old ones pass the cache' [ $(($(stat lan_flow) - flow)) -gt 50 ]
ok 'none was thrown out' cached_are 20
sysctl -qw net.netfilter.nf_conntrack_max="$limit"
is 'with room again all come up' "$(failures "$(asked)")" 0
finish udp tcp
is 'UDP: nothing was lost, nothing moved' "$(failures "$(cat "$tmp/udp")")" 0
is 'TCP: nothing broke, nothing moved' "$(failures "$(cat "$tmp/tcp")")" 0
clean_lines 1 2
done_testing
