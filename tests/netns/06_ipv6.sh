#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IPv6 has all that IPv4 has: shares, stickiness, tiers and last resorts, inbound connections, and
# links without NAT, where hosts keep their own addresses.
#
#   [c] fd00:1::2, fd00:2::/64 ──── lan0 [gw] wan1, wan2, wan3 ════ [net] 2001:db8:ffff::/64
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
links() { # NAT6
	local k
	for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" nat6 = $1 }"; done
}
policies='
	policy balanced { tier { links = {"wan1:3", "wan2"} } tier { links = {"wan3"} } }
	rule https { family = ipv6 proto = tcp dport = 443 policy = balanced sticky = 1m }
	rule rest { policy = balanced }'
host=2001:db8:ffff::/64

config <<<"lan { devices = {\"lan0\"} } $(links masquerade) $policies"
needs 'load' asym load --config "$tmp/conf"
for kind in tcp udp 'udp -u'; do
	# shellcheck disable=SC2086
	text=$(c "$traffic" $kind -n 4000 $host 53)
	is "$kind: none fails" "$(failures "$text")" 0
	near "$kind: wan1" "$(to "$text" 1)" 3000 120
	near "$kind: wan2" "$(to "$text" 2)" 1000 120
done
sticky=$(c "$traffic" tcp -v -s fd00:2::/122 -n 300 2001:db8:ffff::7 443 | awk 'NF == 4 { print $2, $4 }' | sort -u)
is 'sticky: 62 sources, each on one link' "$(grep -vc '!' <<<"$sticky")" 62
is 'sticky: both links are used' "$(awk '{ print $2 }' <<<"$sticky" | sort -u | wc -l)" 2
ok 'ping' c ping -q -c 3 -i 0.05 -W 1 2001:db8:ffff::7
no_strays 'every packet has the source of its link' 1 2 3

run_in "$gw" "$build/tests/netns/echod" 2222
wait_for listening "$gw" 2222
for k in 1 2 3; do
	for proto in tcp udp; do
		is "$proto to the router by wan$k" \
			"$(failures "$(net "$traffic" $proto -t 1000 -n 100 -s $host "2001:db8:$k::2" 2222)")" 0
	done
done
no_strays 'answers leave by the link of the question' 1 2 3

for k in 1 2; do ip -n "$gw" link set wan$k down; done
ok 'tier 1 dies' asym reload
is 'tier 2' "$(c "$traffic" tcp -n 100 $host 80)" '2001:db8:3::2 100'
ip -n "$gw" -6 addr flush dev wan3 scope global
ok 'wan3 loses its IPv6 address only' asym reload
like 'last resort: an ICMPv6 error' "$(c "$traffic" tcp -t 2500 -n 20 $host 80)" "${refused}20\$"
is 'IPv4 goes on by wan3' "$(c "$traffic" tcp -n 100 198.51.100.0/24 80)" '100.64.3.2 100'

for k in 1 2 3; do ip -n "$gw" link set wan$k up && wan_address $k wan$k; done
# without NAT the ISPs let the hosts' prefix pass and know the way back
net nft flush chain inet watch in
net nft -f - <<-END
	table inet watch {
		counter six1 {}
		counter six2 {}
		chain in {
			iifname "p1" ip6 saddr fd00:2::/64 tcp flags & (syn | ack) == syn counter name six1
			iifname "p2" ip6 saddr fd00:2::/64 tcp flags & (syn | ack) == syn counter name six2
		}
	}
END
ip -n "$net" route add fd00:2::/64 via 2001:db8:1::2
config <<<"lan { devices = {\"lan0\"} } $(links none) $policies"
ok 'reload with nat6 = none' asym reload --config "$tmp/conf"
text=$(c "$traffic" tcp -n 2000 -s fd00:2::7 $host 80)
is 'nat6 = none: hosts keep their address' "$text" 'fd00:2::7 2000'
near 'nat6 = none: wan1' "$(arrived six1)" 1500 90
near 'nat6 = none: wan2' "$(arrived six2)" 500 90
done_testing
