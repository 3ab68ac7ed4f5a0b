#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Endpoints with names: `wg run` follows addresses that change, and leaves alone what WireGuard follows by
# itself; a resolver without answers holds nobody up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/mesh.sh"
command -v dnsmasq >/dev/null || skip_all 'no dnsmasq'
mesh_lab

names() { # ADDRESS-OF-C ADDRESS-OF-HK
	printf '%s c.test\n%s hk.test\n' "$1" "$2" >"$tmp/hosts"
	[ -z "${dns-}" ] || kill -HUP "$dns"
}
names 100.64.3.2 100.64.4.2
keep ip netns exec "$net" dnsmasq --no-daemon --conf-file=/dev/null --user=root --pid-file= --no-hosts \
	--no-resolv --addn-hosts="$tmp/hosts" --local-ttl=0 --listen-address=100.64.1.1 --bind-interfaces \
	--log-queries --log-facility="$tmp/queries"
dns=$kept
printf 'nameserver 100.64.1.1\noptions timeout:3 attempts:2\n' >"$tmp/resolv"
for n in a b c; do in_node $n mount --bind "$tmp/resolv" "$(realpath -m /etc/resolv.conf)"; done
asked() { grep -c "query\[A\] $2 from $1\$" "$tmp/queries" || true; } # ADDRESS NAME
wait_for in_node a getent ahostsv4 c.test

mesh() { # [KEYS of mesh]
	cat <<-END
		mesh names { keepalive = 1s  ${1-} }
		node a { address = {192.168.51.5, fd51::5}  public-key = "$(public a)" }
		node b { address = {192.168.51.1, fd51::1}  public-key = "$(public b)"  endpoint = 100.64.2.2 }
		node c { address = {192.168.51.2, fd51::2}  public-key = "$(public c)"  endpoint = "c.test:27000" }
		forwarder hk { from = a  to = c  endpoint = "hk.test:14967"  port = 27002 }
		direction up { from = a  to = c  paths = {"forwarder hk", direct} }
		direction down { from = c  to = a  paths = direct }
	END
}
declare -A daemon
measure() { # NODE
	nsenter -t "${node_pid[$1]}" -m -n "$asymbpf" wg run --config "$tmp/mesh.conf" --key "$tmp/$1.key" \
		--json >>"$tmp/log.$1" 2>>"$tmp/err.$1" &
	daemon[$1]=$!
	asym_pids+=("${daemon[$1]}")
}
forward() { # the forwarding service
	run_in "$r" "$forwarder" 14967 100.64.3.2 27002
	service=$kept
}
endpoint() { wg_status "$1" ".tunnels[] | select(.device == \"$2\").endpoint"; } # NODE DEVICE
has_endpoint() { [ "$(endpoint "$1" "$2")" = "$3" ]; }                           # NODE DEVICE ENDPOINT
moved() { jq -r 'select(.event == "endpoint") | [.device, .state, .text] | join(" ")' "$tmp/log.$1"; } # NODE
answers() { [ "$(wg_status "$1" '[.measured.peers[]?.answers] | all and length == 2')" = true ]; }   # NODE
state_of() { wg_status a ".measured.peers[]? | select(.node == \"c\").to[] | select(.way == \"$1\").state"; } # WAY
is_state() { [ "$(state_of "$1")" = "$2" ]; } # WAY STATE
sends_by() { # WAY: A to C
	[ "$(wg_status a '.nodes[] | select(.node == "c").ways[] | select(.thin_percent == 100).way')" = "$1" ]
}
no_lock() { [ -z "$(in_node "$1" find /run/asymbpf -name '*.lock')" ]; }
readdress() { # NS NEW OLD: its address on eth0
	ip netns exec "$1" sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
	ip -n "$1" addr add "$2/24" dev eth0
	ip -n "$1" addr del "$3/24" dev eth0
}

mesh >"$tmp/mesh.conf"
forward
for n in a b c; do measure $n; done
for n in a b c; do needs "$n measures" wait_for answers $n; done
ok 'A goes by the forwarder' wait_for sends_by hk
is 'its address' "$(endpoint a f-hk)" 100.64.4.2:14967

# --- the forwarder moves ---------------------------------------------------------------------------
kill "$service"
readdress "$r" 100.64.4.7 100.64.4.2
forward
ok 'the forwarder has another address: dead' wait_for is_state hk dead
is 'nothing is set without reason' "$(moved a)" ''
names 100.64.3.2 100.64.4.7
ok 'its name has it, too: it is found' wait_for has_endpoint a f-hk 100.64.4.7:14967
ok 'its way works again' wait_for sends_by hk
is 'this is told once' "$(moved a)" 'f-hk moved hk.test is at 100.64.4.7:14967 now, was at 100.64.4.2:14967'
ok 'for people, too' grep -q 'f-hk: moved: hk.test is at' "$tmp/err.a"
ok 'apply keeps it' wg_apply a
is 'the endpoint stays' "$(endpoint a f-hk)" 100.64.4.7:14967

