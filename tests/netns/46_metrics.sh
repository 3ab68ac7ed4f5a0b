#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon serves at /metrics: well-formed in both formats, and true.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]      UDP to port 53 by wan2, all else 2:1
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2; do wan $k; done
at=127.0.0.1
configure() { # METRICS
	config <<-END
		metrics = "$1"
		link wan1 { device = "wan1" weight = 2 }
		link wan2 { device = "wan2" }
		policy far { links = {"wan2"} }
		policy balanced { tier { links = {"wan1", "wan2"} } }
		rule dns { proto = udp dport = 53 policy = far }
		rule rest { policy = balanced }
	END
}
ask() { # REQUEST [HEADER]...: the answer
	printf '%s HTTP/1.1\r\n' "$1" >"$tmp/request"
	printf '%s\r\n' "Host: $at" "${@:2}" '' >>"$tmp/request"
	# shellcheck disable=SC2016
	gw timeout 10 bash -c 'exec 3<>"/dev/tcp/$1/9171" && cat "$2" >&3 && cat <&3' ask "$at" "$tmp/request"
}
scrape() { ask 'GET /metrics' "$@" | sed '1,/^\r$/d'; } # [HEADER]...: the page
served() { ask 'GET /metrics' | grep -q '^asymbpf_'; }
refused() { ! ask 'GET /metrics' >/dev/null 2>&1; }
metric() { # SERIES: its value now
	scrape | awk -v s="asymbpf_$1" 'index($0, s " ") == 1 { print $NF }'
}
becomes() { [ "$(metric "$1")" = "$2" ]; } # SERIES VALUE

configure "$at:9171"
run_in "$gw" "$asymbpf" monitor --config "$tmp/conf"
daemon=$kept
needs 'the daemon serves metrics' wait_for served
# who connects and says nothing has ten seconds
# shellcheck disable=SC2016
gw bash -c 'exec 3<>/dev/tcp/127.0.0.1/9171 && cat <&3; echo "$EPOCHREALTIME"' >"$tmp/silent" 2>&1 &
asym_pids+=($!)
silent=$! since=${EPOCHREALTIME/[.,]/}
c "$traffic" tcp -n 30 198.51.100.7 443 >/dev/null
c "$traffic" udp -n 20 198.51.100.8 53 >/dev/null

# --- the form
open='Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
like 'the text format' "$(ask 'GET /metrics')" 'HTTP/1.1 200 OK.*Content-Type: text/plain; version=0.0.4; charset=utf-8'
like 'OpenMetrics for those who accept it' "$(ask 'GET /metrics' "$open")" \
	'HTTP/1.1 200 OK.*Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8'
is 'OpenMetrics ends with its mark' "$(scrape "$open" | tail -n 1)" '# EOF'
like 'there is nothing else' "$(ask 'GET /')" 'HTTP/1.1 404 '
like 'GET only' "$(ask 'POST /metrics' 'Content-Length: 5')" 'HTTP/1.1 405 .*Allow: GET'
if promtool=$("$root/scripts/promtool" 2>"$tmp/why"); then
	scrape >"$tmp/page"
	ok 'promtool has nothing to say' test -z "$("$promtool" check metrics <"$tmp/page" 2>&1 || echo failed)"
	# its reader of OpenMetrics wants to be told the time of each sample
	scrape "$open" | sed "/^#/!s/\$/ $EPOCHSECONDS/" >"$tmp/page"
	ok 'and reads the other format' "$promtool" tsdb create-blocks-from openmetrics "$tmp/page" "$tmp/blocks"
else
	for i in 1 2; do
		n_tests=$((n_tests + 1))
		echo "ok $n_tests # SKIP $(head -n 1 "$tmp/why")"
	done
fi

