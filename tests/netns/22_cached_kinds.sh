#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kinds of flows: which of them pass the flow cache and which do not, and that the user's rules hold for
# both: destination NAT from outside and from inside, between LANs, the router's own, dropped ones, ones
# with mark and priority, without cache by configuration, with a helper, with SYN proxy, untracked.
#
#   [c]  eth0 10.0.0.2, 10.1/16 ──── lan0 [gw] wan1, wan2 ════ [net]
#   [c2] eth0 10.0.1.2 ───────────── lan1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
lab
for k in 1 2; do wan $k; done
space c2
cable "$c2" eth0 "$gw" lan1
ip -n "$c2" addr add 10.0.1.2/24 dev eth0
ip -n "$gw" addr add 10.0.1.1/24 dev lan1
ip -n "$c2" route add default via 10.0.1.1
gw sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.lan0.send_redirects=0
run_in "$c2" "$build/tests/netns/echod" 80 5353 8082
run_in "$c" "$build/tests/netns/echod" 81
run_in "$gw" "$build/tests/netns/echod" 2222
run_in "$net" "$build/tests/netns/echod" 21 7000 7001 7002
for at in "$c2 8082" "$c 81" "$gw 2222" "$net 7002"; do wait_for listening ${at% *} ${at#* }; done
a=198.51.100.7

# what a user has of rules
gw nft -f - <<-END
	table ip user {
		chain first { # 5353 is not tracked, SYNs to 8082 are the proxy's
			type filter hook prerouting priority raw
			iifname "lan*" udp dport 5353 notrack
			iifname "lan*" udp sport 5353 notrack
			tcp dport 8082 tcp flags & (syn | ack) == syn notrack
		}
		chain in {
			type nat hook prerouting priority dstnat
			ip daddr { 100.64.1.2, 100.64.2.2 } meta l4proto { tcp, udp } th dport 8080 dnat to 10.0.1.2:80
			ip daddr { 100.64.1.2, 100.64.2.2 } meta l4proto { tcp, udp } th dport 8081 dnat to 10.0.0.2:81
		}
		chain post {
			type nat hook postrouting priority srcnat
			ip saddr 10.0.0.0/8 ip daddr 10.0.0.0/8 ct status dnat masquerade
		}
		chain marks {
			type filter hook forward priority mangle
			th dport 7000 meta priority set 1:7
			th dport { 7001, 7002 } meta mark set meta mark | 0x5
			th dport 7001 ip dscp set ef
		}
		chain fw { type filter hook forward priority filter; }
	}
END
# classes of the wire: 7 by priority, 5 by mark, 9 all else
for k in 1 2; do
	tc -n "$gw" qdisc add dev wan$k root handle 1: htb default 9
	for class in 5 7 9; do tc -n "$gw" class add dev wan$k parent 1: classid 1:$class htb rate 10gbit quantum 60000; done
	tc -n "$gw" filter add dev wan$k parent 1: prio 1 protocol ip bpf flowid 1:5 bytecode \
		'5,32 0 0 4294963220,84 0 0 255,21 0 1 5,6 0 0 4294967295,6 0 0 0' # ld mark; and 255; jeq 5
done
class() { # N: packets that it sent, on both links
	for k in 1 2; do tc -n "$gw" -s class show dev wan$k; done |
		awk -v class="1:$1" '/^class/ { mine = $3 == class } mine && /Sent/ { n += $4 } END { print n }'
}
net nft -f - <<-END
	table inet watch {
		counter dscp {}
		counter any {}
		chain in {
			ip protocol { tcp, udp } th dport 7001 ip dscp ef counter name dscp
			ip protocol { tcp, udp } th dport 7001 counter name any
		}
	}
END

conf() { # GLOBALS
	config <<-END
		$1
		lan { devices = {"lan0", "lan1"} }
		link wan1 {} link wan2 {}
		policy both { links = {wan1, wan2} }
		rule calls { proto = {tcp, udp}  dport = {443, 7001}  policy = both  fastpath = no }
		rule rest { policy = both }
	END
}
conf ''
needs 'load' asym load --config "$tmp/conf"
needs_cache
watch_connections
tap c "$c" in eth0
tap c2 "$c2" in eth0
for k in 1 2; do tap $k "$net" in p$k; done
both() { # NAME NS ARGS...: TCP and UDP of two connections each
	talk "$1 tcp" "$2" tcp -n 2 -p 4 -b 600 "${@:3}"
	talk "$1 udp" "$2" udp -n 2 -p 4 -b 600 "${@:3}"
}
passes() { # DESCRIPTION NAME ARGS of flows...: TCP and UDP pass by the cache, both ways
	ok "$1: TCP passes the cache" wait_for ways 100 --proto tcp "${@:3}"
	ok "$1: UDP passes the cache" wait_for ways 100 --proto udp "${@:3}"
}
ends() { # DESCRIPTION NAME RESULT
	local proto
	hush "$2 tcp" "$2 udp"
	for proto in tcp udp; do
		said "$1, $proto" "$2 $proto"
		is "$1, $proto: who it is for the other end" "$(kinds "$(<"$tmp/talk.$2 $proto")")" "$3"
	done
}

# --- what passes, and what never does, all at once -------------------------------------------------
both 'in 1' "$net" -s 198.51.100.16 100.64.1.2 8080
both 'in 2' "$net" -s 198.51.100.18 100.64.2.2 8080
both 'hairpin' "$c" -s 10.0.0.2 100.64.1.2 8080
both 'hairpin same' "$c" -s 10.1.0.9 100.64.1.2 8081
both 'LANs' "$c" 10.0.1.2 80
both 'first' "$c" $a 7000
both 'marked' "$c" $a 7002
both 'own' "$gw" $a 5000
both 'to router' "$c" 10.0.0.1 2222
both 'to router by wan1' "$net" -s 198.51.100.20 100.64.1.2 2222
both 'by rule' "$c" $a 443
both 'by rule, dscp' "$c" $a 7001
talk 'untracked' "$c" udp -n 2 -p 4 10.0.1.2 5353
passes 'from outside by wan1' 'in 1' --port 8080 --dst 100.64.1.2 --src 198.51.100.0/24
passes 'from outside by wan2' 'in 2' --port 8080 --dst 100.64.2.2 --src 198.51.100.0/24
passes 'hairpin to another LAN' 'hairpin' --port 8080 --src 10.0.0.2
passes 'hairpin in one LAN' 'hairpin same' --port 8081 --src 10.1.0.9
passes 'LAN to LAN' 'LANs' --dst 10.0.1.2 --src 10.0.0.2 --port 80
passes 'of a priority' 'first' --port 7000
passes 'marked' 'marked' --port 7002
of() { of_flow "$1 | tojson" --limit 1 "${@:2}"; }
is 'hairpin in one LAN: devices' "$(of '.[0] | [.original.in, .original.out, .reply.in, .reply.out]' --port 8081)" \
	'["lan0","lan0","lan0","lan0"]'
is 'LAN to LAN: devices, no link' "$(of '.[0] | [.original.in, .original.out, .link]' --src 10.0.0.2 --dst 10.0.1.2)" \
	'["lan0","lan1",null]'
for port in 5000 2222 443 7001 5353; do ok "port $port is not cached" uncached --port $port; done
ends 'from outside by wan1' 'in 1' '198.51.100.16'
ends 'from outside by wan2' 'in 2' '198.51.100.18'
ends 'hairpin to another LAN' 'hairpin' '10.0.1.1'
ends 'hairpin in one LAN' 'hairpin same' '10.0.0.1'
ends 'LAN to LAN' 'LANs' '10.0.0.2'
ends 'to the router' 'to router' '10.0.0.2'
ends 'to the router by wan1' 'to router by wan1' '198.51.100.20'
for name in first marked own 'by rule' 'by rule, dscp'; do
	hush "$name tcp" "$name udp"
	for proto in tcp udp; do said "$name, $proto" "$name $proto"; done
done
hush untracked
said 'untracked' untracked
untap c c2 1 2
for k in 1 2; do clean "wan$k" $k "100.64.$k.2|2001:db8:$k::2" 'dport == 5000 || sport == 2222'; done
clean 'the first LAN' c '198.51.100.7|100.64.1.2|10.0.1.2|10.0.0.1' 'sport == 2222'
clean 'the second LAN' c2 '198.51.100.[0-9]+|10.0.1.1|10.0.0.2'
is 'all is as conntrack says' "$(unknown c c2 1 2 | grep -v 5353 | head)" ''
on_wire() { echo $(($(seen 1 "$1") + $(seen 2 "$1"))); }
is 'a priority holds for every packet' "$(class 7)" "$(on_wire 'dport == 7000')"
is 'and so does a mark' "$(class 5)" "$(on_wire 'dport == 7001 || dport == 7002')"
is 'without cache every packet has the DSCP' "$(arrived dscp)" "$(arrived any)"

# --- dropped flows ---------------------------------------------------------------------------------
both 'shut' "$c" -t 200 -n 20 -s 10.0.0.2 $a 5000
passes 'before the firewall shuts' 'shut' --port 5000
drop() { # RULE: from now on, in effect after one period of the cache
	gw nft add rule ip user fw "$1"
	sleep 1.1
}
flowing() { # TAP... : for a second; ends the recorders
	sleep 1
	untap "$@"
}
drop 'udp sport 5000 drop'
tap lan "$c" in eth0
for k in 1 2; do tap $k "$net" in p$k; done
flowing lan 1 2
is 'answers are dropped: none comes through' "$(seen lan 'proto == "udp" && sport == 5000')" 0
ok 'requests go on' [ "$(for k in 1 2; do lines $k 'proto == "udp" && dport == 5000'; done | wc -l)" -gt 10 ]
ok 'TCP is not concerned' [ "$(seen lan 'proto == "tcp" && sport == 5000')" -gt 100 ]
drop 'th dport 5000 drop'
for k in 1 2; do tap $k "$net" in p$k; done
tap lan "$c" out eth0
flowing lan 1 2
is 'requests are dropped: none comes through' "$(for k in 1 2; do seen $k 'dport == 5000'; done | paste -sd' ')" '0 0'
ok 'though the client goes on' [ "$(seen lan 'dport == 5000')" -gt 10 ]
gw nft flush chain ip user fw
tap lan "$c" in eth0
answers() { [ "$(of_flow '[.[] | select(.idle == 0)] | length' --proto udp --port 5000)" -gt 0 ]; }
ok 'it opens again, and the cache takes up' wait_for answers
flowing lan
ok 'answers come through' [ "$(seen lan 'proto == "udp" && sport == 5000')" -gt 10 ]
hush 'shut tcp' 'shut udp'

# --- helpers and proxies: conntrack's work on what is in the packets ----------------------------------
ftp() { # the last of what the server saw
	c perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new("'$a':21") or die;
		my $got = "";
		my $read = sub { while (length $got < $_[0]) { sysread $s, $got, 4096, length $got or die } };
		$read->('"$1"'); $got = "";
		for (1..500) { syswrite $s, "NOOP $_ padding padding\r\n" or die; $read->(10); $got = ""; select undef, undef, undef, 0.002 }
		syswrite $s, "PORT 10,0,0,2,100,1\r\n"; $read->(20); print $got'
}
seen_len=$(awk '/define SEEN_LEN/ { print $3 }' "$root/tests/netns/seen.h")
if gw nft -f - 2>"$tmp/helper" <<-END
	table ip user {
		ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
		chain help { type filter hook prerouting priority -10; tcp dport 21 ct helper set "ftp"; }
	}
END
then
	before=$(counter .cache_new)
	port=$(ftp "$seen_len")
	grep -qw nf_nat_ftp /proc/kallsyms 2>/dev/null && theirs='100,64,[12],2' || theirs='10,0,0,2'
	like 'FTP: the helper works to the last packet' "$port" "^PORT $theirs,"
	is 'FTP: nothing of it was cached' "$(counter .cache_new)" "$before"
else
	diag "$(<"$tmp/helper")"
	ok 'FTP: the helper # SKIP this kernel has none' true
fi
c2_synproxy() {
	gw sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.ipv4.tcp_syncookies=1
	gw nft -f - <<-END
		table ip user {
			chain proxy {
				type filter hook forward priority -5
				tcp dport 8082 ct state invalid,untracked synproxy mss 1460 wscale 7 sack-perm
				tcp dport 8082 ct state invalid drop
			}
		}
	END
}
if c2_synproxy 2>"$tmp/synproxy"; then
	talk proxied "$c" tcp -n 2 -p 2 -b 600 10.0.1.2 8082
	sleep 2
	ok 'SYN proxy: not cached' uncached --port 8082
	hush proxied
	said 'SYN proxy' proxied
else
	ok "SYN proxy # SKIP $(head -n 1 "$tmp/synproxy")" true
fi

# --- without cache at all ----------------------------------------------------------------------------
conf 'fastpath = no'
ok 'reload without the cache' asym reload --config "$tmp/conf"
before=$(counter '.lan_flow .link_flow')
is 'exchanges without it' "$(failures "$(c "$traffic" tcp -n 4 -c 400 -p 2 $a 5000)")" 0
is 'no packet passed a cache' "$(counter '.lan_flow .link_flow')" "$before"
no_strays 'and the whole time no packet had a wrong source' 1 2
ok 'unload' asym unload
done_testing
