#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Before Linux 6.6 programs are filters of a clsact qdisc: attached beside others' filters, replaced in
# place by reload, gone after unload together with the qdiscs that load had to add, and with no other.
#
#   [c] ──── lan0 [gw] wan1: nothing on it; wan2: clsact with somebody's filters
#                      wan3: clsact without a filter; wan4: somebody's ingress qdisc
. "$(dirname "$0")/../netns/lib.sh"
[ "$(printf '%s\n' 6.6 "$(uname -r)" | sort -V | head -n 1)" != 6.6 ] || skip_all 'this kernel has tcx'
lab
for k in 1 2 3 4; do wan $k; done
tc -n "$gw" qdisc add dev wan2 clsact
tc -n "$gw" filter add dev wan2 ingress prio 10 protocol all bpf direct-action bytecode '1,6 0 0 4294967295'
tc -n "$gw" filter add dev wan2 egress prio 10 protocol all bpf bytecode '1,6 0 0 0'
tc -n "$gw" qdisc add dev wan3 clsact
tc -n "$gw" qdisc add dev wan4 ingress

filters() { tc -n "$gw" filter show dev "$1" ingress; }
ours() { filters "$1" | grep -o 'asym_[a-z0-9_]*.* id [0-9]*' | sed 's/[: ].* id / /'; } # DEV: "NAME ID" each
programs() { for d in lan0 wan1 wan2 wan3; do ours $d; done; }
name() { ours "$1" | cut -d' ' -f1; }
qdiscs() { tc -n "$gw" qdisc show | awk '$2 == "clsact" { print $5 }' | sort | paste -sd' '; }
state() { for d in lan0 wan1 wan2 wan3 wan4; do
	tc -n "$gw" qdisc show dev $d
	filters $d
	tc -n "$gw" filter show dev $d egress
done; }
works() { # DESCRIPTION LINKS [K]: link K (2) has its share
	local got k=${3:-2}
	got=$(c "$traffic" tcp -n 600 198.51.100.0/24 80)
	is "$1: none fails" "$(failures "$got")" 0
	near "$1: wan$k has its share" "$(to "$got" $k)" $((600 / $2)) 75
}

state >"$tmp/before"
needs 'load' asym load --iface wan1 --iface wan2 --iface wan3 --lan lan0
is 'every device has the qdisc' "$(qdiscs)" 'lan0 wan1 wan2 wan3'
is 'the program of a LAN' "$(name lan0)" asym_lan_eth
for k in 1 2 3; do is "the program of wan$k" "$(name wan$k)" asym_link_eth; done
is 'the other filter stands before ours' "$(filters wan2 | awk '/handle/ { print $5 }' | paste -sd' ')" '10 2651'
works 'loaded' 3

programs >"$tmp/first"
ok 'reload' asym reload
programs >"$tmp/second"
is 'one program for each device as before' "$(cut -d' ' -f1 "$tmp/second")" "$(cut -d' ' -f1 "$tmp/first")"
is 'and it is another one' "$(comm -12 <(sort "$tmp/first") <(sort "$tmp/second"))" ''
works 'reloaded' 3

ok 'reload without wan1 and wan3' asym reload --iface wan2 --lan lan0
is 'wan1 has no program' "$(ours wan1)" ''
is 'wan3 has no program' "$(ours wan3)" ''
works 'with one link' 1
ok 'reload with all' asym reload --iface wan1 --iface wan2 --iface wan3 --lan lan0
works 'with all again' 3

ok 'unload' asym unload
is 'only the qdiscs of before are left' "$(qdiscs)" 'wan2 wan3'
same() { diff -u "$tmp/before" <(state); }
ok 'qdiscs and filters are as before' same

ok 'load where there is an ingress qdisc' asym load --iface wan1 --iface wan4 --lan lan0
is 'its program' "$(name wan4)" asym_link_eth
is 'the qdisc has no egress side for another' "$(filters wan4 | grep -c 'asym_[a-z0-9_]*')" 1
works 'with the ingress qdisc' 2 4
ok 'reload' asym reload
is 'its program is there again' "$(name wan4)" asym_link_eth
ok 'reload without flow cache' asym reload --iface wan1 --iface wan4 --lan lan0 --fastpath no
is 'its program is still there' "$(name wan4)" asym_link_eth
ok 'unload that' asym unload
ok 'all is as before again' same

ok 'load again' asym load --iface wan1 --iface wan2 --lan lan0
tc -n "$gw" filter add dev wan1 egress prio 10 protocol all bpf bytecode '1,6 0 0 0'
ok 'unload again' asym unload
is 'a qdisc of ours that somebody else uses by now stays' "$(qdiscs)" 'wan1 wan2 wan3'
is 'without a program of ours' "$(ours wan1)" ''
tc -n "$gw" qdisc del dev wan1 clsact

faulty() { ASYMBPF_FAULT=switch asym "$@" --iface wan1 --iface wan2 --iface wan3 --lan lan0; }
exits 'a load that fails after attaching' 1 'step switch' faulty load
ok 'leaves nothing' same
ok 'load once more' asym load --iface wan1 --iface wan2 --iface wan3 --lan lan0
programs >"$tmp/loaded"
exits 'a reload that fails after attaching' 1 'step switch' faulty reload
is 'puts the programs of before back' "$(programs)" "$(<"$tmp/loaded")"
works 'after that' 3
ok 'unload at last' asym unload
ok 'and nothing is left' same
done_testing
