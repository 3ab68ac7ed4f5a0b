#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Others look at what arrives: a shaper that sends a link's packets through an ifb, a filter on the LAN, a
# program on tcx.  They see every packet, as what arrives there does not pass the flow cache.
#
#   [c] ──── lan0 [gw] wan1 (─▶ ifb0 ─▶), wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.sh"
lab
for k in 1 2; do wan $k; done
config <<-END
	lan { devices = "lan0" }
	link wan1 {} link wan2 {}
	policy one { links = "wan1" }
	policy two { links = "wan2" }
	rule two { proto = tcp dport = 443 policy = two }
	rule one { policy = one }
END
few=5 # neighbours ask at any time
tcx=$(printf '%s\n' 6.6 "$(uname -r)" | sort -V | head -n 1 | grep -x 6.6) || true
warning='has ingress filters of others'
says() { # VERB: what it warns of
	asym "$@" --config "$tmp/conf" 2>&1 >"$tmp/out" | grep -o "[a-z0-9]*: $warning" | paste -sd' '
}
packets() { ip -n "$gw" -s -j link show "$1" | jq '.[0].stats64.rx.packets'; } # DEV
# Connections with more exchanges than are to be counted; what the cache did meanwhile is in lan and link,
# how many packets arrived in lan0 and wan1.
run() { # DESCRIPTION PORT
	local got lan_before link_before lan0_before wan1_before
	lan_before=$(stat lan_flow) link_before=$(stat link_flow)
	lan0_before=$(packets lan0) wan1_before=$(packets wan1)
	got=$(c "$traffic" tcp -n 4 -c 250 -p 10 198.51.100.7 "$2")
	is "$1: no exchange fails" "$(failures "$got")" 0
	lan=$(($(stat lan_flow) - lan_before)) link=$(($(stat link_flow) - link_before))
	lan0=$(($(packets lan0) - lan0_before)) wan1=$(($(packets wan1) - wan1_before))
}
passed() { # DESCRIPTION LAN LINK: whether packets from the LAN and from the link passed the cache
	is "$1: from the LAN" "$([ $lan -gt 400 ] && echo many || echo $lan)" "$2"
	is "$1: from the link" "$([ $link -gt 400 ] && echo many || echo $link)" "$3"
}

# --- a shaper ----------------------------------------------------------------------------------------
shaper=
shape() {
	ip -n "$gw" link add ifb0 type ifb && ip -n "$gw" link set ifb0 up &&
		tc -n "$gw" qdisc add dev wan1 handle ffff: ingress &&
		tc -n "$gw" filter add dev wan1 parent ffff: protocol all u32 match u32 0 0 \
			action mirred egress redirect dev ifb0
}
shape 2>"$tmp/why" && shaper=yes || diag 'no ifb, mirred or u32 in this kernel'
is 'check warns of the shaper' "$(says check)" "${shaper:+wan1: $warning}"
is 'load does' "$(says load)" "${shaper:+wan1: $warning}"
[ "$(status .flow_cache.on)" = true ] || skip_all 'this kernel has no flow cache'
if [ -n "$shaper" ]; then
	is 'status knows' "$(status '.flow_cache.ingress_filters | join(" ")')" wan1
	like 'so does its text' "$(asym status)" 'ingress filters of others on wan1'
	seen=$(packets ifb0)
	run 'behind the shaper' 80
	# before Linux 6.6 there is no room at egress beside an ingress qdisc
	passed 'behind the shaper' "$([ -z "$tcx" ] && echo 0 || echo many)" 0
	all_seen() { [ $(($(packets ifb0) - seen)) -ge $wan1 ]; }
	wait_for all_seen || true
	near 'every packet met the shaper' $(($(packets ifb0) - seen)) $wan1 $few
	run 'by the other link' 443
	passed 'by the other link' many many
	tc -n "$gw" qdisc del dev wan1 ingress
	is 'reload without it warns of nothing' "$(says reload)" ''
fi
is 'status knows of none' "$(status '.flow_cache.ingress_filters | length')" 0
run 'without filters' 80
passed 'without filters' many many

# --- a filter on the LAN -----------------------------------------------------------------------------
tc -n "$gw" qdisc add dev lan0 clsact 2>/dev/null || true # ours, without tcx
tc -n "$gw" filter add dev lan0 ingress prio 2651 handle 1 protocol all bpf direct-action bytecode '1,6 0 0 4294967295'
like 'status tells that it came after the load' "$(asym status 2>&1 >/dev/null)" 'lan0: others have put'
is 'reload warns' "$(says reload)" "lan0: $warning"
is 'status warns no more' "$(asym status 2>&1 >/dev/null)" ''
run 'filter on the LAN' 80
passed 'filter on the LAN' 0 many
tc -n "$gw" filter del dev lan0 ingress prio 2651 handle 1 bpf

# --- a program on tcx --------------------------------------------------------------------------------
tcx_on() {
	mkfifo "$tmp/line"
	ip netns exec "$gw" "$build/tests/netns/tcx" wan1 <"$tmp/line" >"$tmp/tcx" 2>&1 &
	counter=$!
	asym_pids+=($counter)
	exec 3>"$tmp/line"
	wait_for [ -s "$tmp/tcx" ]
	rm "$tmp/line"
}
tcx_off() { # DESCRIPTION: it has counted what wan1 has
	exec 3>&-
	wait $counter
	near "$1" "$(tail -n 1 "$tmp/tcx")" "$wan1" $few
}
is 'reload without that filter warns of nothing' "$(says reload)" ''
if [ -n "$tcx" ]; then
	tcx_on
	is 'reload warns of a program behind ours' "$(says reload)" "wan1: $warning"
	run 'program behind ours' 80
	passed 'program behind ours' many 0
	tcx_off 'every packet met it'

	ok 'unload' asym unload
	tcx_on
	is 'load does not warn of a program that is there first' "$(says load)" ''
	run 'program before ours' 80
	passed 'program before ours' many many
	tcx_off 'every packet met that'
fi
ok 'unload at last' asym unload
done_testing
