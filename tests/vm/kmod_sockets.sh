#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/kmod_sockets.sh [KERNEL...]: all that the router sends, where the cgroup tree refuses our programs:
# TCP, UDP and pings go where the kernel module says, and without it by nftables' hash, with the right source; sticky
# rules hold by the module alone; tunnels and marks of others stay what they were.  For each kernel (6.1 and 6.12).
#
#   [gw] wan1 (main's default), wan2, wan3 ════ [net]
if [ "${1-}" != --inside ]; then
	. "$(dirname "$0")/kernels.sh"
	on_kernels "$@"
	exit
fi
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/daemon.sh"
modprobe -a nf_tables nf_conntrack nft_ct nft_hash nft_socket
tree=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
claim() { "$build/tests/netns/claim" "$@" "$tree"; }
lab
for k in 1 2 3; do wan $k; done
# what each connection's first packet of this machine carries, by device
gw nft -f - <<-'END'
	table inet seen {
		set firsts { type ifname . inet_proto . mark; flags dynamic; }
		set pings { type ifname . ipv4_addr; flags dynamic; size 65535; }
		chain post {
			type filter hook postrouting priority 200; policy accept;
			ct state new add @firsts { oifname . meta l4proto . meta mark }
			icmp type echo-request add @pings { oifname . ip daddr }
		}
	}
END
firsts() { # PROTOCOL: "DEVICE MARK" of all of this protocol, sorted, on a line
	gw nft -j list set inet seen firsts | jq -r --arg p "$1" '.nftables[] | .set.elem[]? | (.elem.val? // .).concat |
		select("\(.[1])" == $p) | "\(.[0]) \(.[2])"' | sort -u | paste -sd,
}
ping_links() { # those by which pings went, on a line
	gw nft -j list set inet seen pings | jq -r '.nftables[] | .set.elem[]? | (.elem.val? // .).concat | .[0]' |
		sort -u | paste -sd' '
}
forget() { gw nft 'flush set inet seen firsts; flush set inet seen pings'; }
conf() { # WEIGHTS-OF-1-2-3 MORE
	local k weights
	read -ra weights <<<"$1"
	{
		echo "lan { devices = {\"lan0\"} } ${2-}"
		for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" weight = ${weights[k - 1]} }"; done
	} >"$tmp/conf"
}
chosen_by() { [ "$(status .router.connections)" = "$1" ]; }
share() { # DESCRIPTION TEXT: of 300 exchanges a quarter, a half and a quarter; none fails
	local k part=(75 150 75)
	is "$1: none fails" "$(failures "$2")" 0
	for k in 1 2 3; do near "$1: by wan$k" "$(to "$2" $k)" "${part[k - 1]}" 40; done
}
all_kinds() { # DESCRIPTION
	share "$1: TCP" "$(gw "$traffic" tcp -t 5000 -n 300 198.51.100.0/24 80)"
	share "$1: UDP, connected" "$(gw "$traffic" udp -t 5000 -n 300 198.51.100.0/24 53)"
	share "$1: UDP, not connected" "$(gw "$traffic" udp -u -t 5000 -n 300 -c 2 198.51.100.0/24 53 | merge)"
	share "$1: TCP, IPv6" "$(gw "$traffic" tcp -t 5000 -n 300 2001:db8:ffff::/64 80)"
	share "$1: UDP, IPv6" "$(gw "$traffic" udp -u -t 5000 -n 300 2001:db8:ffff::/64 53)"
	no_strays "$1: each had the source of its link" 1 2 3
}
merge() { awk '{ print $1, int($2 / 2) }'; } # two exchanges of each
own_way() { # DESCRIPTION: what has a link of its own goes there
	local k
	for k in 2 3; do
		is "$1: TCP bound to wan$k's address" "$(gw "$traffic" tcp -t 5000 -s 100.64.$k.2 -n 40 198.51.100.7 80)" "100.64.$k.2 40"
	done
	for k in 1 2 3; do
		is "$1: TCP bound to wan$k" "$(gw "$traffic" tcp -t 5000 -i wan$k -n 40 198.51.100.7 80)" "100.64.$k.2 40"
		is "$1: UDP bound to wan$k" "$(gw "$traffic" udp -u -t 5000 -i wan$k -n 40 198.51.100.7 53)" "100.64.$k.2 40"
		is "$1: answers of a server by wan$k" \
			"$(net "$traffic" tcp -t 5000 -s 100.64.$k.1 -n 40 100.64.$k.2 8080)" "100.64.$k.1 40"
		is "$1: answers of a UDP server by wan$k" \
			"$(net "$traffic" udp -t 5000 -s 198.51.100.$k -n 40 100.64.$k.2 8080)" "198.51.100.$k 40"
	done
	is "$1: a mark of ours that its owner gave" "$(gw "$traffic" tcp -t 5000 -m 0x300 -n 40 198.51.100.7 80)" '100.64.3.2 40'
}
run_in "$gw" "$build/tests/netns/echod" 8080
wait_for listening "$gw" 8080