# --- a node roams ----------------------------------------------------------------------------------
mesh 'resolve-interval = 1s' >"$tmp/mesh.conf"
for n in a b c; do kill -HUP "${daemon[$n]}"; done
hash=$("$asymbpf" wg plan --json --config "$tmp/mesh.conf" | jq -r .hash)
is_new() { [ "$(wg_status "$1" .measured.hash)" = "$hash" ] && answers "$1"; }
for n in a b c; do ok "another description at $n" wait_for is_new $n; done
is 'B sends to C' "$(endpoint b w-c)" 100.64.3.2:27001
readdress "$c" 100.64.3.9 100.64.3.2
ok 'C has another address: WireGuard knows' wait_for has_endpoint b w-c 100.64.3.9:27001
before=$(asked 100.64.2.2 c.test)
asked_more() { [ "$(asked 100.64.2.2 c.test)" -ge $((before + 4)) ]; }
ok 'its name is asked for again and again' wait_for asked_more
is 'and nothing comes of it' "$(moved b)" ''
is 'the peer is where it roamed to' "$(endpoint b w-c)" 100.64.3.9:27001
is 'A, behind NAT, does not know' "$(endpoint a w-c)" 100.64.3.2:27000
kill "$service"
run_in "$r" "$forwarder" 14967 100.64.3.9 27002
names 100.64.3.9 100.64.4.7
ok 'until its name has the address' wait_for has_endpoint a w-c 100.64.3.9:27000
ok 'then it is reached' wait_for is_state direct alive
ok 'B knows it as the address of the name' wait_for eval '[ "$(moved b)" = "w-c moved c.test is at 100.64.3.9:27001 now, was at 100.64.3.2:27001" ]'

# --- down and up beside the daemon -----------------------------------------------------------------
ok 'down at B' wg b down
no_status() { [ -z "$(in_node b find /run/asymbpf -type f)" ]; }
ok 'the daemon notices' wait_for no_status
ok 'up again' wg_apply b
ok 'it measures again' wait_for is_new b
mesh 'resolve-interval = 2s' >"$tmp/mesh.conf"
hash=$("$asymbpf" wg plan --json --config "$tmp/mesh.conf" | jq -r .hash)
ok 'another description' wg_apply b
has_hash() { [ "$(wg_status b .measured.hash)" = "$hash" ]; }
ok 'is noticed, too' wait_for has_hash

# --- no answers ------------------------------------------------------------------------------------
mesh >"$tmp/mesh.conf"
for n in a b c; do kill -HUP "${daemon[$n]}"; done
hash=$("$asymbpf" wg plan --json --config "$tmp/mesh.conf" | jq -r .hash)
for n in a b c; do ok "the first description at $n" wait_for is_new $n; done
kill -STOP "$dns"
waits() { ! kill -0 "$1" 2>/dev/null || [ -n "$(in_node a ss -Hun 'dport = :53')" ]; } # PID
wg_apply a >"$tmp/apply" 2>&1 &
applying=$!
asym_pids+=("$applying")
ok 'apply asks' wait_for waits "$applying"
ok 'and waits' kill -0 "$applying"
ok 'nobody is kept waiting meanwhile' no_lock a
rc=0
wait "$applying" || rc=$?
is 'what is known is good enough' "$rc" 0
mesh 'split = 300kB' >"$tmp/mesh.conf"
kill -HUP "${daemon[a]}"
for _ in {1..14}; do # it asks for 6 s
	sleep 0.25
	age=$(wg_status c '[.measured.peers[] | select(.node == "a").from[].age_ms] | max // 9999')
	[ "$age" -lt 2000 ] || break
done
ok "the daemon goes on measuring while it waits ($age ms)" [ "$age" -lt 2000 ]
hash=$("$asymbpf" wg plan --json --config "$tmp/mesh.conf" | jq -r .hash)
is_applied() { [ "$(wg_status a .hash)" = "$hash" ]; }
ok 'and applies it then' wait_for is_applied
kill -HUP "${daemon[a]}"
wait_for waits "${daemon[a]}"
t0=${EPOCHREALTIME/[.,]/}
kill "${daemon[a]}"
rc=0
wait "${daemon[a]}" || rc=$?
is 'it ends while it waits: status' "$rc" 0
ok 'at once' [ $((${EPOCHREALTIME/[.,]/} - t0)) -lt $((2000000 * ${ASYM_TEST_SLOW:-1})) ]
ok 'all that it says is JSON' jq -e . "$tmp/log.a"
kill -CONT "$dns"
mesh 'resolve-interval = 10ms' >"$tmp/mesh.conf"
exits 'a bad interval' 1 'mesh.conf:1: error: resolve-interval: "10ms" is out of range, expected 1s to 1d' \
	"$asymbpf" wg plan --config "$tmp/mesh.conf"
for n in a b c; do ok "down at $n" wg $n down; done
for n in a b c; do
	is "errors of $n" "$(grep -v 'no mesh here yet' "$tmp/err.$n" | grep -iE 'error|cannot set|in use|runtime|Sanitizer' || true)" ''
done
done_testing
