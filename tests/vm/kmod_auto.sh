#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/kmod_auto.sh [KERNEL...]: a module that is installed is loaded by what asks for it, and a load or
# reload during which it, its policies or the kernel's memory go leaves nothing half done and says what it did.
# For each kernel (6.1 and 6.12) with the module, and once more with one that lacks the expression.
#
#   [gw] wan1 (main's default), wan2, wan3 ════ [net]
if [ "${1-}" != --inside ]; then
	. "$(dirname "$0")/kernels.sh"
	prepare() { tree "$1" && variant "$1" mute kmod/uapi/nft_asym.h 's/^\(#define ASYM_NFT_EXPR\) .*/\1 "none"/'; }
	on_kernels "$@"
	exit
fi
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/daemon.sh"
built=$root/build/kmod-$2 mute=$root/build/kmod-$2-mute/asymbpf.ko
ln -sfn "$built/tree/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"
policies() { gw "$build/tests/netns/policies" "$@"; }
there() { [ -e /sys/module/asymbpf ]; }
lab
for k in 1 2 3; do wan $k; done
steady_lines 1 2 3
conf() { # MORE
	{
		echo "lan { devices = {\"lan0\"} } fastpath = no"
		for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" }"; done
		echo "${1-}"
	} >"$tmp/conf"
}
volley() { # N: pings to so many addresses
	gw sh -c "for i in \$(seq $1); do ping -n -q -c 1 -W 5 198.51.100.\$i & [ \$((i % 20)) != 0 ] || wait; done; wait" |
		grep -c ' 1 received' || true
}
spread() { # DESCRIPTION LINKS...: all pings are answered, each of these links has some of them, no other
	local k before=()
	for k in 1 2 3; do before[k]=$(arrived icmp$k); done
	is "$1: all are answered" "$(volley 30)" 30
	for k in 1 2 3; do
		if [[ " ${*:2} " == *" $k "* ]]; then
			ok "$1: some by wan$k" [ $(($(arrived icmp$k) - before[k])) -gt 0 ]
		else
			is "$1: none by wan$k" $(($(arrived icmp$k) - before[k])) 0
		fi
	done
}
chosen_by() { [ "$(status .router.raw_sockets)" = "$1" ]; }
chosen() { is "$1: status" "$(status .router.raw_sockets)" "$2"; } # DESCRIPTION BY
unused() { # what is left of the module's use
	gw nft list tables | grep asymbpf-module || true
	policies
}
# A loader is to find the module or not: as an administrator says.
forbid() { mkdir -p /etc/modprobe.d && echo 'blacklist asymbpf' >/etc/modprobe.d/test-asymbpf.conf; }
allow() { rm -f /etc/modprobe.d/test-asymbpf.conf; }

# --- who loads it -------------------------------------------------------------------------------------------
is 'its aliases' "$(modprobe -R nft-expr-asym) $(modprobe -R net-pf-16-proto-16-family-asymbpf)" 'asymbpf asymbpf'
conf
ok 'not there at first' eval '! there'
asym status >/dev/null 2>&1 || true
policies >/dev/null 2>&1 || true
ok 'looking for it does not load it' eval '! there'
gw genl ctrl get name asymbpf >"$tmp/out" 2>&1 || true
like 'the name of its netlink family does' "$(<"$tmp/out")" 'Name: asymbpf'
ok 'it goes' wait_for rmmod asymbpf
gw nft 'add table inet t; add chain inet t c'
exits 'so does a rule with its expression, which a namespace without policies cannot have' 1 'No such file' \
	ip netns exec "$gw" "$build/tests/vm/asymrule" rule inet t c 1=1 2=0
ok 'it is there' there
gw nft delete table inet t
ok 'it goes again' wait_for rmmod asymbpf

asym check --config "$tmp/conf" --plan >"$tmp/plan" 2>"$tmp/out" || true
ok 'check has it loaded' there
like 'its plan is that of load' "$(<"$tmp/plan")" 'meta mark set asym policy 0'
is 'and it has nothing to complain of' "$(<"$tmp/out")" ''
is 'nothing is left of it' "$(unused)" ''
rmmod asymbpf
needs 'load' asym load --config "$tmp/conf"
ok 'loads it' there
is 'status: used' "$(status '.module | "\(.state) \(.rules)"')" 'used 2'
chosen 'load' module
spread 'chosen by it' 1 2 3
ok 'unload' asym unload
ok 'with nothing in use it goes' wait_for rmmod asymbpf

