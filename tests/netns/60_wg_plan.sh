#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# asymbpf wg plan and genkey as commands: what they print, write and refuse; nothing on the machine is touched.
. "$(dirname "$0")/lib.sh"
wg() { "$asymbpf" wg "$@"; }
bare() { # NAMES...: a description with keys of their own, in $tmp/conf
	local n i=0
	for n; do
		printf 'node %s { address = 10.9.0.%d  public-key = "%s"  endpoint = 192.0.2.%d }\n' \
			"$n" $((++i)) "$(wg genkey | wg genkey --public)" $i
	done >"$tmp/conf"
}

# -------- keys
key=$(wg genkey)
like 'a private key' "$key" '^[A-Za-z0-9+/]{43}=$'
is 'is not the same twice' "$([ "$key" = "$(wg genkey)" ] && echo same)" ''
bytes=$(base64 -d <<<"$key" | od -An -v -tu1 -w1 | paste -sd' ')
read -r first _ <<<"$bytes"
is 'its first byte is a multiple of 8' $((first & 7)) 0
is 'its last one is between 64 and 127' $((${bytes##* } & 192)) 64
# RFC 7748 section 6.1: Alice's keys
is 'the public key' "$(wg genkey --public <<<dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=)" \
	'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo='
is 'and without an end of line' "$(printf %s dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo= | wg genkey --public)" \
	'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo='
for text in '' AAAA "$key$key" "$key "; do
	printf %s "$text" >"$tmp/text"
	exits "no private key: '$text'" 1 'no private key' bash -c "'$asymbpf' wg genkey --public <'$tmp/text'"
done

# -------- plans
bare a b c
printf 'direction up { from = a  to = c  paths = "via b" }\n' >>"$tmp/conf"
exits 'plan' 0 'mesh mesh, 3 nodes, hash [0-9a-f]{16}.*node b.*FROM +TO +WAY.*a +c +via b +w-b +else direct' \
	wg plan --config "$tmp/conf"
is 'of one node' "$(wg plan --config "$tmp/conf" --node b | grep -c '^node\|^FROM')" 1
is 'as JSON' "$(wg plan --config "$tmp/conf" --json | jq -c '[.mesh, (.nodes | length), .nodes[0].mtu,
	.nodes[0].tunnels[1].endpoint_port, .nodes[0].routes[1].to, .nodes[0].targets[1].paths.ways[0].name,
	.nodes[0].targets[1].paths.fallbacks[0].name, .nodes[0].targets[1].transit_device]')" \
	'["mesh",3,1420,51820,"10.9.0.3/32","via b","direct","w-c"]'
is 'the same hash in both' "$(wg plan --config "$tmp/conf" --json | jq -r .hash)" \
	"$(wg plan --config "$tmp/conf" | sed -n 's/.*hash //p')"
is 'probes as they are by default' "$(wg plan --config "$tmp/conf" | grep -c 'probes each')" 0
is 'and in JSON' "$(wg plan --config "$tmp/conf" --json | jq .probe_interval_ms)" 100
fifty=$root/tests/golden-mesh/fifty/in.conf
each=$(wg plan --config "$fifty" --json | jq .probe_interval_ms)
like 'probes of fifty nodes' "$(wg plan --config "$fifty" | head -2)" "
probes each ${each}ms instead of 100ms: a node sends 1000 a second at most"
most=$(wg plan --config "$fifty" --json | jq '[.nodes[] | [.targets[].ways | length] | add] | max')
is 'as many as that' "$most" "$each"
like 'a graph' "$(wg plan --config "$tmp/conf" --dot)" '^digraph "mesh" \{.*"a" -> "c" .*via b.*\}$'

# -------- files for wg-quick
ok 'files are written' wg plan --config "$tmp/conf" --wg-quick "$tmp/quick"
is 'one for each tunnel of each node' "$(cd "$tmp/quick" && find . -type f | sort | paste -sd' ')" \
	'./a/w-b.conf ./a/w-c.conf ./b/w-a.conf ./b/w-c.conf ./c/w-a.conf ./c/w-b.conf'
is 'for nobody else to read' "$(find "$tmp/quick" -type f ! -perm 600)" ''
sed -i "s|^PrivateKey = .*|PrivateKey = $key|" "$tmp/quick/a/w-b.conf"
sed -i '$ a mesh m { port = 40000 }' "$tmp/conf"
ok 'and again, of another description' wg plan --config "$tmp/conf" --wg-quick "$tmp/quick/a" --node a
is 'a private key in a file stays' "$(grep -c "^PrivateKey = $key\$" "$tmp/quick/a/w-b.conf")" 1
is 'the rest is new' "$(grep -h ListenPort "$tmp"/quick/a/*.conf | paste -sd' ')" 'ListenPort = 40000 ListenPort = 40001'
printf x >"$tmp/file"
exits 'a directory that cannot be' 1 "$tmp/file" wg plan --config "$tmp/conf" --wg-quick "$tmp/file/x"

# -------- what is wrong
exits 'no verb' 2 'usage: asymbpf wg' wg
exits 'an unknown verb' 2 '"plam", did you mean "plan"' wg plam
exits 'help' 0 'genkey' wg --help
exits 'help of plan' 0 'wg-quick DIR' wg plan --help
exits 'help of genkey' 0 'public' wg genkey --help
exits 'an argument' 2 'what is "x"' wg plan x
exits 'an argument of genkey' 2 'what is "x"' wg genkey x
exits 'two kinds of output' 2 'exclude one another' wg plan --json --dot
exits 'a graph of one node' 2 'no --node' wg plan --dot --node a
exits 'an option of others' 2 'unknown option "--iface"' wg plan --iface wan1
exits 'no such file' 1 '/nowhere/mesh.conf' wg plan --config /nowhere/mesh.conf
exits 'no such node' 1 'no node "z"' wg plan --config "$tmp/conf" --node z
printf '\ndirection x { from = a to = z }\n' >>"$tmp/conf"
exits 'what is wrong is said with its line' 1 'conf:7: error: to: there is no node "z"' wg plan --config "$tmp/conf"
is 'and nothing else' "$(wg plan --config "$tmp/conf" 2>/dev/null)" ''
done_testing
