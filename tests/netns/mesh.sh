# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A mesh on real tunnels: the kernel's WireGuard, or wireguard-go.  Sourced after lib.sh and wire.sh.
#
#   [la] lan0 [a] eth0 ── [nat] ─┐        ┌─ [b]  100.64.2.2
#   10.5.0.2      10.99.0.2      ├─ [net] ┼─ [c]  100.64.3.2  lan0 [lc] 10.7.0.2
#                 100.64.1.2     ┘        └─ [r]  100.64.4.2, the forwarder
#
# a, b and c are strict: rp_filter=1, stateful firewalls that take nothing INVALID.  b forwards nothing.
# a comes by NAT from 100.64.1.2.  More nodes, without LANs, are at 100.64.5.2 and so on.
[ -c /dev/net/tun ] || skip_all 'no /dev/net/tun'
forwarder=$build/tests/netns/forwarder
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/forwarder >&2

# Sockets of wireguard-go are in /run/wireguard, so each node has a /run of its own.
declare -A node_pid
in_node() { # NODE CMD...
	nsenter -t "${node_pid[$1]}" -m -n "${@:2}"
}
own_run() { # NODE
	run_in "${!1}" unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs tmpfs /run && exec sleep infinity'
	node_pid[$1]=$kept
	wait_for in_node "$1" sh -c '[ -z "$(ls -A /run)" ]'
}
wg() { in_node "$1" "$asymbpf" wg "${@:2}"; }                                      # NODE ARGS...
wg_apply() { wg "$1" apply --config "$tmp/mesh.conf" --key "$tmp/$1.key" "${@:2}"; } # NODE ARGS...
wg_status() { wg "$1" show --json | jq -r "$2"; }                                  # NODE JQ-FILTER
public() { "$asymbpf" wg genkey --public <"$tmp/$1.key"; }                          # NODE

line() { # NS K ADDRESS/24 GATEWAY: an access line of the Internet
	cable "$net" "p$2" "$1" eth0
	ip -n "$net" addr add "100.64.$2.1/24" dev "p$2"
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" route add default via "100.64.$2.1"
}
lan() { # NODE CLIENT N
	cable "${!1}" lan0 "${!2}" eth0
	ip -n "${!1}" addr add "10.$3.0.1/24" dev lan0
	ip -n "${!1}" addr add "fd0$3::1/64" dev lan0
	ip -n "${!2}" addr add "10.$3.0.2/24" dev eth0
	ip -n "${!2}" addr add "fd0$3::2/64" dev eth0
	ip -n "${!2}" route add default via "10.$3.0.1"
	ip -n "${!2}" route add default via "fd0$3::1"
	in_node "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}
strict() { # NODE: what distributions and careful people set
	in_node "$1" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	in_node "$1" nft -f - <<-'END'
		table inet fw {
			chain rpf {
				type filter hook prerouting priority raw
				meta nfproto ipv6 ip6 saddr != fe80::/10 fib saddr . iif oif missing drop
			}
			chain input {
				type filter hook input priority filter; policy drop
				ct state invalid drop
				ct state established,related accept
				meta l4proto { icmp, ipv6-icmp } accept
				iifname eth0 udp dport 27000-52100 accept
				iifname { ov0, lo } ct state new accept
			}
			chain forward {
				type filter hook forward priority filter; policy drop
				ct state invalid drop
				ct state established,related accept
				iifname { ov0, lan0 } oifname { ov0, lan0 } ct state new accept
			}
		}
	END
}
mesh_lab() { # [NODE...]: these as well as a, b and c
	local n k=5
	for n in net nat a b c "$@" r la lc; do space "$n"; done
	line "$nat" 1 100.64.1.2/24
	line "$b" 2 100.64.2.2/24
	line "$c" 3 100.64.3.2/24
	line "$r" 4 100.64.4.2/24
	for n; do line "${!n}" $k "100.64.$((k++)).2/24"; done
	cable "$nat" in0 "$a" eth0
	ip -n "$nat" addr add 10.99.0.1/24 dev in0
	ip -n "$a" addr add 10.99.0.2/24 dev eth0
	ip -n "$a" route add default via 10.99.0.1
	ip netns exec "$nat" nft -f - <<-'END'
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat
				oifname eth0 masquerade
			}
			chain forward {
				type filter hook forward priority filter; policy drop
				iifname in0 accept
				ct state established accept
			}
		}
	END
	for n in "$net" "$nat"; do ip netns exec "$n" sysctl -qw net.ipv4.ip_forward=1; done
	for n in a b c "$@"; do
		own_run "$n"
		strict "$n"
		(umask 077 && "$asymbpf" wg genkey >"$tmp/$n.key")
	done
	lan a la 5
	lan c lc 7
	for n in a b c "$@" la lc; do
		run_in "${!n}" "$build/tests/netns/echod" 80 5000
		wait_for listening "${!n}" 5000
	done
}
scheme_one() { # [LINES of mesh.conf]: A sends to C by B, C answers direct
	cat <<-END
		mesh one { keepalive = 1s }
		node a { address = {192.168.51.5, fd51::5}  public-key = "$(public a)"  lan = {10.5.0.0/24, "fd05::/64"} }
		node b { address = {192.168.51.1, fd51::1}  public-key = "$(public b)"  endpoint = 100.64.2.2 }
		node c { address = {192.168.51.2, fd51::2}  public-key = "$(public c)"  endpoint = 100.64.3.2
			lan = {10.7.0.0/24, "fd07::/64"} }
		direction up { from = a  to = c  paths = {"via b", direct} }
		direction down { from = c  to = a  paths = direct }
		${1-}
	END
}
scheme_two() { # A sends by a UDP forwarding service, C answers direct
	cat <<-END
		mesh two { keepalive = 1s }
		node a { address = {192.168.51.3, fd51::3}  public-key = "$(public a)"  lan = {10.5.0.0/24, "fd05::/64"} }
		node c { address = {192.168.51.2, fd51::2}  public-key = "$(public c)"  endpoint = "100.64.3.2:27000"
			lan = {10.7.0.0/24, "fd07::/64"} }
		forwarder hk { from = a  to = c  endpoint = "100.64.4.2:14967"  port = 27002 }
		direction up { from = a  to = c  paths = "forwarder hk" }
		direction down { from = c  to = a  paths = direct }
	END
}
reaches() { # NODE ADDRESS
	in_node "$1" ping -q -c 1 -W 1 "$2"
}
# Nothing of a mesh is left on a node.
bare() { # DESCRIPTION NODE
	local what=$1 n=$2
	is "$what: devices" "$(in_node "$n" sh -c 'ls /sys/class/net; ls /proc/sys/net/ipv4/conf' | grep -E '^(ov0|[wf]-)')" ''
	is "$what: routes and addresses" "$(in_node "$n" sh -c 'ip route; ip -6 route; ip addr' | grep -E 'ov0|192\.168\.51|fd51')" ''
	is "$what: tables" "$(in_node "$n" nft list tables | grep -v 'inet fw')" ''
	is "$what: files" "$(in_node "$n" find /run/asymbpf /run/wireguard -mindepth 1 2>/dev/null)" ''
	is "$what: processes" "$(for pid in $(ip netns pids "${!n}"); do cat "/proc/$pid/comm"; done | grep wireguard)" ''
	is "$what: programs" "$(in_node "$n" bpftool -j net | jq '[.[].tc[]?] | length')" 0
}
