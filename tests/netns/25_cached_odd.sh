#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Odd packets of cached flows: fragments, IP options, TTL 1, ICMP errors for them, missing and wrong
# checksums, TCP out of its window, RST, a tuple used again, connections closed by one end only.
#
#   [c] eth0 ──── lan0 [gw] wan1, wan2 ════ [net] ──── eth0 [far] 192.0.2.9
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
lab
for k in 1 2; do wan $k; done
space far
cable "$net" q "$far" eth0
ip -n "$net" addr add 192.0.2.1/24 dev q
ip -n "$far" addr add 192.0.2.9/24 dev eth0
ip -n "$far" route add default via 192.0.2.1
net sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
run_in "$far" "$build/tests/netns/echod" 5000
run_in "$net" "$build/tests/netns/echod" 6000
mortal=$kept
wait_for listening "$far" 5000
a=198.51.100.7
# as any firewall has it: what conntrack cannot place does not pass
gw nft -f - <<-END
	table ip user {
		counter invalid {}
		chain fw { type filter hook forward priority filter; ct state invalid counter name invalid drop; }
	}
END
invalid() { gw nft -j list counter ip user invalid | jq '.nftables[].counter.packets? // empty'; }
config <<-END
	lan { devices = {"lan0"} }
	link wan1 {} link wan2 {}
	policy one { links = {wan1} }
	rule one { policy = one }
END
needs 'load' asym load --config "$tmp/conf"
needs_cache
tap whole1 "$net" in p1
tap whole2 "$net" in p2

talk tcp "$c" tcp -n 1 -p 2 -b 600 -S 41000 $a 443
talk udp "$c" udp -n 1 -p 2 -b 600 -S 42000 $a 53
talk far "$c" tcp -n 1 -p 2 -b 6000 -S 43000 192.0.2.9 5000
talk mortal "$c" udp -n 1 -p 4 -b 600 -t 200 -S 44000 $a 6000
for port in 443 53 5000 6000; do ok "the flow to port $port passes the cache" wait_for ways 50 --port $port; done
goes_on() { # DESCRIPTION PORT: still, or again, by the cache
	local n
	n=$(of_flow '[.[].original.packets] | max // 0' --port "$2")
	ok "$1: the flow goes on, by the cache" wait_for one_way $((n + 50)) original --port "$2"
}
up() { forge "$c" eth0 lan0 "$1" 10.0.0.2 "$2" $a "$3" -t 41 "${@:4}"; } # PROTO SPORT DPORT ARGS...
down() { forge "$net" p1 wan1 "$1" $a "$2" 100.64.1.2 "$3" -t 41 "${@:4}"; }
crosses() { # DESCRIPTION N AWK CMD...: so many packets with our TTL arrive that meet the condition
	local d=$1 n=$2 cond=$3
	shift 3
	tap up "$net" in p1
	tap down "$c" in eth0
	"$@"
	sleep 0.2
	untap up down
	is "$d" "$(($(seen up "ttl == 40 && ($cond)") + $(seen down "ttl == 40 && ($cond)")))" "$n"
}

# --- not as the others --------------------------------------------------------------------------------
crosses 'fragments of UDP' 20 'src == "100.64.1.2" && !bad' up udp 42000 53 -n 10 -l 1200 -i
crosses 'fragments of answers' 20 'dst == "10.0.0.2" && !bad' down udp 53 42000 -n 10 -l 1200 -i
crosses 'IP options, UDP' 10 'src == "100.64.1.2" && !bad' up udp 42000 53 -n 10 -o
crosses 'IP options, TCP' 10 'dst == "10.0.0.2" && !bad' down tcp 443 41000 -n 10 -o -l 0
crosses 'UDP without checksum' 10 'src == "100.64.1.2" && sport == 42000 && !bad' up udp 42000 53 -n 10 -z
crosses 'answers without checksum' 10 'dst == "10.0.0.2" && dport == 42000 && !bad' down udp 53 42000 -n 10 -z
tap up "$net" in p1
up udp 42000 53 -n 10 -x
up tcp 41000 443 -n 10 -x
sleep 0.2
untap up
is 'wrong checksums are not made right' "$(lines up 'ttl == 40 && bad != packets')" ''
ok 'they pass, too' [ "$(seen up 'ttl == 40')" -ge 10 ]
is 'with the right source' "$(lines up 'ttl == 40 && src != "100.64.1.2"')" ''
tap up "$net" in p1
forge "$c" eth0 lan0 udp 10.0.0.2 42000 $a 53 -t 2 -n 10
sleep 0.2
untap up
is 'TTL 2 leaves with 1' "$(seen up 'src == "100.64.1.2" && ttl == 1 && !bad')" 10
goes_on 'odd packets, TCP' 443
goes_on 'odd packets, UDP' 53

