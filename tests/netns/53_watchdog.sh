#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lease watchdog: what a client does not renew is renewed for it, what it gave back or what nobody has seen
# acknowledged never is; forged answers teach nothing, floods cost little, and what is known outlives the daemon.
#
#   [c] ──── lan0 [gw] wan1 (DHCP), wan2 ════ [net]      udhcpd behind p1, leases of 8 s: T1 4 s, late 4.5 s
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
for tool in udhcpd udhcpc tcpdump; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/dhcpack >&2
dhcpack=$build/tests/netns/dhcpack
lab
wan 2
mac=02:00:00:00:01:01
cable "$gw" wan1 "$net" p1
ip -n "$gw" link set wan1 address $mac
ip -n "$net" addr add 100.64.1.1/24 dev p1
config <<-END
	metrics = "127.0.0.1:9171"
	lan { devices = "lan0" }
	link wan1 { device = "wan1" } link wan2 { device = "wan2" }
END

# --- server and client ---------------------------------------------------------------------------------------
printf '%s\n' 'start 100.64.1.50' 'end 100.64.1.60' 'interface p1' 'min_lease 8' "lease_file $tmp/leases" \
	"pidfile $tmp/udhcpd.pid" 'option subnet 255.255.255.0' 'option router 100.64.1.1' 'option lease 8' >"$tmp/udhcpd.conf"
: >"$tmp/leases"
serve() {
	run_in "$net" udhcpd -f "$tmp/udhcpd.conf"
	server=$kept
}
no_server() {
	kill "$server"
	wait "$server" || true
}
serve
cat >"$tmp/script" <<'END'
#!/bin/sh
[ "$1" != bound ] && [ "$1" != renew ] && exit 0
ip addr replace "$ip/24" dev "$interface"
ip route replace default via "$router" dev "$interface" metric 101
END
chmod +x "$tmp/script"
client() { # a client that has a lease
	: >"$tmp/client"
	ip netns exec "$gw" udhcpc -f -i wan1 -s "$tmp/script" -t 5 -T 1 >"$tmp/client" 2>&1 </dev/null &
	client=$!
	asym_pids+=("$client")
	wait_for grep -q 'lease of .* obtained' "$tmp/client"
}
client=
trap '[ -z "$client" ] || kill -KILL "$client" 2>/dev/null; cleanup' EXIT # a frozen one does not heed TERM
freeze() { kill -STOP "$client"; }
no_client() {
	kill -KILL "$client"
	wait "$client" 2>/dev/null || true
	client=
	ip -n "$gw" addr flush dev wan1
}
# The server's own opinion of whether the lease lives.
lives() {
	kill -USR1 "$server"
	wait_for test -s "$tmp/leases"
	! dumpleases -f "$tmp/leases" | tail -n +2 | grep $mac | grep -q expired
}

# What is asked on the line; a line each for kind and xid.
ip netns exec "$net" tcpdump --immediate-mode -lnnvi p1 'udp dst port 67' >"$tmp/line" 2>"$tmp/tcpdump" &
asym_pids+=($!)
wait_for grep -q listening "$tmp/tcpdump"
requests() { grep -c 'BOOTP/DHCP, Request' "$tmp/line" || true; }
requests_are() { [ "$(requests)" -eq "$1" ]; }
more_requests() { [ "$(requests)" -gt "$1" ]; }
last_xid() { grep -o 'xid 0x[0-9a-f]*' "$tmp/line" | tail -n 1 | cut -c7-; }

lease() { asym dhcp --json | jq -r ".links[] | select(.name == \"wan1\") | $1"; }
lease_is() { [ "$(lease "$1")" = "$2" ]; }
it_is() { echo ".event == \"lease\" and .link == \"wan1\" and .state == \"$1\""; }

