#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mark bits outside our mask belong to others: they survive in packets and connections, in both
# directions, and other people's rules on them keep working.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]        wan3 is reached by somebody else's mark alone
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
ip -n "$gw" route add default via 100.64.3.1 dev wan3 table 77
ip -n "$gw" rule add priority 5000 fwmark 0x20000000/0x20000000 lookup 77
# somebody else marks everything from the LAN and from the links, and counts what is left of it
gw nft -f - <<-END
	table inet other {
		counter lan_all {}
		counter lan_good {}
		counter back_all {}
		counter back_good {}
		counter ct_all {}
		counter ct_good {}
		counter ours {}
		counter ctbefore {}
		chain first {
			type filter hook prerouting priority raw; policy accept;
			iifname "lan0" meta mark set meta mark or 0x00a50005
			iifname "lan0" tcp dport 5000 meta mark set meta mark or 0x20000000
			iifname "wan*" meta mark set meta mark or 0x00500050
		}
		chain middle {
			type filter hook forward priority filter; policy accept;
			iifname "lan0" ct state new ct mark set ct mark or 0x00030003
			iifname "wan*" counter name back_all
			iifname "wan*" meta mark and 0xffff00ff == 0x00500050 counter name back_good
			iifname "wan*" ct mark and 0xffff00ff != 0x00030003 counter name ctbefore
		}
		chain last {
			type filter hook postrouting priority 400; policy accept;
			oifname "wan*" tcp dport != 5000 counter name lan_all
			oifname "wan*" tcp dport != 5000 meta mark and 0xffff00ff == 0x00a50005 counter name lan_good
			oifname "wan*" tcp dport != 5000 meta mark and 0xff00 != 0 counter name ours
			oifname "wan*" meta l4proto tcp counter name ct_all
			oifname "wan*" meta l4proto tcp ct mark and 0xffff00ff == 0x00030003 counter name ct_good
		}
		chain nat3 { type nat hook postrouting priority 110; oifname "wan3" masquerade; }
	}
END
count() {
	gw nft -j list counter inet other "$1" | jq '[.nftables[].counter.packets? // empty] | add'
}
needs 'load' asym load --iface wan1 --iface wan2 --lan lan0
text=$(c "$traffic" tcp -n 500 -c 3 198.51.100.0/24 80)
is 'balanced all the same: none fails' "$(failures "$text")" 0
near 'balanced all the same' "$(to "$text" 1)" 750 210
ok 'packets were counted' [ "$(count lan_all)" -ge 1000 ]
is 'packets to the links keep the foreign bits' "$(count lan_good)" "$(count lan_all)"
is 'and carry ours' "$(count ours)" "$(count lan_all)"
is 'packets from the links keep the foreign bits' "$(count back_good)" "$(count back_all)"
is 'connections keep the foreign bits' "$(count ct_good)" "$(count ct_all)"
is 'also seen from the answers' "$(count ctbefore)" 0
is 'conntrack holds a link and the foreign bits' "$(gw conntrack -L -p tcp 2>/dev/null |
	sed -n 's/.*mark=\([0-9]*\).*/\1/p' | while read -r m; do printf '%x\n' $((m & 0xffff00ff)); done | sort -u)" 30003
no_strays 'every packet has the source of its link' 1 2

text=$(c "$traffic" tcp -n 100 198.51.100.0/24 5000)
is "somebody else's fwmark rule comes first" "$(to "$text" 3)" 100
is 'a socket with a foreign mark keeps it to the wire' "$(gw "$traffic" tcp -m 0x20000000 -n 50 198.51.100.7 80)" '100.64.3.2 50'
ok 'reload' asym reload
ok 'unload' asym unload
ok "somebody else's table and rule are still there" sh -c \
	"ip netns exec $gw nft list table inet other >/dev/null && ip -n $gw rule | grep -q '^5000:.*lookup 77'"
done_testing
