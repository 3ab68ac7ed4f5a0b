# SPDX-License-Identifier: GPL-2.0-or-later
# Gateways in network namespaces, one kind per variant.  Sourced by run and iperf, which set here and only.
# shellcheck shell=bash disable=SC2154

root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build}
peers=${PEERS:-$root/../shared/peers}
specs=() up=() cables=() tun=''

die() { echo "bench: $*" >&2; exit 1; }

# Tests and measurements disturb each other: the lock is that of tests/run.
alone() {
	mkdir -p /run/lock
	exec 9>/run/lock/asymbpf-tests
	flock -n 9 || echo 'bench: waiting for the tests that run' >&2
	flock -w 1800 9 || die 'tests run all the time'
}

wanted() {
	local v
	[ ${#only[@]} -gt 0 ] || return 0
	for v in "${only[@]}"; do [ "$v" = "$1" ] && return 0; done
	return 1
}

# --- the wires: ends [client]--[lan0] gateway [wanN]--[farN] ends -------------------------------

# The namespaces of a gateway KEY.
ns_gw() { echo "asymbench$$-$1"; }
ns_ends() { echo "asymbench$$-$1-ends"; }

# Prints ip -batch lines for one veth pair: device in the gateway, device at the ends.
wire() {
	echo "link add $1 address 02:00:00:00:00:01 type veth" \
		"peer name $2 address 02:00:00:00:00:02 netns $3"
	echo "link set $1 up"
}

lan_lines() {
	local i
	wire lan0 client "$1"
	echo "addr add 10.0.0.1/24 dev lan0"
	echo "addr add fd00::1/64 dev lan0 nodad"
	for ((i = 2; i <= 251; i++)); do
		echo "neigh add 10.0.0.$i lladdr 02:00:00:00:00:02 dev lan0 nud permanent"
		echo "neigh add fd00::$(printf %x $i) lladdr 02:00:00:00:00:02 dev lan0 nud permanent"
	done
}

link_lines() {
	wire "wan$1" "far$1" "$2"
	echo "addr add 10.1.$1.2/24 dev wan$1"
	echo "addr add fd01:0:0:$1::2/64 dev wan$1 nodad"
	echo "neigh add 10.1.$1.1 lladdr 02:00:00:00:00:02 dev wan$1 nud permanent"
	echo "neigh add fd01:0:0:$1::1 lladdr 02:00:00:00:00:02 dev wan$1 nud permanent"
}

tun_missing() {
	[ -c /dev/net/tun ] || modprobe tun 2>/dev/null || :
	[ -c /dev/net/tun ] || echo "no TUN devices"
}

# Links without Ethernet header.  No packet of the bench crosses the cable: see traffic.bpf.c.
link_tun() {
	"$build/tests/netns/tunlink" "$2" "wan$1" "$3" "far$1" &
	cables+=($!)
	until ip -n "$3" link show "far$1" >/dev/null 2>&1; do
		kill -0 "${cables[-1]}" 2>/dev/null || die "no TUN device"
		sleep 0.01
	done
	ip -n "$2" addr add "10.1.$1.2/24" dev "wan$1"
	ip -n "$2" link set "wan$1" up
}

namespaces() {
	local gw=$1 ends=$2 s
	ip netns add "$gw"
	ip netns add "$ends"
	for s in ipv4.ip_forward=1 ipv4.conf.all.rp_filter=0 ipv4.conf.default.rp_filter=0 \
		ipv6.conf.all.forwarding=1 ipv6.conf.default.addr_gen_mode=1; do
		ip netns exec "$gw" sysctl -qw "net.$s"
	done
	ip netns exec "$ends" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
}

# topology KEY LINKS [tun]
topology() {
	local gw ends i
	gw=$(ns_gw "$1") ends=$(ns_ends "$1")
	namespaces "$gw" "$ends"
	{
		lan_lines "$ends"
		[ -n "${3-}" ] || for ((i = 1; i <= $2; i++)); do link_lines "$i" "$ends"; done
	} | ip -n "$gw" -batch -
	[ -z "${3-}" ] || for ((i = 1; i <= $2; i++)); do link_tun "$i" "$gw" "$ends"; done
	{
		echo "link set client up"
		for ((i = 1; i <= $2; i++)); do echo "link set far$i up"; done
	} | ip -n "$ends" -batch -
}

# Prints where link N leads to: "via GATEWAY dev DEVICE".  A TUN device has no gateway.
way4() { [ -n "$tun" ] && echo "dev wan$1" || echo "via 10.1.$1.1 dev wan$1"; }
way6() { echo "via fd01:0:0:$1::1 dev wan$1"; }

# The kernel's own balancing: one default route with a next hop per link.
routes_multipath() {
	local i v4=() v6=()
	for ((i = 1; i <= $2; i++)); do
		read -ra v4 <<<"${v4[*]} nexthop $(way4 "$i")"
		read -ra v6 <<<"${v6[*]} nexthop $(way6 "$i")"
	done
	ip -n "$1" route add default "${v4[@]}"
	[ -n "$tun" ] || ip -n "$1" -6 route add default "${v6[@]}"
}

# What DHCP clients leave: one default route per link, apart by metric.
routes_metric() {
	local i
	for ((i = 1; i <= $2; i++)); do
		echo "route add default $(way4 "$i") metric $i"
		[ -n "$tun" ] || echo "route add default $(way6 "$i") metric $i"
	done | ip -n "$1" -batch -
}

# --- variants: NAME_missing says why not, NAME_up GATEWAY LINKS, NAME_down GATEWAY ---------------

# Redirects from device to device: what the harness costs by itself.
wire_missing() { :; }
wire_up() { :; }
wire_down() { :; }

plain_missing() { :; }
plain_up() { routes_multipath "$@"; }
plain_down() { :; }

masquerade_missing() { command -v nft >/dev/null || echo "no nft"; }
masquerade_up() {
	routes_multipath "$@"
	ip netns exec "$1" nft -f - <<-'NFT'
		table inet nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "wan*" masquerade
			}
		}
	NFT
}
masquerade_down() { :; }

