// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel module by hand, with nothing of user/: what nft and libnftnl cannot say.
 *
 *	asymrule info                           ABI, features, offloaded, sticky entries
 *	asymrule set N MASK KEY LAST BUCKET...  bucket i of both families is BUCKET[i mod their number]
 *	asymrule del N | get N                  get: key, mask, last resort, bucket 0 and 1, references
 *	asymrule dump                           a line as get's for each
 *	asymrule rule FAMILY TABLE CHAIN [ATTR=VALUE]...
 *	                                        appends "asym ... => reg 1, meta mark set reg 1", with ATTR
 *	                                        a number of enum nft_asym_attr
 *	asymrule bucket KEY SRC DST PROTO SPORT DPORT   of an IPv4 packet, with seed 7
 *
 * Links that buckets name live, but the one of number 99.  Errors: the kernel's words, or errno's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASYM_INLINE static inline
#include "bpf/abi.h"
static inline bool asym_set_has(__u32 set, const struct asym_addr *a, void *ctx)
{
	return false;
}
#include "bpf/lib/select.h"
#include "kmod/uapi/nft_asym.h"

#define DEAD 99
#define SEED 7

static char buf[65536], answer[65536];
static struct mnl_socket *sock;

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err));
	exit(1);
}

static int to_error(const struct nlattr *a, void *data)
{
	if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
		fprintf(stderr, "kernel: %s\n", mnl_attr_get_str(a));
	return MNL_CB_OK;
}

static void complain(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t skip = sizeof(*e);

	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	if (h->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(h, MNL_ALIGN(skip), to_error, NULL);
	die("refused", -e->error);
}

/* What is in buf, len bytes, until the acknowledgement or the end of the dump. */
static void talk(int bus, size_t len, mnl_cb_t fn)
{
	int one = 1;
	ssize_t n;

	sock = mnl_socket_open(bus);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID))
		die("socket", errno);
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	if (mnl_socket_sendto(sock, buf, len) < 0)
		die("send", errno);
	for (;;) {
		n = mnl_socket_recvfrom(sock, answer, sizeof(answer));
		if (n < 0)
			die("receive", errno);
		for (struct nlmsghdr *h = (void *)answer; mnl_nlmsg_ok(h, (int)n);
		     h = mnl_nlmsg_next(h, (int *)&n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return;
			if (h->nlmsg_type != NLMSG_ERROR) {
				if (fn)
					fn(h, NULL);
				continue;
			}
			if (((struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error)
				complain(h);
			return;
		}
	}
}

static struct nlmsghdr *ask(uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = cmd;
	g->version = 1;
	return h;
}

static const struct nlattr *find(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == type)
			return a;
	die("attribute missing", 0);
	return NULL;
}

static uint16_t family;
static int take_family(const struct nlmsghdr *h, void *data)
{
	family = mnl_attr_get_u16(find(h, CTRL_ATTR_FAMILY_ID));
	return MNL_CB_OK;
}

static uint32_t u32(const struct nlmsghdr *h, uint16_t type)
{
	return mnl_attr_get_u32(find(h, type));
}

static int show_info(const struct nlmsghdr *h, void *data)
{
	printf("abi %u features %u offloaded %u sticky %u version %s\n", u32(h, ASYM_A_ABI),
	       u32(h, ASYM_A_FEATURES), u32(h, ASYM_A_OFFLOADED), u32(h, ASYM_A_STICKY_USED),
	       mnl_attr_get_str(find(h, ASYM_A_VERSION)));
	return MNL_CB_OK;
}

static int show_policy(const struct nlmsghdr *h, void *data)
{
	const uint8_t *b = mnl_attr_get_payload(find(h, ASYM_A_BUCKETS6));

	printf("%u key %u mask 0x%x last %u buckets %u %u references %u\n", u32(h, ASYM_A_POLICY),
	       mnl_attr_get_u8(find(h, ASYM_A_KEY)), u32(h, ASYM_A_MARK_MASK),
	       mnl_attr_get_u8(find(h, ASYM_A_LAST_RESORT)), b[0], b[1], u32(h, ASYM_A_REFERENCES));
	return MNL_CB_OK;
}

static uint32_t number(const char *s)
{
	return (uint32_t)strtoul(s, NULL, 0);
}

static void set(struct nlmsghdr *h, char **args, int n)
{
	uint32_t live[8] = {};
	uint8_t buckets[ASYM_BUCKETS];

	for (int i = 0; i < ASYM_BUCKETS; i++) {
		buckets[i] = (uint8_t)number(args[4 + i % (n - 4)]);
		if (buckets[i] && buckets[i] != DEAD)
			live[buckets[i] / 32] |= 1u << buckets[i] % 32;
	}
	mnl_attr_put_u32(h, ASYM_A_MARK_MASK, number(args[1]));
	mnl_attr_put_u8(h, ASYM_A_KEY, (uint8_t)number(args[2]));
	mnl_attr_put_u8(h, ASYM_A_LAST_RESORT, (uint8_t)number(args[3]));
	mnl_attr_put_u32(h, ASYM_A_SEED, SEED);
	for (uint16_t f = 0; f < ASYM_FAMILIES; f++) {
		mnl_attr_put(h, ASYM_A_BUCKETS4 + f, sizeof(buckets), buckets);
		mnl_attr_put(h, ASYM_A_LIVE4 + f, sizeof(live), live);
	}
}

static struct nlmsghdr *batch(char *at, uint16_t type, uint16_t flags, uint8_t nfproto)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g->nfgen_family = nfproto;
	g->version = NFNETLINK_V0;
	g->res_id = htons(nfproto ? 0 : NFNL_SUBSYS_NFTABLES);
	return h;
}

