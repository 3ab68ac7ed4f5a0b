// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "nl/attr.h"
#include "nl/rule.h"

static const struct attr_size policy[] = {
	[FRA_DST] = ATTR_ADDR,
	[FRA_SRC] = ATTR_ADDR,
	[FRA_IIFNAME] = ATTR_STR(IFNAMSIZ),
	[FRA_GOTO] = ATTR_U32,
	[FRA_PRIORITY] = ATTR_U32,
	[FRA_FWMARK] = ATTR_U32,
	[FRA_TUN_ID] = { 8, 8 },
	[FRA_SUPPRESS_IFGROUP] = ATTR_U32,
	[FRA_SUPPRESS_PREFIXLEN] = ATTR_U32,
	[FRA_TABLE] = ATTR_U32,
	[FRA_FWMASK] = ATTR_U32,
	[FRA_OIFNAME] = ATTR_STR(IFNAMSIZ),
	[FRA_L3MDEV] = ATTR_U8,
	[FRA_UID_RANGE] = { 8, 8 },
	[FRA_PROTOCOL] = ATTR_U8,
	[FRA_IP_PROTO] = ATTR_U8,
	[FRA_SPORT_RANGE] = { 4, 4 },
	[FRA_DPORT_RANGE] = { 4, 4 },
};

/* The kernel's number of every action but RULE_OTHER. */
static const uint8_t actions[RULE_OTHER] = {
	[RULE_TABLE] = FR_ACT_TO_TBL,
	[RULE_GOTO] = FR_ACT_GOTO,
	[RULE_NOP] = FR_ACT_NOP,
	[RULE_UNREACHABLE] = FR_ACT_UNREACHABLE,
	[RULE_BLACKHOLE] = FR_ACT_BLACKHOLE,
};

static enum rule_action action_of(uint8_t number)
{
	enum rule_action a = 0;

	while (a < RULE_OTHER && actions[a] != number)
		a++;
	return a;
}

/* Tests that struct rule has no member for. */
static bool tests_more(const struct fib_rule_hdr *frh, const struct nlattr **tb)
{
	return frh->dst_len || frh->tos || tb[FRA_TUN_ID] || tb[FRA_UID_RANGE] ||
	       tb[FRA_IP_PROTO] || tb[FRA_SPORT_RANGE] || tb[FRA_DPORT_RANGE] ||
	       attr_u8(tb[FRA_L3MDEV], 0) ||
	       attr_u32(tb[FRA_SUPPRESS_IFGROUP], UINT32_MAX) != UINT32_MAX;
}

static int parse_tests(const struct fib_rule_hdr *frh, const struct nlattr **tb, struct rule *rule)
{
	int r = attr_str(tb[FRA_IIFNAME], rule->iif, sizeof(rule->iif));

	if (!r)
		r = attr_str(tb[FRA_OIFNAME], rule->oif, sizeof(rule->oif));
	if (!r && frh->src_len)
		r = attr_prefix(tb[FRA_SRC], frh->family, frh->src_len, &rule->src);
	rule->has_src = frh->src_len;
	rule->mark = attr_u32(tb[FRA_FWMARK], 0);
	rule->mask = attr_u32(tb[FRA_FWMASK], rule->mark ? UINT32_MAX : 0);
	rule->invert = frh->flags & FIB_RULE_INVERT;
	rule->more = tests_more(frh, tb);
	return r;
}

static int parse(const struct nlmsghdr *h, struct rule *ret)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct rule rule = { .family = frh->family, .action = action_of(frh->action) };
	int r = attr_parse(h, sizeof(*frh), policy, ARRAY_SIZE(policy), tb);

	if (!r)
		r = parse_tests(frh, tb, &rule);
	if (r)
		return r;
	rule.priority = attr_u32(tb[FRA_PRIORITY], 0);
	if (rule.action == RULE_TABLE)
		rule.table = attr_u32(tb[FRA_TABLE], frh->table);
	if (rule.action == RULE_GOTO)
		rule.target = attr_u32(tb[FRA_GOTO], 0);
	rule.suppress_len = (int)attr_u32(tb[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX);
	rule.protocol = attr_u8(tb[FRA_PROTOCOL], RTPROT_UNSPEC);
	*ret = rule;
	return 0;
}

struct rules {
	struct host *host;
	size_t start; /* rules of the family before */
	uint8_t family;
};

static int add(const struct nlmsghdr *h, void *data)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	struct rules *rules = data;
	struct rule rule, *slot;
	int r;

	if (h->nlmsg_type != RTM_NEWRULE)
		return 0;
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*frh))
		return -EBADMSG;
	if (frh->family != rules->family)
		return 0;
	r = parse(h, &rule);
	if (r)
		return r;
	slot = ARRAY_ADD(rules->host->rules, rules->host->n_rules);
	if (!slot)
		return -ENOMEM;
	*slot = rule;
	return 0;
}

static void reset(void *data)
{
	struct rules *rules = data;

	rules->host->n_rules = rules->start;
}

static int dump_family(struct nl *nl, uint8_t family, struct host *ret)
{
	struct fib_rule_hdr frh = { .family = family };
	struct rules rules = { ret, ret->n_rules, family };
	struct nl_msg m;

	nl_begin(&m, RTM_GETRULE, 0, &frh, sizeof(frh));
	return nl_dump(nl, &m, add, reset, &rules);
}

int rule_dump(struct nl *nl, struct host *ret)
{
	int r = dump_family(nl, AF_INET, ret);

	if (r)
		return r;
	r = dump_family(nl, AF_INET6, ret);
	/* ipv6.disable=1 on the kernel's command line */
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static void fill_tests(struct nl_msg *m, const struct rule *rule)
{
	if (rule->has_src)
		nl_put_addr(m, FRA_SRC, &rule->src.addr);
	if (rule->mask) {
		nl_put_u32(m, FRA_FWMARK, rule->mark);
		nl_put_u32(m, FRA_FWMASK, rule->mask);
	}
	if (rule->iif[0])
		nl_put_str(m, FRA_IIFNAME, rule->iif);
	if (rule->oif[0])
		nl_put_str(m, FRA_OIFNAME, rule->oif);
}

static void fill(struct nl_msg *m, uint16_t type, uint16_t flags, const struct rule *rule)
{
	struct fib_rule_hdr frh = {
		.family = rule->family,
		.src_len = rule->has_src ? prefix_len(&rule->src) : 0,
		.action = rule->action < RULE_OTHER ? actions[rule->action] : FR_ACT_UNSPEC,
		.flags = rule->invert ? FIB_RULE_INVERT : 0,
	};

	nl_begin(m, type, flags | NLM_F_ACK, &frh, sizeof(frh));
	nl_put_u32(m, FRA_PRIORITY, rule->priority);
	nl_put_u8(m, FRA_PROTOCOL, rule->protocol);
	fill_tests(m, rule);
	if (rule->action == RULE_TABLE)
		nl_put_u32(m, FRA_TABLE, rule->table);
	if (rule->action == RULE_GOTO)
		nl_put_u32(m, FRA_GOTO, rule->target);
	if (rule->suppress_len >= 0)
		nl_put_u32(m, FRA_SUPPRESS_PREFIXLEN, rule->suppress_len);
}

void rule_fill_add(struct nl_msg *m, const struct rule *rule)
{
	fill(m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

void rule_fill_delete(struct nl_msg *m, const struct rule *rule)
{
	fill(m, RTM_DELRULE, 0, rule);
}
