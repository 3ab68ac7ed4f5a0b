#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Leases of WANs on one LAN of a provider, with real clients and servers: a part of tests/dhcp/matrix, all of it at
# once, as it sleeps most of the time.  Without asymbpf leases break, with it they hold.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../dhcp/together.sh"

breaks 'wan2 by another line' 'a client bound to its address renews by the wrong WAN' client=renewer
breaks 'wan2 re-DISCOVER' 'dhclient loses its lease' client=dhclient rebind=no
breaks 'wan2 by another line' 'dhcpcd renews by the wrong WAN' client=dhcpcd
breaks 're-DISCOVER' 'reverse path checks break even systemd-networkd' client=networkd sysctl=rpf1

holds 'guard alone: a client bound to its address' with=guard client=renewer
holds 'guard alone: frames sent to the wrong device' with=guard client=raw
holds 'guard: dhclient' with=guard+daemon client=dhclient
holds 'guard: dhcpcd, and Kea behind no source guard' with=guard+daemon client=dhcpcd server=kea guard=none
holds 'guard: systemd-networkd and reverse path checks' with=guard+daemon client=networkd sysctl=rpf1
holds 'guard: a relay, macvlans' with=guard+daemon client=dhclient relay=isc macvlan=yes
holds 'guard: the wrong WAN answers ARP first' with=guard client=renewer sysctl=default guard=none rev=yes
holds 'guard: the daemon is killed in the middle of a renewal' with=guard+daemon client=dhclient event=kill_daemon_for_good
holds 'guard: other addresses' with=guard+daemon client=dhcpcd event=change
holds 'shim alone, nothing is loaded' with=shim-alone client=dhcpcd
holds 'shim: dhclient behind a relay' with=shim client=dhclient relay=isc
holds 'guard: one dhclient for both, no default route for one of them' with=guard+daemon client=dhclient-one tx=off
holds 'shim in the daemon' with=shim+daemon client=renewer server=kea guard=none
holds 'watchdog alone: dhclient keeps its leases' with=watchdog client=dhclient rebind=no
holds 'guard, shim and watchdog' with=both client=dhcpcd-each wans=4
verdicts
done_testing