forbid
needs 'load while it is forbidden' asym load --config "$tmp/conf"
ok 'does not load it' eval '! there'
chosen 'forbidden' hash
daemon 'the daemon'
allow
mark_events
ip -n "$net" link set p2 down
ok 'a link dies' wait_for told "$(goes wan2 down)"
ip -n "$net" link set p2 up
ok 'it is back' wait_for told "$(goes wan2 up)"
ok 'the daemon does not load it' eval '! there'
ok 'modprobe does' modprobe asymbpf
ok 'and it is used' wait_for chosen_by module
daemon_end
forbid
ok 'unload, module or not' asym unload
ok 'the module goes' wait_for rmmod asymbpf
needs 'load without' asym load --config "$tmp/conf"
allow
ok 'reload' asym reload
chosen 'a reload loads it, too' module
ok 'unload' asym unload

# --- what conntrack is told, in the plan and on the machine ---------------------------------------------------
liberal() { gw cat /proc/sys/net/netfilter/nf_conntrack_tcp_{be_liberal,ignore_invalid_rst} | paste -sd' '; }
planned() { asym check --config "$tmp/conf" --plan 2>/dev/null | grep -c '^sysctl net/netfilter' || true; }
sed -i 's/ fastpath = no$/ fastpath = yes/' "$tmp/conf"
is 'the plan: no connection is to be taken as it comes' "$(planned)" 0
ok 'load with the flow cache' asym load --config "$tmp/conf"
is 'the module hands connections over' "$(status .flow_cache.hand_over)" module
is 'as planned' "$(liberal)" '0 0'
ok 'unload' asym unload
ok 'the module goes' wait_for rmmod asymbpf
forbid
is 'without it the plan has two settings' "$(planned)" 2
ok 'load' asym load --config "$tmp/conf"
is 'conntrack is liberal' "$(status .flow_cache.hand_over) $(liberal)" 'sysctl 1 1'
ok 'unload' asym unload
allow

# --- the module, its policies or memory go at the worst moment --------------------------------------------------
conf
# without type information: programs would hold it
objcopy -R .BTF "$built/asymbpf.ko" "/lib/modules/$(uname -r)/updates/asymbpf.ko"
stopped() { [ "$(awk '{ print $3 }' "/proc/$halted/stat")" = T ]; }
halt() { # STEP VERB: begins one, up to that step
	ASYMBPF_FAULT=$1:stop ip netns exec "$gw" "$asymbpf" "$2" --config "$tmp/conf" >"$tmp/out" 2>&1 &
	halted=$!
	asym_pids+=("$halted")
	wait_for stopped
}
go_on() { # DESCRIPTION: it ends well
	local rc=0
	kill -CONT "$halted"
	wait "$halted" || rc=$?
	is "$1: ends" $rc 0
}
traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$halted/status"; }
no_memory() { # WHICH: these of its next requests fail
	strace -qqq -o "$tmp/strace" -p "$halted" -e trace=sendto -e "inject=sendto:error=ENOMEM:when=$1" >/dev/null 2>&1 &
	asym_pids+=($!)
	wait_for traced
}
told_once() { # DESCRIPTION WHAT WHY: the one warning
	is "$1: one warning" "$(grep -c warning "$tmp/out")" 1
	like "$1: what and why" "$(grep warning "$tmp/out")" "raw sockets of the router $2: $3"
}
module='go where the kernel module says' hash='are spread by a hash of nftables' main='follow the main table'
all_well() { # DESCRIPTION: the next reload puts it right, unload leaves nothing
	asym reload --config "$tmp/conf" >"$tmp/out" 2>&1 || true
	is "$1: a reload has no more to say" "$(grep warning "$tmp/out")" ''
	chosen "$1: reload" module
	ok "$1: unload" asym unload
	is "$1: nothing is left" "$(unused)" ''
}

halt router load
forbid
ok 'the module goes during a load' wait_for rmmod asymbpf
go_on 'gone'
told_once 'gone' "$hash" '.*asym policy 0.*No such file'
chosen 'gone' hash
spread 'gone' 1 2 3
allow
all_well 'gone'

halt router load
ok 'the module goes during a load, and may come back' wait_for rmmod asymbpf
go_on 'back'
ok 'the rule brought it back' there
told_once 'back' "$hash" '.*asym policy 0.*No such file'
chosen 'back' hash
all_well 'back'

