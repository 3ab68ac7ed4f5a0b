#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shim: DHCP renewals leave by the link whose address they renew, without a BPF program at egress.  Judged at
# the ISP's ends of the lines.
#
#   [gw] wan1 100.71.64.11, via .1 ──┐
#        wan2 100.71.64.12, via .2 ──┴── bridge isp [net] 100.71.64.1 (and a server)
#                          [nb] eth0 ──── 100.71.64.2, with 198.51.100.7 behind it
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
. "$(dirname "$0")/wire.sh"
bootp=$build/tests/netns/bootp
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/bootp >&2
lab
space nb
ip -n "$net" link add isp type bridge
ip -n "$net" link set isp up
ip -n "$net" addr add 100.71.64.1/24 dev isp
for k in 1 2; do
	cable "$gw" wan$k "$net" p$k
	ip -n "$net" link set p$k master isp
	ip -n "$gw" addr add 100.71.64.1$k/24 dev wan$k
	ip -n "$gw" route add default via 100.71.64.$k dev wan$k metric $((100 + k))
done
cable "$nb" eth0 "$net" p9
ip -n "$net" link set p9 master isp
ip -n "$nb" addr add 100.71.64.2/24 dev eth0
mac() { ip -n "$1" -j link show dev "$2" | jq -r '.[0].address'; }
mac1=$(mac "$gw" wan1) mac2=$(mac "$gw" wan2) hop=$(mac "$nb" eth0)
# A renewal is its line's own if it has MAC, source address, port and ciaddr of that line.
hex() { printf '0x%02x%02x%02x%02x' ${1//./ }; } # ADDRESS
watch_renewals() { # K ADDRESS
	net nft -f - <<-END
		table netdev line$1 {
			counter own { }
			counter hop { }
			counter strange { }
			set deaf { type ether_addr; }
			chain in {
				type filter hook ingress device "p$1" priority 0
				ether type arp ether saddr @deaf drop
				ether type != ip accept
				ip protocol != udp accept
				udp dport != 67 accept
				ether daddr $hop counter name hop
				ether saddr $(mac "$gw" wan$1) ip saddr $2 udp sport 68 @th,160,32 $(hex "$2") counter name own accept
				counter name strange
			}
		}
	END
}
watch_renewals 1 100.71.64.11
watch_renewals 2 100.71.64.12
at() { # K COUNTER: what came since the last clean_lines
	net nft -j list counter netdev "line$1" "$2" | jq '[.nftables[].counter.packets? // empty] | add'
}
clean_lines() {
	net nft reset counters table netdev line1 >/dev/null
	net nft reset counters table netdev line2 >/dev/null
}
seen_all() { [ $(($(at 1 own) + $(at 1 strange) + $(at 2 own) + $(at 2 strange))) -ge "$1" ]; } # N
# Sends renewals and says where they came out: "OWN1 STRANGE1 OWN2 STRANGE2"
renew() { # N BOOTP-ARGS...
	clean_lines
	gw "$bootp" "${@:2}" -n "$1" || echo refused
	wait_for seen_all "$1" || true
	echo "$(at 1 own) $(at 1 strange) $(at 2 own) $(at 2 strange)"
}
shim_start() { # ARGS...
	mark_events
	ip netns exec "$gw" "$asymbpf" dhcp-shim --json "$@" >>"$tmp/events" 2>>"$tmp/log" </dev/null &
	daemon=$!
	asym_pids+=("$daemon")
}
shim() { # DESCRIPTION ARGS...
	shim_start "${@:2}"
	needs "$1" wait_for told '.event == "start"'
}
table_is_there() { gw nft list tables | grep -q 'table ip asymbpf-dhcp'; }
table_is_gone() { ! table_is_there; }
moves() { # KIND: a renewal of wan2's address leaves by wan2
	[ "$(renew 1 "$1" 100.71.64.12 "$mac2" 100.71.64.1)" = '0 0 1 0' ]
}

config <<-END
	dhcp = shim
	link wan1 { device = wan1 }
	link wan2 { device = wan2 }
END
exits 'nothing loaded, nothing named' 1 'name links or a file' asym dhcp-shim
exits 'an unknown device' 1 'nosuch' asym dhcp-shim --iface nosuch
exits 'an argument' 2 'what is "wan1"' asym dhcp-shim wan1
exits 'help' 0 'usage: asymbpf dhcp-shim' asym dhcp-shim --help
needs 'load' asym load --config "$tmp/conf"
is 'without a shim, an unbound client renews by the wrong link' \
	"$(renew 5 unbound 100.71.64.12 "$mac2" 100.71.64.1)" '0 5 0 0'

shim 'it takes over what is loaded'
exits 'a second one' 1 'another shim' asym dhcp-shim
tap one "$net" in p1
tap two "$net" in p2
for kind in unbound bound raw; do
	is "$kind: of the other link" "$(renew 5 $kind 100.71.64.12 "$mac2" 100.71.64.1)" '0 0 5 0'
	is "$kind: server behind a router" "$(renew 5 $kind 100.71.64.12 "$mac2" 198.51.100.7)" '0 0 5 0'
	is "$kind: by that link's own router" "$(at 2 hop)" 5
done
ok 'it is told' told '.event == "dhcp" and .state == "moved" and .device == "wan2" and .family == "ipv4"'
mark_events
is 'the better link is right already' "$(renew 5 unbound 100.71.64.11 "$mac1" 100.71.64.1)" '5 0 0 0'
is 'a socket bound to its address and device' "$(
	ip -n "$gw" rule add from 100.71.64.12 lookup 171171 pref 50
	ip -n "$gw" route add default dev wan2 table 171171
	renew 5 bound 100.71.64.12 "$mac2" 100.71.64.1
	ip -n "$gw" rule del pref 50
	ip -n "$gw" route flush table 171171
)" '0 0 5 0'
is 'both are left alone' "$(told_times '.event == "dhcp"')" 0
untap one two
is 'all of them with right lengths and checksums' "$(lines one 'dport == 67 && bad'; lines two 'dport == 67 && bad')" ''
is 'and none was lost to the recorder' "$(seen two 'dport == 67')" 35

# --- what nobody should repair
is 'an address of nobody' "$(renew 5 unbound 100.71.64.99 02:00:00:00:00:99 100.71.64.1)" '0 5 0 0'
is 'relayed' "$(renew 5 unbound 100.71.64.12 "$mac2" 100.71.64.1 -w 24=10)" '0 5 0 0'
is 'a reply' "$(renew 5 unbound 100.71.64.12 "$mac2" 100.71.64.1 -w 0=2)" '0 5 0 0'

# --- neighbours
ip -n "$gw" neigh flush dev wan2
ok 'a neighbour that is not known yet' moves unbound
net nft add element netdev line2 deaf "{ $mac2 }"
ip -n "$gw" neigh flush dev wan2
mark_events
is 'a neighbour that never answers: it goes on as it was' \
	"$(renew 3 unbound 100.71.64.12 "$mac2" 100.71.64.1)" '0 3 0 0'
ok 'which is told' told '.event == "dhcp" and .state == "failed"'
net nft delete element netdev line2 deaf "{ $mac2 }"
ip -n "$gw" neigh flush dev wan2
ok 'and when it answers again' moves raw
unplug 2
is 'no carrier: it goes on as it was' "$(renew 3 unbound 100.71.64.12 "$mac2" 100.71.64.1)" '0 3 0 0'
plug 2
ok 'and when it is back' wait_for moves unbound

# --- the addresses of now
ip -n "$gw" addr add 100.71.64.22/24 dev wan2
new_moves() { [ "$(renew 1 unbound 100.71.64.22 02:00:00:00:00:99 198.51.100.7)" = '0 0 0 1' ]; }
ok 'another address of the link is followed' wait_for new_moves
ip -n "$gw" addr del 100.71.64.22/24 dev wan2

# --- floods and nonsense: everything goes on, nothing takes long
clean_lines
before=$(cpu_ms)
ok '1000 a second: none is refused' gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -n 3000 -r 1000
wait_for seen_all 3000 || true
is '1000 a second: all leave, by their own link' "$(at 1 own) $(at 1 strange) $(at 2 own) $(at 2 strange)" '0 0 3000 0'
at_most '1000 a second: CPU' $(($(cpu_ms) - before)) 1500 ms
[ "${build##*/}" = build-san ] || at_most 'memory' "$(memory)" 20000 KiB
net nft add element netdev line2 deaf "{ $mac2 }"
ip -n "$gw" neigh flush dev wan2
clean_lines
gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -n 3000 -r 1000
ok '1000 a second to a neighbour that is silent: all leave' wait_for seen_all 3000
net nft delete element netdev line2 deaf "{ $mac2 }"
ip -n "$gw" neigh flush dev wan2
clean_lines
gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -n 20000
diag "as fast as it can: $(at 1 own) $(at 1 strange) $(at 2 own) $(at 2 strange)"
ok 'as fast as it can: it lives' wait_for moves raw
nonsense() {
	local cut at
	for cut in 0 1 7 43 44 235 236 239 240 243; do
		gw "$bootp" raw 100.71.64.12 "$mac2" 100.71.64.1 -c $cut
	done
	for at in 0 1 2 28; do gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -w $at=255; done
	gw "$bootp" raw 100.71.64.12 "$mac2" 100.71.64.1 -n 1000 -r 2000 -z 1
	gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -n 1000 -r 2000 -z 2
}
clean_lines
ok 'truncated, odd and random messages are sent' nonsense
ok 'all of them leave' wait_for seen_all 2014
ok 'it lives' moves unbound

# --- ends
gw "$bootp" unbound 100.71.64.12 "$mac2" 100.71.64.1 -n 200 -r 100 &
sender=$!
asym_pids+=("$sender")
clean_lines
wait_for seen_all 20
daemon_end KILL 2>/dev/null
ok 'killed: the table is gone' wait_for table_is_gone
refused=0
wait "$sender" || refused=$?
is 'killed: no client was refused' "$refused" 0
# the renewals in its hands are lost
ok 'killed: traffic goes on' wait_for seen_all 175
is 'killed: as without it' "$(renew 3 unbound 100.71.64.12 "$mac2" 100.71.64.1)" '0 3 0 0'
shim 'started again'
ok 'it moves again' moves unbound
daemon_end TERM
is 'SIGTERM: its status' "$ended" 0
ok 'SIGTERM: the table is gone' table_is_gone
is 'SIGTERM: as without it' "$(renew 3 unbound 100.71.64.12 "$mac2" 100.71.64.1)" '0 3 0 0'
shim 'and again'
ok 'unload' asym unload
ended=0
wait "$daemon" || ended=$?
is 'it ends with what was loaded' "$ended" 0
ok 'and so does its table' table_is_gone

# --- by itself
shim 'nothing is loaded: by the configuration alone' --config "$tmp/conf"
ok 'it moves' moves unbound
is 'behind a router' "$(renew 5 raw 100.71.64.12 "$mac2" 198.51.100.7)" '0 0 5 0'
is 'by that link'"'"'s own router' "$(at 2 hop)" 5
ok 'nothing was loaded' test ! -e "$(state_file)"
daemon_end INT
is 'SIGINT: its status' "$ended" 0
shim 'by flags alone' --iface wan1 --iface wan2
ok 'it moves with flags' moves bound
ok 'load beside it' asym load --config "$tmp/conf"
ok 'it goes on' wait_for moves bound
daemon_end TERM
ok 'unload at last' asym unload
done_testing
