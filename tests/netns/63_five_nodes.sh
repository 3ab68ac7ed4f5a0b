#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Five nodes, each connected with all others, and a way of its own for each of the 20 directions.  What
# leaves by any tunnel of any node is recorded: every flow goes by its direction's way and by no other,
# at most by one relay, whoever opened it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"
. "$(dirname "$0")/mesh.sh"
mesh_lab d e
nodes='a b c d e'
declare -A number=([a]=1 [b]=2 [c]=3 [d]=4 [e]=5)

# FROM TO PATHS; none: what the description does not say goes direct
directions='
	a b
	a c "forwarder hk"
	a d "via b"
	a e "via c"
	b a "via d"
	b c "via e"
	b d direct
	b e "direct:1", "via c:1"
	c a direct
	c b direct
	c d "via e"
	c e "via b"
	d a "via e"
	d b "via a"
	d c
	d e "forwarder eu"
	e a direct
	e b "via d"
	e c "via a"
	e d "via a:2", "via b:3"'
declare -A bulk=([c b]='"via d"' [c d]=direct)
description() {
	local from to paths
	cat <<-END
		mesh five { keepalive = 1s }
		node a { address = {192.168.51.1, fd51::1}  public-key = "$(public a)" }
		node b { address = {192.168.51.2, fd51::2}  public-key = "$(public b)"  endpoint = 100.64.2.2 }
		node c { address = {192.168.51.3, fd51::3}  public-key = "$(public c)"  endpoint = 100.64.3.2 }
		node d { address = {192.168.51.4, fd51::4}  public-key = "$(public d)"  endpoint = 100.64.5.2 }
		node e { address = {192.168.51.5, fd51::5}  public-key = "$(public e)"  endpoint = 100.64.6.2 }
		forwarder hk { from = a  to = c  endpoint = "100.64.4.2:14967"  port = 27002 }
		forwarder eu { from = e  to = d  endpoint = "100.64.4.2:14968"  port = 27003 }
	END
	while read -r from to paths; do
		[ -z "$paths" ] || echo "direction $from-$to { from = $from  to = $to  paths = {$paths}" \
			"${bulk[$from $to]+bulk = ${bulk[$from $to]}} }"
	done <<<"${directions#?}"
}
everywhere() { # CMD... NODE: of all nodes at once, as wireguard-go takes its time to start
	local n pids=() rc=0
	for n in $nodes; do "$@" "$n" & pids+=($!); done
	for n in "${pids[@]}"; do wait "$n" || rc=$?; done
	return "$rc"
}
down() { wg "$1" down; }

run_in "$r" "$forwarder" 14967 100.64.3.2 27002
run_in "$r" "$forwarder" 14968 100.64.5.2 27003
description >"$tmp/mesh.conf"
needs 'apply' everywhere wg_apply
kind=tun
! ip -n "$net" link add probe type wireguard 2>/dev/null || kind=wireguard
is "tunnels of kind $kind" "$(for n in $nodes; do
	in_node "$n" ip -d -j link | jq -r '.[] | select(.ifname | test("^[wf]-")).linkinfo.info_kind'
done | sort | uniq -c | awk '{ print $1, $2 }')" "24 $kind"
for x in $nodes; do
	for y in ${nodes/$x/}; do wait_for reaches "$x" "192.168.51.${number[$y]}"; done
done


