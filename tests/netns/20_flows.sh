#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `flows` says of the flow cache is true: tuples, NAT, links, devices; and every packet is either
# counted there or was forwarded by the stack, none twice, none not at all.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]      ports 5000 and 5202 by wan2, all else by wan1
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
a=198.51.100.7 six=2001:db8:ffff::7 six1=2001:db8:1::2

# "up" is what goes to a port, "down" what comes from it: as it arrives at its end, or is forwarded
counted='443 5000 5201 5300'
counters() { # NS HOOK
	local p
	{
		echo 'table inet seen {'
		for p in $counted; do echo "counter up$p {}"$'\n'"counter down$p {}"; done
		echo "chain seen { type filter hook $2 priority -290; policy accept;"
		for p in $counted; do
			echo "meta nfproto ipv4 th dport $p counter name up$p"
			echo "meta nfproto ipv4 th sport $p counter name down$p"
		done
		printf '}\n}\n'
	} | ip netns exec "$1" nft -f -
}
counters "$c" prerouting
counters "$gw" forward
counters "$net" prerouting
seen() { # NS COUNTER: packets and bytes
	ip netns exec "$1" nft -j list counter inet seen "$2" |
		jq -r '.nftables[].counter | values | "\(.packets) \(.bytes)"'
}

config <<-END
	lan { devices = {"lan0"} }
	link wan1 { device = "wan1" nat6 = masquerade }
	link wan2 { device = "wan2" nat6 = masquerade }
	policy one { tier { links = {"wan1"} } }
	policy two { tier { links = {"wan2"} } }
	rule two { proto = {tcp, udp} dport = {"5000", "5202"} policy = two }
	rule rest { policy = one }
END
asym load --config "$tmp/conf" >"$tmp/loaded" 2>&1 || { diag "$(cat "$tmp/loaded")"; exit 1; }
grep -qw bpf_skb_ct_lookup /proc/kallsyms || skip_all 'this kernel has no bpf_skb_ct_lookup'
ok 'an empty cache is no error' asym flows
is 'an empty cache in JSON' "$(asym flows --json | jq -c .)" '[]'

flows() { asym flows --json "$@"; }
how_many() { flows "$@" | jq length; }
none() { [ "$(how_many "$@")" = 0 ]; }
forms='def ends: "\(.source):\(.source_port) \(.destination):\(.destination_port)";
	def ways: "\(.link) \(.original.in) \(.original.out) \(.reply.in) \(.reply.out)"; .[0]'
of() { # PORT JQ-FILTER: of the flow to this port that has most bytes
	flows --port "$1" --limit 1 | jq -r "$forms | $2"
}
fast() { [ "$(of "$1" '"\(.state) \(.original.in and .reply.in)"')" = 'fast true' ]; }
balanced() { # PORT: cache and stack together have sent what arrived, packets and bytes of both ways
	local way up=.original down=.reply arrived stack cache
	for way in up down; do
		arrived=$(seen "$([ $way = up ] && echo "$net" || echo "$c")" "$way$1")
		stack=$(seen "$gw" "$way$1")
		cache=$(flows --port "$1" | jq -r "map(${!way}) | \"\(map(.packets) | add // 0) \(map(.bytes) | add // 0)\"")
		echo "$way: arrived $arrived, forwarded $stack, cache $cache (packets, bytes)"
		[ "$arrived" = "$((${stack% *} + ${cache% *})) $((${stack#* } + ${cache#* }))" ] || return 1
	done
}
balance() { # DESCRIPTION PORT
	wait_for balanced "$2" || true
	ok "$1" balanced "$2"
}

# a connection on which exchanges take place when told, and which then stays open
talk() { # N NS ARGS...: descriptor N of this shell is its line
	local n=$1 ns=$2
	shift 2
	mkfifo "$tmp/line$n"
	run_in "$ns" sh -c "exec $traffic \"\$@\" <$tmp/line$n" - "$@"
	eval "exec $n>$tmp/line$n"
}
say() { # N COUNT: exchanges, one after the other
	yes '' | head -n "$2" >&"$1" || true
}
until_fast() { # N PORT: two packets, and later one more of each direction, is all that it needs
	local end=$((SECONDS + 10))
	until fast "$2"; do
		[ $SECONDS -lt $end ] || return 1
		say "$1" 1
		sleep 0.1
	done
}

