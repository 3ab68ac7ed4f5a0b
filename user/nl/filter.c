// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl/filter.h"

#include "nl/attr.h"
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct count {
	const struct filter_place *but;
	unsigned int n;
};

/* A priority is told of by itself too, with handle 0 (net/sched/cls_api.c, tcf_chain_dump). */
static bool is_at(const struct tcmsg *t, const struct filter_place *place)
{
	return t->tcm_info >> 16 == place->priority &&
	       (!t->tcm_handle || t->tcm_handle == place->handle);
}

static int add(const struct nlmsghdr *h, void *data)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);
	struct count *c = data;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*t))
		return -EBADMSG;
	c->n += h->nlmsg_type == RTM_NEWTFILTER && !(c->but && is_at(t, c->but));
	return 0;
}

static void reset(void *data)
{
	((struct count *)data)->n = 0;
}

int filter_count(struct nl *nl, uint32_t ifindex, bool egress, const struct filter_place *but,
		 unsigned int *ret)
{
	struct tcmsg t = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS),
	};
	struct count c = {.but = but};
	struct nl_msg m;
	int r;

	nl_begin(&m, RTM_GETTFILTER, NLM_F_DUMP, &t, sizeof(t));
	r = nl_dump(nl, &m, add, reset, &c);
	if (r && r != -EOPNOTSUPP)
		return r;
	*ret = c.n;
	return 0;
}

static int is_ingress(const struct nlmsghdr *h, void *data)
{
	static const struct attr_size policy[] = {[TCA_KIND] = ATTR_STR(UINT16_MAX)};
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	char kind[16]; /* net/sch_generic.h, struct Qdisc_ops: IFNAMSIZ */
	int r = attr_parse(h, sizeof(struct tcmsg), policy, ARRAY_SIZE(policy), tb);

	r = r ?: attr_str(tb[TCA_KIND], kind, sizeof(kind));
	*(bool *)data = !r && !strcmp(kind, "ingress");
	return r;
}

/* Before Linux 6.7 the answer is a notification, which only NLM_F_ECHO brings to us. */
bool filter_ingress_only(struct nl *nl, uint32_t ifindex)
{
	struct tcmsg t = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_INGRESS};
	bool ingress = false;
	struct nl_msg m;

	nl_begin(&m, RTM_GETQDISC, NLM_F_ECHO, &t, sizeof(t));
	return !nl_ask(nl, &m, is_ingress, &ingress) && ingress;
}
