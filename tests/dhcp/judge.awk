# SPDX-License-Identifier: GPL-2.0-or-later
# awk -v wans=N -v from=S -v to=S [-v macvlan=yes] [-v lease=S] -f judge.awk LINES: what became of the renewals
# between two times, by what the provider's ends of the lines saw (lines.c).  One line of text for each WAN:
#
#   1 K  2 renewals  3 by another line  4 with another MAC  5 with another source address  6 with another source port
#   7 with a wrong checksum  8 not acknowledged on the own line  9 repeated  10 broadcasts of T2  11 DISCOVERs
#   12 NAKs  13 longest time between two ACKs, ms  14 packets for other WANs forwarded out of it  15 ARP of other WANs' addresses
#
# A renewal is a unicast REQUEST with ciaddr.  It belongs to the WAN whose chaddr it has.  Repeated is one that comes
# before half of T1 is over: the client has not got, or not understood, the answer to the one before.
BEGIN {
	for (k = 1; k <= wans; k++) {
		mac[k] = sprintf("02:00:00:00:01:%02x", k)
		owner[mac[k]] = k
		line[k] = macvlan == "yes" ? "p1" : "p" k
		last[k] = from
	}
}
function unanswered(k) { # the one before
	if (k in pending)
		lost[k]++
	delete pending[k]
}
function renewal(k) {
	renewals[k]++
	if ($2 != line[k]) astray[k]++
	if ($6 != mac[k]) foreign_mac[k]++
	if ($8 != $12) foreign_ip[k]++
	if ($9 != 68) foreign_port[k]++
	if ($16 == "bad") bad_sum[k]++
	unanswered(k)
	if (t1 && k in asked && $1 - asked[k] < t1 / 2) repeated[k]++
	pending[k] = $5
	asked[k] = $1
}
function acked(k) {
	if ($2 != line[k] || $7 != mac[k] && $7 != "ff:ff:ff:ff:ff:ff")
		return
	if ($1 - last[k] > gap[k]) gap[k] = $1 - last[k]
	last[k] = $1
	if (k in pending && pending[k] "" == $5 "") delete pending[k]
}
# Whose address is it?  As acknowledged, before `from` too.
$4 == "ACK" && $13 in owner && $14 != "0.0.0.0" { whose[$14] = owner[$13] }
# an ACK before `from` counts only as the start of the longest time
$1 < from { if ($4 == "ACK" && $13 in owner && $2 == line[owner[$13]]) last[owner[$13]] = $1; next }
$1 > to { next }
$4 == "ARP" && $8 in whose && ($2 != line[whose[$8]] || $6 != mac[whose[$8]]) { arp[substr($2, 2)]++ }
# who looks for another WAN has something to forward to it; from one WAN to another by the provider is the
# router's own talk, all else it has forwarded
$4 == "ARP" && $5 + 0 == 1 && $10 in whose && $2 != line[whose[$10]] { forwarded[substr($2, 2)]++ }
$4 == "IP" && !($8 in whose) || $3 == "in" && $11 == 68 { forwarded[substr($2, 2)]++ }
$4 == "IP" || $4 == "ARP" || !($13 in owner) || $15 != "0.0.0.0" && $3 == "in" { next }
{ k = owner[$13] }
$3 == "in" && $4 == "DISCOVER" { discovers[k]++ }
$3 == "in" && $4 == "REQUEST" && $12 != "0.0.0.0" {
	if ($10 == "255.255.255.255") broadcasts[k]++
	else renewal(k)
}
$3 == "out" && $4 == "ACK" { acked(k) }
$3 == "out" && $4 == "NAK" { naks[k]++; delete pending[k] }
END {
	for (k = 1; k <= wans; k++) {
		if (k in pending && to - asked[k] > 2) unanswered(k)
		if (to - last[k] > gap[k]) gap[k] = to - last[k]
		print k, renewals[k] + 0, astray[k] + 0, foreign_mac[k] + 0, foreign_ip[k] + 0, foreign_port[k] + 0, \
			bad_sum[k] + 0, lost[k] + 0, repeated[k] + 0, broadcasts[k] + 0, discovers[k] + 0, \
			naks[k] + 0, int(gap[k] * 1000), forwarded[k] + 0, arp[k] + 0
	}
}
