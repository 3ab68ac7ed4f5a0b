#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection from outside is answered by the link it came in on, whatever main prefers; or by the
# link that `reply` names.
#
#   [c] :8080 ──── lan0 [gw] :2222  wan1, wan2, wan3 ════ [net] 198.51.100.0/24
#                       DNAT 8080 → 10.0.0.2
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
gw nft -f - <<-END
	table ip test {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan*" meta l4proto { tcp, udp } th dport 8080 dnat to 10.0.0.2
		}
	}
END
run_in "$c" "$build/tests/netns/echod" 8080
run_in "$gw" "$build/tests/netns/echod" 2222
wait_for listening "$c" 8080
wait_for listening "$gw" 2222
needs 'load' asym load --iface wan1 --iface wan2 --iface wan3 --lan lan0

inbound() { net "$traffic" "$@" -t 1000 -n 100 -s 198.51.100.0/24; }
for k in 1 2 3; do
	for proto in tcp udp; do
		is "$proto to a host behind wan$k" "$(failures "$(inbound $proto "100.64.$k.2" 8080)")" 0
		is "$proto to the router by wan$k" "$(failures "$(inbound $proto "100.64.$k.2" 2222)")" 0
	done
	ok "ping by wan$k" net ping -q -c 3 -i 0.05 -W 1 -I 198.51.100.9 "100.64.$k.2"
	is "status counts what came in by wan$k" "$(status ".links[] | select(.name == \"wan$k\").connections_in")" 401
done
no_strays 'no answer left by another link' 1 2 3

# the ISP's source filter has to go: answering by another link is what is asked for
net nft -f - <<-END
	flush chain inet watch in
	table inet watch {
		counter answers1 {}
		counter answers2 {}
		chain in {
			ip saddr 100.64.1.2 iifname "p1" counter name answers1
			ip saddr 100.64.1.2 iifname "p2" counter name answers2
		}
	}
END
config <<-END
	lan { devices = {"lan0"} }
	link wan1 { device = "wan1" reply = "wan2" }
	link wan2 { device = "wan2" }
	link wan3 { device = "wan3" }
END
ok 'reload with wan1 answered by wan2' asym reload --config "$tmp/conf"
for proto in tcp udp; do
	is "$proto to a host, answered by wan2" "$(failures "$(inbound $proto 100.64.1.2 8080)")" 0
	is "$proto to the router, answered by wan2" "$(failures "$(inbound $proto 100.64.1.2 2222)")" 0
done
is 'wan1 carried no answer' "$(arrived answers1)" 0
ok 'wan2 carried all of them' [ "$(arrived answers2)" -ge 600 ]
done_testing
