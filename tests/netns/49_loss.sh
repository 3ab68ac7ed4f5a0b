#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A line that loses two of five answers, and no requests: never enough in a row for `fall`, more than `loss` allows.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/daemon.sh"
lab
for k in 1 2; do wan $k; done
steady_lines 1 2
host=198.51.100.7
conf() { # LOSS
	config <<-END
		lan { devices = "lan0" }
		probe { interval = 100ms timeout = 90ms ping = 198.51.100.1 window = 20 $1 }
		link wan1 {} link wan2 {}
		policy first { tier { links = wan1 } tier { links = wan2 } }
	END
}
lossy() { # IN FIVE
	net nft -f - <<-END
		table inet lossy {
			chain out { type filter hook postrouting priority 0; policy accept;
				oifname p1 icmp type echo-reply numgen inc mod 5 < $1 drop; }
		}
	END
}
conf 'loss = {10, 30}'
daemon 'the daemon starts' --config "$tmp/conf"
wait_for link_is wan1 ipv4 up
mark_events
lossy 2
ok 'a lossy line: down' wait_for told "$(goes wan1 down)"
is 'for its loss' "$(link_says wan1 ipv4)" 'down loss'
is 'the other link is up' "$(link_says wan2 ipv4 | cut -d' ' -f1)" up
is 'connections go by the other' "$(failures "$(c "$traffic" tcp -n 50 $host 80)")" 0
net nft delete table inet lossy
ok 'without loss: up' wait_for link_is wan1 ipv4 up

lossy 1
sleep 4 # the window is 2 s
is 'between the levels it stays up' "$(told_times "$(goes wan1 down)")" 1
net nft delete table inet lossy

conf ''
ok 'without levels' asym reload --config "$tmp/conf"
mark_events
lossy 2
sleep 4
is 'nobody minds' "$(told_times "$(goes wan1 down)")" 0
daemon_end
is 'the daemon ends' "$ended" 0
done_testing
