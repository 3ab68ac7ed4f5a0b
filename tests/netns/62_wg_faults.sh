#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wg apply` where something is wrong or in the way: it says what, and leaves the machine as it was.  Devices
# of others are used when told to; what was killed or half done is put right; nothing is too large
# for a narrow way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
mesh_lab
scheme_one >"$tmp/mesh.conf"
refused() { # DESCRIPTION REGEX ARGS of wg apply...: and nothing of it is there
	exits "$1" 1 "$2" wg_apply a "${@:3}"
	bare "$1" a
}

# --- keys ------------------------------------------------------------------------------------------
cp "$tmp/a.key" "$tmp/good.key"
"$asymbpf" wg genkey >"$tmp/a.key"
refused "a stranger's key" 'no node of the mesh one has the private key, its public one is [A-Za-z0-9+/]{43}='
cp "$tmp/c.key" "$tmp/a.key"
refused "another node's key" 'the private key is not that of node "a"' --node a
echo nonsense >"$tmp/a.key"
refused 'no key' 'holds no private key, expected 44 characters of base64'
rm "$tmp/a.key"
refused 'no file' 'cannot open .*a.key.*No such file'
cp "$tmp/good.key" "$tmp/a.key"
refused 'no such node' 'there is no node "nobody"' --node nobody
exits '--key is missing' 2 '--key FILE is needed' wg a apply --config "$tmp/mesh.conf"
exits 'down without a mesh' 1 'is no node of a mesh' wg a down
exits 'show without a mesh' 1 'is no node of a mesh' wg a show

# --- things in the way -----------------------------------------------------------------------------
ip -n "$a" link add w-c type veth peer name other
refused_with_device() { # DESCRIPTION REGEX DEVICE ARGS...: DEVICE is still there
	exits "$1" 1 "$2" wg_apply a "${@:4}"
	ok "$1: it stays" ip -n "$a" link show "$3"
	ok "$1: no other" sh -c "! ip -n $a link show w-b"
	is "$1: no state" "$(in_node a find /run/asymbpf -mindepth 1 2>/dev/null)" ''
}
refused_with_device 'a device of this name' 'there is a device w-c that asymbpf did not make; use it with --adopt' w-c
refused_with_device 'one that is no WireGuard' 'the device w-c is there, but is not WireGuard' w-c --adopt
ip -n "$a" link del w-c
ip -n "$a" tuntap add ov0 mode tun
refused_with_device 'the overlay device' 'there is a device ov0 that asymbpf did not make' ov0
ip -n "$a" link del ov0
in_node a nft add table inet asymbpf-mesh
exits 'a table of this name: status and message' 1 "table inet asymbpf-mesh: is somebody else's" wg_apply a
ok 'it stays' in_node a nft list table inet asymbpf-mesh
in_node a nft delete table inet asymbpf-mesh
bare 'a table of this name' a
in_node a sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1
refused 'a sysctl in the way' 'net.ipv4.conf.all.ignore_routes_with_linkdown'
in_node a sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=0 net.ipv4.conf.default.ignore_routes_with_linkdown=1
in_node a sysctl -qw net.ipv6.conf.default.ignore_routes_with_linkdown=1
in_node a ip route add 192.168.51.2 via 10.99.0.1
exits 'a route in the way' 1 'route 192.168.51.2/32 .*there is one already that is not ours' wg_apply a
is 'it stays' "$(in_node a ip route show 192.168.51.2)" '192.168.51.2 via 10.99.0.1 dev eth0 '
in_node a ip route del 192.168.51.2
bare 'a route in the way' a
port=$("$asymbpf" wg plan --config "$tmp/mesh.conf" --node a --json | jq '.nodes[0].tunnels[1].listen_port')
run_in "$a" "$build/tests/netns/echod" "$port"
wait_for sh -c "[ -n \"\$(ip netns exec $a ss -Hulnp 'sport = :$port')\" ]"
refused 'a port in use' "UDP port $port, which the tunnel w-c listens at: Address already in use"
kill "$kept"
wait "$kept" || true
sed 's/100.64.3.2/nowhere.invalid/' "$tmp/mesh.conf" >"$tmp/other.conf"
exits 'a name nobody knows' 1 'cannot find the address of "nowhere.invalid"' wg a apply --config "$tmp/other.conf" --key "$tmp/a.key"
bare 'a name nobody knows' a
if ! ip link add "wg$$" type wireguard 2>/dev/null; then
	mkdir "$tmp/bin"
	exits 'no WireGuard at all' 1 'the kernel has no WireGuard, and there is no wireguard-go' \
		in_node a env PATH="$tmp/bin" "$asymbpf" wg apply --config "$tmp/mesh.conf" --key "$tmp/a.key"
	bare 'no WireGuard at all' a