# --- the tree refuses ------------------------------------------------------------------------------------------
needs 'somebody claims the cgroup tree' claim
conf '1 2 1'
asym load --config "$tmp/conf" >"$tmp/out" 2>&1 || true
like 'load says what becomes of connections' "$(<"$tmp/out")" \
	'connections of the router are spread by a hash of nftables: no cgroup v2 here, or it takes no more programs'
ok 'status: by the hash' chosen_by hash
like 'status as text' "$(asym status)" 'connections of the router are spread by a hash of nftables'
all_kinds hash
own_way hash

needs 'the module' insmod "$root/build/kmod-$2/asymbpf.ko"
asym reload >"$tmp/out" 2>&1 || true
like 'reload says what becomes of connections' "$(<"$tmp/out")" 'connections of the router go where the kernel module says: no cgroup'
ok 'status: by the module' chosen_by module
all_kinds module
own_way module

daemon 'the daemon'
quiet 300
mark_events
traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$daemon/status"; }
strace -qqq -p "$daemon" -e trace=bpf -o "$tmp/bpf" >/dev/null 2>&1 &
tracer=$!
wait_for traced
for k in 1 2 3; do
	seen=$(wc -l <"$tmp/bpf")
	ip -n "$gw" link add "d$k" type dummy
	synced() { [ "$(wc -l <"$tmp/bpf")" -gt "$seen" ]; }
	wait_for synced
	quiet 300
done
kill "$tracer"
wait "$tracer" || true
is 'the daemon loads no programs for it again and again' "$(grep -c BPF_PROG_LOAD "$tmp/bpf" || true)" 0
is 'nor says that somebody changed them' "$(repairs)" 0
ip -n "$net" link set p2 down
ok 'a link dies' wait_for told "$(goes wan2 down)"
t=$(gw "$traffic" tcp -t 5000 -n 100 198.51.100.0/24 80)
is 'no connection tries it' "$(failures "$t") $(to "$t" 2)" '0 0'
ip -n "$net" link set p2 up
ok 'it is back' wait_for told "$(goes wan2 up)"
ok 'the tree is free' claim -d
ok 'reload' asym reload
ok 'puts the programs there' chosen_by programs
skips() { gw nft list chain inet asymbpf-module router | grep -q 'l4proto tcp meta skuid'; }
ok 'and what they see passes the table' wait_for skips
share 'by programs: TCP' "$(gw "$traffic" tcp -t 5000 -n 300 198.51.100.0/24 80)"
daemon_end

# --- sticky ------------------------------------------------------------------------------------------------------
volley() { # N [ARGS]: pings to so many addresses; prints how many were answered
	gw sh -c "for i in \$(seq $1); do ping -n -q -c 1 -W 5 ${2-} 198.51.100.\$i & [ \$((i % 20)) != 0 ] || wait; done; wait" |
		grep -c ' 1 received' || true
}
went_by() { # DESCRIPTION N LINKS [ARGS]: all N are answered, and went by these
	forget
	is "$1: all are answered" "$(volley "$2" "${4-}")" "$2"
	is "$1: by" "$(ping_links)" "$3"
}
all='policy p { links = {"wan1", "wan2", "wan3"} }'
same() { # SECONDS
	echo "$all rule all { policy = p sticky = $1 }"
}
conf '1 1 1' "$(same 60)"
ok 'reload: sticky by source' asym reload --config "$tmp/conf"
is 'nothing is remembered' "$(status .module.sticky_used)" 0
forget
volley 1 >"$tmp/ping"
first=$(ping_links)
like 'a ping goes by one' "$first" '^wan[123]$'
is 'that is remembered' "$(status .module.sticky_used)" 1
went_by 'all others follow' 40 "$first"
others=$(seq -s ' ' 3 | sed "s/ *${first#wan} */ /; s/^ //; s/ $//; s/\([0-9]\)/wan\1/g")
weights() { # WEIGHT-OF-FIRST WEIGHT-OF-OTHERS
	local k
	for k in 1 2 3; do [ "wan$k" = "$first" ] && echo "$1" || echo "$2"; done | paste -sd' '
}
conf "$(weights 1 250)" "$(same 60)"
ok 'reload: other weights' asym reload --config "$tmp/conf"
went_by 'who is remembered stays' 40 "$first"
ip -n "$net" link set "p${first#wan}" down
asym reload >/dev/null 2>&1 || true
forget
is 'its link dies: all are answered' "$(volley 20)" 20
second=$(ping_links)
like 'by one that lives' " $others " " $second "
ip -n "$net" link set "p${first#wan}" up
down() { status ".links[] | select(.name == \"$first\") | .ipv4.state" | grep -qv '^live$'; }
wait_for eval '! down' || true
ok 'it is back' asym reload
went_by 'who moved stays there' 20 "$second"
# another rule, with entries of its own
conf '1 1 1' "$all rule brief { policy = p sticky = 15 }"
ok 'reload: sticky for 15 s' asym reload --config "$tmp/conf"
forget
volley 1 >"$tmp/ping"
first=$(ping_links)
conf "$(weights 1 250)" "$all rule brief { policy = p sticky = 15 }"
ok 'reload: other weights for it' asym reload --config "$tmp/conf"
went_by 'still' 20 "$first"
sleep 17 # longer than it is remembered
forget
volley 20 >/dev/null
isnt_first() { [ "$(ping_links)" != "$first" ]; }
ok 'after a silence it may move' isnt_first
is 'that is one link, too' "$(ping_links | wc -w)" 1

