// SPDX-License-Identifier: GPL-2.0-or-later
/* Marks that others use, and connections. */
#include "nl/attr.h"
#include "nl/batch.h"
#include "nl/conntrack.h"
#include "nl/mark.h"
#include "tests/unit/nl_lab.h"
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <malloc.h>
#include <string.h>

static const struct host_mark_use *mark_in(const struct host *host, const char *chain, size_t nth)
{
	size_t i;

	for (i = 0; i < host->n_marks; i++)
		if (!strcmp(host->marks[i].chain, chain) && !nth--)
			return &host->marks[i];
	return NULL;
}

static void assert_mark(const struct host *host, const char *chain, size_t nth, uint32_t value,
			uint32_t mask, bool sets)
{
	const struct host_mark_use *use = mark_in(host, chain, nth);

	if (!use)
		fail_msg("nothing in %s", chain);
	assert_int_equal(use->value, value);
	assert_int_equal(use->mask, mask);
	assert_int_equal(use->sets, sets);
}

static void test_marks(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct nl nl;

	netns_need();
	if (system("nft add table inet probe 2>/dev/null"))
		skip();
	sh("nft -f - <<'E'\n"
	   "delete table inet probe\n"
	   "table ip fw {\n"
	   " chain whole { meta mark 0x10 accept; }\n"
	   " chain masked { ct mark & 0xff00 == 0x1200 accept; }\n"
	   " chain range { meta mark 0x10-0x20 accept; }\n"
	   " chain named { meta mark { 0x1, 0x2 } accept; }\n"
	   " chain concat { ip daddr . meta mark { 10.0.0.1 . 0x5 } accept; }\n"
	   " chain set_whole { meta mark set 0x77; }\n"
	   " chain set_part { meta mark set meta mark & 0xffff00ff | 0x300; }\n"
	   " chain set_or { ct mark set ct mark | 0x4; }\n"
	   " chain copy { ct mark set meta mark & 0xff; }\n"
	   " chain mapped { meta mark set ip saddr map { 10.0.0.1 : 0x9 }; }\n"
	   " chain none { ip daddr 10.0.0.1 tcp dport 80 accept; }\n"
	   "}\n"
	   "table inet asymbpf {\n chain ours { meta mark 0x10 accept; }\n}\n"
	   "E");
	nl = open_nl(NETLINK_NETFILTER);
	assert_int_equal(mark_dump(&nl, &host), 0);
	assert_mark(&host, "whole", 0, 0x10, UINT32_MAX, false);
	assert_string_equal(mark_in(&host, "whole", 0)->table, "fw");
	assert_mark(&host, "masked", 0, 0x1200, 0xff00, false);
	assert_non_null(mark_in(&host, "range", 0));
	assert_mark(&host, "named", 0, 0, UINT32_MAX, false);
	assert_mark(&host, "concat", 0, 0, UINT32_MAX, false);
	assert_mark(&host, "set_whole", 0, 0x77, UINT32_MAX, true);
	assert_mark(&host, "set_part", 0, 0x300, 0xff00, true);
	assert_mark(&host, "set_or", 0, 0x4, 0x4, true);
	assert_mark(&host, "copy", 0, 0, UINT32_MAX, true);
	assert_mark(&host, "mapped", 0, 0, UINT32_MAX, true);
	assert_null(mark_in(&host, "none", 0));
	assert_null(mark_in(&host, "ours", 0));
	sh("nft flush ruleset");
	nl_close(&nl);
}

static void test_marks_iptables(void **state)
{
	_cleanup_(host_done) struct host host = { 0 };
	struct nl nl;

	netns_need();
	if (system("iptables-nft -t mangle -A PREROUTING -m mark --mark 0x1/0x3 2>/dev/null"))
		skip();
	sh("iptables-nft -t mangle -A PREROUTING -m connmark --mark 0x10/0x30\n"
	   "iptables-nft -t mangle -A OUTPUT -j MARK --set-xmark 0x200/0x300\n"
	   "iptables-nft -t mangle -A OUTPUT -j CONNMARK --set-mark 0x4/0xc\n"
	   "iptables-nft -t mangle -A OUTPUT -j CONNMARK --restore-mark --mask 0xff");
	nl = open_nl(NETLINK_NETFILTER);
	assert_int_equal(mark_dump(&nl, &host), 0);
	assert_mark(&host, "PREROUTING", 0, 0x1, 0x3, false);
	assert_mark(&host, "PREROUTING", 1, 0x10, 0x30, false);
	assert_mark(&host, "OUTPUT", 0, 0x200, 0x300, true);
	assert_mark(&host, "OUTPUT", 1, 0x4, 0xc, true);
	assert_mark(&host, "OUTPUT", 2, 0, 0xff, true);
	sh("nft flush ruleset");
	nl_close(&nl);
}