static void expression(struct nlmsghdr *h, const char *name, char **args, int n)
{
	struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM), *data;

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	for (int i = 0; i < n; i++)
		mnl_attr_put_u32(h, (uint16_t)number(args[i]), htonl(number(strchr(args[i], '=') + 1)));
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, element);
}

static void rule(char **args, int n)
{
	static char *mark[2];
	uint8_t nfproto = !strcmp(args[0], "ip") ? NFPROTO_IPV4 : !strcmp(args[0], "ip6") ? NFPROTO_IPV6 :
			  !strcmp(args[0], "inet") ? NFPROTO_INET : NFPROTO_BRIDGE;
	struct nlmsghdr *h = batch(buf, NFNL_MSG_BATCH_BEGIN, 0, 0), *end;
	struct nlattr *list;

	h = batch((char *)h + h->nlmsg_len, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
		  NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, nfproto);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, args[1]);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, args[2]);
	list = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	expression(h, ASYM_NFT_EXPR, args + 3, n - 3);
	mark[0] = strdup("2=3"); /* NFTA_META_KEY: NFT_META_MARK */
	mark[1] = strdup("3=1"); /* NFTA_META_SREG: NFT_REG_1 */
	expression(h, "meta", mark, 2);
	mnl_attr_nest_end(h, list);
	end = batch((char *)h + h->nlmsg_len, NFNL_MSG_BATCH_END, 0, 0);
	talk(NETLINK_NETFILTER, (size_t)((char *)end - buf) + end->nlmsg_len, NULL);
}

static void bucket(char **args)
{
	struct asym_flow f = {.proto = (uint8_t)number(args[3]), .sport = (uint16_t)number(args[4]),
			      .dport = (uint16_t)number(args[5])};

	f.src = f.dst = (struct asym_addr){{0, 0, htonl(0xffff), 0}};
	f.src.w[3] = inet_addr(args[1]);
	f.dst.w[3] = inet_addr(args[2]);
	printf("%u\n", asym_bucket(asym_hash(&f, (uint8_t)number(args[0]), SEED)));
}

static int usage(void)
{
	fputs("usage: asymrule info|set|del|get|dump|rule|bucket ...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		uint16_t flags;
		uint8_t cmd;
		int (*fn)(const struct nlmsghdr *h, void *data);
	} verbs[] = {
		{"info", 0, NLM_F_ACK, ASYM_CMD_GET_INFO, show_info},
		{"set", 5, NLM_F_ACK, ASYM_CMD_SET_POLICY, NULL},
		{"del", 1, NLM_F_ACK, ASYM_CMD_DEL_POLICY, NULL},
		{"get", 1, NLM_F_ACK, ASYM_CMD_GET_POLICY, show_policy},
		{"dump", 0, NLM_F_DUMP, ASYM_CMD_GET_POLICY, show_policy},
	};
	struct nlmsghdr *h;
	size_t v = 0;

	if (argc > 5 && !strcmp(argv[1], "rule"))
		return rule(argv + 2, argc - 2), 0;
	if (argc == 8 && !strcmp(argv[1], "bucket"))
		return bucket(argv + 2), 0;
	while (v < 5 && (argc < 2 || strcmp(argv[1], verbs[v].name)))
		v++;
	if (v == 5 || argc - 2 < verbs[v].args)
		return usage();
	h = ask(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, ASYM_GENL);
	talk(NETLINK_GENERIC, h->nlmsg_len, take_family);
	h = ask(family, verbs[v].flags, verbs[v].cmd);
	if (verbs[v].args)
		mnl_attr_put_u32(h, ASYM_A_POLICY, number(argv[2]));
	if (verbs[v].cmd == ASYM_CMD_SET_POLICY)
		set(h, argv + 2, argc - 2);
	talk(NETLINK_GENERIC, h->nlmsg_len, verbs[v].fn);
	return 0;
}
