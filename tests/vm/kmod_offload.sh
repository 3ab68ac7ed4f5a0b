#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel module (file $ASYM_KMOD) hands connections over to the flow cache and takes them back: at the end, when they
# idle, when they are deleted, when the module or the namespace goes.  conntrack as a whole stays strict.
#
#   [c] ──── lan0 [gw] wan1 ──── [net]
#	ASYM_KMOD=$PWD/build/kmod-6.1/asymbpf.ko scripts/vm --kernel 6.1 -- bash tests/vm/kmod_offload.sh
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/flow.sh"
[ -n "${ASYM_KMOD-}" ] || skip_all 'no kernel module given'
modprobe -aq nf_tables nf_conntrack nf_conntrack_ftp nf_flow_table_inet || true # or built in
rmmod asymbpf 2>/dev/null || true

lab
wan 1 # of several, connections without asymbpf would leave by the first
watch_lines
# unload is to leave NAT behind
gw nft 'add table inet own; add chain inet own nat { type nat hook postrouting priority 200; policy accept; };
	add rule inet own nat oifname "wan1" masquerade'
host=198.51.100.7
lease=32 # s: twice 16 periods, see user/apply/object_load.c

liberal() { gw cat /proc/sys/net/netfilter/nf_conntrack_tcp_{be_liberal,ignore_invalid_rst} | paste -sd' '; }
entries() { gw grep -E "$1" /proc/net/nf_conntrack || true; } # REGEX
offloaded() { entries "dport=$1 " | grep -c OFFLOAD || true; } # PORT: how many
taken() { [ "$(offloaded "$1")" = "$2" ]; }                   # PORT N
tracked() { gw conntrack -C; }
tracks() { [ "$(tracked)" = "$1" ]; }
said_more() { [ "$(answers "$1" 1)" -gt "$2" ]; } # N COUNT
exchange() { # N: one on the connection that stays open, and its answer
	local n
	n=$(answers "$1" 1)
	say "$1" 1
	wait_for said_more "$1" "$n"
}
cached_port() { cached_are "$2" --port "$1"; } # PORT N
hand_over() { status .flow_cache.hand_over; }
gw sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=0 \
	net.netfilter.nf_conntrack_udp_timeout_stream=3000
# the rules of the router's own packets would hold the module as well
config <<<'host-raw = no lan { devices = "lan0" } link wan1 {}'

# --- without the module, or with one that programs cannot see ----------------------------------------
needs 'load without the module' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
is 'hand-over without the module' "$(hand_over)" sysctl
is 'conntrack is liberal' "$(liberal)" '1 1'
start early "$c" "$traffic" tcp -n 1 -c 0 -p 20 -t 30000 $host 80
ok 'a connection passes the cache' wait_for cached_port 80 1
objcopy -R .BTF "$ASYM_KMOD" "$tmp/blind.ko"
ok 'a module without BTF is loaded' insmod "$tmp/blind.ko"
ok 'reload with that' asym reload
is 'hand-over: none of its kfuncs' "$(hand_over)" sysctl
ok 'and removed, as nobody uses it' rmmod asymbpf
is 'nothing is handed over' "$(offloaded 80)" 0

# --- with it -----------------------------------------------------------------------------------------
needs 'the module' insmod "$ASYM_KMOD"
ok 'reload with the module' asym reload
is 'hand-over with the module' "$(hand_over)" module
like 'status says so' "$(asym status)" 'hand-over: module'
is 'conntrack is as before the first load' "$(liberal)" '0 0'
ok 'the connection of then is handed over' wait_for taken 80 1
exits 'the module is held by the programs' 1 'in use' rmmod asymbpf
start six "$c" "$traffic" tcp -n 1 -c 0 -p 20 -t 30000 2001:db8:ffff::7 80
start udp "$c" "$pace" udp -n 3 -r 100 $host 53
ok 'IPv6 is handed over' wait_for taken 80 2
ok 'UDP is' wait_for taken 53 3

# --- idle for longer than the lease ----------------------------------------------------------------------
talk 7 "$c" tcp -n 1 -H -b 64 -t 30000 $host 443
talk 8 "$c" udp -n 1 -H -b 64 -t 30000 $host 443
idlers() { exchange 7 && exchange 8 && cached_port 443 2; }
ok 'two connections that are going to idle' wait_for idlers
is 'they are handed over' "$(offloaded 443)" 2
exchange 7
exchange 8
idle_since=$(now)
ok 'the lease ends' wait_for taken 443 0
at_most 'as long as it is' $((lease * 1000 - ($(now) - idle_since) / 1000)) 1000 'ms too early'
# tcp and udp: what is left is less than the whole by what the lease took
like 'TCP: a time-out as for one that idled' "$(entries 'tcp .*dport=443 ' | awk '{ print ($5 <= 432000 - '$((lease - 2))') }')" '^1$'
like 'UDP: likewise' "$(entries 'udp .*dport=443 ' | awk '{ print ($5 <= 3000 - '$((lease - 2))') }')" '^1$'
ok 'TCP goes on' exchange 7
ok 'UDP goes on' exchange 8
again() { exchange 7 && exchange 8 && taken 443 2; }
ok 'and both are handed over again' wait_for again

