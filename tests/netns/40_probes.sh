#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Probes of every kind against real servers: each leaves by its own link, whatever main's default is and
# whatever asymbpf thinks of the link; and what they say when there is no answer.
#
#   [c] ──── lan0 [gw] wan1, wan2 ════ [net] httpd 8080, https 8443, dns 5300, silent 9999
. "$(dirname "$0")/lib.sh"
prober=$build/tests/netns/prober
[ "$build" != "$root/build" ] || make -s -C "$root" build/tests/netns/prober >&2
lab
wan 1
wan 2
host=198.51.100.1 host6=2001:db8:ffff::1

# --- the Internet, which is not on the access lines themselves
net sysctl -qw net.ipv4.conf.all.arp_ignore=1
mkdir -p "$tmp/www/dir"
echo hello >"$tmp/www/index.html"
run_in "$net" busybox httpd -f -p '[::]:8080' -h "$tmp/www"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/key" -out "$tmp/cert" \
	-days 2 -subj /CN=www.example.net 2>/dev/null
run_in "$net" openssl s_server -accept '*:8443' -key "$tmp/key" -cert "$tmp/cert" -www -quiet
run_in "$net" dnsmasq -k -C /dev/null --port=5300 --no-resolv --no-hosts --bind-interfaces --interface=lo \
	--listen-address=$host --listen-address=$host6 --pid-file= --user=root
ip -n "$net" -6 addr add $host6/128 dev lo
wait_for listening "$net" 8080
wait_for listening "$net" 8443
wait_for listening "$net" 5300
net nft -f - <<-'END'
	table inet silent {
		chain in {
			type filter hook input priority 0; policy accept;
			meta l4proto { tcp, udp } th dport 9999 drop
			ip daddr 203.0.113.9 drop
		}
	}
END
net sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
ip -n "$net" route add unreachable 192.0.2.0/24
ip -n "$net" -6 route add unreachable 2001:db8:dead::/64

# a resolver for gw alone
mkdir -p "$tmp/etc/ssl/certs"
printf '%s\n' "$host www.example.net other.example.net" '203.0.113.9 silent.example.net' >"$tmp/etc/hosts"
echo 'hosts: files' >"$tmp/etc/nsswitch.conf"
echo 'nameserver 203.0.113.9' >"$tmp/etc/resolv.conf"
probes() { # [OPTION]...: the results of the probes of $tmp/conf
	gw unshare -m sh -c 'cd "$0" && for f in $(find etc -type f); do mount --bind "$f" "/$f"; done; exec "$@"' \
		"$tmp" "$prober" "$tmp/conf" "$@"
}
by() { # LINK: what they said by this link
	sed -n "s/^$1 //p" <<<"$said"
}

