#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/kmod_router.sh [KERNEL...]: the kernel module chooses for the router's raw sockets; the daemon
# hears of it, weights and dead links reach it without a change of the rules, nothing is left at the end.
# Builds the module for each kernel (6.1 and 6.12), and once more with another ABI, and boots it.
#
#   [gw] wan1 (main's default), wan2, wan3 ════ [net]
if [ "${1-}" != --inside ]; then
	. "$(dirname "$0")/kernels.sh"
	prepare() { variant "$1" other kmod/uapi/nft_asym.h 's/^#define ASYM_KMOD_ABI .*/#define ASYM_KMOD_ABI 77/'; }
	on_kernels "$@"
	exit
fi
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/daemon.sh"
built=$root/build/kmod-$2 other=$root/build/kmod-$2-other
policies() { gw "$build/tests/netns/policies" "$@"; }
modprobe -a nf_tables nf_conntrack nft_ct nft_hash nft_socket
# without type information: programs that hand connections over would hold the module
objcopy -R .BTF "$built/asymbpf.ko" "$tmp/asymbpf.ko"
lab
for k in 1 2 3; do wan $k; done
conf() { # WEIGHTS-OF-1-2-3 MORE
	local k weights
	read -ra weights <<<"$1"
	{
		echo "lan { devices = {\"lan0\"} } ${2-}"
		for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" weight = ${weights[k - 1]} }"; done
	} >"$tmp/conf"
}
volley() { # N PREFIX
	ip netns exec "${from-$gw}" sh -c "for i in \$(seq $1); do ping -n -q -c 1 -W 5 $2\$i & [ \$((i % 20)) != 0 ] || wait; done; wait" |
		grep -c ' 1 received' || true
}
links_of() { # DESCRIPTION N PREFIX SHARE1 SHARE2 SHARE3: percent, ± 20; none is lost
	local k before=() share=("${@:4}")
	for k in 1 2 3; do before[k]=$(arrived icmp$k); done
	is "$1: all are answered" "$(volley "$2" "$3")" "$2"
	for k in 1 2 3; do
		if [ "${share[k - 1]}" = 0 ]; then
			is "$1: none by wan$k" $(($(arrived icmp$k) - before[k])) 0
		else
			near "$1: by wan$k" $(($(arrived icmp$k) - before[k])) $(($2 * share[k - 1] / 100)) $(($2 * 20 / 100))
		fi
	done
}
v4=198.51.100. v6=2001:db8:ffff::
chosen_by() { [ "$(status .router.raw_sockets)" = "$1" ]; }
handles() { gw nft -a list table inet asymbpf-module | grep -o '# handle [0-9]*' | paste -sd' '; }
holds() { [[ "$(policies)" =~ $1 ]]; } # REGEX

conf '1 2 1'
needs 'load without the module' asym load --config "$tmp/conf"
is 'status: absent' "$(status .module.state)" absent
daemon 'the daemon'
needs 'the module' insmod "$tmp/asymbpf.ko"
ok 'the daemon hears of it' wait_for chosen_by module
is 'status: used' "$(status .module.state)" used
is 'status: by two rules' "$(status .module.rules)" 2
like 'status as text' "$(asym status)" 'kernel module [^,]+, ABI 1, features nft.*, used by 2 rules of ours'
is 'nothing was told of it' "$(jq -r 'select(.event == "error") | .text' "$tmp/events")" ''
like 'its policy' "$(policies)" '^0 key 0 mask 0xff00 last 254 rules 2 IPv4 1=102[34] 2=204[67] 3=1023 IPv6 1=102[34] 2=204[67] 3=1023$'
links_of 'IPv4' 60 $v4 25 50 25
links_of 'IPv6' 60 $v6 25 50 25
no_strays 'each had the source of its link' 1 2 3
first=$(arrived icmp1)
gw sh -c 'for i in $(seq 5); do ping -n -q -c 1 -I wan1 198.51.100.$i; ping -n -q -c 1 -I 100.64.1.2 198.51.100.$i; done' >/dev/null
is 'sockets bound to device or address of main'\''s default stay' $(($(arrived icmp1) - first)) 10

before=$(handles)
ip -n "$net" link set p2 down
ok 'a link dies: the policy leaves it' wait_for holds 'IPv4 1=[0-9]+ 3=[0-9]+ '
links_of 'without wan2' 40 $v4 50 0 50
is 'the rules are the same' "$(handles)" "$before"
ip -n "$net" link set p2 up
ok 'it comes again' wait_for holds 'IPv4 1=[0-9]+ 2=[0-9]+ 3=[0-9]+ '
conf '8 1 1'
ok 'reload with other weights' asym reload --config "$tmp/conf"
like 'the policy has them' "$(policies)" 'IPv4 1=327[0-9] 2=4[01][0-9] 3=4[01][0-9] '
links_of 'other weights' 60 $v4 80 10 10
is 'and still the rules are the same' "$(handles)" "$before"

