#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 250 links: loaded, used, reloaded, unloaded; with few rules and in little time.
#
#   [c] ──── lan0 [gw] wan1..wan250 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
n=250
for ((k = 1; k <= n; k++)); do echo "link add wan$k type veth peer name p$k netns $net"; done | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set wan$k up" "addr add 100.64.$k.2/24 dev wan$k" "addr add 2001:db8:$k::2/64 dev wan$k" \
		"route add default via 100.64.$k.1 dev wan$k metric $((100 + k))" \
		"-6 route add default via 2001:db8:$k::1 dev wan$k metric $((100 + k))"
done | grep -v '^-6' | ip -n "$gw" -batch -
for ((k = 1; k <= n; k++)); do echo "route add default via 2001:db8:$k::1 dev wan$k metric $((100 + k))"; done |
	ip -n "$gw" -6 -batch -
for ((k = 1; k <= n; k++)); do
	printf '%s\n' "link set p$k up" "addr add 100.64.$k.1/24 dev p$k" "addr add 2001:db8:$k::1/64 dev p$k"
done | ip -n "$net" -batch -

timed() { # DESCRIPTION CMD...: within 20 s; the time is printed
	local d=$1 t0=${EPOCHREALTIME/[.,]/} ms
	shift
	ok "$d" "$@"
	ms=$(((${EPOCHREALTIME/[.,]/} - t0) / 1000))
	diag "$d took $ms ms"
	ok "$d takes less than 20 s" [ $ms -lt 20000 ]
}
flags=(--lan lan0)
for ((k = 1; k <= n; k++)); do flags+=(--iface wan$k); done
rules() { { ip -n "$gw" rule; ip -n "$gw" -6 rule; } | wc -l; }
none=$(rules)

timed 'load' asym load "${flags[@]}"
is 'status lists them' "$(status '[.links[] | select(.ipv4.state == .ipv6.state)] | length')" $n
is 'each has a mark of its own' "$(status '[.links[].mark] | unique | length')" $n
diag "$(($(rules) - none)) rules"
# per link and family one by address, one by device; the marks are a tree (doc/design.md)
ok 'no rule is looked at 250 times for a mark' [ $(($(rules) - none)) -le $((2 * (3 * n + 60))) ]
text=$(c "$traffic" tcp -n 6000 198.51.100.0/24 80)
is 'none of 6000 connections fails' "$(failures "$text")" 0
is 'all links are used' "$(wc -l <<<"$text")" $n
text=$(c "$traffic" udp -n 6000 2001:db8:ffff::/64 53)
is 'IPv6: none fails' "$(failures "$text")" 0
is 'IPv6: all links are used' "$(wc -l <<<"$text")" $n
is 'a connection by the last link, bound' "$(gw "$traffic" tcp -n 20 -i wan250 198.51.100.7 80)" '100.64.250.2 20'

timed 'reload' asym reload
unset 'flags[-1]' 'flags[-1]'
timed 'reload without wan250' asym reload "${flags[@]}"
text=$(c "$traffic" tcp -n 6000 198.51.100.0/24 80)
is 'now 249 are used' "$(wc -l <<<"$text")" 249
is 'and not wan250' "$(to "$text" 250)" 0
timed 'unload' asym unload
is 'no rule is left' "$(rules)" "$none"
done_testing
