#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The router's own connections follow the rules and have the source address of their link from the
# start (no NAT here to repair it); sockets bound to a link's address or device never leave by another.
#
#   [gw] wan1, wan2, wan3 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
# main knows no way out by wan3: only asymbpf's rules bring sockets bound to it there
ip -n "$gw" route del default via 100.64.3.1
ip -n "$gw" -6 route del default via 2001:db8:3::1
links() { # NAT
	local k gateway=''
	for k in 1 2 3; do
		[ $k != 3 ] || gateway='gateway = 100.64.3.1 gateway6 = 2001:db8:3::1'
		echo "link wan$k { device = \"wan$k\" nat = $1 nat6 = $1 $gateway }"
	done
}
set_nat() { config <<<"lan { devices = {\"lan0\"} } $(links "$1")"; }

set_nat none
needs 'load without NAT' asym load --config "$tmp/conf"
spread() { # DESCRIPTION TEXT [TOLERANCE]: 3000 over three links; no failure
	local k
	is "$1: none fails" "$(failures "$2")" 0
	for k in 1 2 3; do near "$1: wan$k" "$(to "$2" $k)" 1000 "${3-110}"; done
}
spread 'TCP connect' "$(gw "$traffic" tcp -n 3000 198.51.100.0/24 80)"
spread 'UDP connect' "$(gw "$traffic" udp -n 3000 198.51.100.7 53)"
spread 'UDP sendto' "$(gw "$traffic" udp -u -t 300 -n 3000 198.51.100.0/24 53)"
spread 'TCP connect, IPv6' "$(gw "$traffic" tcp -n 3000 2001:db8:ffff::/64 80)"
spread 'UDP sendto, IPv6' "$(gw "$traffic" udp -u -t 300 -n 3000 2001:db8:ffff::9 53)"
# a socket's datagrams go together: 1000 choices, counted by threes, so sigma is 45, not 26
spread 'UDP sendto, 3 datagrams of each socket keep address and port' \
	"$(gw "$traffic" udp -u -t 300 -n 1000 -c 3 198.51.100.0/24 53)" 200
spread 'the same with IPv6' "$(gw "$traffic" udp -u -t 300 -n 1000 -c 3 2001:db8:ffff::/64 53)" 200
is 'getsockname tells the address that echod sees' \
	"$(gw "$traffic" tcp -l -n 300 198.51.100.7 80 | awk '{ n += $2 } END { print NR, n }')" '3 300'
no_strays 'every packet had the source of its link' 1 2 3

bound() { # TITLE: 200 sockets of each kind for each link
	local k proto u
	for k in 1 2 3; do
		for proto in tcp udp 'udp -u'; do
			for u in "-i wan$k" "-s 100.64.$k.2"; do
				# shellcheck disable=SC2086
				is "$1: $proto $u" "$(gw "$traffic" $proto -t 1000 $u -n 200 198.51.100.7 53)" "100.64.$k.2 200"
			done
		done
		is "$1: IPv6 tcp -s" "$(gw "$traffic" tcp -t 1000 -s "2001:db8:$k::2" -n 200 2001:db8:ffff::7 53)" "2001:db8:$k::2 200"
		is "$1: IPv6 udp -i" "$(gw "$traffic" udp -t 1000 -i wan$k -n 200 2001:db8:ffff::7 53)" "2001:db8:$k::2 200"
		before=$(arrived icmp$k)
		ok "$1: ping -I wan$k" gw ping -q -c 2 -i 0.05 -W 1 -I wan$k 198.51.100.7
		ok "$1: ping -I address of wan$k" gw ping -q -c 2 -i 0.05 -W 1 -I "100.64.$k.2" 198.51.100.7
		is "$1: the pings left by wan$k" $(($(arrived icmp$k) - before)) 4
	done
}
bound 'no NAT'
no_strays 'no packet of a bound socket left by another link' 1 2 3

is 'a socket that its owner marked for a link goes there' \
	"$(gw "$traffic" tcp -m "$(status '.links[2].mark')" -n 100 198.51.100.7 80)" '100.64.3.2 100'

set_nat masquerade
ok 'reload with masquerade' asym reload --config "$tmp/conf"
bound masquerade
spread 'TCP connect, masquerade' "$(gw "$traffic" tcp -n 3000 198.51.100.0/24 80)"
spread 'UDP sendto, masquerade' "$(gw "$traffic" udp -u -t 300 -n 1000 -c 3 198.51.100.0/24 53)" 200
no_strays 'with masquerade no packet has the source of another link either' 1 2 3

config <<<"host-traffic = false lan { devices = {\"lan0\"} } $(links masquerade)"
ok 'reload with host-traffic = false' asym reload --config "$tmp/conf"
is 'host-traffic = false: main decides' "$(gw "$traffic" tcp -n 100 198.51.100.7 80)" '100.64.1.2 100'
spread 'host-traffic = false: clients' "$(c "$traffic" tcp -n 3000 198.51.100.0/24 80)"
done_testing
