#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# New connections spread over the links as their weights say, for TCP, UDP and every key.
#
#   [c] ──── lan0 [gw] wan1..wan5 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3 4 5; do wan $k; done

# 4000 connections, 3 percentage points: over four standard deviations of chance
shares() { # DESCRIPTION TEXT WEIGHT... (of links 1, 2, ...)
	local d=$1 text=$2 k=0 sum=0 w
	shift 2
	is "$d: none fails" "$(failures "$text")" 0
	for w; do sum=$((sum + w)); done
	for w; do
		k=$((k + 1))
		near "$d: wan$k" "$(to "$text" $k)" $((4000 * w / sum)) 120
	done
}

needs 'load 3:1' asym load --iface wan1:3 --iface wan2 --lan lan0
tcp=$(c "$traffic" tcp -n 4000 198.51.100.0/24 80)
shares 'TCP 3:1' "$tcp" 3 1
for k in 1 2; do # a port used twice within seconds is one connection to conntrack
	near "status counts the connections of wan$k" \
		"$(status ".links[] | select(.name == \"wan$k\").connections_out")" "$(to "$tcp" $k)" 5
done
shares 'UDP 3:1' "$(c "$traffic" udp -n 4000 198.51.100.0/24 53)" 3 1
no_strays 'every packet has the source of its link' 1 2
is 'status gives the shares' "$(status '.policies[0].ipv4 | [.wan1, .wan2] | map(. * 100 | round) | join(":")')" 75:25

ok 'reload with five links' asym reload --iface wan1:5 --iface wan2:4 --iface wan3:3 --iface wan4:2 --iface wan5 --lan lan0
shares 'TCP 5:4:3:2:1' "$(c "$traffic" tcp -n 4000 198.51.100.7 443)" 5 4 3 2 1
shares 'UDP 5:4:3:2:1, unconnected' "$(c "$traffic" udp -u -n 4000 198.51.100.0/24 53)" 5 4 3 2 1
no_strays 'every packet has the source of its link, five links' 1 2 3 4 5

links=$(for k in 1 2 3; do echo "link wan$k { device = \"wan$k\" }"; done)
config <<-END
	lan { devices = {"lan0"} }
	$links
	policy by-source { tier { links = {"wan1:2", "wan2", "wan3"} } key = src }
	rule all { policy = by-source }
END
ok 'reload with key = src' asym reload --config "$tmp/conf"
shares 'sources 2:1:1' "$(c "$traffic" tcp -s 10.1.0.0/16 -n 4000 198.51.100.7 80)" 2 1 1
one=$(c "$traffic" tcp -s 10.1.7.7 -n 100 198.51.100.0/24 80)
is 'key = src: one source, one link' "$(wc -l <<<"$one")" 1
done_testing