struct tcp_flags {
	size_t connections, liberal;
};

static int count_flags(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size any[CTA_PROTOINFO + 1] = { [CTA_PROTOINFO] = ATTR_NEST };
	static const struct attr_size flags[CTA_PROTOINFO_TCP_MAX + 1] = {
		[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = { 2, 2 },
		[CTA_PROTOINFO_TCP_FLAGS_REPLY] = { 2, 2 },
	};
	const struct nlattr *tb[ARRAY_SIZE(any)], *tcp[ARRAY_SIZE(flags)];
	struct tcp_flags *ret = data;

	assert_int_equal(attr_parse(h, sizeof(struct nfgenmsg), any, ARRAY_SIZE(any), tb), 0);
	if (!tb[CTA_PROTOINFO])
		return 0;
	assert_int_equal(attr_parse_nest(mnl_attr_get_payload(tb[CTA_PROTOINFO]), flags,
					 ARRAY_SIZE(flags), tcp), 0);
	ret->connections++;
	for (int i = CTA_PROTOINFO_TCP_FLAGS_ORIGINAL; i <= CTA_PROTOINFO_TCP_FLAGS_REPLY; i++)
		ret->liberal += !!(*(uint8_t *)mnl_attr_get_payload(tcp[i]) &
				   IP_CT_TCP_FLAG_BE_LIBERAL);
	return 0;
}

static struct tcp_flags tcp_flags(struct nl *nl)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	struct tcp_flags flags = { 0 };
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	assert_int_equal(nl_dump(nl, &m, count_flags, NULL, &flags), 0);
	return flags;
}

static void connect_to(int type, const char *host)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(4711),
				   .sin6_addr = addr(host) };
	int fd = socket(AF_INET6, type, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

/* Connections of both families become liberal in both directions, once and for all; a UDP one, which
 * has no such thing, is passed over. */
static void test_liberal(void **state)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(4711) };
	struct tcp_flags flags;
	struct nl nl;
	int listener;

	netns_need();
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	sh("nft 'add table inet t; add chain inet t c { type filter hook input priority 0; };"
	   "add rule inet t c ct state new counter'");
	assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(listener, 2), 0);
	connect_to(SOCK_STREAM, "127.0.0.1");
	connect_to(SOCK_STREAM, "::1");
	connect_to(SOCK_DGRAM, "127.0.0.1");
	nl = open_nl(NETLINK_NETFILTER);
	flags = tcp_flags(&nl);
	assert_true(flags.connections == 2 && !flags.liberal);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(conntrack_make_liberal(&nl), 0);
		flags = tcp_flags(&nl);
		assert_true(flags.connections == 2 && flags.liberal == 4);
	}
	sh("nft flush ruleset");
	close(listener);
	nl_close(&nl);
}

static void put_tuple(struct nl_msg *m, uint16_t type, const char *from, const char *to, uint16_t port)
{
	uint16_t ports[] = { htons(port), htons(53) };
	struct in6_addr a = addr(from), b = addr(to);
	uint8_t udp = IPPROTO_UDP;
	struct nlattr *tuple = mnl_attr_nest_start(m->h, type), *part;

	part = mnl_attr_nest_start(m->h, CTA_TUPLE_IP);
	nl_put_addr(m, CTA_IP_V4_SRC, &a);
	nl_put_addr(m, CTA_IP_V4_DST, &b);
	mnl_attr_nest_end(m->h, part);
	part = mnl_attr_nest_start(m->h, CTA_TUPLE_PROTO);
	nl_put(m, CTA_PROTO_NUM, &udp, 1);
	nl_put(m, CTA_PROTO_SRC_PORT, &ports[type == CTA_TUPLE_REPLY], 2);
	nl_put(m, CTA_PROTO_DST_PORT, &ports[type == CTA_TUPLE_ORIG], 2);
	mnl_attr_nest_end(m->h, part);
	mnl_attr_nest_end(m->h, tuple);
}

