// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "nl/addr.h"
#include "nl/attr.h"

static const struct attr_size policy[] = {
	[IFA_ADDRESS] = ATTR_ADDR,
	[IFA_LOCAL] = ATTR_ADDR,
	[IFA_FLAGS] = ATTR_U32,
};

/* An optimistic address may be used while duplicates are still looked for (RFC 4429). */
static bool usable(uint32_t flags)
{
	if (flags & IFA_F_DADFAILED)
		return false;
	return !(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC;
}

static bool link_scope(const struct in6_addr *a)
{
	static const struct prefix v4 = { { { { [10] = 0xff, 0xff, 169, 254 } } }, 112 };
	static const struct prefix v6 = { { { { 0xfe, 0x80 } } }, 10 };

	return prefix_contains(&v4, a) || prefix_contains(&v6, a);
}

/* IFA_ADDRESS is the peer where there is one, else the address; IFA_LOCAL is the address, and left
 * out by IPv6 where there is no peer. */
static int parse_addresses(const struct nlattr **tb, int family, struct host_addr *a)
{
	const struct nlattr *own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	int r = attr_addr(own, family, &a->prefix.addr);

	if (!r)
		r = attr_addr(tb[IFA_ADDRESS], family, &a->peer);
	if (r || !own)
		return r ? r : -EBADMSG;
	if (addr_equal(&a->peer, &a->prefix.addr))
		a->peer = in6addr_any;
	return 0;
}

static int parse(const struct nlmsghdr *h, struct host_addr *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct host_addr a = { 0 };
	uint32_t flags;
	int r = attr_parse(h, sizeof(*ifa), policy, ARRAY_SIZE(policy), tb);

	if (!r)
		r = parse_addresses(tb, ifa->ifa_family, &a);
	if (r)
		return r;
	if (ifa->ifa_prefixlen > (ifa->ifa_family == AF_INET ? 32 : 128))
		return -EBADMSG;
	a.prefix.len = ifa->ifa_prefixlen + (ifa->ifa_family == AF_INET ? 96 : 0);
	a.ifindex = ifa->ifa_index;
	flags = attr_u32(tb[IFA_FLAGS], ifa->ifa_flags);
	a.usable = usable(flags);
	a.deprecated = flags & IFA_F_DEPRECATED;
	a.link_scope = link_scope(&a.prefix.addr);
	*ret = a;
	return 0;
}

static int add(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct host *host = data;
	struct host_addr a, *slot;
	int r;

	if (h->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*ifa))
		return -EBADMSG;
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return 0;
	r = parse(h, &a);
	if (r)
		return r;
	slot = ARRAY_ADD(host->addrs, host->n_addrs);
	if (!slot)
		return -ENOMEM;
	*slot = a;
	return 0;
}

static void reset(void *data)
{
	((struct host *)data)->n_addrs = 0;
}

int addr_dump(struct nl *nl, struct host *ret)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };
	struct nl_msg m;

	nl_begin(&m, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	return nl_dump(nl, &m, add, reset, ret);
}

static void fill(struct nl_msg *m, uint16_t type, uint16_t flags, uint32_t ifindex,
		 const struct in6_addr *a)
{
	bool v4 = addr_is_v4(a);
	const struct ifaddrmsg ifa = {
		.ifa_family = v4 ? AF_INET : AF_INET6,
		.ifa_prefixlen = v4 ? 32 : 128,
		.ifa_index = ifindex,
	};

	nl_begin(m, type, flags | NLM_F_ACK, &ifa, sizeof(ifa));
	nl_put_addr(m, IFA_LOCAL, a);
	nl_put_addr(m, IFA_ADDRESS, a);
	if (!v4 && type == RTM_NEWADDR)
		nl_put_u32(m, IFA_FLAGS, IFA_F_NODAD);
}

void addr_fill_add(struct nl_msg *m, uint32_t ifindex, const struct in6_addr *a)
{
	fill(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, a);
}

void addr_fill_delete(struct nl_msg *m, uint32_t ifindex, const struct in6_addr *a)
{
	fill(m, RTM_DELADDR, 0, ifindex, a);
}