# --- one connection -------------------------------------------------------------------------------
talk 7 "$c" tcp -n 1 -H -b 1000 $a 443
first=$kept
needs 'a TCP connection comes into the cache' until_fast 7 443
say 7 2000
received() { c ss -Htni "dport = :443" | grep -q 'bytes_received:2[0-9]\{6\}'; }
ok '2000 exchanges' wait_for received
balance 'TCP: each packet is in the cache or the stack' 443
many() { [ "$(of "$1" "$2.packets")" -gt "$3" ]; }
ok 'most requests passed the cache' many 443 .original 1900
ok 'most answers passed the cache' many 443 .reply 1900
is 'no other flow is in the cache' "$(how_many)" 1
is 'stats: lan_flow is what came from the LAN' "$(asym stats --json | jq .counters.lan_flow)" "$(of 443 .original.packets)"
is 'stats: link_flow is what came by the link' "$(asym stats --json | jq .counters.link_flow)" "$(of 443 .reply.packets)"
client=$(c ss -Htn 'dport = :443' | awk '{ print $4 }')
outside=$(net ss -Htn 'sport = :443' | awk '{ print $5 }' | sed 's/^\[::ffff:\(.*\)\]/\1/')
is 'the tuple as the client sent it' "$(of 443 '.sent | ends')" "$client $a:443"
is 'the tuple as the host sees it' "$(of 443 '.translated | ends')" "$outside $a:443"
is 'link and devices' "$(of 443 ways)" 'wan1 lan0 wan1 wan1 lan0'
is 'kind' "$(of 443 '"\(.family) \(.protocol) \(.stateless)"')" 'ipv4 tcp false'
is 'the largest request' "$(of 443 .original.largest)" 1052
is 'the largest answer' "$(of 443 .reply.largest)" 1052
older() { [ "$(of 443 .age)" -ge 2 ] && [ "$(of 443 .idle)" -ge 1 ]; }
ok 'age and idle time grow' wait_for older
fresh() { say 7 3 && [ "$(of 443 .idle)" = 0 ]; }
ok 'a packet after a pause is shown to the stack' wait_for fresh
balance 'and counted there' 443

# --- UDP: not before its stream is 2 s old ----------------------------------------------------------
udp=$(c "$traffic" udp -n 1 -c 3500 -p 1 -b 500 $a 5000)
is 'UDP: 3500 exchanges by wan2' "$(to "$udp" 2)" 3500
balance 'UDP: each packet is in the cache or the stack' 5000
ok 'UDP passes the cache' many 5000 .original 200
is 'UDP: bytes of requests' "$(of 5000 '.original | .bytes - .packets * 528')" 0
is 'UDP: bytes of answers' "$(of 5000 '.reply | .bytes - .packets * 576')" 0
is 'UDP: link, devices, kind' "$(of 5000 '"\(.link) \(.original.in) \(.original.out) \(.protocol)"')" 'wan2 lan0 wan2 udp'

# --- iperf3: segments in large packets --------------------------------------------------------------
run_in "$net" iperf3 -s -p 5201
wait_for listening "$net" 5201
run_in "$c" iperf3 -c $a -p 5201 -t 60 -b 80M
iperf=$kept
sent() { [ "$(of 5201 .original.bytes)" -gt 20000000 ]; }
ok 'iperf3: 20 MB pass the cache' wait_for sent
kill -STOP "$iperf"
balance 'iperf3: each packet is in the cache or the stack' 5201
acked=$(c ss -Htni 'dport = :5201' | grep -o 'bytes_acked:[0-9]*' | cut -d: -f2 | sort -n | tail -1)
near 'iperf3: bytes as the socket counts them' "$(of 5201 .original.bytes)" "$acked" $((acked / 5))
kill -CONT "$iperf"
kill "$iperf"
ok 'iperf3: its connections go with it' wait_for none --port 5201

# --- translated destinations, IPv6 ------------------------------------------------------------------
gw nft -f - <<-END
	table ip service {
		chain in {
			type nat hook prerouting priority dstnat; policy accept;
			iifname "wan2" tcp dport 8080 dnat to 10.0.0.2:80
		}
	}
END
run_in "$c" "$build/tests/netns/echod" 80
wait_for listening "$c" 80
talk 8 "$net" tcp -n 1 -H -b 100 100.64.2.2 8080
ok 'an inbound connection comes into the cache' until_fast 8 8080
is 'inbound: as it was sent' "$(of 8080 '.sent | "\(.source) \(.destination):\(.destination_port)"')" '100.64.2.1 100.64.2.2:8080'
is 'inbound: as it leaves' "$(of 8080 '.translated | "\(.source) \(.destination):\(.destination_port)"')" '100.64.2.1 10.0.0.2:80'
is 'inbound: link and devices' "$(of 8080 ways)" 'wan2 wan2 lan0 lan0 wan2'
talk 9 "$c" tcp -n 1 -H -b 100 $six 443
six() { flows --dst "$six" | jq -r "$forms | $1"; }
six_fast() { say 9 1 && sleep 0.1 && [ "$(six '.original.in and .reply.in')" = true ]; }
ok 'an IPv6 connection comes into the cache' wait_for six_fast
is 'IPv6: family and sources' "$(six '"\(.family) \(.sent.source) \(.translated.source)"')" "ipv6 fd00:1::2 $six1"
is 'IPv6: destination' "$(six '"\(.translated.destination) \(.translated.destination_port)"')" "$six 443"

