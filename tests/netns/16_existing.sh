#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections that are open when asymbpf is loaded go on as before, also over reloads; those of
# main's link outlive unload.
#
#   [c] ──── lan0 [gw] wan1 (main's), wan2 ════ [net]        the gateway masquerades by rules of its own
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
gw nft -f - <<-END
	table inet mine {
		chain post { type nat hook postrouting priority 110; oifname "wan*" masquerade; }
	}
END
# a held traffic: each line to it makes a round of exchanges, which it reports up to "end"
hold() { # NAME NS ARGS...
	mkfifo "$tmp/$1.in"
	ip netns exec "$2" "$traffic" "${@:3}" -H -t 1500 <>"$tmp/$1.in" >"$tmp/$1" 2>&1 &
	asym_pids+=($!)
	wait_for rounds "$1" 1
}
rounds() { [ "$(grep -c '^end' "$tmp/$1")" -ge "$2" ]; }
round() { # NAME: one more exchange on every connection of NAME; the report
	local n
	n=$(($(grep -c '^end' "$tmp/$1") + 1))
	echo >"$tmp/$1.in"
	wait_for rounds "$1" $n
	awk -v n=$n '/^end/ { k++; next } k == n - 1' "$tmp/$1"
}
hold tcp "$c" tcp -n 60 198.51.100.0/24 80
hold udp "$c" udp -n 60 198.51.100.0/24 53
hold own "$gw" tcp -n 60 198.51.100.0/24 80
hold six "$c" tcp -n 60 2001:db8:ffff::/64 80
is 'before: all by main' "$(cat "$tmp/tcp")" $'100.64.1.2 60\nend'

needs 'load' asym load --iface wan1 --iface wan2:9 --lan lan0
for name in tcp udp own; do is "$name: goes on after load" "$(round $name)" '100.64.1.2 60'; done
is 'six: goes on after load' "$(round six)" '2001:db8:1::2 60'
hold new "$c" tcp -n 60 198.51.100.0/24 443
ok 'new connections are balanced' [ "$(got "$(cat "$tmp/new")" 100.64.2.2)" -gt 30 ]
ok 'reload' asym reload --iface wan1 --iface wan2 --lan lan0
for name in tcp udp own; do is "$name: goes on after reload" "$(round $name)" '100.64.1.2 60'; done
is 'new: goes on after reload' "$(failures "$(round new)")" 0
ok 'reload without wan1' asym reload --iface wan2 --lan lan0
for name in tcp udp own; do is "$name: goes on though wan1 is no link any more" "$(round $name)" '100.64.1.2 60'; done
no_strays 'no packet left by another link than its connection' 1 2
ok 'reload with wan1' asym reload --iface wan1 --iface wan2 --lan lan0
main=$(got "$(cat "$tmp/new")" 100.64.1.2)
ok 'unload' asym unload
for name in tcp udp own; do is "$name: goes on after unload" "$(round $name)" '100.64.1.2 60'; done
is 'new: those of wan1 go on after unload' "$(got "$(round new)" 100.64.1.2)" "$main"
done_testing
