#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow cache comes and goes: programs on both sides of every device, conntrack's settings, what
# status says; and connections that conntrack has not seen for megabytes go on without it.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
gw nft -f - <<<'table ip t { chain c { type filter hook forward priority 0; ct state new counter
}; }' # sysctls of conntrack change from here on only by asymbpf
liberal() { gw cat /proc/sys/net/netfilter/nf_conntrack_tcp_{be_liberal,ignore_invalid_rst} | paste -sd' '; }
gw sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=0
learners() { # how many programs of ours there are for tc egress
	local id cookie
	cookie=$(gw "$build/tests/netns/cookie")
	for id in $(bpftool -j map show | jq '.[] | select(.name == "asym_control").id'); do
		[ "$(bpftool -j map dump id "$id" 2>/dev/null | jq '.[0].formatted.value.netns_cookie')" = "$cookie" ] || continue
		bpftool -j prog show | jq "[.[] | select((.name | startswith(\"asym_learn\")) and
			(.map_ids | index($id)))] | length"
	done
}
no_learners() { [ "$(learners)" = 0 ]; }
conf() { # FASTPATH
	cat <<-END
		fastpath = $1  revalidate = 8s  flow-pairs = 1500
		lan { devices = "lan0" }
		link wan1 {} link wan2 {}
	END
}

config < <(conf yes)
needs 'load' asym load --config "$tmp/conf"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
is 'status tells the room' "$(status '.flow_cache | [.connections, .revalidate_s] | @tsv')" "2048$(printf '\t')8"
is 'conntrack is liberal' "$(liberal)" '1 1'

ip netns exec "$c" "$traffic" tcp -n 8 -c 0 -b 4096 198.51.100.0/24 80 >"$tmp/bulk" 2>&1 </dev/null &
bulk=$!
asym_pids+=($bulk)
passed() { [ "$(asym stats --json | jq .counters.lan_flow)" -gt "$1" ]; }
is 'programs learn' "$(learners)" 1
ok 'megabytes pass by the stack' wait_for passed 20000

config < <(conf no)
ok 'reload without the cache' asym reload --config "$tmp/conf"
is 'status says so' "$(status '.flow_cache | [.on, .reason] | map(tostring) | join(" ")')" 'false fastpath = no'
ok 'no program learns any more' wait_for no_learners
is 'conntrack is as before' "$(liberal)" '0 0'
hits() { asym stats --json | jq .counters.link_in; }
before=$(hits)
more() { [ "$(hits)" -gt $((before + 20000)) ]; }
ok 'the connections go on through the stack' wait_for more
flow=$(asym stats --json | jq .counters.lan_flow)
config < <(conf yes)
ok 'reload with the cache' asym reload --config "$tmp/conf"
ok 'they pass by it again' wait_for passed $((flow + 20000))
kill -TERM $bulk
wait $bulk || true
is 'none of them broke' "$(failures "$(cat "$tmp/bulk")")" 0
no_strays 'no packet left without NAT' 1 2

ok 'reload by flags' asym reload --iface wan1 --iface wan2 --lan lan0 --fastpath no
is 'status says so again' "$(status .flow_cache.on)" false
ok 'unload' asym unload
is 'conntrack is as before again' "$(liberal)" '0 0'
done_testing