# --- every kind, both families
targets="ping = {\"$host\", \"$host6\"} tcp = {\"$host:80\", \"[$host6]:80\"}
	dns = {\"$host:5300\", \"[$host6]:5300\"} gateway = yes
	http = {\"http://$host:8080/\", \"http://[$host6]:8080/\", \"https://$host:8443/\", \"http://www.example.net:8080/\"}"
answers="ping $host answered 2
ping $host6 answered 2
tcp $host:80 answered 2
tcp [$host6]:80 answered 2
dns $host:5300 answered 2
dns [$host6]:5300 answered 2
gateway ipv4 answered 2
gateway ipv6 answered 2
http http://$host:8080/ answered 2
http http://[$host6]:8080/ answered 2
http https://$host:8443/ answered 2
http http://www.example.net:8080/ answered 2"
config <<END
lan { devices = "lan0" }
link wan1 { probe { gateway = no } }
link wan2 { probe { $targets timeout = 5s } }
END
ok 'load' asym load --config "$tmp/conf"
for k in 1 2; do gw sysctl -qw "net.ipv6.conf.wan$k.router_solicitations=0"; done
before=$(arrived tcp1 udp1 icmp1)
said=$(probes -n 2)
is 'by wan2, all are answered' "$(by wan2)" "$answers"
is 'by wan1 none was sent' "$(arrived tcp1 udp1 icmp1)" "$before"
ok 'by wan2 they were' [ "$(arrived tcp2 udp2 icmp2)" -ge 20 ]
no_strays 'each had its own source' 1 2
is 'connection tracking has no mark of them' "$(gw conntrack -L 2>/dev/null | grep -c 'mark=[1-9]')" 0
is 'nobody waits for the end of a connection' "$(gw ss -Htan state time-wait | wc -l)" 0

# --- a link that is down by its probes can be tested
state=$(state_file)
jq '(.ids[] | select(.name == "wan2")) += {failed_ipv4: true, failed_ipv6: true}' "$state" >"$tmp/state"
cp "$tmp/state" "$state"
ok 'reload with wan2 down' asym reload
like 'it is down' "$(status '.links[1].ipv4.state')" 'no-answer'
is 'new connections take wan1' "$(kinds "$(c "$traffic" tcp -n 50 198.51.100.0/24 80)")" '100.64.1.2'
said=$(probes -n 2)
is 'probes by wan2 are answered' "$(by wan2)" "$answers"
no_strays 'with its source' 1 2

# --- what does not answer
config <<END
lan { devices = "lan0" }
probe { timeout = 400ms }
link wan1 { probe {
	ping = {"203.0.113.9", "192.0.2.1", "2001:db8:dead::1"}
	tcp = {"$host:9999", "$host:81", "[$host6]:81", "192.0.2.1:80"}
	dns = {"$host:9999", "$host:54", "$host:53", "192.0.2.1:53"} } }
link wan2 { probe { gateway = no
	http = {"http://$host:9999/", "http://$host:81/", "http://$host:80/", "http://$host:8080/no", "http://$host:8080/dir"} } }
END
said=$(probes)
is 'reasons' "$(by wan1)" "ping 203.0.113.9 timeout 1
ping 192.0.2.1 unreachable 1
ping 2001:db8:dead::1 unreachable 1
tcp $host:9999 timeout 1
tcp $host:81 answered 1
tcp [$host6]:81 answered 1
tcp 192.0.2.1:80 unreachable 1
dns $host:9999 timeout 1
dns $host:54 refused 1
dns $host:53 timeout 1
dns 192.0.2.1:53 timeout 1"
like 'reasons of HTTP' "$(by wan2)" "^http http://$host:9999/ timeout 1
http http://$host:81/ refused 1
http http://$host:80/ [A-Za-z/0-9-]+ 1
http http://$host:8080/no status-404 1
http http://$host:8080/dir answered 1\$"

config <<END
lan { devices = "lan0" }
link wan1 { probe { http = {"http://$host:8080/dir"} http-status = "200" } }
link wan2 { probe { http = {"https://www.example.net:8443/", "http://no.example.net/", "http://silent.example.net/"}
	timeout = 400ms } }
END
said=$(probes)
is 'a redirect is not followed' "$(by wan1)" "http http://$host:8080/dir status-302 1"
is 'a certificate that nobody vouches for, no such name, a silent host' "$(by wan2)" "http https://www.example.net:8443/ certificate-not-trusted 1
http http://no.example.net/ name-not-resolved 1
http http://silent.example.net/ timeout 1"
cp "$tmp/cert" "$tmp/etc/ssl/certs/ca-certificates.crt"
config <<END
lan { devices = "lan0" }
link wan1 { probe { gateway = no } }
link wan2 { probe { http = {"https://www.example.net:8443/", "https://other.example.net:8443/"} } }
END
said=$(probes)
is 'a certificate that is vouched for, and one of another name' "$(by wan2)" "http https://www.example.net:8443/ answered 1
http https://other.example.net:8443/ certificate-not-trusted 1"

# the resolver asks a server that is silent for 10 s; nobody waits for it
echo 'hosts: files dns' >"$tmp/etc/nsswitch.conf"
config <<END
lan { devices = "lan0" }
probe { timeout = 300ms }
link wan1 { probe { http = {"http://no.example.net/", "http://www.example.net:8080/"} } }
link wan2 { probe { http = {"http://no.example.net/"} } }
END
began=${EPOCHREALTIME/[.,]/}
said=$(probes -n 2)
took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
is 'a resolver that hangs' "$(by wan.)" "http http://no.example.net/ timeout 2
http http://www.example.net:8080/ answered 2
http http://no.example.net/ timeout 2"
ok "holds up nobody ($took ms)" [ $took -lt 4000 ]

# a server that speaks for ever
keep ip netns exec "$net" sh -c "while :; do (printf 'HTTP/1.1 200 OK\r\n'; yes 'X: $(printf %0500d 0)') |
	busybox nc -l -p 8081 >/dev/null 2>&1; done"
wait_for listening "$net" 8081
config <<END
lan { devices = "lan0" }
link wan1 { probe { http = {"http://$host:8081/"} timeout = 10s } }
link wan2 { }
END
said=$(probes)
like 'a header without end' "$(by wan1)" "^http http://$host:8081/ [hH]eaders?-without-end 1\$"

# --- a device that goes and comes back while it is tested
config <<END
lan { devices = "lan0" }
probe { ping = {"$host", "$host6"} tcp = {"$host:80"} dns = {"$host:5300"} gateway = yes
	interval = 100ms timeout = 300ms }
link wan1 { }
link wan2 { }
END
ok 'reload' asym reload --config "$tmp/conf"
ip -n "$gw" link add wan9 type veth peer name p9 # an index in between
ip netns exec "$gw" "$prober" "$tmp/conf" -n 60 >"$tmp/said" </dev/null &
job=$!
look() { kill -USR1 $job; }
before=$(arrived icmp2)
tested() { [ "$(arrived icmp2)" -gt "$before" ]; }
wait_for tested
ip -n "$gw" link del wan2
look
cable "$gw" wan2 "$net" p2
ip -n "$net" addr add 100.64.2.1/24 dev p2
ip -n "$net" addr add 2001:db8:2::1/64 dev p2
wan_address 2 wan2
ok 'reload after wan2 came back' asym reload
look
rc=0
wait $job || rc=$?
is 'the prober lives' $rc 0
said=$(<"$tmp/said")
is 'wan1 did not notice' "$(by wan1 | grep -vc 'answered 60$')" 0
back=0
for k in "ping $host" "ping $host6" "tcp $host:80" "dns $host:5300" 'gateway ipv4' 'gateway ipv6'; do
	n=$(by wan2 | sed -n "s|^$k answered ||p")
	[ "${n:-0}" -ge 20 ] || diag "$k answered ${n:-0}"
	[ "${n:-0}" -lt 20 ] || back=$((back + 1))
done
is 'wan2 was tested again' $back 6
ok 'unload' asym unload
done_testing
