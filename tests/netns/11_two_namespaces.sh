#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two gateways in two network namespaces of one machine: neither sees the other, also not through the
# cgroup programs, which are common to all; unload of one leaves the other working.
#
#   [cA] ──── lan0 [gwA] wan1, wan2 ════ [netA]          [cB] ──── lan0 [gwB] wan1, wan2 ════ [netB]
. "$(dirname "$0")/lib.sh"
for side in A B; do
	lab $side
	wan 1
	wan 2
done
works() { # SIDE WEIGHT1 WEIGHT2: clients and the router itself follow this side's weights
	local text who
	use_lab "$1"
	for who in c gw; do
		text=$($who "$traffic" tcp -n 1000 198.51.100.0/24 80)
		is "$1: none fails ($who)" "$(failures "$text")" 0
		near "$1: shares ($who)" "$(to "$text" 1)" $((1000 * $2 / ($2 + $3))) 65
	done
}
use_lab A
needs 'load A, 9:1' asym load --iface wan1:9 --iface wan2 --lan lan0
use_lab B
is 'B is as if nothing were there' "$(gw "$traffic" tcp -n 100 198.51.100.7 80)" '100.64.1.2 100'
ok 'B says that it is not loaded' sh -c "! ip netns exec $gw $asymbpf status"
ok 'load B, 1:4' asym load --iface wan1 --iface wan2:4 --lan lan0
works A 9 1
works B 1 4
use_lab A
ok 'reload A, 1:9' asym reload --iface wan1 --iface wan2:9 --lan lan0
works A 1 9
works B 1 4
use_lab A
ok 'unload A' asym unload
is 'A is as if nothing were there' "$(gw "$traffic" tcp -n 100 198.51.100.7 80)" '100.64.1.2 100'
works B 1 4
is 'B: status is its own' "$(status '[.links[].weight] | join(":")')" 1:4

# a gateway namespace that is deleted while loaded must not harm the other
use_lab A
ok 'load A again' asym load --iface wan1:9 --iface wan2 --lan lan0
use_lab B
ok 'unload B' asym unload
works A 9 1
done_testing
