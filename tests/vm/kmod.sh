#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel module (file $ASYM_KMOD) in a machine of scripts/vm: loads, takes policies, its expression marks
# packets as select.h says, entries stick and are forgotten, and it goes when nobody needs it.
#	ASYM_KMOD=$PWD/build/kmod-6.1/asymbpf.ko scripts/vm --kernel 6.1 -- bash tests/vm/kmod.sh
. "$(dirname "$0")/../netns/lib.sh"
[ -n "${ASYM_KMOD-}" ] || skip_all 'no kernel module given'
tool=$build/tests/vm/asymrule
[ -x "$tool" ] || skip_all "no $tool"
space gw
t() { gw "$tool" "$@"; }
n() { gw nft "$@"; }
refuses() { exits "$1" 1 "$2" ip netns exec "$gw" "$tool" "${@:3}"; } # DESCRIPTION REGEX ARG...

modprobe -a nf_tables nf_conntrack dummy
lsmod | grep -q '^asymbpf ' || needs 'the module loads' insmod "$ASYM_KMOD"
like 'its version' "$(t info)" '^abi 1 features [13] offloaded 0 sticky 0 version .'
ok 'without the namespace'\''s policies' test -z "$(t dump)"

refuses 'mask of one bit' 'two or more adjacent bits.*Numerical' set 1 0x100 0 1 1
refuses 'mask with a hole' 'two or more adjacent bits' set 1 0x500 0 1 1
refuses 'number' 'expected 0..63' set 64 0xff00 0 253 1
refuses 'key' 'expected 0 .flow' set 1 0xff00 3 253 1
refuses 'id' 'buckets: an id not in the mask' set 1 0x300 0 3 1 2 4
refuses 'last resort' 'last resort' set 1 0x300 0 4 1
refuses 'what is not there' 'No such file' del 1
ok 'a policy' t set 1 0xff00 0 253 1 2 3 4 5 6 7
ok 'another' t set 63 0xc 1 3 1
is 'both are there' "$(t dump)" "1 key 0 mask 0xff00 last 253 buckets 1 2 references 0
63 key 1 mask 0xc last 3 buckets 1 1 references 0"
ok 'which goes' t del 63

gw ip link add d0 type dummy
gw ip addr add 10.9.0.1/24 dev d0
gw ip link set d0 up
n -f - <<'E'
table inet t {
	set seen { type mark . inet_service; flags dynamic; size 9999; }
	chain choose { meta mark set 0x40000003; }
	chain out {
		type route hook output priority mangle
		udp dport 5000 jump choose
		udp dport 5000 add @seen { meta mark . udp sport }
	}
}
E
rules() { # ATTR...: the one rule that chooses
	n flush chain inet t choose
	n flush set inet t seen
	n add rule inet t choose meta mark set 0x40000003
	t rule inet t choose 1=1 "$@"
}
send() { # N: datagrams, each from another port
	# shellcheck disable=SC2016
	gw bash -c 'for ((i = 0; i < $1; i++)); do echo >/dev/udp/10.9.0.2/5000; done' send "$1"
}
seen() { n -j list set inet t seen | jq -r '.nftables[] | .set.elem[]? | .concat | "\(.[0]) \(.[1])"'; }
marks() { seen | cut -d' ' -f1 | sort -u | paste -sd' '; }
right() { # every mark is what the packet's bucket says, and all links are there
	local mark port link
	while read -r mark port; do
		link=$(("$("$tool" bucket 0 10.9.0.1 10.9.0.2 17 "$port" 5000)" % 7 + 1))
		[ $((0x40000003 | link << 8)) = $((mark)) ] || { echo "port $port: $mark, link $link"; return 1; }
	done < <(seen)
	[ "$(marks | wc -w)" = 7 ]
}

refuses 'a rule with a policy that is not' 'No such file' rule inet t choose 1=1 2=2
refuses 'a rule without policy' 'Invalid argument' rule inet t choose 1=1
refuses 'a rule of another family' 'not supported|No such' rule bridge t choose 1=1 2=1
needs 'a rule' rules 2=1
like 'is counted' "$(t get 1)" 'references 1$'
refuses 'its policy stays' 'a rule refers to this policy.*busy' del 1
exits 'a transaction that fails' 1 'No such file' \
	ip netns exec "$gw" nft 'flush chain inet t choose; add rule inet t nowhere accept'
like 'changes nothing' "$(t get 1)" 'references 1$'
exits 'the module stays' 1 'in use' rmmod asymbpf
send 100
ok 'packets go where select.h says' right
t set 1 0xff00 0 253 0
n flush set inet t seen
send 1
is 'no link lives: the last resort' "$(marks)" $((0x4000fd03))

t set 1 0xff00 0 253 5 6
needs 'a sticky rule' rules 2=1 4=3600
send 20
first=$(marks)
like 'all packets of a source go one way' "$first" '^1073743107$|^1073743363$' # 0x40000503, 0x40000603
like 'is remembered' "$(t info)" 'sticky 1 '
t set 1 0xff00 0 253 9 9 9 9 9 9 9 5 6
send 20
is 'and by that when there are other links' "$(marks)" "$first"
t set 1 0xff00 0 253 9
n flush set inet t seen
send 20
is 'until it dies' "$(marks)" $((0x40000903))
needs 'a rule of another number, sticky for a moment' rules 2=1 4=${ASYM_TEST_SLOW-1} 6=7
knows() { [[ $(t info) == *"sticky $1 "* ]]; }
learns() { send 1 && knows 2; }
ok 'remembers on its own' wait_for learns
ok 'and forgets' wait_for knows 1

n delete table inet t
ok 'without the rule the policy goes' t del 1
ok 'the module goes' wait_for rmmod asymbpf
ok 'and is loaded again, with room for few' insmod "$ASYM_KMOD" sticky_max=64
ok 'with a policy' t set 1 0xff00 0 253 1
n add table inet t
n add chain inet t c '{ type filter hook output priority 0; }'
ok 'and a rule' t rule inet t c 1=1 2=1 4=3600 5=2
n add rule inet t c meta mark 0x100 counter
# shellcheck disable=SC2016
gw bash -c 'for ((i = 2; i < 152; i++)); do echo >/dev/udp/10.9.0.$i/5000; done'
used=$(t info | sed 's/.*sticky \([0-9]*\).*/\1/')
near 'of too many sources some are remembered' "$used" 48 16
is 'and all have their mark' "$(n -j list chain inet t c | jq '.nftables[].rule.expr[]?.counter.packets | values')" 150
ip netns del "$gw"
asym_spaces=()
ok 'which go with the namespace' wait_for rmmod asymbpf
done_testing