# --- what it learns --------------------------------------------------------------------------------------------
daemon 'the daemon starts' --config "$tmp/conf"
is 'nobody has a lease' "$(lease .lease)" null
client
ok 'bound is told' wait_for told "$(it_is bound)"
address=$(lease .lease.address)
like 'its address is the one that the link has' "$(ip -n "$gw" -4 addr show dev wan1)" "inet $address/24"
is 'and the server' "$(lease .lease.server)" 100.64.1.1
like 'T1, T2 and the end of the lease' \
	"$(lease '.lease | "\(.t2_s - .t1_s) \(.expires_s - .t2_s) \(.expires_s)"')" '^[23] 1 [0-8]$'
is 'the client has not renewed yet' "$(lease '"\(.lease.client) \(.lease.acks)"')" 'null 1'
kill -USR1 "$client"
ok 'it renews: seen' wait_for lease_is .lease.acks 2
is 'by a socket that is bound to its device' "$(lease .lease.client)" udp-device
is 'right, and not by the watchdog' "$(lease '.renewals | "\(.right) \(.watchdog)"')" '1 0'
like 'status in short' "$(asym status)" "link wan1: lease of $address by 100.64.1.1, [a-z]*, [0-8]s left"
is 'status as JSON' "$(status '.links[] | select(.name == "wan1").lease.address')" "$address"

# --- a client that hangs ----------------------------------------------------------------------------------------
freeze
before=$(requests)
mark_events
ok 'late is told' wait_for told "$(it_is late)"
ok 'and renewed' wait_for told "$(it_is renewed)"
ok 'again and again' wait_for lease_is .renewals.watchdog 3
ok 'the server: it lives' lives
is 'told once each' "$(told_times "$(it_is late)") $(told_times "$(it_is expired)")" '3 0'
ok 'a request each' wait_for requests_are $((before + 3))
is 'none of which is the client'\''s' "$(lease '"\(.renewals.right) \(.lease.asked) \(.lease.client)"')" '1 0 udp-device'
# shellcheck disable=SC2016 # for the other shell
page() {
	gw bash -c 'exec 3<>/dev/tcp/127.0.0.1/9171 && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3' |
		sed '1,/^\r$/d'
}
page >"$tmp/page"
metric() { awk -v s="asymbpf_$1" 'index($0, s " ") == 1 { print $NF }' "$tmp/page"; } # SERIES
is 'metrics: the state, one' "$(grep -c '^asymbpf_lease_state{link="wan1",state="[a-z]*"} 1$' "$tmp/page")" 1
like 'T1, the end of the lease' "$(metric 'lease_renewal_seconds{link="wan1"}') $(metric 'lease_expiry_seconds{link="wan1"}')" \
	'^-?[0-3]\.[0-9]* [0-7]\.[0-9]*$'
is 'and the watchdog' "$(metric 'lease_watchdog_sent_total{link="wan1"}') $(metric 'lease_watchdog_acks_total{link="wan1"}')" '3 3'
if promtool=$("$root/scripts/promtool" 2>"$tmp/why"); then
	is 'promtool has nothing to say' "$("$promtool" check metrics <"$tmp/page" 2>&1 || echo failed)" ''
fi
like 'as a client would ask' "$(grep -A 12 "xid 0x$(last_xid)" "$tmp/line" | tr -s '\n\t ' ' ')" \
	"Client-IP $address Client-Ethernet-Address $mac .*Request.*Client-ID .*$mac.*Vendor-Class.*udhcp"

# --- killed in the middle ---------------------------------------------------------------------------------------
saved() { [ "$(jq '.leases[0].renewed' "$(state_file | sed s/json$/leases/)")" = "$1" ]; } # soon, not at once
wait_for saved 3
daemon_end KILL
like 'without a daemon: the leases as it left them' "$(asym dhcp)" "wan1 .* $address +100.64.1.1"
is 'and as JSON' "$(lease '"\(.lease.state) \(.renewals.watchdog)"')" "$(lease .lease.state) 3"
before=$(requests)
daemon 'another daemon' --config "$tmp/conf"
is 'to which the lease is not new' "$(told_times "$(it_is bound)")" 0
ok 'and goes on' wait_for lease_is .renewals.watchdog 4
ok 'with one request' wait_for requests_are $((before + 1))
daemon_end
echo '{"leases": [5' >"$(state_file | sed s/json$/leases/)"
daemon 'with a damaged file' --config "$tmp/conf"
is 'it says so' "$(grep -c 'make no sense' "$tmp/log")" 1
is 'and knows nothing' "$(lease .lease)" null

