# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab of the DHCP tests, on top of tests/netns/lib.sh: a router whose WANs are all on one LAN of a provider.
#
#   [gw] wan1 ──── l1 ∙[mid]∙ q1 ──── p1 ┐
#        wan2 ──── l2 ∙∙∙∙∙∙∙ q2 ──── p2 ┼ isp [net] 100.71.64.1     bridge, gateway, DHCP server; 198.51.100.0/24
#        ...                             ┘     back ──── srv0 [srv]  with a relay: the DHCP server, 203.0.113.10
#
#   The dots are 2 ms long (delay.c).
#
#   wanK has the MAC 02:00:00:00:01:K and, by its server, the address 100.71.64.(10 + K), after a change of
#   addresses (20 + K).  All that is said on the provider's ends pK goes to $tmp/lines (lines.c).
#
# What a scenario is made of is in the variables below; each is an argument NAME=VALUE of tests/dhcp/scenario.
dhcp=$root/tests/dhcp
lines=$build/tests/dhcp/lines delay=$build/tests/dhcp/delay renewer=$build/tests/dhcp/renewer

client=renewer	# renewer raw udhcpc dhclient dhclient-one dhcpcd dhcpcd-each networkd
server=isc	# isc kea dnsmasq udhcpd
wans=2
guard=ip	# ip: the provider drops frames whose MAC, address or chaddr is not the line's; none
rebind=yes	# no: the provider does not answer T2's broadcasts
relay=no	# isc, dnsmasq: the server is behind one
sysctl=openwrt	# default (of the kernel), openwrt (arp_ignore 1), rpf1 (rp_filter 1)
rev=no		# yes: wan1 answers the provider's ARP first
nat=own		# own: masquerade by a table of the router's own; none
tx=on		# off: checksums are not left to the devices
macvlan=no	# yes: the WANs are macvlans on one line
vlan=no		# yes: they are VLANs of one port
with=none	# none guard guard+daemon shim shim-alone shim+daemon watchdog both
t1=6 t2=18 lease=24 # s; see fitting_times

# dnsmasq has no shorter leases than these; udhcpc heeds no T1, and renews only in the first half of a lease that
# has more than a minute left.
fitting_times() {
	[ "$server" != dnsmasq ] || t2=100 lease=120
	[ "$client" != udhcpc ] || { lease=$((lease > 64 ? lease : 64)) && t1=$((lease / 2)) && t2=$((lease * 7 / 8)); }
}
mac() { printf '02:00:00:00:01:%02x' "$1"; }
address() { echo "100.71.64.$((${2:-10} + $1))"; } # K [BASE]
each_wan() { seq "$wans"; }

