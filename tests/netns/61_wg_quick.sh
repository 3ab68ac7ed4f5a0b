#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The files of `wg plan --wg-quick`, put up by wg-quick and wireguard-go: A's packets to C go by B, C's go direct.
#
#   [a] .1 ──┐
#   [b] .2 ──┤ br0 [net] 198.51.100.0/24      overlay: a 10.9.0.1, b 10.9.0.2, c 10.9.0.3
#   [c] .3 ──┘                                a has no endpoint
. "$(dirname "$0")/lib.sh"
for tool in wg wg-quick wireguard-go; do
	[ -n "$(type -P $tool)" ] || skip_all "no $tool here"
done

# wireguard-go has its sockets in /run/wireguard, so each node has a /run of its own.
declare -A node_pid
in_node() { # NODE CMD...
	nsenter -t "${node_pid[$1]}" -m -n "${@:2}"
}
node() { # NODE N
	space "$1"
	cable "${!1}" eth0 "$net" "p-$1"
	ip -n "$net" link set "p-$1" master br0
	ip -n "${!1}" addr add "198.51.100.$2/24" dev eth0
	run_in "${!1}" unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs tmpfs /run && exec sleep infinity'
	node_pid[$1]=$kept
	wait_for in_node "$1" sh -c '[ -z "$(ls -A /run)" ]'
	(umask 077 && "$asymbpf" wg genkey >"$tmp/$1.key")
	printf 'node %s { address = 10.9.0.%s  public-key = "%s" %s }\n' "$1" "$2" \
		"$("$asymbpf" wg genkey --public <"$tmp/$1.key")" "${3-}" >>"$tmp/conf"
}
up() { # NODE
	local f
	for f in "$tmp/$1"/*.conf; do
		sed -i "s|^PrivateKey = .*|PrivateKey = $(cat "$tmp/$1.key")|" "$f"
		ok "wg-quick up $1/${f##*/}" in_node "$1" wg-quick up "$f"
	done
}
packets() { # NODE DEVICE rx|tx
	in_node "$1" cat "/sys/class/net/$2/statistics/$3_packets" 2>/dev/null ||
		ip -n "${!1}" -s -j link show "$2" | jq ".[0].stats64.$3.packets"
}
counts() { # packets of each direction that passed each tunnel
	local at
	for at in 'a w-b tx' 'a w-b rx' 'a w-c tx' 'a w-c rx' 'b w-a rx' 'b w-a tx' 'b w-c rx' 'b w-c tx'; do
		# shellcheck disable=SC2086
		packets $at
	done | paste -sd' '
}
grown() { # BEFORE AFTER
	paste -d' ' <(tr ' ' '\n' <<<"$1") <(tr ' ' '\n' <<<"$2") | awk '{ print $2 - $1 }' | paste -sd' '
}

space net
ip -n "$net" link add br0 type bridge
ip -n "$net" link set br0 up
node a 1
node b 2 'endpoint = 198.51.100.2'
node c 3 'endpoint = 198.51.100.3'
cat >>"$tmp/conf" <<'END'
mesh m { keepalive = 1s }
direction up { from = a  to = c  paths = {"via b", direct} }
END
needs 'files' "$asymbpf" wg plan --config "$tmp/conf" --wg-quick "$tmp"
in_node b sysctl -qw net.ipv4.ip_forward=1
for n in a b c; do up $n; done

ok 'handshakes of all' wait_for in_node c ping -c 1 -W 1 10.9.0.1
ok 'and with b' wait_for in_node a ping -c 1 -W 1 10.9.0.2
before=$(counts)
ok 'a reaches c' in_node a ping -c 5 -i 0.1 -W 1 10.9.0.3
after=$(counts)
is 'by b, and is answered direct' "$(grown "$before" "$after")" '5 0 0 5 5 0 0 5'
before=$after
ok 'c reaches a' in_node c ping -c 5 -i 0.1 -W 1 10.9.0.1
is 'by the same ways' "$(grown "$before" "$(counts)")" '5 0 0 5 5 0 0 5'
is 'the source is the overlay address' "$(in_node a ip -j route get 10.9.0.3 | jq -r '.[0].prefsrc')" 10.9.0.1
for n in a b c; do
	for f in "$tmp/$n"/*.conf; do ok "wg-quick down $n/${f##*/}" in_node $n wg-quick down "$f"; done
	is "nothing is left at $n" "$(in_node $n ip rule | grep -c 5182; in_node $n ip route show table all | grep -c 'w-')" $'0\n0'
done
done_testing