# --- every direction, either side opens, both families -----------------------------------------------
record() { # [NODE...]: what leaves by their tunnels
	local n device
	for n; do
		for device in $(in_node "$n" ls /sys/class/net | grep '^[wf]-'); do
			tap "$n:$device" "${!n}" out "$device"
		done
	done
}
# Into $tmp/routes, a line for each flow: FROM TO KIND MOST HOP...; a hop is NODE:DEVICE/TTL, MOST the first
# hop of most bytes.
routes() {
	local name names=("${!taps[@]}")
	untap "${names[@]}"
	for name in "${names[@]}"; do sed "s|^|$name |" "$tmp/tap.$name"; done | awk '
		BEGIN { split("ping pong ping pong", icmp); split("8 0 128 129", type); for (i in type) names[type[i]] = icmp[i] }
		function node(address) { return substr("abcde", substr(address, length(address)), 1) }
		$2 == "lost" && $3 { print "- - lost", $3, $1 }
		NF == 11 && $3 $5 ~ /^(192.168.51.[1-5]|fd51::[1-5])+$/ {
			kind = $2 == "icmp" ? names[$4] : $4 == 5000 || $4 == 5201 ? "answers" : "opens"
			flow = $3 " " $4 " " $5 " " $6
			head[flow] = node($3) " " node($5) " " kind ($3 ~ /:/ ? 6 : 4)
			hop = $1 "/" $7
			hops[flow] = $7 == 64 ? hop " " hops[flow] : hops[flow] hop " "
			bytes[flow, hop] += $9
		}
		END {
			for (flow in head) {
				most = ""
				n = split(hops[flow], of)
				for (i = n; i > 0; i--)
					if (of[i] ~ /64$/ && (!most || bytes[flow, of[i]] > bytes[flow, most])) most = of[i]
				print head[flow], most, hops[flow]
			}
		}' | sed 's/ $//' >"$tmp/routes"
}
hops() { # FROM TO WAY: those that it has
	case $3 in
	via*) echo "$1:w-${3#via }/64 ${3#via }:w-$2/63" ;;
	forwarder*) echo "$1:f-${3#forwarder }/64" ;;
	*) echo "$1:w-$2/64" ;;
	esac
}
taken() { # FROM TO KINDS: "KIND HOP...", each once
	awk -v from="$1" -v to="$2" -v kinds="^($3)[46]$" '$1 == from && $2 == to && $3 ~ kinds {
		$1 = $2 = $4 = ""; $0 = $0; $1 = $1; print }' "$tmp/routes" | sort -u
}
all_kinds() { # KINDS WAY-HOPS...: what taken prints if all of them were
	local k f h
	for k in $1; do
		for f in 4 6; do for h in "${@:2}"; do echo "$k$f $h"; done; done
	done | sort -u
}
talks_to_all() { # NODE: pings all others, and opens connections to them
	local y k
	for y in ${nodes/$1/}; do
		k=${number[$y]}
		for address in "192.168.51.$k" "fd51::$k"; do
			in_node "$1" ping -q -c 2 -i 0.05 -W 3 "$address" >/dev/null || echo "!ping $address"
			in_node "$1" "$traffic" tcp -n 40 -t 5000 "$address" 5000
		done
	done >"$tmp/talk.$1"
}
record $nodes
everywhere talks_to_all
routes
for n in $nodes; do
	is "of $n nothing is lost, and it has its overlay addresses" \
		"$(sort "$tmp/talk.$n" | uniq -c | awk '{ print $1, $2, $3 }')" \
		"4 192.168.51.${number[$n]} 40"$'\n'"4 fd51::${number[$n]} 40"
done
is 'the recorders lost nothing' "$(grep lost "$tmp/routes" || true)" ''
while read -r from to paths; do
	eval "paths=(${paths//,/})" # a word in quotes is one
	if [ ${#paths[@]} -lt 2 ]; then
		is "$from to $to: ${paths[0]-direct}" "$(taken $from $to '.*')" \
			"$(all_kinds 'ping pong opens answers' "$(hops $from $to "${paths[0]-}")")"
		continue
	fi
	want=()
	for way in "${paths[@]%:*}"; do want+=("$(hops $from $to "$way")"); done
	is "$from to $to: ${paths[*]}" "$(taken $from $to 'opens|answers')" "$(all_kinds 'opens answers' "${want[@]}")"
	is "$from to $to: a ping takes one of them" \
		"$(taken $from $to 'p[io]ng' | grep -vxFf <(all_kinds 'ping pong' "${want[@]}"))" ''
	is "$from to $to: by one of them" "$(taken $from $to 'p[io]ng' | wc -l)" 4
done <<<"${directions#?}"

# --- bulk ------------------------------------------------------------------------------------------
for n in b d; do
	run_in "${!n}" iperf3 -s
	wait_for listening "${!n}" 5201
done
record $nodes
for to in b d; do
	for address in "192.168.51.${number[$to]}" "fd51::${number[$to]}"; do
		ok "c sends much to $to, $address" in_node c iperf3 -c "$address" -n 3M --connect-timeout 5000
	done
done
routes
bulk_of_c() { # TO MOST: flows that went that way for the most part
	awk -v to="$1" -v most="$2" '$1 == "c" && $2 == to && $3 ~ /opens/ && $4 == most' "$tmp/routes" | wc -l
}
hops_of_c() { # TO
	awk -v to="$1" '$1 == "c" && $2 == to { for (i = 5; i <= NF; i++) print $i }' "$tmp/routes" | sort -u | paste -sd' '
}
# iperf3 has two connections, one of them for few words
is 'c to b: bulk goes via d' "$(bulk_of_c b c:w-d/64)" 2
is 'c to b: all else goes direct' "$(bulk_of_c b c:w-b/64)" 2
is 'c to b: nothing goes by others' "$(hops_of_c b)" 'c:w-b/64 c:w-d/64 d:w-b/63'
is 'c to d: bulk goes direct' "$(bulk_of_c d c:w-d/64)" 2
is 'c to d: all else goes via e' "$(bulk_of_c d c:w-e/64)" 2
is 'c to d: nothing goes by others' "$(hops_of_c d)" 'c:w-d/64 c:w-e/64 e:w-d/63'
is 'what b answers goes via e' "$(taken b c answers)" "$(all_kinds answers "$(hops b c 'via e')")"
is 'what d answers goes direct' "$(taken d c answers)" "$(all_kinds answers "$(hops d c direct)")"

for n in $nodes; do ok "down at $n" down $n; done
for n in $nodes; do bare "down at $n" $n; done
done_testing
