#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults that an attack on asymbpf found, each as it was found.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net]
. "$(dirname "$0")/lib.sh"
lab
wan 1
wan 2
for k in $(seq 40); do # many devices make the time between ruleset and switch long
	ip -n "$gw" link add "d$k" type veth peer name "e$k"
	ip -n "$gw" link set "d$k" up
done
lans=$(for k in $(seq 40); do printf ' --lan d%s' "$k"; done)

# shellcheck disable=SC2086
ok 'load' asym load --iface wan1 --iface wan2 --lan lan0 $lans
touch "$tmp/flooding"
while [ -e "$tmp/flooding" ]; do c "$traffic" udp -u -t 1000 -n 2000 198.51.100.0/24 53 >/dev/null; done &
flood=$!
for _ in 1 2 3 4 5; do
	# shellcheck disable=SC2086
	asym reload --iface wan1 --lan lan0 $lans >/dev/null
	# shellcheck disable=SC2086
	asym reload --iface wan1 --iface wan2 --lan lan0 $lans >/dev/null
done
rm "$tmp/flooding"
wait $flood
no_strays 'reloads that drop a link let no packet out with a foreign source' 1 2
ASYMBPF_FAULT=switch:kill asym reload --iface wan1 --lan lan0 2>/dev/null || true
is 'killed between attach and switch: connections by both links' \
	"$(failures "$(c "$traffic" tcp -n 200 198.51.100.0/24 80)")" 0
ok 'reload' asym reload --iface wan1 --iface wan2 --lan lan0

# a device that was named by a flag has gone
ip -n "$gw" link del wan2
ok 'reload without options goes on without the device' asym reload
is 'connections go by the other link' "$(failures "$(c "$traffic" tcp -n 100 198.51.100.0/24 80)")" 0
exits 'a device that is named now must exist' 1 'wan2' asym reload --iface wan1 --iface wan2

# IPv6 fragments meet the last resort as everything else does
config <<-'END'
	lan { devices = {"lan0"} }
	link wan1 { device = "wan1" }
	link gone { device = "nodevice" }
	policy p { links = {"gone"} }
END
ok 'reload with a policy that has no live link' asym reload --config "$tmp/conf"
before=$(arrived udp1)
c "$traffic" udp -u -t 300 -n 3 -l 4000 2001:db8:ffff::7 53 >/dev/null 2>&1 || true
is 'fragments do not pass the last resort' "$(arrived udp1)" "$before"
ok 'unload' asym unload

# a namespace deleted without unload
hooks=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
ours() { bpftool -j cgroup show "$hooks" | jq -s '[.[][]? | select(.name | startswith("asym_"))] | length'; }
had=$(ours)
ip netns add "dead$id"
ip -n "dead$id" link add w type veth peer name x
ip netns exec "dead$id" "$asymbpf" load --iface w >/dev/null 2>&1
ok 'programs on the cgroup tree' [ "$(ours)" -gt "$had" ]
rm -f "/run/asymbpf/$(ip netns exec "dead$id" "$build/tests/netns/cookie").json"
ip netns del "dead$id"
asym load --iface wan1 --lan lan0 >/dev/null
swept() { [ "$(ours)" -le $((had + 6)) ]; }
ok 'the next load takes away what the dead namespace left' wait_for swept
ok 'unload' asym unload

# twenty at once: one wins, and the machine is whole
loads=()
for _ in $(seq 20); do
	asym load --iface wan1 --lan lan0 >/dev/null 2>>"$tmp/errors" &
	loads+=($!)
done
for l in "${loads[@]}"; do wait "$l" || true; done
ok 'twenty loads at once leave one' sh -c "ip netns exec $gw $asymbpf status >/dev/null"
ok 'unload' asym unload
exits 'nothing is left to unload' 1 'not loaded' asym unload

# damaged state
ok 'load' asym load --iface wan1 --lan lan0
echo '{ "version"' >"$(state_file)"
exits 'reload does not guess what was loaded' 1 'name links or a file' asym reload
exits 'unload says what it cannot put back' 1 'sysctls' asym unload
ok 'and removed the rest' sh -c "! ip netns exec $gw nft list table inet asymbpf"
done_testing
