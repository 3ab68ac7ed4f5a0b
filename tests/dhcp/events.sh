# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What may happen to a router whose links live on leases, one function for each.  Sourced by scenario.  Where leases
# or lines are lost on purpose, the judge looks at what comes after (afresh).
event_none() { :; }

afresh() { # once all WANs have addresses again
	local k
	wait_for all_bound || wait_for all_bound || wait_for all_bound || gone_wrong 'no lease again'
	wait_for links_answer || gone_wrong 'no connectivity again'
	from=$(boottime)
	for k in $(each_wan); do kill "${pings[k]}" 2>/dev/null || true; done
	ping_all
}
links_answer() {
	local k
	for k in $(each_wan); do gw ping -n -c 1 -W 1 -I "wan$k" 198.51.100.1 || return 1; done
}
has_base() { # BASE
	local k
	for k in $(each_wan); do
		ip -n "$gw" -4 -o addr show dev "wan$k" | grep -qF " $(address "$k" "$1")/" || return 1
	done
}
stop_server() {
	kill "$served"
	wait "$served" 2>/dev/null || true
}
requests() { # how many renewals have come in up to now
	awk '$3 == "in" && $4 == "REQUEST" && $12 != "0.0.0.0"' "$tmp/lines" | wc -l
}
more_requests() { [ "$(requests)" -gt "$1" ]; }
in_a_renewal() { # comes back when one is under way
	local before
	before=$(requests)
	wait_for more_requests "$before" || wait_for more_requests "$before" || gone_wrong 'nobody renews'
}

event_change() { # the server refuses what it gave, and gives others
	stop_server
	serve 20
	wait_for has_base 20 || wait_for has_base 20 || wait_for has_base 20 || wait_for has_base 20 ||
		gone_wrong 'no new addresses'
	afresh
}
none_bound() {
	local k
	for k in $(each_wan); do ! has_address "$k" || return 1; done
}
event_expiry() { # no server until all leases are over
	stop_server
	wait_for none_bound || wait_for none_bound || wait_for none_bound || wait_for none_bound ||
		gone_wrong 'leases do not end'
	serve
	afresh
}
event_carrier() {
	ip -n "$mid" link set l2 down
	sleep 2
	ip -n "$mid" link set l2 up
	afresh
}
event_admin() { # nobody asks the client, and the kernel takes the routes away
	ip -n "$gw" link set wan2 down
	sleep 1
	ip -n "$gw" link set wan2 up
	afresh
}
event_restart() { # of all clients, which forget what they had
	local k pid
	in_a_renewal
	for k in $(each_wan); do kill -KILL "${clients[k]}" 2>/dev/null || true; done
	# dhcpcd's helpers outlive it, and heed no TERM then
	for pid in $(ip netns pids "$gw"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dhcpcd ] || kill -KILL "$pid" 2>/dev/null || true
	done
	for k in $(each_wan); do ip -n "$gw" -4 addr flush dev "wan$k"; done
	start_clients
	afresh
}
event_kill_daemon() { # in the middle of a renewal; not judged afresh: nobody is to notice
	in_a_renewal
	kill -KILL "$daemon"
	sleep "$t1"
	start_daemon
}
event_kill_daemon_for_good() {
	in_a_renewal
	kill -KILL "$daemon"
}
event_kill_shim() { # who is not there holds nothing up; who is back goes on
	in_a_renewal
	kill -KILL "$shim"
	sleep "$t1"
	start_shim
	afresh
}
