#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DHCP links that are VLANs of one device, which is a link itself: all have one MAC, so the address alone tells
# whose a renewal is.
#
#   [gw] wan1 = eth1 VLAN 7 ┐       ┌ p1 [net]   an udhcpd at each; 203.0.113.10 behind all
#        wan2 = eth1 VLAN 8 ╞═══════╡ p2
#        wan3 = eth1        ┘       └ line       no DHCP
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/daemon.sh"
for tool in udhcpd udhcpc tcpdump; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
renew=$build/tests/netns/renew server=203.0.113.10 mac=02:00:00:00:07:01
lab
cable "$gw" eth1 "$net" line
ip -n "$gw" link set eth1 address $mac
for k in 1 2; do
	ip -n "$gw" link add link eth1 name wan$k type vlan id $((6 + k)) 2>/dev/null || skip_all 'this kernel has no VLANs'
	ip -n "$net" link add link line name p$k type vlan id $((6 + k))
	ip -n "$gw" link set wan$k up
	ip -n "$net" link set p$k up
	ip -n "$net" addr add 100.64.$k.1/24 dev p$k
done
ip -n "$net" addr add 100.64.3.1/24 dev line
ip -n "$gw" addr add 100.64.3.2/24 dev eth1
ip -n "$gw" route add default via 100.64.3.1 dev eth1 metric 103
is 'all have one MAC' "$(ip -n "$gw" -j link | jq -r '.[] | select(.ifname | test("wan|eth1")).address' | sort -u)" $mac
config <<-END
	lan { devices = "lan0" }
	link wan1 {} link wan2 {} link wan3 { device = "eth1" }
END

# --- servers, clients, captures ----------------------------------------------------------------------------------
lease_s=24
for k in 1 2; do
	printf '%s\n' "start 100.64.$k.50" "end 100.64.$k.60" "interface p$k" 'min_lease 8' "lease_file $tmp/leases$k" \
		"pidfile $tmp/udhcpd$k.pid" 'option subnet 255.255.255.0' "option router 100.64.$k.1" \
		"option lease $lease_s" >"$tmp/udhcpd$k.conf"
	: >"$tmp/leases$k"
	run_in "$net" udhcpd -f "$tmp/udhcpd$k.conf"
done
cat >"$tmp/script" <<'END'
#!/bin/sh
[ "$1" != bound ] && [ "$1" != renew ] && exit 0
ip addr replace "$ip/24" dev "$interface"
ip route replace default via "$router" dev "$interface" metric "10${interface#wan}"
END
chmod +x "$tmp/script"
for at in p1 p2 line; do
	not_tagged=
	[ $at != line ] || not_tagged='not vlan and '
	ip netns exec "$net" tcpdump --immediate-mode -lnnevi $at -Q in "$not_tagged udp dst port 67" >"$tmp/$at" 2>"$tmp/$at.said" &
	asym_pids+=($!)
	wait_for grep -q listening "$tmp/$at.said"
done
clients=()
trap 'for pid in "${clients[@]}"; do kill -KILL "$pid" 2>/dev/null; done; cleanup' EXIT # frozen ones do not heed TERM
client() { # K
	run_in "$gw" udhcpc -f -i "wan$1" -s "$tmp/script" -t 5 -T 2
	clients+=("$kept")
}

lease() { asym dhcp --json | jq -r ".links[] | select(.name == \"wan$1\") | $2"; } # K FILTER
lease_is() { [ "$(lease "$1" "$2")" = "$3" ]; }
acked() { [ "$(lease "$1" .lease.acks)" -gt "$2" ]; }
xid=100
sent() { # of the last message: lines "WHERE SRC-MAC SRC.PORT"
	local at
	for at in p1 p2 line; do
		paste -sd' ' "$tmp/$at" | sed -E 's/ ([0-9:.]{8,} [0-9a-f:]{17} > )/\n\1/g' | grep -E "xid $(printf '0x%x' $xid)[, ]" |
			sed -E "s/^[0-9:.]+ ([0-9a-f:]+) > .*\) +([0-9.]+) > ([0-9.]+): .*/$at \1 \2/"
	done
}
has_left() { [ -n "$(sent)" ]; }
leaves() { # DESCRIPTION WHERE-AND-HOW ARGS...
	xid=$((xid + 1))
	gw "$renew" -x $xid "${@:3}"
	wait_for has_left || true
	is "$1" "$(sent)" "$2"
}

daemon 'the daemon starts' --config "$tmp/conf"
client 1
client 2
for k in 1 2; do
	needs "wan$k gets a lease, and the link is known" wait_for lease_is $k .lease.server 100.64.$k.1
	addr[k]=$(lease $k .lease.address)
	like "wan$k: of its own VLAN" "${addr[k]}" "^100\.64\.$k\.[56]"
done
is 'the VLANs'\'' parent has none' "$(lease 3 .lease)" null
for pid in "${clients[@]}"; do kill -STOP "$pid"; done
has_address() { ip -n "$gw" -4 addr show dev "wan$1" | grep -q "${addr[$1]}/"; }
for k in 1 2; do ok "wan$k has its address" wait_for has_address $k; done
like 'routes would have it leave by wan1' "$(gw ip route get $server)" 'dev wan1 '

# --- renewals -----------------------------------------------------------------------------------------------------
all_ways() { # DESCRIPTION
	leaves "$1: the best link's renewal" "p1 $mac ${addr[1]}.68" "${addr[1]}" $mac $server
	leaves "$1: the other's, an unbound socket" "p2 $mac ${addr[2]}.68" "${addr[2]}" $mac $server
	leaves "$1: bound to its address" "p2 $mac ${addr[2]}.68" -a "${addr[2]}" "${addr[2]}" $mac $server
	leaves "$1: bound to its device" "p2 $mac ${addr[2]}.68" -d wan2 "${addr[2]}" $mac $server
	leaves "$1: raw IP" "p2 $mac ${addr[2]}.68" -k raw -o "${addr[1]}" "${addr[2]}" $mac $server
}
all_ways guard
leaves 'an address of nobody stays as it is' "p1 $mac ${addr[1]}.68" 100.64.9.9 $mac $server
is 'counted once: moved' "$(asym dhcp --json | jq -r '[.links[].guard.moved] | join(" ")')" '0 2 0'
is 'failed' "$(asym dhcp --json | jq -r '[.links[].guard.failed] | join(" ")')" '0 0 0'
leaves 'bound to the parent' "p2 $mac ${addr[2]}.68" -d eth1 "${addr[2]}" $mac $server

# --- the watchdog -------------------------------------------------------------------------------------------------
for k in 1 2; do ok "wan$k is renewed for its client" wait_for lease_is $k .lease.by_watchdog true; done
for k in 1 2; do
	is "wan$k has its own address yet" "$(lease $k .lease.address)" "${addr[k]}"
	is "by wan$k no other's" "$(grep -o 'Client-IP 100\.64\.[12]\.[0-9]*' "$tmp/p$k" | sort -u)" "Client-IP ${addr[k]}"
done

# --- the shim -----------------------------------------------------------------------------------------------------
sed 's/^/dhcp = shim\n/;1!s/^dhcp = shim\n//' "$tmp/conf" >"$tmp/conf.shim"
ok 'reload with the shim' asym reload --config "$tmp/conf.shim"
shim_is_there() { gw nft list table ip asymbpf-dhcp; }
if wait_for shim_is_there; then
	all_ways shim
else
	diag 'no shim'
fi
ok 'unload' asym unload
done_testing
