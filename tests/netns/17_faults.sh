#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A load or reload that fails at any step leaves the machine as it was and names the step; one that is
# killed at any step leaves working traffic, and the next command puts things right.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
wan 1
wan 2
steps='bpf maps nft-check routing sysctl state nft attach switch done'
machine() {
	ip -n "$gw" rule; ip -n "$gw" -6 rule
	ip -n "$gw" route show table all; ip -n "$gw" -6 route show table all | sort
	gw nft -s list ruleset
	for d in lan0 wan1 wan2; do tc -n "$gw" qdisc show dev $d; done
	gw sysctl -a 2>/dev/null | grep -E '^net\.ipv4\.conf\.(wan|lan|all)'
	ls "$(state_file)"* 2>/dev/null || true
}
same() { machine >"$tmp/now"; diff -u "$1" "$tmp/now"; }
works() { [ "$(failures "$(c "$traffic" tcp -n 50 198.51.100.0/24 80)")" = 0 ]; }
both_links() { # both links carry new connections
	local t
	t=$(c "$traffic" tcp -n 200 198.51.100.0/24 80)
	[ "$(failures "$t")" = 0 ] && [ "$(to "$t" 1)" -gt 20 ] && [ "$(to "$t" 2)" -gt 20 ]
}
fault() { # STEP CMD...
	local step=$1
	shift
	ASYMBPF_FAULT=$step asym "$@"
}

# what the router does without us: NAT by the user's own table
gw nft -f - <<-'END'
	table ip user {
		chain post { type nat hook postrouting priority srcnat; oifname { "wan1", "wan2" } masquerade; }
	}
END
gw sysctl -qw net.ipv4.conf.wan1.rp_filter=1
machine >"$tmp/before"
for s in $steps; do
	exits "load fails at $s" 1 "step $s:.*fault injected" fault "$s" load --iface wan1 --iface wan2 --lan lan0
	ok "load failed at $s: everything is as before" same "$tmp/before"
	ok "load failed at $s: traffic goes on" works
done

ok 'load' asym load --iface wan1:3 --iface wan2 --lan lan0
shares() { status '.policies[0].ipv4 | map_values(. * 100 | round) | tostring'; }
is 'shares' "$(shares)" '{"wan1":75,"wan2":25}'
machine >"$tmp/loaded"
for s in $steps; do
	exits "reload fails at $s" 1 "step $s:.*fault injected" fault "$s" reload --iface wan1 --iface wan2 --lan lan0
	ok "reload failed at $s: everything is as before" same "$tmp/loaded"
	is "reload failed at $s: the old shares" "$(shares)" '{"wan1":75,"wan2":25}'
	ok "reload failed at $s: traffic goes on" works
done
ok 'reload without a fault' asym reload --iface wan1 --iface wan2 --lan lan0
is 'the new shares' "$(shares)" '{"wan1":50,"wan2":50}'
ok 'unload' asym unload
ok 'as before' same "$tmp/before"

for s in $steps; do
	fault "$s:kill" load --iface wan1 --iface wan2 --lan lan0 2>/dev/null || true
	ok "load killed at $s: traffic goes on" works
	ok "load killed at $s: unload or load goes on from there" \
		sh -c "ip netns exec $gw $asymbpf unload 2>/dev/null; ip netns exec $gw $asymbpf load --iface wan1 --iface wan2 --lan lan0"
	ok "load killed at $s: both links carry" both_links
	ok "load killed at $s: unload" asym unload
	ok "load killed at $s: nothing is left" same "$tmp/before"
done
for s in $steps; do
	ok "load for a reload to be killed at $s" asym load --iface wan1:3 --iface wan2 --lan lan0
	fault "$s:kill" reload --iface wan1 --iface wan2 --lan lan0 2>/dev/null || true
	ok "reload killed at $s: both links carry" both_links
	ok "reload killed at $s: reload again" asym reload --iface wan1 --iface wan2 --lan lan0
	is "reload killed at $s: the new shares" "$(shares)" '{"wan1":50,"wan2":50}'
	ok "reload killed at $s: unload" asym unload
	ok "reload killed at $s: nothing is left" same "$tmp/before"
done

# somebody else's things in our place
gw nft add table inet asymbpf
exits 'a table of our name' 1 'inet asymbpf' asym load --iface wan1 --iface wan2 --lan lan0
like 'it is untouched' "$(gw nft list table inet asymbpf)" 'table inet asymbpf'
gw nft delete table inet asymbpf
ip -n "$gw" rule add priority 20500 fwmark 0x100/0xff00 lookup 77
exits 'a rule in our priorities' 1 '20500' asym load --iface wan1 --iface wan2 --lan lan0
ip -n "$gw" rule del priority 20500
ip -n "$gw" route add 192.0.2.0/24 dev wan1 table 10001
exits 'a route in our table' 1 '10001' asym load --iface wan1 --iface wan2 --lan lan0
ip -n "$gw" route del 192.0.2.0/24 dev wan1 table 10001
ip -n "$gw" rule add priority 100 fwmark 0x200/0x3f00 lookup 2
exits "another multi-WAN tool's mark" 1 '0x3f00' asym load --iface wan1 --iface wan2 --lan lan0
ip -n "$gw" rule del priority 100
ok 'everything is as before' same "$tmp/before"
done_testing