else
	ip link del "wg$$"
fi

# --- warnings, repairs -----------------------------------------------------------------------------
chmod 644 "$tmp/a.key"
exits 'a key that others can read' 0 'warning: others can use the private key .*mode 0644' wg_apply a
chmod 600 "$tmp/a.key"
endpoint() { wg_status a '.tunnels[] | select(.device == "w-b").endpoint'; }
if [ -n "$(type -P wg)" ]; then
	at=$(endpoint)
	in_node a "$(type -P wg)" set w-b peer "$(public b)" endpoint 100.64.9.9:99
	ok 'apply' wg_apply a
	is 'a peer that has moved' "$(endpoint)" 100.64.9.9:99
	sed 's/100.64.2.2/100.64.2.9/' "$tmp/mesh.conf" >"$tmp/other.conf"
	ok 'apply' wg a apply --config "$tmp/other.conf" --key "$tmp/a.key"
	is 'another endpoint in the description' "$(endpoint)" "${at/2.2:/2.9:}"
	ok 'apply' wg_apply a
	is 'and the first one again' "$(endpoint)" "$at"
fi
for n in b c; do ok "apply at $n" wg_apply $n; done
wait_for reaches a 192.168.51.2
sed 's/100.64.3.2/nowhere.invalid/' "$tmp/mesh.conf" >"$tmp/other.conf"
exits 'a change that fails' 1 'cannot find the address' wg a apply --config "$tmp/other.conf" --key "$tmp/a.key"
ok 'what was there goes on' reaches a 192.168.51.2
in_node a ip route add 10.9.0.0/24 via 10.99.0.1
sed 's/10.7.0.0\/24/10.9.0.0\/24/; s/{"via b", direct}/direct/' "$tmp/mesh.conf" >"$tmp/other.conf"
before=$(in_node a sh -c 'ip -br link; ip route; ip -6 route; ip -br addr')
exits 'a change that fails late' 1 'route 10.9.0.0/24' wg a apply --config "$tmp/other.conf" --key "$tmp/a.key"
is 'all is as before' "$(in_node a sh -c 'ip -br link; ip route; ip -6 route; ip -br addr')" "$before"
tap before "$a" out w-b
ok 'and it works' reaches a 192.168.51.2
untap before
ok 'by the way it had' [ "$(seen before 'dst == "192.168.51.2"')" -gt 0 ]
in_node a ip route del 10.9.0.0/24

ip -n "$a" link del w-b
is 'a device that somebody removed' "$(wg_status a '.tunnels[] | select(.device == "w-b").there')" false
in_node a ip route del 192.168.51.2
in_node a ip addr del 192.168.51.5/32 dev ov0
ok 'apply makes all of it again' wg_apply a
ok 'the mesh is whole' wait_for reaches a 192.168.51.2
is 'routes and sources are back' "$(in_node a ip route show 192.168.51.2)" \
	'192.168.51.2 dev ov0 proto 172 scope link src 192.168.51.5 linkdown mtu 1420 '
