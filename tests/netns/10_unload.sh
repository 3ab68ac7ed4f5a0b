#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unload gives the machine back as it was: rules, routes, nftables, tc, BPF programs and files,
# cgroup programs, sysctls, /run.
#
#   [c] ──── lan0 [gw] wan1, wan2, wan3 ════ [net]
. "$(dirname "$0")/lib.sh"
modprobe -q nf_conntrack || true # its sysctls come with it, and stay
lab
for k in 1 2 3; do wan $k; done
# values that load will want to change, so that putting them back shows
gw sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.wan1.rp_filter=1 net.ipv4.conf.wan2.arp_ignore=2 \
	net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.all.forwarding=0
# things that look like ours and are not
ip -n "$gw" rule add priority 22000 fwmark 0x1000000/0xff000000 lookup 88
ip -n "$gw" route add 192.0.2.0/24 dev wan1 table 10300
gw nft add table inet asymbpf_other
tc -n "$gw" qdisc add dev wan3 clsact
tc -n "$gw" filter add dev wan3 ingress prio 49000 protocol all bpf bytecode '1,6 0 0 0'

hooks=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
bpf_programs() { # ids of programs of ours, on this machine
	bpftool -j prog show | jq -r '.[] | select(.name | test("^(asym|lan|link|host)")) | .id' | sort
}
files() { ls "$(state_file)"* 2>/dev/null || true; find /sys/fs/bpf -mindepth 1 2>/dev/null | sort; }
files >"$tmp/files"
state() {
	echo '# rules'; ip -n "$gw" rule; ip -n "$gw" -6 rule
	echo '# routes'; ip -n "$gw" route show table all; ip -n "$gw" -6 route show table all | sort
	echo '# nft'; gw nft list ruleset
	echo '# tc'
	for d in lan0 wan1 wan2 wan3; do tc -n "$gw" qdisc show dev $d; tc -n "$gw" filter show dev $d ingress; tc -n "$gw" filter show dev $d egress; done
	echo '# sysctl'; gw sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6|netfilter)\.' |
		grep -vE 'nf_conntrack_(count|buckets)|\.stable_secret|gc_|mtu_expires'
	echo '# files'; comm -13 "$tmp/files" <(files)
}
cgroup_programs() { bpftool -j cgroup show "$hooks" | jq -r '.[]? | .name' | sort; }

progs=$(bpf_programs) cgroup=$(cgroup_programs)
state >"$tmp/before"
links() { # K...
	local k
	echo 'forwarding = yes lan { devices = {"lan0"} }'
	for k; do echo "link wan$k { device = \"wan$k\" }"; done
}
config < <(links 1 2 3)
needs 'load' asym load --config "$tmp/conf"
state >"$tmp/loaded"
ok 'loading changes what this script looks at' sh -c "! diff -q $tmp/before $tmp/loaded"
part() { sed -n "/^# $1/,/^# /p" "$2"; }
for p in rules routes nft sysctl files; do
	ok "loading changes $p" [ "$(part $p "$tmp/before")" != "$(part $p "$tmp/loaded")" ]
done
ok 'there are programs' [ "$(bpf_programs | wc -l)" -gt "$(wc -w <<<"$progs")" ]
ok 'there are cgroup programs' [ "$(cgroup_programs | wc -l)" -gt "$(wc -w <<<"$cgroup")" ]
is 'it works' "$(failures "$(c "$traffic" tcp -n 300 198.51.100.0/24 80)")" 0
config < <(links 1 2)
ok 'reload with fewer links' asym reload --config "$tmp/conf"
config < <(links 1 2 3)
ok 'reload with all' asym reload --config "$tmp/conf"
is 'it still works' "$(failures "$(c "$traffic" udp -n 300 2001:db8:ffff::/64 53)")" 0

ok 'unload' asym unload
same() {
	state >"$tmp/after"
	diff -u "$tmp/before" "$tmp/after"
}
ok 'everything is as before' same
# programs are freed after an RCU grace period
gone() { [ -z "$(comm -13 <(echo "$progs") <(bpf_programs))" ]; }
ok 'no program is left' wait_for gone
is 'no cgroup program is left' "$(cgroup_programs)" "$cgroup"

ok 'load again' asym load --config "$tmp/conf"
ok 'unload again' asym unload
ok 'everything is as before again' same

ok 'load once more' asym load --config "$tmp/conf"
ip -n "$gw" link del wan2
ok 'unload after a device has gone' asym unload
ip -n "$gw" rule >"$tmp/rules"
ok 'nothing of it is left' sh -c "! grep -qE 'proto 171|lookup 1000[12]' $tmp/rules && ! ip netns exec $gw nft list tables | grep -qw asymbpf"
done_testing