# --- the provider --------------------------------------------------------------------------------
provider() {
	local k
	space net "$lab"
	space gw "$lab"
	space mid "$lab"
	ip -n "$net" link add isp type bridge mcast_snooping 0
	ip -n "$net" link set isp address 02:00:00:00:64:01 up
	ip -n "$net" addr add 100.71.64.1/24 dev isp
	ip -n "$net" route add local 198.51.100.0/24 dev lo
	net sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.arp_ignore=1 net.ipv6.conf.all.disable_ipv6=1
	ip netns exec "$mid" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=1
	profile
	# what is asked of the WANs reaches the port that was added last before the others
	[ $vlan = no ] || trunk
	for k in $(if [ "$rev" = yes ]; then seq "$wans" -1 1; else each_wan; fi); do
		[ $macvlan = yes ] || line "$k" "wan$k"
	done
	[ $macvlan = no ] || macvlans
	[ "$guard" = none ] || source_guard
	[ "$rebind" = yes ] || no_rebinding
	[ "$nat" = none ] || masquerade
	run_in "$net" busybox httpd -f -p 80 -h "$tmp"
	# shellcheck disable=SC2046 # one word for each device
	run_in "$mid" "$delay" 2 $(line_names | sed 's/p\(.*\)/l\1 q\1/')
	# shellcheck disable=SC2046
	ip netns exec "$net" "$lines" $(line_names) >"$tmp/lines" 2>"$tmp/lines.err" &
	asym_pids+=($!)
}
profile() {
	case $sysctl in
	default) ;;
	openwrt) gw sysctl -qw net.ipv4.conf.all.arp_ignore=1 ;;
	rpf1) gw sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 ;;
	esac
}
trunk() {
	cable "$gw" eth0 "$mid" trunk
	ip -n "$gw" link set eth0 address 02:00:00:00:02:01
}
tagged() { # K DEVICE
	ip -n "$gw" link add link eth0 name "$2" type vlan id $((100 + $1))
	ip -n "$mid" link add link trunk name "l$1" type vlan id $((100 + $1))
	ip -n "$gw" link set "$2" up
	ip -n "$mid" link set "l$1" up
}
line() { # K DEVICE
	if [ $vlan = yes ]; then tagged "$1" "$2"; else cable "$gw" "$2" "$mid" "l$1"; fi
	cable "$mid" "q$1" "$net" "p$1"
	ip -n "$gw" link set "$2" address "$(mac "$1")"
	ip -n "$net" link set "p$1" master isp
	[ "$tx" = on ] || gw ethtool -K "$2" tx off >/dev/null
}
macvlans() {
	local k
	line 1 eth0
	ip -n "$gw" link set eth0 address 02:00:00:00:02:01
	for k in $(each_wan); do
		ip -n "$gw" link add "wan$k" link eth0 address "$(mac "$k")" type macvlan mode private
		ip -n "$gw" link set "wan$k" up
	done
}
line_names() {
	if [ $macvlan = yes ]; then echo p1; else each_wan | sed s/^/p/; fi
}
line_rules() { # K
	local m a="{ 0.0.0.0, $(address "$1"), $(address "$1" 20) }"
	m=$(mac "$1")
	cat <<-END
		ether saddr $m arp saddr ip != $a counter name dropped drop
		ether saddr $m arp saddr ether != $m counter name dropped drop
		ether saddr $m ip saddr != $a counter name dropped drop
		ether saddr $m udp dport 67 @th,288,48 != 0x${m//:/} counter name dropped drop
		ether saddr $m accept
	END
}
source_guard() { # chaddr is at 28 of BOOTP
	local k p
	net nft -f - <<-END
		table bridge guard {
			counter dropped {}
			$(for p in $(line_names); do
				echo "chain $p {"
				for k in $([ $macvlan = yes ] && each_wan || echo "${p#p}"); do line_rules "$k"; done
				echo 'counter name dropped drop; }'
			done)
			chain in {
				type filter hook prerouting priority 0; policy accept
				$(for p in $(line_names); do echo "iifname $p jump $p"; done)
			}
		}
	END
}
no_rebinding() { # ciaddr is at 12
	net nft -f - <<-END
		table bridge rebind {
			chain in {
				type filter hook prerouting priority 10; policy accept
				ether daddr ff:ff:ff:ff:ff:ff udp dport 67 @th,160,32 != 0 drop
			}
		}
	END
}
masquerade() {
	gw nft -f - <<-'END'
		table ip firewall {
			chain post { type nat hook postrouting priority srcnat; oifname "wan*" masquerade; }
		}
	END
}

# --- servers: each WAN has an address of its own, so that the source guard knows what to expect --------
serve() { # [BASE]: of the addresses
	local ns=$net dev=isp
	if [ "$relay" != no ]; then
		behind_relay
		ns=$srv dev=srv0
	fi
	"serve_$server" "$ns" "$dev" "${1:-10}"
	served=$kept
}
behind_relay() {
	[ -z "${srv-}" ] || return 0
	space srv "$lab"
	cable "$net" back "$srv" srv0
	ip -n "$net" addr add 203.0.113.1/24 dev back
	ip -n "$srv" addr add 203.0.113.10/24 dev srv0
	ip -n "$srv" route add default via 203.0.113.1
	case $relay in
	isc) run_in "$net" dhcrelay -4 -d --no-pid -id isp -iu back 203.0.113.10 ;;
	dnsmasq) run_in "$net" dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root --pid-file= \
		--dhcp-relay=100.71.64.1,203.0.113.10 ;;
	esac
}
serve_isc() { # NS DEVICE BASE
	local k
	{
		echo "authoritative; ddns-update-style none; ping-check false;
			default-lease-time $lease; max-lease-time $lease; min-lease-time $lease;
			option dhcp-renewal-time $t1; option dhcp-rebinding-time $t2;
			subnet 203.0.113.0 netmask 255.255.255.0 { }
			subnet 100.71.64.0 netmask 255.255.255.0 { option routers 100.71.64.1; }"
		for k in $(each_wan); do
			echo "host w$k { hardware ethernet $(mac "$k"); fixed-address $(address "$k" "$3"); }"
		done
	} >"$tmp/dhcpd.conf"
	: >"$tmp/dhcpd.leases"
	run_in "$1" dhcpd -4 -f -d --no-pid -cf "$tmp/dhcpd.conf" -lf "$tmp/dhcpd.leases" "$2"
}
serve_kea() {
	local k
	for k in $(each_wan); do
		jq -n --arg m "$(mac "$k")" --arg a "$(address "$k" "$3")" '{ "hw-address": $m, "ip-address": $a }'
	done | jq -s --arg dev "$2" --argjson lease "$lease" --argjson t1 "$t1" --argjson t2 "$t2" '{ Dhcp4: {
		"interfaces-config": { interfaces: [ $dev ] },
		"lease-database": { type: "memfile", persist: false },
		"valid-lifetime": $lease, "renew-timer": $t1, "rebind-timer": $t2, authoritative: true,
		"multi-threading": { "enable-multi-threading": false },
		subnet4: [ { id: 1, subnet: "100.71.64.0/24", reservations: .,
			"option-data": [ { name: "routers", data: "100.71.64.1" } ] } ],
		loggers: [ { name: "kea-dhcp4", output_options: [ { output: "stdout" } ], severity: "INFO" } ]
	} }' >"$tmp/kea.conf"
	KEA_PIDFILE_DIR=$tmp KEA_LOCKFILE_DIR=none run_in "$1" kea-dhcp4 -c "$tmp/kea.conf"
}
serve_dnsmasq() { # its leases have 120 s at least
	local k
	run_in "$1" dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root --pid-file= --no-ping \
		--interface="$2" --dhcp-authoritative --dhcp-leasefile="$tmp/dnsmasq.leases" --log-dhcp \
		--dhcp-range=100.71.64.0,static,255.255.255.0,"$lease" \
		--dhcp-option=option:T1,"$t1" --dhcp-option=option:T2,"$t2" --dhcp-option=3,100.71.64.1 \
		$(for k in $(each_wan); do echo "--dhcp-host=$(mac "$k"),$(address "$k" "$3")"; done)
}
serve_udhcpd() {
	local k
	{
		printf '%s\n' 'start 100.71.64.100' 'end 100.71.64.120' "interface $2" 'min_lease 10' \
			"lease_file $tmp/udhcpd.leases" "pidfile $tmp/udhcpd.pid" 'option subnet 255.255.255.0' \
			'option router 100.71.64.1' "option lease $lease"
		printf 'option 0x3a %08x\noption 0x3b %08x\n' "$t1" "$t2"
		for k in $(each_wan); do echo "static_lease $(mac "$k") $(address "$k" "$3")"; done
	} >"$tmp/udhcpd.conf"
	: >"$tmp/udhcpd.leases"
	run_in "$1" udhcpd -f "$tmp/udhcpd.conf"
}