state=$(in_node a find /run/asymbpf -name '*.mesh')
in_node a sed -i 's/"ifindex":[0-9]*/"ifindex":0/' "$state"
ok 'apply after one that was killed' wg_apply a
echo broken | in_node a tee "$state.new" >/dev/null
ip -n "$a" link del w-b
ip -n "$a" link add w-b type veth peer name other
ok 'down' wg a down
ok 'a device that has taken the name of ours stays' ip -n "$a" link show w-b
ip -n "$a" link del w-b
bare 'after all that' a

# --- beside the gateway ----------------------------------------------------------------------------
# lan0 is a LAN of the mesh, and eth0 a link for all else.
gateway_down() {
	local rc=$?
	in_node a "$asymbpf" unload >/dev/null 2>&1 || true
	return $rc
}
trap 'if gateway_down; then cleanup; else cleanup; fi' EXIT
gateway() { in_node a "$asymbpf" "$@"; }
beside() { # DESCRIPTION
	is "$1: from the node" "$(in_node a "$traffic" tcp -n 20 -t 3000 192.168.51.2 5000)" '192.168.51.5 20'
	is "$1: from its LAN" "$(ip netns exec "$la" "$traffic" tcp -n 20 -t 3000 10.7.0.2 5000)" '10.5.0.2 20'
	is "$1: to its LAN" "$(ip netns exec "$lc" "$traffic" tcp -n 20 -t 3000 10.5.0.2 5000)" '10.7.0.2 20'
}
ok 'apply before load' wg_apply a
ok 'load' gateway load --iface eth0 --lan lan0
wait_for reaches a 192.168.51.2
beside 'load'
ok 'reload' gateway reload
beside 'reload'
ok 'apply after load' wg_apply a
beside 'apply'
ok 'unload' gateway unload
beside 'unload'
ok 'load again' gateway load --iface eth0 --lan lan0
ok 'down before unload' wg a down
ok 'the gateway goes on' gateway status
ok 'unload again' gateway unload
bare 'after both' a

# --- devices of others -----------------------------------------------------------------------------
adopted() { # DEVICE PORT PEER ENDPOINT
	in_node a sh -c "ip link add $1 type wireguard 2>/dev/null || wireguard-go $1 2>/dev/null"
	in_node a "$(type -P wg)" set "$1" listen-port "$2" private-key "$tmp/a.key" peer "$3" \
		allowed-ips 0.0.0.0/0,::/0 endpoint "$4" persistent-keepalive 1
	ip -n "$a" link set "$1" up mtu 1400
}
if [ -n "$(type -P wg)" ]; then
	adopted w-c "$port" "$(public b)" 100.64.3.2:51820
	refused_with_device "another's peer" 'the device w-c has another peer than node c' w-c --adopt
	ip -n "$a" link del w-c
	wait_for sh -c "! nsenter -t ${node_pid[a]} -m -n ls /run/wireguard/w-c.sock"
	adopted w-c "$port" "$(public c)" 100.64.3.2:51820
	ok 'a device of others is used' wg_apply a --adopt
	ok 'all ways work' wait_for reaches a 192.168.51.2
	is 'it is as it was' "$(in_node a cat /sys/class/net/w-c/mtu)" 1400
	is 'and known as such' "$(wg_status a '.tunnels[] | select(.device == "w-c").adopted')" true
	ok 'apply again needs no --adopt' wg_apply a
	ok 'down leaves it' wg a down
	ok 'it is there' ip -n "$a" link show w-c
	is 'without our program' "$(in_node a bpftool -j net | jq '[.[].tc[]?] | length')" 0
	ip -n "$a" link del w-c
	wait_for sh -c "! nsenter -t ${node_pid[a]} -m -n ls /run/wireguard/w-c.sock"
	bare 'then' a
fi

