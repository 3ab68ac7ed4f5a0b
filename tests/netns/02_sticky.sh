#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A sticky rule keeps a source on its link: over connections, over a reload with other weights, until
# the time-out; but never on a link that is dead.
#
#   [c] 10.1.0.0/16 ──── lan0 [gw] wan1, wan2, wan3 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3; do wan $k; done
# long enough for the reload and 60 connections in between
timeout=$((4 * ${ASYM_TEST_SLOW:-1}))

sticky_config() { # WEIGHT-OF-WAN1
	config <<-END
		lan { devices = {"lan0"} }
		link wan1 { device = "wan1" weight = $1 }
		link wan2 { device = "wan2" }
		link wan3 { device = "wan3" }
		policy balanced { tier { links = {"wan1", "wan2", "wan3"} } }
		rule https { proto = tcp dport = 443 policy = balanced sticky = ${timeout}s }
		rule pairs { proto = tcp dport = 5000 policy = balanced sticky = 1m sticky-key = src+dst }
		rule rest { policy = balanced }
	END
}
# 30 sources; -v prints "INDEX SRC DST SEEN"
visit() { c "$traffic" tcp -v -s 10.1.0.0/27 -n "$1" 198.51.100.7 443 | awk 'NF == 4 { print $2, $4 }' | sort -u; }

sticky_config 1
needs 'load' asym load --config "$tmp/conf"
first=$(visit 300)
is '30 sources, 10 connections each: each on one link' "$(wc -l <<<"$first")" 30
is 'the sources use all links' "$(awk '{ print $2 }' <<<"$first" | sort -u | wc -l)" 3
is 'none fails' "$(grep -c '!' <<<"$first")" 0
again=$(c "$traffic" tcp -s 10.1.0.1 -n 200 198.51.100.0/24 443)
is 'one source to many hosts: one link' "$(wc -l <<<"$again")" 1
is 'the rule without sticky spreads the same source' \
	"$(c "$traffic" tcp -s 10.1.0.1 -n 200 198.51.100.7 80 | wc -l)" 3

pairs() { c "$traffic" tcp -v -s 10.1.0.1 -n 90 198.51.100.32/27 5000 | awk 'NF == 4 { print $3, $4 }' | sort -u; }
p1=$(pairs)
is 'sticky-key src+dst: 30 hosts, each on one link' "$(wc -l <<<"$p1")" 30
is 'sticky-key src+dst: the hosts use all links' "$(awk '{ print $2 }' <<<"$p1" | sort -u | wc -l)" 3

sticky_config 1000
ok 'reload, almost everything to wan1' asym reload --config "$tmp/conf"
is 'known sources stay where they were' "$(visit 60)" "$first"
fresh=$(c "$traffic" tcp -s 10.1.9.0/24 -n 200 198.51.100.7 443)
is 'new sources follow the new weights' "$([ "$(to "$fresh" 1)" -gt 180 ] && echo yes)" yes

# the only way to see a time-out is to let it pass, and the second's granularity
sleep $((timeout + 1)).5
late=$(visit 60)
is 'after the time-out sources choose anew' "$([ "$(grep -c ' 100.64.1.2$' <<<"$late")" -ge 27 ] && echo yes)" yes

ok 'sources are on wan1 now' grep -q ' 100.64.1.2$' <<<"$late"
ip -n "$gw" link set wan1 down
ok 'reload with wan1 dead' asym reload
dead=$(visit 300)
is 'sticky sources leave the dead link: none fails' "$(grep -c '!' <<<"$dead")" 0
is 'and none is on wan1' "$(grep -c ' 100.64.1.2$' <<<"$dead")" 0
is 'each still on one link' "$(wc -l <<<"$dead")" 30
done_testing
