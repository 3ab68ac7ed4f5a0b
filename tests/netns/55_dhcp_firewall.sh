#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DHCP answers and a firewall that lets in what conntrack knows: those to renewals that leave by the right link of
# their own are known, those to renewals that were moved are not, as asymbpf(8) says.
#
#   [gw] wan1, wan2 ════ [net]      masquerade; the default route is by wan1
. "$(dirname "$0")/lib.sh"
renew=$build/tests/netns/renew dhcpack=$build/tests/netns/dhcpack
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{renew,dhcpack} >&2
lab
for k in 1 2; do
	wan $k
	ip -n "$gw" link set wan$k address 02:00:00:00:01:0$k
	wan_address $k wan$k
done
gw nft -f - <<-END
	table ip fw {
		counter known {}
		counter strange {}
		chain in {
			type filter hook input priority filter; policy accept;
			udp sport 67 udp dport 68 ct state established,related counter name known accept
			udp sport 67 udp dport 68 counter name strange drop
		}
	}
END
counters() { # "KNOWN STRANGE"
	gw nft -j list counters table ip fw | jq -r '[.nftables[].counter // empty | {(.name): .packets}] | add | "\(.known) \(.strange)"'
}
counters_are() { [ "$(counters)" = "$1" ]; }
xid=0
exchange() { # K SERVER ARGS...: link K's address is renewed by its MAC, and the answer comes by that link
	xid=$((xid + 1))
	gw "$renew" -x $xid "${@:3}" "100.64.$1.2" "02:00:00:00:01:0$1" "$2"
	net "$dhcpack" "p$1" "$(printf %08x $xid)" "02:00:00:00:01:0$1" "100.64.$1.2" "$2" 3600
}
for dhcp in guard off; do
	config <<-END
		dhcp = $dhcp
		lan { devices = "lan0" }
		link wan1 {} link wan2 {}
	END
	gw conntrack -F 2>/dev/null
	gw nft reset counters table ip fw >/dev/null
	needs "load, dhcp = $dhcp" asym load --config "$tmp/conf"
	exchange 1 100.64.1.1
	ok "$dhcp: by the best link" wait_for counters_are '1 0'
	exchange 2 100.64.2.1 -a 100.64.2.2 -d wan2
	ok "$dhcp: bound to its device" wait_for counters_are '2 0'
	exchange 2 203.0.113.9 -a 100.64.2.2
	ok "$dhcp: bound to its address" wait_for counters_are '3 0'
	exchange 2 203.0.113.10
	ok "$dhcp: bound to nothing" wait_for counters_are '3 1'
	ok "$dhcp: unload" asym unload
done
done_testing