# --- clients -------------------------------------------------------------------------------------
start_clients() { # sets clients[K]: the pid of wanK's client; all the same if one is for all
	local k
	clients=()
	case $client in
	dhclient-one | dhcpcd | networkd)
		"client_$client"
		for k in $(each_wan); do clients[k]=$kept; done
		;;
	*) # the first to come has the route to the server
		start_client 1
		wait_for has_address 1 || true
		for k in $(seq 2 "$wans"); do start_client "$k"; done
		;;
	esac
}
start_client() { # K
	"client_$client" "$1"
	clients[$1]=$kept
}
client_renewer() { METRIC=$((100 + $1)) run_in "$gw" "$renewer" "wan$1" "$dhcp/script"; }
client_raw() { METRIC=$((100 + $1)) run_in "$gw" "$renewer" -x "wan$(($1 % wans + 1))" "wan$1" "$dhcp/script"; }
client_udhcpc() {
	METRIC=$((100 + $1)) run_in "$gw" udhcpc -f -i "wan$1" -s "$dhcp/script" -t 5 -T 1 -A 2
}
dhclient() { # NAME DEVICE...
	local name=$1
	shift
	echo 'timeout 20; retry 2; initial-interval 1; backoff-cutoff 2; initial-delay 0;
		request subnet-mask, routers, dhcp-renewal-time, dhcp-rebinding-time;' >"$tmp/dhclient.conf"
	run_in "$gw" dhclient -4 -d -e "METRIC=$METRIC" -sf "$dhcp/script" -cf "$tmp/dhclient.conf" -lf "$tmp/$name.leases" \
		-pf "$tmp/$name.pid" "$@"
}
client_dhclient() { METRIC=$((100 + $1)) dhclient "wan$1" "wan$1"; }
# shellcheck disable=SC2046 # one word for each WAN
client_dhclient-one() { METRIC=100 dhclient all $(each_wan | sed s/^/wan/); }
dhcpcd_conf() {
	local k
	printf '%s\n' 'allowinterfaces wan*' noipv6 noipv4ll noarp 'timeout 20' 'reboot 5' 'script /bin/true' \
		'option routers'
	for k in $(each_wan); do printf 'interface wan%d\nmetric %d\n' "$k" $((100 + k)); done
}
dhcpcd() { # DEVICE...: with its own /run and /var/lib
	dhcpcd_conf >"$tmp/dhcpcd.conf"
	run_in "$gw" sh -c 'mount -t tmpfs none /run && mkdir /run/dhcpcd && mount -t tmpfs none /var/lib/dhcpcd &&
		exec dhcpcd -B -d -4 --nodev -f "$@"' sh "$tmp/dhcpcd.conf" "$@"
}
# shellcheck disable=SC2046 # one word for each WAN
client_dhcpcd() { dhcpcd $(each_wan | sed s/^/wan/); }
client_dhcpcd-each() { dhcpcd "wan$1"; }
client_networkd() { # with its own /run and /etc/systemd/network; a read-only /sys tells it that there is no udev
	local k
	mkdir -p "$tmp/network"
	for k in $(each_wan); do
		printf '%s\n' '[Match]' "Name=wan$k" '[Network]' DHCP=ipv4 LinkLocalAddressing=no IPv6AcceptRA=no \
			'[DHCPv4]' "RouteMetric=$((100 + k))" UseDNS=no UseNTP=no ClientIdentifier=mac \
			SendRelease=no >"$tmp/network/wan$k.network"
	done
	chmod -R a+rX "$tmp"
	SYSTEMD_LOG_LEVEL=debug run_in "$gw" sh -c 'mount -o remount,ro /sys && mount -t tmpfs none /run &&
		mkdir -p /run/systemd/netif && mount --bind "$1" /etc/systemd/network &&
		exec /lib/systemd/systemd-networkd' sh "$tmp/network"
}
has_address() { # K...
	local k
	for k; do ip -n "$gw" -4 addr show dev "wan$k" | grep -q 'inet 100\.71\.64\.' || return 1; done
}
# shellcheck disable=SC2046
all_bound() { has_address $(each_wan); }

# --- connectivity --------------------------------------------------------------------------------
# $tmp/ping.K: what `ping -I wanK` says, one try a second, each lost one by a line.
ping_all() { # sets pings[K]: their pids
	local k
	pings=()
	for k in $(each_wan); do
		ip netns exec "$gw" ping -n -O -i 1 -W 1 -I "wan$k" 198.51.100.1 >"$tmp/ping.$k" 2>&1 &
		pings[k]=$!
		asym_pids+=($!)
	done
}
lost() { # K: answers missed up to now; one that came late was not
	awk '{ n = $0; sub(/.*icmp_seq=/, "", n); n += 0 }
		/no answer yet|nreachable/ { missed[n] }
		/bytes from/ { delete missed[n] }
		END { print length(missed) }' "$tmp/ping.$1"
}
curl_each() { # K: by the device, to a host beyond the gateway
	gw curl -s -m 5 -o /dev/null --interface "wan$1" http://198.51.100.1/lines
}
