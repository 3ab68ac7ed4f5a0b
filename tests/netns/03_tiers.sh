#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A policy uses its first tier that has a live link; without any, its last resort.
#
#   [c] ──── lan0 [gw] wan1, wan2   (tier 1) ════ [net]
#                      wan3         (tier 2) ════
#                      wan4         (no link: only main knows it) ════
. "$(dirname "$0")/lib.sh"
lab
for k in 1 2 3 4; do wan $k; done
gw nft -f - <<-END
	table ip test {
		chain post { type nat hook postrouting priority srcnat; oifname "wan4" masquerade; }
	}
END
tiers='tier { links = {"wan1", "wan2"} } tier { links = {"wan3"} }'
config <<-END
	lan { devices = {"lan0"} }
	link wan1 { device = "wan1" }
	link wan2 { device = "wan2" }
	link wan3 { device = "wan3" }
	policy refuse { $tiers last-resort = unreachable }
	policy silent { $tiers last-resort = blackhole }
	policy fallen { $tiers last-resort = main }
	rule r80 { proto = {tcp, udp} dport = 80 policy = refuse }
	rule r443 { proto = tcp dport = 443 policy = silent }
	rule r5000 { proto = tcp dport = 5000 policy = fallen }
END
connect() { c "$traffic" tcp -t 1000 -n 200 198.51.100.0/24 "$1"; }
only() { # DESCRIPTION PORT K...: all 200 go by these links, and each is used
	local d=$1 port=$2 text
	shift 2
	text=$(connect "$port")
	is "$d" "$(to "$text" "$@") by $(wc -l <<<"$text")" "200 by $#"
}
down() { ip -n "$gw" link set "wan$1" down && asym reload; }

needs 'load' asym load --config "$tmp/conf"
for port in 80 443 5000; do only "all live: tier 1 alone, port $port" $port 1 2; done
ok 'wan1 dies' down 1
only 'wan2 alone' 80 2
ok 'wan2 dies' down 2
for port in 80 443 5000; do only "tier 2, port $port" $port 3; done
is 'status names tier 2' "$(status '.policies[] | select(.name == "refuse").ipv4 | keys | join(" ")')" wan3

ok 'wan3 dies' down 3
# the kernel sends each host such an error once a second, so 20 hosts
like 'unreachable: an ICMP error' "$(c "$traffic" tcp -t 2500 -s 10.1.0.0/16 -n 20 198.51.100.7 80)" "${refused}20\$"
is 'blackhole: silence' "$(connect 443)" '!ETIMEDOUT 200'
only 'main: as if asymbpf were not there' 5000 4
like 'unreachable for the router itself' "$(gw "$traffic" tcp -n 20 198.51.100.7 80)" "${refused}20\$"
for how in '' -u; do # connected, and sendto(): the rule and the program say the same
	is "unreachable for the router's datagrams ${how:-connected}" "$(gw "$traffic" udp $how -n 20 198.51.100.7 80)" '!ENETUNREACH 20'
done
is 'nothing of it reached an access line' "$(arrived strays1 strays2 strays3 strays4)" 0

for k in 1 2 3; do ip -n "$gw" link set wan$k up && wan_address $k wan$k; done
ok 'all come back' asym reload
for port in 80 443 5000; do only "tier 1 again, port $port" $port 1 2; done
done_testing
