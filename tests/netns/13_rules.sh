#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every field of a rule, by traffic that it must catch (and that then leaves by wan2) and by traffic
# that it must not (wan1).  `explain` has to say the same.
#
#   [c]  eth0 ──── lan0 ┐
#   [c2] eth0 ──── lan1 ┴ [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
space c2
cable "$c2" eth0 "$gw" lan1
ip -n "$c2" addr add 10.0.1.2/24 dev eth0
ip -n "$gw" addr add 10.0.1.1/24 dev lan1
ip -n "$c2" route add default via 10.0.1.1
head='lan { devices = {"lan0", "lan1"} }
	link wan1 { device = "wan1" nat6 = masquerade }
	link wan2 { device = "wan2" nat6 = masquerade }
	set office { prefixes = {"10.1.2.0/24", "10.1.4.0/23", "198.51.100.64/26", "fd00:2::40/122"} }
	policy one { tier { links = {"wan1"} } }
	policy two { tier { links = {"wan2"} } }'
config <<<"$head rule rest { policy = one }"
needs 'load' asym load --config "$tmp/conf"

rule() { # TEXT: reloads with this one rule before the rest
	config <<<"$head rule x { $1 policy = two } rule rest { policy = one }"
	ok "rule { $1 }" asym reload --config "$tmp/conf"
	# a port used again by chance would find the connection of an earlier rule, which keeps its link
	gw conntrack -F 2>/dev/null
}
via() { # DESCRIPTION K ARGS...: 20 connections of [c] all leave by link K
	local d=$1 k=$2 text
	shift 2
	text=$(c "$traffic" "$@" -n 20 -t 1000 2>&1)
	is "  $d: $(to "$text" "$k") of 20 by wan$k" "$(to "$text" "$k")" 20
}
hit() { via "caught: $*" 2 "$@"; }
miss() { via "passed: $*" 1 "$@"; }
a=198.51.100.7 six=2001:db8:ffff::7

rule 'proto = udp'
hit udp $a 53; hit udp $six 53; miss tcp $a 53
rule 'proto = {tcp, udp} dport = 443'
hit tcp $a 443; hit udp $a 443; miss tcp $a 80; miss udp $a 53
rule 'proto = tcp dport = {"53", "400-500"}'
hit tcp $a 53; hit tcp $a 443; miss tcp $a 80; miss udp $a 443
rule 'proto = tcp dport = {"!80"}'
hit tcp $a 443; miss tcp $a 80; miss udp $a 443
rule 'proto = udp sport = "20000-20019"'
hit udp -S 20000 $a 53; miss udp -S 20020 $a 53; hit udp -S 20000 $six 53
rule 'src = "10.1.2.0/24"'
hit tcp -s 10.1.2.0/24 $a 80; miss tcp -s 10.1.3.0/24 $a 80; miss tcp $a 80; miss tcp $six 80
rule 'src = "!10.1.2.0/24"'
miss tcp -s 10.1.2.0/24 $a 80; hit tcp -s 10.1.3.0/24 $a 80
rule 'dst = "198.51.100.128/25"'
hit tcp 198.51.100.128/26 80; miss tcp 198.51.100.64/26 80; miss tcp $six 80
rule 'dst = "2001:db8:ffff::40/122"'
hit tcp 2001:db8:ffff::40/122 80; miss tcp 2001:db8:ffff::/122 80; miss tcp $a 80
rule 'family = ipv6'
hit tcp $six 80; miss tcp $a 80
rule 'family = ipv4'
hit tcp $a 80; miss tcp $six 80
rule 'src-set = office'
hit tcp -s 10.1.2.0/24 $a 80; hit tcp -s 10.1.5.0/24 $a 80; miss tcp -s 10.1.6.0/24 $a 80
hit tcp -s fd00:2::40/122 $six 80; miss tcp -s fd00:2::80/122 $six 80
rule 'dst-set = office'
hit udp 198.51.100.64/26 53; miss udp 198.51.100.0/26 53
rule 'src-set = "!office"'
miss tcp -s 10.1.2.0/24 $a 80; hit tcp -s 10.1.6.0/24 $a 80
rule 'dscp = {ef, 10}'
hit tcp -q 0xb8 $a 80; hit tcp -q 0x28 $a 80; miss tcp $a 80; miss tcp -q 0xb0 $a 80
hit udp -q 0xb8 $six 53; miss udp $six 53; hit udp -q 0xbb $a 53
rule 'in = lan1'
miss tcp $a 80
is '  caught: a client behind lan1' "$(ip netns exec "$c2" "$traffic" tcp -n 20 -t 1000 $a 80)" '100.64.2.2 20'
rule 'in = "!lan1"'
hit tcp $a 80
is '  passed: a client behind lan1' "$(ip netns exec "$c2" "$traffic" tcp -n 20 -t 1000 $a 80)" '100.64.1.2 20'
rule 'src = "10.1.2.0/24" proto = tcp dport = 443 dst = "198.51.100.0/25" dscp = ef'
hit tcp -s 10.1.2.0/24 -q 0xb8 $a 443; miss tcp -s 10.1.2.0/24 $a 443; miss tcp -s 10.1.2.0/24 -q 0xb8 $a 80
miss tcp -s 10.1.3.0/24 -q 0xb8 $a 443; miss tcp -s 10.1.2.0/24 -q 0xb8 198.51.100.200 443
rule 'proto = icmp'
before=$(arrived icmp2)
ok '  ping' c ping -q -c 3 -i 0.05 -W 1 $a
is '  caught: ping' $(($(arrived icmp2) - before)) 3
miss udp $a 53