# --- filters: 443 (wan1, TCP), 5000 (wan2, UDP), 8080 (wan2, TCP), IPv6 443 (wan1, TCP) ----------------
picks() { # WANT ARGS...: which flows, by destination port as sent
	local want=$1
	shift
	is "flows $*" "$(flows "$@" | jq -r '.[] | "\(.family[3:])-\(.sent.destination_port)"' | sort | paste -sd' ')" "$want"
}
picks '4-443 4-5000 4-8080 6-443'
picks '4-443 6-443' --link wan1
picks '4-5000 4-8080' --link wan2
picks '4-5000' --proto udp
picks '4-443 4-8080 6-443' --proto tcp
picks '4-443 6-443' --port 443
picks '4-8080' --port 80
picks '4-443 4-5000' --src 10.0.0.0/8
picks '4-443' --src 100.64.1.2
picks '4-8080' --dst 10.0.0.2
picks '4-443 4-5000' --dst 198.51.100.0/24
picks '6-443' --src ::/0
picks '' --src 10.0.0.0/8 --port 8080
picks '4-8080' --link wan2 --proto tcp
is 'flows --limit 2' "$(how_many --limit 2)" 2
is 'flows --count' "$(asym flows --count --json | jq -c .)" '{"links":{"wan1":2,"wan2":2},"total":4}'
is 'flows --count --proto udp' "$(asym flows --count --proto udp --json | jq -c .)" '{"links":{"wan1":0,"wan2":1},"total":1}'
sorted() { # KEY JQ-FILTER
	flows --sort "$1" | jq -e "[.[] | $2] | . == (sort | reverse) and length == 4"
}
ok 'sorted by bytes' sorted bytes '.original.bytes + .reply.bytes'
ok 'sorted by packets' sorted packets '.original.packets + .reply.packets'
ok 'sorted by age' sorted age .age
is 'the first is the one with most bytes' "$(flows --limit 1 | jq '.[0].sent.destination_port')" 443
table=$(asym flows --port 8080)
row='tcp +100\.64\.2\.1:[0-9]+ +100\.64\.2\.2:8080 +to 10\.0\.0\.2:80 +wan2 +wan2>lan0 +lan0>wan2 .* fast'
like 'the table names them, too' "$table" "$row"
exits 'no such link' 1 'wan9' asym flows --link wan9
exits 'no prefix' 2 '10.0.0.1/8' asym flows --src 10.0.0.1/8
exits 'no protocol' 2 'sctp' asym flows --proto sctp

# --- what ends, goes --------------------------------------------------------------------------------
kill "$first"
ok 'a closed connection goes' wait_for none --dst $a --port 443
is 'the others stay' "$(how_many)" 3
# a host that talks on after its client has nothing more to say
run_in "$net" perl -MIO::Socket::INET -e '
	my $l = IO::Socket::INET->new(Listen => 1, LocalPort => 5300) or die;
	my $s = $l->accept;
	select undef, undef, undef, 0.01 while syswrite $s, "x" x 100'
wait_for listening "$net" 5300
run_in "$c" perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new("'$a':5300") or die;
	my $half;
	$SIG{USR1} = sub { shutdown $s, 1; $half = 1 };
	while (1) {
		my $n = sysread $s, my $data, 4096;
		last unless $n || $!{EINTR};
		syswrite $s, "y" unless $half;
	}'
half=$kept
ok 'a connection of both ends comes into the cache' wait_for fast 5300
kill -USR1 "$half"
ok 'it goes when one end is closed' wait_for none --port 5300
before=$(seen "$c" down5300)
on() { local now; now=$(seen "$c" down5300) && [ "${now% *}" -gt $((${before% *} + 100)) ]; }
ok 'the other end talks on' wait_for on
ok 'by the stack' none --port 5300
ok 'unload' asym unload
exits 'flows after unload' 1 'not loaded' asym flows
ok 'load without flow cache' asym load --fastpath no --iface wan1 --lan lan0
exits 'flows without flow cache' 1 'flow cache is off' asym flows
done_testing
