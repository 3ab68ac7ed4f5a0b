// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "nl/attr.h"
#include "nl/neigh.h"

static const struct attr_size policy[] = {
	[NDA_DST] = ATTR_ADDR,
	[NDA_LLADDR] = { 0, UINT16_MAX },
};

bool neigh_is_valid(const struct neigh *n)
{
	return n->mac_len && n->state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE |
					 NUD_DELAY | NUD_PROBE);
}

bool neigh_has_failed(const struct neigh *n)
{
	return n->state & NUD_FAILED;
}

static void parse_mac(const struct nlattr *a, struct neigh *n)
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	if (!len || len > sizeof(n->mac))
		return;
	n->mac_len = len;
	memcpy(n->mac, mnl_attr_get_payload(a), len);
}

int neigh_parse(const struct nlmsghdr *h, struct neigh *ret)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct neigh n = { 0 };
	int r;

	if (h->nlmsg_type != RTM_NEWNEIGH)
		return -ENOENT;
	r = attr_parse(h, sizeof(*nd), policy, ARRAY_SIZE(policy), tb);
	if (r)
		return r;
	if ((nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6) || !tb[NDA_DST])
		return -ENOENT;
	r = attr_addr(tb[NDA_DST], nd->ndm_family, &n.addr);
	if (r)
		return r;
	parse_mac(tb[NDA_LLADDR], &n);
	n.ifindex = nd->ndm_ifindex;
	n.state = nd->ndm_state;
	*ret = n;
	return 0;
}

static int take(const struct nlmsghdr *h, void *data)
{
	return neigh_parse(h, data);
}

static void begin(struct nl_msg *m, uint16_t type, const struct ndmsg *nd,
		  const struct in6_addr *addr)
{
	nl_begin(m, type, type == RTM_NEWNEIGH ? NLM_F_CREATE : 0, nd, sizeof(*nd));
	nl_put_addr(m, NDA_DST, addr);
}

int neigh_get(struct nl *nl, uint32_t ifindex, const struct in6_addr *addr, struct neigh *ret)
{
	const struct ndmsg nd = { .ndm_family = addr_family(addr), .ndm_ifindex = (int)ifindex };
	struct nl_msg m;

	begin(&m, RTM_GETNEIGH, &nd, addr);
	return nl_ask(nl, &m, take, ret);
}

int neigh_use(struct nl *nl, uint32_t ifindex, const struct in6_addr *addr)
{
	const struct ndmsg nd = { .ndm_family = addr_family(addr), .ndm_ifindex = (int)ifindex,
				  .ndm_flags = NTF_USE };
	struct nl_msg m;

	begin(&m, RTM_NEWNEIGH, &nd, addr);
	return nl_ask(nl, &m, NULL, NULL);
}