config <<<"$head
	rule first { proto = tcp dport = 443 policy = two }
	rule second { proto = tcp policy = one }
	rule third { dport = 443 proto = tcp policy = two }
	rule fourth { proto = udp dport = 53 policy = two }"
ok 'four rules, no rest' asym reload --config "$tmp/conf"
hit tcp $a 443; miss tcp $a 80; hit udp $a 53
is 'no rule: main decides' "$(c "$traffic" udp -n 20 $a 5000)" '100.64.1.2 20'
hits() { status ".rules[] | select(.name == \"$1\").packets"; }
ok 'the first rule counts' [ "$(hits first)" -ge 20 ]
ok 'the second rule counts' [ "$(hits second)" -ge 20 ]
is 'a rule behind another is never reached' "$(hits third)" 0
is 'UDP: one packet per connection and more' "$([ "$(hits fourth)" -ge 20 ] && echo yes)" yes

explained() { asym explain "$@" --json | jq -r '[.rule, .link] | map(. // "-") | join(" ")'; }
is 'explain: first' "$(explained 10.0.0.2 $a tcp 443)" 'first wan2'
is 'explain: second' "$(explained 10.0.0.2 $a tcp 80)" 'second wan1'
is 'explain: fourth' "$(explained 10.0.0.2 $a udp 53)" 'fourth wan2'
is 'explain: none' "$(explained 10.0.0.2 $a udp 5000)" '- -'

config <<-END
	lan { devices = {"lan0", "lan1"} }
	link wan1 { device = "wan1" }
	link wan2 { device = "wan2" }
	policy by-source { tier { links = {"wan1", "wan2"} } key = src }
	rule all { policy = by-source }
END
ok 'reload with key = src' asym reload --config "$tmp/conf"
real=$(c "$traffic" tcp -v -s 10.1.3.0/27 -n 30 $a 80 | awk 'NF == 4 { print $2, $4 }' | sort -V)
said=$(for i in {1..30}; do
	echo "10.1.3.$i $(asym explain 10.1.3.$i $a tcp 80 --json | jq -r .link | sed 's/wan\(.\)/100.64.\1.2/')"
done | sort -V)
is 'explain foretells the link of 30 sources' "$said" "$real"
done_testing