mwan3() { ip netns exec "$1" "$peers/mwan3-equivalent.sh" "${@:2}"; }
mwan3_missing() {
	[ -x "$peers/mwan3-equivalent.sh" ] || { echo "no mwan3-equivalent.sh in $peers"; return; }
	local tool
	for tool in "$@"; do command -v "$tool" >/dev/null || echo "no $tool"; done
}
# Its rules go with the namespace, its state file does not.
mwan3_down() { rm -rf "/run/mwan3eq.$(stat -Lc %i "/run/netns/$1")"; }
mwan3_up() {
	local i members=()
	routes_metric "$2" "$3"
	for ((i = 1; i <= $3; i++)); do members+=("wan$i,10.1.$i.1"); done
	mwan3 "$2" up -N -m 0xff00 -b "$1" "${members[@]}" 2>/dev/null
}

mwan3_legacy_missing() { mwan3_missing iptables-legacy ipset; }
mwan3_legacy_up() { mwan3_up legacy "$@"; }
mwan3_legacy_down() { mwan3_down "$1"; }

mwan3_nft_missing() { mwan3_missing nft; }
mwan3_nft_up() { mwan3_up nft "$@"; }
mwan3_nft_down() { mwan3_down "$1"; }

# asymbpf_with GATEWAY LINKS CONFIGURATION
asymbpf_with() {
	local i
	routes_metric "$1" "$2"
	{
		printf '%s\nlan { devices = "lan0" }\n' "$3"
		for ((i = 1; i <= $2; i++)); do echo "link wan$i { device = \"wan$i\" }"; done
	} | ip netns exec "$1" "$build/asymbpf" load --config /dev/stdin >/dev/null
}
asymbpf_missing() { [ -x "$build/asymbpf" ] || echo "$build/asymbpf is not built"; }
asymbpf_up() {
	local i links=()
	routes_metric "$@"
	for ((i = 1; i <= $2; i++)); do links+=(--iface "wan$i"); done
	ip netns exec "$1" "$build/asymbpf" load "${links[@]}" --lan lan0 >/dev/null
}
asymbpf_down() { ip netns exec "$1" "$build/asymbpf" unload; }

asymbpf_slow_missing() { asymbpf_missing; }
asymbpf_slow_up() { asymbpf_with "$@" 'fastpath = no'; }
asymbpf_slow_down() { asymbpf_down "$1"; }

# Checks so seldom that none is measured.
asymbpf_30s_missing() { asymbpf_missing; }
asymbpf_30s_up() { asymbpf_with "$@" 'revalidate = 30'; }
asymbpf_30s_down() { asymbpf_down "$1"; }

# Room for as many flows as the largest scenario has.
asymbpf_512k_missing() { asymbpf_missing; }
asymbpf_512k_up() { asymbpf_with "$@" 'flow-pairs = 524288'; }
asymbpf_512k_down() { asymbpf_down "$1"; }

# The kernel's own fast path.
flowtable_missing() {
	masquerade_missing
	unshare -n nft 'add table inet t; add flowtable inet t f { hook ingress priority 0; devices = { lo }; }' \
		2>/dev/null || echo "the kernel has no flowtables"
}
flowtable_up() {
	local i wans=''
	masquerade_up "$@"
	for ((i = 1; i <= $2; i++)); do wans+=", wan$i"; done
	ip netns exec "$1" nft -f - <<-NFT
		table inet nat {
			flowtable fast {
				hook ingress priority 0
				devices = { lan0$wans }
			}
			counter stack { }
			chain forward {
				type filter hook forward priority 0
				counter name "stack"
				ct state established flow add @fast
			}
		}
	NFT
}
flowtable_down() { :; }

# --- set-up and clean-up ------------------------------------------------------------------------

# add VARIANT LINKS FLAGS: also on cables of TUN devices if these say "t"
add() {
	local why tun='' fn=${1//-/_} key=$1-$2
	[[ $3 != *t* ]] || tun=tun key+=-tun
	why=$("${fn}_missing"; [ -z "$tun" ] || tun_missing)
	if [ -n "$why" ]; then
		echo "bench: $1: skipped, ${why//$'\n'/, }" >&2
		return
	fi
	up+=("$fn $key")
	topology "$key" "$2" $tun
	"${fn}_up" "$(ns_gw "$key")" "$2" || die "$1: set-up with $2 links failed"
	specs+=("$1:$2:$(ns_gw "$key"):$(ns_ends "$key"):$3")
}

remove() {
	local gw ends
	gw=$(ns_gw "$2") ends=$(ns_ends "$2")
	"$1_down" "$gw" >/dev/null 2>&1 || :
	ip netns del "$gw" 2>/dev/null || :
	ip netns del "$ends" 2>/dev/null || :
}

remove_all() {
	local u
	for u in "${up[@]}"; do remove "${u% *}" "${u#* }"; done
	[ ${#cables[@]} = 0 ] || kill "${cables[@]}" 2>/dev/null || :
}