# --- what only the tracking of windows could refuse ----------------------------------------------------
sink() { # PORT
	run_in "$net" "$pace" sink "$1"
	wait_for listening "$net" "$1"
}
bulk() { # HOW PORT MIB [-R]
	local lan invalid
	sink "$2"
	lan=$(stat lan_flow) invalid=$(counter "$gw" invalid)
	start bulk "$c" "$pace" send -B "$3" "${@:4}" $host "$2"
	ok "$1: handed over under way" wait_for taken "$2" 1
	ended bulk
	like "$1: sent and ended" "$(cat "$tmp/bulk")" "^end $1 bytes "
	ok "$1: nearly all of it passed the cache" [ $(($(stat lan_flow) - lan)) -gt "$3" ]
	is "$1: nothing was invalid" "$(counter "$gw" invalid)" "$invalid"
	is "$1: taken back" "$(offloaded "$2")" 0
}
bulk FIN 5301 $((100 / ${ASYM_KMOD_PART:-1}))
like 'FIN: conntrack has seen the end' "$(entries 'dport=5301 ')" 'TIME_WAIT|CLOSE|LAST_ACK'
if [ -z "${ASYM_KMOD_PART-}" ]; then
	bulk RST 5302 2100 -R # a RST half of all sequence numbers later looks like an old one
	like 'RST: conntrack has seen the end' "$(entries 'dport=5302 ')|" '^\||CLOSE'
fi

# --- not for us ----------------------------------------------------------------------------------------
gw nft -f - <<-END
	table inet others {
		flowtable ft { hook ingress priority 0; devices = { lan0, wan1 }; }
		chain forward {
			type filter hook forward priority 0; policy accept;
			udp dport 5000 flow add @ft
		}
	}
END
start table "$c" "$pace" udp -r 100 $host 5000
ok 'the flowtable takes its flow' wait_for taken 5000 1
is 'it is the flowtable'\''s own' "$(entries 'udp .*dport=5000 ' | grep -c OFFLOAD)" 1
helped() { entries 'tcp .*dport=5000 ' | grep -q ASSURED; }
if [ -e /sys/module/nf_conntrack_ftp ]; then
	gw nft -f - <<-END
		table inet others {
			ct helper ftp { type "ftp" protocol tcp; }
			chain helped {
				type filter hook prerouting priority 0; policy accept;
				tcp dport 5000 ct helper set "ftp"
			}
		}
	END
	start ftp "$c" "$traffic" tcp -n 1 -c 0 -p 20 -t 30000 $host 5000
	ok 'the connection with a helper is established' wait_for helped
	sleep 3
	is 'it is not handed over' "$(entries 'tcp .*dport=5000 ' | grep -c OFFLOAD || true)" 0
fi
is 'nothing of that is in the cache' "$(cached true --port 5000)" 0

# --- deleted -------------------------------------------------------------------------------------------
# TCP breaks where conntrack first hears an answer, as without cache (netns/26_conntrack)
start many "$c" "$traffic" tcp -n 20 -c 0 -p 20 -t 30000 $host 80
ok 'more connections are handed over' wait_for taken 80 22
gw conntrack -D -p udp --dport 53 >/dev/null 2>&1
gw conntrack -D -p tcp --dport 80 >/dev/null 2>&1
few() { [ "$(offloaded 80)" -ge 10 ] && taken 53 3; }
ok 'deleted under traffic: handed over anew' wait_for few
finish many udp
is 'UDP: nothing moved' "$(total udp moved)" 0
gone() { [ "$(entries 'dport=53 ' | wc -l)" = 0 ]; }
gw conntrack -D -p udp --dport 53 >/dev/null 2>&1
ok 'deleted without traffic: gone' wait_for gone
is 'nothing was invalid' "$(counter "$gw" invalid)" 0

# --- unload ----------------------------------------------------------------------------------------------
ok 'unload' asym unload
is 'sysctls are as before' "$(liberal)" '0 0'
ok 'some are handed over still' [ "$(offloaded 80)" -ge 1 ]
ok 'the module can be removed' rmmod asymbpf
is 'that takes all back' "$(offloaded 80)" 0
is 'but what is the flowtable'\''s' "$(entries 'udp .*dport=5000 ' | grep -c OFFLOAD)" 1
sleep 1
ok 'TCP goes on without' exchange 7
ok 'UDP goes on without' exchange 8
finish ${running[ftp]+ftp} table
exec 7>&- 8>&-
finish early six
is 'no connection broke' "$(cat "$tmp"/six "$tmp"/ftp 2>/dev/null | grep '^!' || true)" ''
is 'nothing was invalid' "$(counter "$gw" invalid)" 0
is 'nor the flowtable'\''s' "$(total table moved) $(total table refused)" '0 0'
clean_lines 1
gw nft delete table inet others
empty() { gw conntrack -F 2>/dev/null && tracks 0; }
ok 'conntrack can forget all' wait_for empty

# --- the namespace goes, with all that is handed over -----------------------------------------------------
needs 'the module again' insmod "$ASYM_KMOD"
ok 'load' asym load --config "$tmp/conf"
start last "$c" "$traffic" tcp -n 50 -c 0 -p 20 -t 30000 $host 80
ok 'fifty connections are handed over' wait_for taken 80 50
finish last
ok 'conntrack can forget all, and so can the module' wait_for empty
start last "$c" "$traffic" tcp -n 50 -c 0 -p 20 -t 30000 $host 80
ok 'fifty more' wait_for taken 80 50
finish last
pids=$(ip netns pids "$gw")
[ -z "$pids" ] || kill $pids
ip netns del "$gw"
asym_spaces=("$c" "$net")
removed() { rmmod asymbpf; }
ok 'the namespace is gone, and so nobody uses the module' wait_for removed
done_testing