# --- TTL -------------------------------------------------------------------------------------------
expired() { # PROTO SPORT DST DPORT TTL FROM: the client is told by FROM
	local n
	tap down "$c" in eth0
	forge "$c" eth0 lan0 "$1" 10.0.0.2 "$2" "$3" "$4" -t "$5" -n 5
	sleep 0.2
	untap down
	n=$(seen down "proto == \"icmp\" && src == \"$6\" && sport == 11 && dport == 0 && dst == \"10.0.0.2\"")
	is "traceroute, $1 with TTL $5: $6 answers" "$n" 5
}
expired udp 42000 $a 53 1 10.0.0.1
expired tcp 41000 $a 443 1 10.0.0.1
expired tcp 43000 192.0.2.9 5000 2 100.64.1.1
ok 'ping beside the flows' c ping -q -c 3 -i 0.05 -W 1 $a

# --- ICMP errors for what the cache sent ---------------------------------------------------------------
ip -n "$net" link set q mtu 1200
ip -n "$far" link set eth0 mtu 1200
told() { c ip route get 192.0.2.9 | grep -q 'mtu 1200'; }
ok 'frag-needed comes back to the client' wait_for told
goes_on 'a smaller path MTU' 5000
kill "$mortal"
refused() { c nstat -asz IcmpInDestUnreachs | awk '/Unreachs/ { exit $2 < 50 }'; }
wait_for refused
hush mortal
like 'port-unreachable comes back to the client' "$(grep '^!E' "$tmp/talk.mortal")" '^!ECONNREFUSED [0-9]+$'

# --- TCP out of its window -------------------------------------------------------------------------------
old=$(invalid)
crosses 'out of the window, from the client' 20 'src == "100.64.1.2" && !bad' up tcp 41000 443 -n 20 -s 7 -a 9
crosses 'out of the window, to the client' 20 'dst == "10.0.0.2" && !bad' down tcp 443 41000 -n 20 -s 7 -a 9
goes_on 'after packets out of the window' 443
crosses 'RST out of the window' 3 'dst == "10.0.0.2" && !bad' down tcp 443 41000 -n 3 -s 7 -f R
goes_on 'after an RST out of the window' 443
crosses 'RST out of the window, from the client' 3 'src == "100.64.1.2" && !bad' up tcp 41000 443 -n 3 -s 7 -f R
goes_on 'after that from the client' 443
crosses 'a SYN in the middle' 3 'src == "100.64.1.2" && !bad' up tcp 41000 443 -n 3 -s 7 -f S
goes_on 'after a SYN' 443
is 'none of this was invalid' "$(invalid)" "$old"
hush tcp udp far
for name in tcp udp far; do said "the flow $name" $name; done

# --- a tuple that is used again ---------------------------------------------------------------------------
again() { # DESCRIPTION
	talk again "$c" tcp -n 1 -p 2 -b 600 -t 8000 -S 41000 $a 443
	ok "$1: passes the cache" wait_for ways 150 --port 443
}
again 'a port used again after RST'
c nft -f - <<<'table ip mute { chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }; }'
hush again
said 'again' again
c nft delete table ip mute
again 'a port used again after silence'
hush again
said 'again after silence' again

# --- closed by one end -------------------------------------------------------------------------------------
# One end talks for a second, closes its half and listens; then the other talks for 3 s and closes.
half() { # NS ROLE ADDRESS: what it received
	ip netns exec "$1" perl -MIO::Socket::INET -MTime::HiRes=sleep -e '
		my ($role, $address) = @ARGV;
		my $l = $role =~ /server/ && (IO::Socket::INET->new(Listen => 1, LocalPort => 5300, ReuseAddr => 1) or die);
		my $s = $l ? $l->accept : IO::Socket::INET->new("$address:5300") or die;
		my $got = 0;
		my $listen = sub { while (my $n = sysread $s, my $data, 65536) { $got += $n } };
		my $talk = sub { for (1..$_[0]) { syswrite $s, "x" x 1000 or die; sleep 0.01 } shutdown $s, 1 };
		if ($role =~ /first/) { $talk->(100); $listen->() } else { $listen->(); $talk->(300) }
		print "$got\n"' "$2" "$3"
}
half_closed() { # FIRST SECOND: roles of client and server
	local got new
	half "$net" "$2" '' >"$tmp/half" &
	asym_pids+=($!)
	wait_for listening "$net" 5300
	new=$(counter .cache_new)
	got=$(half "$c" "$1" $a)
	wait_for test -s "$tmp/half"
	is "half-closed, $1, $2: all arrives" "$got $(<"$tmp/half")" "$3"
	ok "half-closed, $1, $2: it passed the cache before" [ "$(counter .cache_new)" -gt "$new" ]
	ok "half-closed, $1, $2: and is gone from it" uncached --port 5300
}
half_closed 'first client' 'second server' '300000 100000'
half_closed 'second client' 'first server' '100000 300000'
is 'conntrack saw both to the end' "$(gw conntrack -L -p tcp --dport 5300 2>/dev/null | grep -c TIME_WAIT)" 2

untap whole1 whole2
is 'the whole time no packet had a wrong source' "$(lines whole1 'src != "100.64.1.2" && src !~ /:/' | head)" ''
is 'or a wrong checksum but for ours' "$(lines whole1 'bad && ttl != 40' | head)" ''
is 'or went by the other link' "$(lines whole2 'src !~ /:/' | head)" ''
no_strays 'no strays' 1 2
ok 'unload' asym unload
done_testing