# --- never seen acknowledged ------------------------------------------------------------------------------------
before=$(requests)
sleep 6
is 'what nobody has seen acknowledged is not renewed' "$(($(requests) - before))" 0
no_client

# --- given back -------------------------------------------------------------------------------------------------
client
freeze
ok 'a new client, watched' wait_for lease_is .lease.acks 1
kill -CONT "$client"
kill -USR2 "$client"
ok 'it gives the lease back, but keeps the address' wait_for lease_is .lease.state none
freeze
before=$(requests)
sleep 6
is 'what was given back is not renewed' "$(($(requests) - before))" 0
no_client

# --- no watchdog wanted -----------------------------------------------------------------------------------------
sed 's/^/dhcp-watchdog = no\n/;1!s/^dhcp-watchdog = no\n//' "$tmp/conf" >"$tmp/conf.off"
ok 'reload without watchdog' asym reload --config "$tmp/conf.off"
mark_events
client
freeze
before=$(requests)
ok 'late, and told' wait_for told "$(it_is late)"
ok 'over, and told' wait_for told "$(it_is expired)"
is 'but not renewed' "$(($(requests) - before))" 0
no_client
sed 's/^/dhcp = off\n/;1!s/^dhcp = off\n//' "$tmp/conf" >"$tmp/conf.none"
ok 'reload with dhcp = off' asym reload --config "$tmp/conf.none"
ok 'nothing is known then' wait_for lease_is .lease null
ok 'reload with it' asym reload --config "$tmp/conf"

# --- answers that are none ----------------------------------------------------------------------------------------
client
freeze
no_server
before=$(requests)
acks=$(lease .lease.acks)
net "$dhcpack" p1 - $mac 100.64.1.99 100.64.1.1 3600
net "$dhcpack" p1 12345678 $mac "$(lease .lease.address)" 100.64.1.1 3600
ok 'the watchdog asks, and nobody answers' wait_for more_requests "$before"
xid=$(last_xid)
net "$dhcpack" p1 "$xid" $mac "$(lease .lease.address)" 100.64.1.66 3600
net "$dhcpack" p1 "$xid" 02:00:00:00:01:02 "$(lease .lease.address)" 100.64.1.1 3600
before=$(requests)
ok 'it asks again' wait_for more_requests "$before"
is 'forged answers teach nothing' "$(lease .lease.acks)" "$acks"
net "$dhcpack" p1 "$(last_xid)" $mac "$(lease .lease.address)" 100.64.1.1 3600
ok 'the right one is believed' wait_for lease_is .lease.acks $((acks + 1))
like 'and is the watchdog'\''s' "$(lease '"\(.lease.by_watchdog) \(.lease.expires_s)"')" '^true 3[56][0-9][0-9]$'

# --- a flood ------------------------------------------------------------------------------------------------------
was=$(lease '.lease | "\(.acks) \(.address) \(.server)"')
spent=$(cpu_ms) began=$(now)
net "$dhcpack" -n 50000 -r 10000 p1 - $mac 100.64.1.99 100.64.1.1 3600
wait_for link_is wan2 ipv4 up
spent=$(($(cpu_ms) - spent)) took=$((($(now) - began) / 1000))
diag "flood of 50000 ACKs in $took ms: the daemon's CPU $spent ms"
at_most 'the daemon spends of each second' $((1000 * spent / took)) 50 ms
is 'and has learned nothing' "$(lease '.lease | "\(.acks) \(.address) \(.server)"')" "$was"
ok 'unload' asym unload
gone() { ! alive; }
wait_for gone
is 'the file of leases goes, too' "$(ls "$(state_file | sed s/json$/leases/)" 2>/dev/null)" ''
done_testing