conf '1 1 1' "$all rule all { policy = p sticky = 60 sticky-key = src+dst }"
ok 'reload: sticky by source and destination' asym reload --config "$tmp/conf"
for k in 1 2 3; do volley 40; done >/dev/null
forget
for k in 1 2 3; do volley 40; done >"$tmp/pings"
is 'all are answered' "$(paste -sd' ' "$tmp/pings")" '40 40 40'
is 'each destination has one link' \
	"$(gw nft -j list set inet seen pings | jq '[.nftables[] | .set.elem[]?] | length')" 40
is 'which are all' "$(ping_links)" 'wan1 wan2 wan3'

# --- marks of others ----------------------------------------------------------------------------------------------
conf '1 1 1' 'policy p { links = {"wan3"} } rule all { policy = p }'
ok 'reload: all by wan3' asym reload --config "$tmp/conf"
forget
went_by 'a ping' 10 wan3
is 'its mark' "$(firsts icmp)" "wan3 $((0x300))"
went_by 'one with bits of somebody' 10 wan3 '-m 65537'
is 'which it keeps' "$(firsts icmp)" "wan3 $((0x10301))"
went_by 'one with our mark of wan2' 10 wan2 '-m 512'
is 'is not chosen for' "$(firsts icmp)" "wan2 $((0x200))"

# GRE: what it sends has the socket and the mark of what it carries
ip -n "$gw" link add gre1 type gre local 100.64.1.2 remote 198.51.100.99 ttl 64
ip -n "$gw" addr add 192.0.2.1/24 dev gre1
ip -n "$gw" link set gre1 up
tunnel() { # DESCRIPTION MARK-OF-PING WANT
	forget
	gw ping -n -q -c 1 -W 1 -m "$2" 192.0.2.7 >/dev/null 2>&1 || true
	is "$1" "$(firsts gre)" "$3"
}
tunnel 'GRE' 0 "wan3 $((0x300))"
gw conntrack -D -p gre >/dev/null 2>&1 || true
tunnel 'GRE with bits of somebody keeps them' $((0x20000)) "wan3 $((0x20300))"
gw conntrack -D -p gre >/dev/null 2>&1 || true
# routed as the tunnel says, by main here
tunnel 'GRE with a mark of ours is not chosen for' $((0x200)) "wan1 $((0x200))"

# WireGuard: no socket, the device's own mark
umask 077
net ip link add wg9 type wireguard
wg genkey >"$tmp/key9"
net wg set wg9 listen-port 5820 private-key "$tmp/key9"
net ip addr add 192.0.3.9/24 dev wg9
net ip link set wg9 up
wireguard() { # DESCRIPTION FWMARK WANT: a tunnel of its own port, through which pings come back
	ip -n "$gw" link del wg0 2>/dev/null || true
	ip -n "$gw" link add wg0 type wireguard
	wg genkey >"$tmp/key0"
	net wg set wg9 peer "$(wg pubkey <"$tmp/key0")" allowed-ips 192.0.3.0/24
	gw wg set wg0 private-key "$tmp/key0" fwmark "$2" peer "$(wg pubkey <"$tmp/key9")" \
		endpoint 198.51.100.99:5820 allowed-ips 192.0.3.0/24
	ip -n "$gw" addr add 192.0.3.1/24 dev wg0
	ip -n "$gw" link set wg0 up
	forget
	ok "$1: answers" wait_for gw ping -n -q -c 1 -W 1 192.0.3.9
	is "$1" "$(firsts udp)" "$3"
}
wireguard 'WireGuard' 0 "wan3 $((0x300))"
wireguard 'WireGuard with a mark goes its own way, with that alone' 0x40000 "wan1 $((0x40000))"
wireguard 'WireGuard with a mark of ours goes there' 0x200 "wan2 $((0x200))"
no_strays 'each had the source of its link' 1 2 3
ok 'unload' asym unload
is 'no policy is left' "$(gw "$build/tests/netns/policies")" ''
ok 'the module goes' wait_for rmmod asymbpf
done_testing