halt router load
ok 'a policy goes during a load' policies del 0
go_on 'no policy'
told_once 'no policy' "$hash" '.*asym policy 0.*No such file'
chosen 'no policy' hash
all_well 'no policy'

# requests from there on: whose the table is, twice; the table; in its place the hash
halt router load
no_memory 3
go_on 'no memory for the table'
told_once 'no memory for the table' "$hash" '.*Cannot allocate memory'
chosen 'no memory for the table' hash
spread 'no memory for the table' 1 2 3
all_well 'no memory for the table'

halt router load
no_memory 3..4
go_on 'no memory for either'
told_once 'no memory for either' "$main" '.*Cannot allocate memory'
chosen 'no memory for either' main
is 'no memory for either: no table' "$(gw nft list tables)" 'table inet asymbpf'
spread 'no memory for either' 1
all_well 'no memory for either'

# the kernel's words on the family, the module's on itself and its policies come first
halt policies load
no_memory 4
go_on 'no memory for the policies'
told_once 'no memory for the policies' "$hash" '.*policies: Cannot allocate memory'
chosen 'no memory for the policies' hash
is 'no memory for the policies: there is none' "$(policies)" ''
all_well 'no memory for the policies'

needs 'load' asym load --config "$tmp/conf"
other='rule all { policy = p sticky = 60 } policy p { tier { links = {"wan3"} } tier { links = {"wan1", "wan2"} } }'
conf "$other"
halt router reload
ok 'its policy goes during a reload' eval 'gw nft delete table inet asymbpf-module; policies del 0'
go_on 'reload'
told_once 'reload' "$hash" '.*asym policy 0.*No such file'
chosen 'reload' hash
spread 'reload' 3
all_well 'reload'

# The table of before names what may be gone: it does not stay.  Requests: whose it is and its digest (4), whose it
# is, the table, the hash, no table.
conf
needs 'load' asym load --config "$tmp/conf"
conf "$other"
halt router reload
no_memory 6..7
go_on 'no memory for the table of a reload'
told_once 'no memory for the table of a reload' "$main" '.*Cannot allocate memory'
chosen 'no memory for the table of a reload' main
is 'no memory for the table of a reload: it is gone' "$(gw nft list tables)" 'table inet asymbpf'
spread 'no memory for the table of a reload' 1
all_well 'no memory for the table of a reload'

conf
ok 'load killed before the table' eval '! ASYMBPF_FAULT=router:kill asym load --config "$tmp/conf"'
chosen 'killed' main
spread 'killed' 1
all_well 'killed'
ok 'load killed once more' eval '! ASYMBPF_FAULT=router:kill asym load --config "$tmp/conf"'
ok 'unload' asym unload
is 'nothing is left' "$(unused)" ''
ok 'the module goes' wait_for rmmod asymbpf

# --- a module that says it has the expression, and has not --------------------------------------------------------
needs 'such a module' insmod "$mute"
asym load --config "$tmp/conf" >"$tmp/out" 2>&1 || true
told_once 'mute' "$hash" '.*asym policy 0.*No such file'
is 'mute: status' "$(status '"\(.module.state) \(.module.rules) \(.router.raw_sockets)"')" 'used 0 hash'
spread 'mute' 1 2 3
: >"$tmp/events"
daemon 'mute: the daemon'
ok 'mute: is told it' wait_for told '.event == "error" and (.text | contains("asym policy 0"))'
handles() { gw nft -a list table inet asymbpf-module | grep -o '# handle [0-9]*' | paste -sd' '; }
still() { # while the rule is tried three times and more
	local before
	before=$(handles)
	sleep 4
	[ "$(handles)" = "$before" ]
}
ok 'mute: the hash is left alone' wait_for still
mark_events
ip -n "$net" link set p2 down
ok 'mute: a link dies' wait_for told "$(goes wan2 down)"
without() { ! gw nft list table inet asymbpf-module | grep -q mark_wan2; }
ok 'mute: the hash leaves it' wait_for without
spread 'mute: without it' 1 3
ip -n "$net" link set p2 up
is 'mute: it was told once' "$(jq -r 'select(.event == "error") | .text' "$tmp/events" | grep -c 'asym policy')" 1
ok 'mute: unload' asym unload
wait_for eval '! alive' || true
is 'mute: nothing is left' "$(unused)" ''
ok 'it can go' wait_for rmmod asymbpf
is 'no table is left' "$(gw nft list ruleset)" ''
no_strays 'each had the source of its link' 1 2 3
done_testing