/* As if 192.168.1.1 had gone out by a link with this mark, seen there as `as`. */
static void make_connections(struct nl *nl, uint32_t mark, uint32_t status, const char *as,
			     unsigned int n)
{
	struct nfgenmsg header = { .nfgen_family = AF_INET };
	struct nl_batch b = { 0 };
	struct nl_msg m;
	size_t first;

	for (unsigned int i = 0; i < n; i++) {
		char to[32];

		snprintf(to, sizeof(to), "203.0.%u.%u", i / 40000, 10 + mark / 256 % 200);
		nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
			 NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
		put_tuple(&m, CTA_TUPLE_ORIG, "192.168.1.1", to, i % 40000 + 1024);
		put_tuple(&m, CTA_TUPLE_REPLY, to, as, i % 40000 + 1024);
		nl_put_u32(&m, CTA_TIMEOUT, htonl(600));
		nl_put_u32(&m, CTA_MARK, htonl(mark));
		if (status)
			nl_put_u32(&m, CTA_STATUS, htonl(status | IPS_CONFIRMED));
		nl_batch_add(&b, &m);
	}
	assert_int_equal(nl_batch_talk(nl, &b, &first), 0);
	nl_batch_done(&b);
	malloc_trim(0);
}

static int count_marked(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size any[CTA_MARK + 1] = { [CTA_MARK] = ATTR_U32 };
	const struct nlattr *tb[ARRAY_SIZE(any)];

	assert_int_equal(attr_parse(h, sizeof(struct nfgenmsg), any, ARRAY_SIZE(any), tb), 0);
	++((size_t *)data)[ntohl(attr_u32(tb[CTA_MARK], 0)) >> 8 & 0xff];
	return 0;
}

/* KiB: the most that this process has had since it was asked to begin anew. */
static long peak(bool anew)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen(anew ? "/proc/self/clear_refs" : "/proc/self/status", anew ? "we" : "re");

	assert_non_null(f);
	if (anew)
		fputs("5", f);
	while (!anew && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %ld", &kib);
	fclose(f);
	return kib;
}

/* However many there are, what is wanted of them does not stand in memory for all at once. */
static void test_many_connections(void **state)
{
	enum { MANY = 50000 };
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	size_t marks[256] = { 0 }, n;
	struct nl_msg m;
	struct nl nl;
	long before;

	netns_need();
	nl = open_nl(NETLINK_NETFILTER);
	make_connections(&nl, 0x100, 0, "10.0.0.2", MANY);
	make_connections(&nl, 0x200, 0, "10.0.0.2", 10);
	peak(true);
	before = peak(false);
	assert_int_equal(conntrack_delete_translated(&nl, AF_INET, 0x100, 0xff00), 0);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
	assert_in_range(peak(false), before, before + 1000);
#endif
	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	assert_int_equal(nl_dump(&nl, &m, count_marked, NULL, marks), 0);
	assert_int_equal(marks[1], 0);
	assert_int_equal(marks[2], 10);

	make_connections(&nl, 0x100, 0, "10.0.0.2", MANY);
	assert_int_equal(conntrack_clear_marks(&nl, 0xff00, &n), 0);
	assert_int_equal(n, MANY + 10);
	nl_close(&nl);
}

/* Those that began while nobody marked and translated them. */
static void test_unanswered(void **state)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	size_t marks[256] = { 0 };
	struct nl_msg m;
	struct nl nl;

	netns_need();
	nl = open_nl(NETLINK_NETFILTER);
	make_connections(&nl, 0x100, 0, "192.168.1.1", 4);
	make_connections(&nl, 0x20000, 0, "192.168.1.1", 5);
	make_connections(&nl, 0x40000, IPS_SEEN_REPLY, "192.168.1.1", 6);
	make_connections(&nl, 0x60000, 0, "10.0.0.2", 7);
	assert_int_equal(conntrack_delete_unanswered(&nl, AF_INET6, 0xff00), 0);
	assert_int_equal(conntrack_delete_unanswered(&nl, AF_INET, 0xff00), 0);
	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	assert_int_equal(nl_dump(&nl, &m, count_marked, NULL, marks), 0);
	assert_int_equal(marks[1], 4);
	assert_int_equal(marks[0], 6 + 7);
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(test_marks),
		netns_test(test_marks_iptables),
		netns_test(test_liberal),
		netns_test(test_many_connections),
		netns_test(test_unanswered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
