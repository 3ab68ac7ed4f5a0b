#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# asymbpf dhcp and the metrics: which way renewals went, by whom, each once; and who does it: the guard, the
# daemon's shim, both, nobody.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]      what is sent for wan2's address to wan1's gateway leaves by wan1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
renew=$build/tests/netns/renew
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/{renew,tcx} >&2
lab
for k in 1 2; do wan $k; done
for k in 1 2; do ip -n "$gw" link set wan$k address 02:00:00:00:01:0$k; done
for k in 1 2; do wan_address $k wan$k; done
stray() { gw "$renew" 100.64.2.2 02:00:00:00:01:02 100.64.1.1; }
right() { gw "$renew" -a 100.64.2.2 -d wan2 100.64.2.2 02:00:00:00:01:02 100.64.2.1; }
configure() { # DHCP
	config <<-END
		dhcp = $1
		metrics = "127.0.0.1:9171"
		lan { devices = "lan0" }
		link wan1 { device = "wan1" } link wan2 { device = "wan2" }
	END
}
row() { asym dhcp --json | jq -c ".links[] | select(.name == \"$1\") | $2"; } # LINK FILTER
renewals() { row wan2 '.renewals | [.right, .guard, .shim, .watchdog, .failed]'; }
renewals_are() { [ "$(renewals)" = "$1" ]; }

# --- the guard, without a daemon ---------------------------------------------------------------------------------
configure guard
ok 'load' asym load --config "$tmp/conf"
like 'nothing yet' "$(asym dhcp)" 'dhcp = guard, the daemon is not running.*LINK +CLIENT.*wan1 +none seen +- +- +- +- +- +- +0 +0 +0 +0 +0'
stray
is 'moved by the guard' "$(renewals)" '[0,1,0,0,0]'
right
is 'and one that was right' "$(renewals)" '[1,1,0,0,0]'
is 'by the programs' "$(row wan2 '.guard | [.right, .mended, .moved, .failed]')" '[1,0,1,0]'
is 'no shim, no lease' "$(row wan2 '[.shim, .lease]')" '[null,null]'
is 'the other link: nothing' "$(row wan1 .renewals.guard)" 0
exits 'what dhcp does not take' 2 'usage' asym dhcp wan1

# --- with the daemon's shim --------------------------------------------------------------------------------------
daemon 'a daemon' --config "$tmp/conf"
is 'is no shim yet' "$(row wan2 .shim)" null
configure shim
ok 'reload with dhcp = shim' asym reload --config "$tmp/conf"
has_shim() { gw nft list tables | grep -q 'ip asymbpf-dhcp'; }
shim() { has_shim && [ "$(row wan2 .shim)" != null ]; }
no_shim() { ! has_shim; }
if wait_for shim; then
	stray
	ok 'moved by the shim' wait_for renewals_are '[1,1,1,0,0]'
	right
	ok 'right, which both see' wait_for renewals_are '[2,1,1,0,0]'
	configure both
	ok 'reload with both' asym reload --config "$tmp/conf"
	ok 'still the shim' wait_for shim
	stray
	ok 'moved once' wait_for renewals_are '[2,1,2,0,0]'
else
	ok 'its shim is there' shim
fi
page() { gw bash -c 'exec 3<>/dev/tcp/127.0.0.1/9171 && printf "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" >&3 && cat <&3'; }
says() { grep -Fxq "$1" <<<"$(page | tr -d '\r')"; }
ok 'metrics: moved by the shim' wait_for says 'asymbpf_dhcp_renewals_total{link="wan2",by="shim",result="moved"} 2'
ok 'metrics: moved by the guard' says 'asymbpf_dhcp_renewals_total{link="wan2",by="guard",result="moved"} 1'

# --- somebody else's shim, then nobody ---------------------------------------------------------------------------
configure guard
ok 'reload with the guard alone' asym reload --config "$tmp/conf"
ok 'no shim any more' wait_for no_shim
run_in "$gw" "$asymbpf" dhcp-shim
other=$kept
ok 'a shim of its own' wait_for has_shim
configure shim
ok 'reload with dhcp = shim' asym reload --config "$tmp/conf"
ok 'the daemon says that there is one' wait_for grep -q 'another process is the DHCP shim' "$tmp/log"
kill "$other"
ok 'and takes over when it ends' wait_for shim
is 'said once' "$(grep -c 'another process is the DHCP shim' "$tmp/log")" 1
configure off
ok 'reload with dhcp = off' asym reload --config "$tmp/conf"
ok 'no shim' wait_for no_shim
stray
like 'nobody moves anything' "$(renewals)" ',1,0,0,0\]$'
daemon_end
is 'the daemon ends well' "$ended" 0
is 'no lease, no file of leases' "$(find "$(state_file | sed s/json$/leases/)" 2>/dev/null)" ''

# --- a device that takes no more programs ------------------------------------------------------------------------
ok 'unload' asym unload
mkfifo "$tmp/fill"
ip netns exec "$gw" "$build/tests/netns/tcx" -f wan1 <"$tmp/fill" >"$tmp/tcx" 2>&1 &
asym_pids+=($!)
exec 8>"$tmp/fill"
wait_for [ -s "$tmp/tcx" ]
if grep -qx on "$tmp/tcx"; then
	configure guard
	daemon 'a daemon, where others have all places at egress' --config "$tmp/conf"
	ok 'its shim is there for it' wait_for shim
	stray
	ok 'and moves' wait_for renewals_are '[0,0,1,0,0]'
	exec 8>&-
	daemon_end
else
	diag "all places: $(<"$tmp/tcx")"
fi
done_testing