# --- a narrow way ----------------------------------------------------------------------------------
# The relay's line carries 1340 bytes, a tunnel of 1280 and what WireGuard adds; segments of LANs are large.
for n in b c; do ok "down at $n" wg $n down; done
scheme_one 'connect narrow { nodes = {a, b}  mtu = 1280 } connect rest { nodes = {a, b, c} }' >"$tmp/mesh.conf"
ip -n "$net" link set p2 mtu 1340
ip -n "$b" link set eth0 mtu 1340
for n in a b c; do ok "apply at $n" wg_apply $n; done
ok 'the narrow way works' wait_for reaches a 192.168.51.2
is 'MTU of the overlay device' "$(in_node a cat /sys/class/net/ov0/mtu)" 1280
tap b-in "$b" in w-a
tap line "$b" in eth0
exits 'ping that must not be fragmented, of the most' 0 ' 0% packet loss' in_node a ping -q -c 2 -i 0.1 -M do -s 1252 192.168.51.2
exits 'one byte more' 1 'message too long, mtu=1280|Message too long' in_node a ping -c 1 -W 1 -M do -s 1253 192.168.51.2
exits 'LANs are told' 1 'Frag needed and DF set \(mtu = 1280\)' ip netns exec "$la" ping -c 1 -W 1 -M do -s 1400 10.7.0.2
for n in c lc la; do run_in "${!n}" iperf3 -s; done
for n in c lc la; do wait_for listening "${!n}" 5201; done
iperf() { ip netns exec "$1" iperf3 -c "$2" -n 4M --connect-timeout 5000 "${@:3}"; } # NS ADDRESS ARGS...
ip netns exec "$lc" nft -f - <<-'END'
	table inet mss {
		counter fits {}
		counter begun {}
		chain in {
			type filter hook input priority filter
			ip saddr 10.5.0.2 tcp flags syn / syn,ack counter name begun
			ip saddr 10.5.0.2 tcp flags syn / syn,ack tcp option maxseg size 1240 counter name fits
		}
	}
END
in_node c nft -f - <<-'END'
	table inet mss {
		counter fits {}
		counter begun {}
		chain in {
			type filter hook prerouting priority raw
			iifname ov0 ip saddr 10.5.0.2 tcp flags syn / syn,ack counter name begun
			iifname ov0 ip saddr 10.5.0.2 tcp flags syn / syn,ack tcp option maxseg size 1240 counter name fits
		}
	}
END
syns() { ip netns exec "$1" nft -j list counter inet mss "$2" | jq '.nftables[1].counter.packets'; } # NS COUNTER
# what they were told would do what the clamp is for
for n in la lc; do ip -n "${!n}" route flush cache; done
for x in '' -R; do
	ok "a LAN by large segments $x" iperf "$la" 10.7.0.2 $x
	ok "a LAN of the other side $x" iperf "$lc" fd05::2 $x
	ok "a node itself $x" iperf "$a" fd51::2 $x
done
is 'LANs agree on segments that fit' "$(syns "$lc" fits)" "$(syns "$lc" begun)"
ok 'there were some' [ "$(syns "$lc" begun)" -gt 0 ]
is 'they do so on the way into the mesh' "$(syns "$c" fits)" "$(syns "$c" begun)"
ok 'where there were as many' [ "$(syns "$c" begun)" -ge "$(syns "$lc" begun)" ]
in_node a nft delete table inet asymbpf-mesh
entered=$(syns "$c" fits) left=$(syns "$lc" fits)
is 'a LAN whose node does nothing' "$(ip netns exec "$la" "$traffic" tcp -n 5 -t 3000 10.7.0.2 5000)" '10.5.0.2 5'
is 'enters with segments that are too large' "$(syns "$c" fits)" "$entered"
is 'and leaves with such that fit' "$(syns "$lc" fits)" "$(syns "$lc" begun)"
ok 'all of them' [ "$(syns "$lc" fits)" -ge $((left + 5)) ]
ok 'apply puts it back' wg_apply a
ok 'it is back' in_node a nft list table inet asymbpf-mesh
in_node c nft delete table inet mss
untap b-in line
is 'nothing is too large for the way' "$(lines b-in 'largest > 1280' | head)" ''
ok 'its MTU is used' [ "$(lines b-in 'largest == 1280' | wc -l)" -ge 2 ]
is 'nothing is fragmented' "$(lines line 'proto == "frag"' | head)" ''
for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do bare "down at $n" $n; done
done_testing
