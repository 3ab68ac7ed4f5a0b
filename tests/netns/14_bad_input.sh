#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is wrong is refused with a message that names it, and nothing is changed by what is refused.
#
#   [c] ──── lan0 [gw] wan1, wan2, wan3 ════ [net]       port0 is a port of br0, bare has no address
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
ip -n "$gw" link add br0 type bridge
ip -n "$gw" link add port0 type veth peer name port1
ip -n "$gw" link set port0 master br0
ip -n "$gw" link set port0 up
ip -n "$gw" link add bare type veth peer name bare1
ip -n "$gw" link set bare up
ip -n "$gw" link set bare1 up
state() {
	ip -n "$gw" rule
	ip -n "$gw" -6 rule
	ip -n "$gw" route show table all
	gw nft list ruleset
	gw sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(conf|ip_forward)'
	tc -n "$gw" qdisc
}
state >"$tmp/before"
untouched() { state | diff -u "$tmp/before" -; }
refuse() { # DESCRIPTION STATUS REGEX ARGS...
	exits "$1" "$2" "$3" asym "${@:4}"
}

refuse 'no command' 2 '[Uu]sage'
refuse 'unknown command' 2 "frobnicate" frobnicate
refuse 'unknown option' 2 "frobnicate" load --frobnicate
refuse 'option without its value' 2 'iface' load --iface
refuse 'weight 0' 2 '0' load --iface wan1:0
refuse 'weight too large' 2 '1001' load --iface wan1:1001
refuse 'weight not a number' 2 'x3' load --iface wan1:x3
refuse 'empty name' 2 '.' load --iface ''
refuse 'name too long' 2 'abcdefghijklmnopqrstuvwxyz' load --iface abcdefghijklmnopqrstuvwxyz
refuse 'explain without arguments' 2 '[Uu]sage' explain
refuse 'check without a file' 2 '[Uu]sage' check
refuse 'check of two files' 2 'one configuration file' check --config a.conf b.conf
refuse 'a value where none is taken' 2 '--json takes no value' status --json=1
refuse 'load with nothing to load' 2 'name the links' load
exits 'help' 0 'load' asym --help
exits 'help of a command' 0 'iface' asym load --help
exits 'of one of wg, with its own file' 0 'config FILE .*/etc/asymbpf/mesh.conf' asym wg plan --help

refuse 'no such device' 1 'wan9' load --iface wan1 --iface wan9 --lan lan0
refuse 'a near miss is suggested' 1 'wan1' load --iface wam1 --lan lan0
refuse 'loopback' 1 'lo' load --iface lo
refuse 'port of a bridge' 1 'br0' load --iface wan1 --iface port0
refuse 'same device twice' 2 'wan1' load --iface wan1 --iface wan1
refuse 'link and LAN at once' 1 'wan1' load --iface wan1 --lan wan1
refuse 'no such LAN' 1 'lan9' load --iface wan1 --lan lan9
refuse 'no such file' 1 '/nowhere/conf' load --config /nowhere/conf
ok 'nothing was changed by any of it' untouched

bad() { # DESCRIPTION REGEX TEXT: a configuration that check and load refuse with file and line
	config <<<"$3"
	exits "check: $1" 1 "conf:[0-9]+.*$2" asym check "$tmp/conf"
	exits "load: $1" 1 "conf:[0-9]+.*$2" asym load --config "$tmp/conf"
}
l='link wan1 { device = "wan1" }'
bad 'syntax' '.' "$l rule {{"
bad 'unknown key' 'colour' 'link wan1 { device = "wan1" colour = red }'
bad 'undefined policy' 'nosuch' "$l rule x { policy = nosuch }"
bad 'undefined link in a policy' 'wan7' "$l policy p { tier { links = {\"wan7\"} } } rule x { policy = p }"
bad 'undefined set' 'nosuch' "$l policy p { tier { links = {\"wan1\"} } } rule x { src-set = nosuch policy = p }"
bad 'a bad prefix' '10.0.0.300' "$l policy p { tier { links = {\"wan1\"} } } rule x { src = \"10.0.0.300\" policy = p }"
bad 'ports without a protocol that has them' 'dport|proto' "$l policy p { tier { links = {\"wan1\"} } } rule x { proto = icmp dport = 80 policy = p }"
bad 'a mark mask with a hole' '0xf0f0' "mark-mask = 0xf0f0 $l"
bad 'a bad duration' 'soon' "$l policy p { tier { links = {\"wan1\"} } } rule x { sticky = soon policy = p }"
ok 'nothing was changed by any of it either' untouched

gw nft add table inet asymbpf
gw nft add counter inet asymbpf precious
refuse "somebody else's table of our name" 1 'asymbpf' load --iface wan1 --lan lan0
ok 'it is left alone' gw nft list counter inet asymbpf precious
gw nft delete table inet asymbpf
ip -n "$gw" rule add priority 3001 fwmark 0x100/0xff00 lookup 1
refuse 'marks of ours that another rule routes' 1 '3001|0x100|mark' load --iface wan1 --lan lan0
ip -n "$gw" rule del priority 3001
ok 'nothing was changed by these' untouched

refuse 'status when not loaded' 1 'load' status
refuse 'stats when not loaded' 1 'load' stats
refuse 'reload when not loaded' 1 'load' reload
refuse 'explain when not loaded' 1 'load' explain 10.0.0.2 198.51.100.7 tcp 80
exits 'load without root' 1 'CAP_' gw setpriv --reuid 65534 --regid 65534 --clear-groups \
	--inh-caps=-all "$asymbpf" load --iface wan1 --lan lan0
exits 'load without CAP_NET_ADMIN names it' 1 'CAP_NET_ADMIN' gw setpriv --bounding-set=-net_admin \
	--inh-caps=-all "$asymbpf" load --iface wan1 --lan lan0
ok 'nothing was changed by these either' untouched

ip -n "$gw" link set wan2 down
exits 'down and without address: loaded, with warnings' 0 'wan2' asym load --iface wan1 --iface wan2 --iface bare --lan lan0
is 'status tells why' "$(status '[.links[] | .name + ":" + .ipv4.state] | join(" ")' | grep -cE 'wan1:(live|up) .*wan2:.*down.*bare:.*address')" 1
is 'the live link serves' "$(c "$traffic" tcp -n 100 198.51.100.7 80)" '100.64.1.2 100'
refuse 'a second load' 1 'reload' load --iface wan1 --iface wan2 --lan lan0
state >"$tmp/before"
config <<<'link wan1 {'
exits 'reload with a broken file' 1 'conf:[12]: error: ' asym reload --config "$tmp/conf"
refuse 'reload with a missing device' 1 'wan9' reload --iface wan1 --iface wan9 --lan lan0
ok 'a refused reload changes nothing' untouched
is 'and all goes on' "$(c "$traffic" tcp -n 100 198.51.100.7 80)" '100.64.1.2 100'
ok 'unload' asym unload
refuse 'unload when not loaded' 1 'not loaded' unload
done_testing