# --- the numbers
# asymbpf's own reports before and after the page: every counter lies between
page_json() {
	scrape | awk '!/^#/ { v = $NF; sub(/ [^ ]*$/, ""); print v " " $0 }' |
		jq -Rn '[inputs | capture("^(?<v>[^ ]*) asymbpf_(?<k>.*)$") | {key: .k, value: (.v | tonumber)}] | from_entries'
}
reports() { # what status and stats say, by the names of metrics
	jq -n --argjson status "$(asym status --json)" --argjson stats "$(asym stats --json)" '
		[($stats.counters | to_entries[] | select(.key | startswith("cache_") | not) |
			{key: "packets_total{reason=\"\(.key)\"}", value}),
		 ($stats.counters | to_entries[] | select(.key | startswith("cache_")) |
			{key: "flow_cache_events_total{event=\"\(.key[6:])\"}", value}),
		 ($stats.rules[] | . as $r | ($status.rules[] | select(.name == $r.name).policy) as $p |
			{key: "rule_packets_total{rule=\"\(.name)\",policy=\"\($p)\"}", value: .packets},
			{key: "rule_bytes_total{rule=\"\(.name)\",policy=\"\($p)\"}", value: .bytes}),
		 ($status.links[] |
			{key: "link_receive_bytes_total{link=\"\(.name)\",device=\"\(.device)\"}", value: .rx_bytes},
			{key: "link_transmit_bytes_total{link=\"\(.name)\",device=\"\(.device)\"}", value: .tx_bytes},
			{key: "link_connections_total{link=\"\(.name)\",direction=\"out\"}", value: .connections_out},
			{key: "link_connections_total{link=\"\(.name)\",direction=\"in\"}", value: .connections_in})
		] | from_entries'
}
between() {
	reports >"$tmp/before"
	page_json >"$tmp/page"
	reports >"$tmp/after"
	jq -n --slurpfile b "$tmp/before" --slurpfile p "$tmp/page" --slurpfile a "$tmp/after" '
		$b[0] | to_entries[] | . as $e | $p[0][.key] as $v |
		select($v == null or $v < .value or $v > $a[0][$e.key]) | {metric: .key, before: .value, page: $v, after: $a[0][.key]}'
}
is 'counters are as status and stats have them' "$(between)" ''
is 'every counter of stats is there' \
	"$(page_json | jq '[keys[] | select(test("^(packets|flow_cache_events)_total"))] | length')" \
	"$(asym stats --json | jq '.counters | length')"
is 'connections by both links' "$(page_json | jq '.["link_connections_total{link=\"wan1\",direction=\"out\"}"] +
	.["link_connections_total{link=\"wan2\",direction=\"out\"}"]')" 50
is 'packets of a rule' "$(metric 'rule_packets_total{rule="dns",policy="far"}')" "$(status '.rules[] | select(.name == "dns").packets')"
like 'packets of the device' "$(metric 'link_transmit_packets_total{link="wan1",device="wan1"}')" '^[1-9][0-9]+$'
for k in 1 2; do
	is "wan$k's share" "$(page_json | jq ".[\"link_share_ratio{policy=\\\"balanced\\\",family=\\\"ipv4\\\",link=\\\"wan$k\\\"}\"]")" \
		"$(status "[.policies[] | select(.name == \"balanced\").ipv4.wan$k * 1e15 | round][0] / 1e15")"
done
is 'share wanted' "$(metric 'link_share_wanted_ratio{policy="balanced",family="ipv4",link="wan1"}')" 0.666666666666667
ok 'the gateway answers' wait_for becomes 'probe_answers{link="wan1",family="ipv4",kind="gateway",target="gateway"}' 1
like 'latency in seconds' "$(metric 'probe_latency_seconds{link="wan1",family="ipv4",kind="gateway",target="gateway"}')" '^(0\.0|[1-9].*e-)'

# --- a link that the operator forces
ok 'forced down' asym link wan1 down
ok 'is so' wait_for becomes 'link_state{link="wan1",family="ipv4",state="down",reason="forced"}' 1
is 'and says so' "$(metric 'link_forced{link="wan1",state="down"}')" 1
ok 'left to itself' asym link wan1 auto
ok 'is up' wait_for becomes 'link_up{link="wan1",device="wan1",family="ipv4"}' 1
is 'and not forced' "$(metric 'link_forced{link="wan1",state="down"}')" 0

# --- a link that goes
net ip link set p1 down
ok 'a link is down' wait_for becomes 'link_up{link="wan1",device="wan1",family="ipv4"}' 0
is 'and why' "$(metric 'link_state{link="wan1",family="ipv4",state="down",reason="no-carrier"}')" 1
is 'the other has all' "$(metric 'link_share_ratio{policy="balanced",family="ipv4",link="wan2"}')" 1
is 'its own is none' "$(metric 'link_share_ratio{policy="balanced",family="ipv4",link="wan1"}')" 0
net ip link set p2 down
ok 'no tier is in use' wait_for becomes 'policy_tier{policy="balanced",family="ipv4"}' 0
like 'events are counted' "$(metric 'events_total{event="link"}')" '^[1-9]'

# --- the silent one
wait "$silent"
near 'was shown the door after 10 s, in ms' \
	$((($(tr -d '.,' <"$tmp/silent") - since) / 1000)) 10000 $((500 * ${ASYM_TEST_SLOW:-1}))

# --- where
at=::1
configure '[::1]:9171'
ok 'reload' wait_for asym reload --config "$tmp/conf"
ok 'served by IPv6 now' wait_for served
at=127.0.0.1
ok 'and not where it was' refused
configure no
ok 'reload without' wait_for asym reload --config "$tmp/conf"
at=::1
ok 'not served any more' wait_for refused
kill "$daemon"
wait "$daemon" && rc=0 || rc=$?
is 'the daemon ends well' "$rc" 0
done_testing