conf '1 1 1' 'policy a { tier { links = {"wan1"} } } policy b { tier { links = {"wan3"} } } rule all { policy = b sticky = 60 }'
ok 'reload: two policies, the second by source' asym reload --config "$tmp/conf"
like 'both are there' "$(policies | paste -sd' ')" '^0 .* rules 0 IPv4 1=4093 IPv6 1=4093 1 .* rules 2 IPv4 3=4093'
links_of 'by the second' 20 $v4 0 0 100
conf '1 2 1'
ok 'reload: one policy' asym reload --config "$tmp/conf"
is 'the other has gone' "$(policies | wc -l)" 1

settled() { chosen_by module && [ "$(policies | wc -l)" = 1 ]; }
gw nft flush ruleset
ok 'flushed: the daemon puts it back' wait_for settled
ok 'policies deleted' eval 'gw nft delete table inet asymbpf-module; policies del 0 || true'
ok 'come back, too' wait_for settled
# the kernel lets go of a rule's expressions a little later, and the daemon would write them anew before
kill -STOP "$daemon"
gw nft delete table inet asymbpf-module
ok 'the module unloaded' wait_for rmmod asymbpf
kill -CONT "$daemon"
ok 'the hash stands in' wait_for chosen_by hash
needs 'loaded again' insmod "$tmp/asymbpf.ko"
ok 'it is used again' wait_for settled
links_of 'then' 40 $v4 25 50 25

ok 'unload' asym unload
is 'no policy is left' "$(policies)" ''
is 'no table is left' "$(gw nft list ruleset)" ''
wait_for eval '! alive' || true
ok 'the module can go' rmmod asymbpf

conf '1 2 1' 'host-raw = no'
needs 'the module once more' insmod "$tmp/asymbpf.ko"
ok 'load with host-raw = no' asym load --config "$tmp/conf"
is 'no table' "$(gw nft list tables)" 'table inet asymbpf'
ok 'yet the policies are there for rules of others' holds '^0 key'
# as asymbpf-kmod(7) has it, for a device that is no LAN
space c2
cable "$c2" eth0 "$gw" veth0
ip -n "$gw" addr add 10.7.0.1/24 dev veth0
ip -n "$c2" addr add 10.7.0.2/24 dev eth0
ip -n "$c2" route add default via 10.7.0.1
gw nft -f - <<'END'
table inet mine {
	chain choose { }
	chain pre {
		type filter hook prerouting priority mangle + 1
		iifname "veth*" ct state new meta mark and 0xff00 == 0 ct mark and 0xff00 == 0 goto choose
	}
}
END
from=$c2
links_of 'without such a rule' 20 $v4 100 0 0
needs 'such a rule' gw "$build/tests/vm/asymrule" rule inet mine choose 1=1 2=0
links_of 'with it' 60 $v4 25 50 25
unset from
exits 'unload while it is there' 1 'policy 0.*a rule refers to this policy' asym unload
is 'nft does not show it' "$(gw nft -a list chain inet mine choose | grep -c '# handle')" 1
ok 'it goes' gw nft delete table inet mine
ok 'unload' asym unload
is 'they go' "$(policies)" ''
rmmod asymbpf

conf '1 2 1'
needs 'a module with another ABI' insmod "$other/asymbpf.ko"
asym load --config "$tmp/conf" >"$tmp/out" 2>&1 || true
is 'it is told once, with both numbers' "$(grep -c 'kernel module asymbpf: has ABI 77, expected 1' "$tmp/out")" 1
is 'status: other' "$(status '.module | "\(.state) \(.abi) \(.expected_abi)"')" 'other-abi 77 1'
like 'status as text' "$(asym status)" 'kernel module not used: ABI 77, expected 1'
ok 'the hash chooses' chosen_by hash
is 'no connections are handed over' "$(status .flow_cache.hand_over)" sysctl
links_of 'without it' 40 $v4 25 50 25
: >"$tmp/events"
mark=0
daemon 'the daemon beside it'
ok 'tells it' wait_for told '.event == "error" and (.text | contains("ABI 77, expected 1"))'
ip -n "$net" link set p2 down
ok 'a link dies' wait_for told '.event == "link" and .state == "down"'
is 'it was told once' "$(jq -r 'select(.event == "error") | .text' "$tmp/events" | grep -c 'ABI 77')" 1
ok 'unload' asym unload
wait_for eval '! alive' || true
ok 'the other module can go' rmmod asymbpf
is 'no table is left' "$(gw nft list ruleset)" ''
done_testing
