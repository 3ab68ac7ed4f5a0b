#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# WANs that are VLANs of one port, and DHCP: a few scenarios of tests/dhcp at once, under a kernel that has VLANs.
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../dhcp/together.sh"

breaks 'wan2 by another line' 'dhclient renews by the wrong VLAN' client=dhclient vlan=yes
holds 'guard: dhclient' with=guard client=dhclient vlan=yes
holds 'guard: dhcpcd' with=guard+daemon client=dhcpcd vlan=yes
holds 'shim: a client bound to its address' with=shim client=renewer vlan=yes tx=off
verdicts
done_testing
