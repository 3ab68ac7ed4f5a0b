// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "nl/attr.h"
#include "nl/batch.h"
#include "nl/conntrack.h"

#define LIBERAL IP_CT_TCP_FLAG_BE_LIBERAL
#define AT_ONCE 1024 /* requests in memory: there may be millions of connections */

static const struct attr_size policy[] = {
	[CTA_TUPLE_ORIG] = ATTR_NEST,
	[CTA_TUPLE_REPLY] = ATTR_NEST,
	[CTA_STATUS] = ATTR_U32,
	[CTA_PROTOINFO] = ATTR_NEST,
	[CTA_MARK] = ATTR_U32,
	[CTA_ID] = ATTR_U32,
};

/* Requests are collected while the kernel dumps, and sent by another socket: a dump and a change do not go
 * together on one. */
struct changes {
	struct nl_batch batch;
	struct nl out;
	size_t n;  /* sent */
	int first; /* error */
	/* adds what is to change, false: nothing */
	bool (*put)(const struct changes *c, const struct nlattr *const *tb, struct nl_msg *m);
	uint16_t type; /* of the requests */
	int family;
	uint32_t mark, mask; /* mark 0: whatever it is */
};

/* The mask is inverted by the kernel: mark = (mark & ~mask) ^ value (nf_conntrack_netlink.c,
 * ctnetlink_change_mark). */
static bool put_mark(const struct changes *c, const struct nlattr *const *tb, struct nl_msg *m)
{
	if (!(ntohl(attr_u32(tb[CTA_MARK], 0)) & c->mask))
		return false;
	nl_put_u32(m, CTA_MARK, 0);
	nl_put_u32(m, CTA_MARK_MASK, htonl(c->mask));
	return true;
}

/* Within CTA_PROTOINFO, as the kernel parses it (nf_conntrack_proto_tcp.c, nlattr_to_tcp). */
static bool put_liberal(const struct changes *c, const struct nlattr *const *tb, struct nl_msg *m)
{
	static const struct {
		struct nlattr tcp;
		struct {
			struct nlattr head;
			struct nf_ct_tcp_flags flags;
			uint8_t pad[2];
		} side[2];
	} info = {
		.tcp = { sizeof(info), CTA_PROTOINFO_TCP | NLA_F_NESTED },
		.side = {
			{ { 6, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL }, { LIBERAL, LIBERAL } },
			{ { 6, CTA_PROTOINFO_TCP_FLAGS_REPLY }, { LIBERAL, LIBERAL } },
		},
	};
	const struct nlattr *protocol = tb[CTA_PROTOINFO];

	if (!protocol || mnl_attr_get_payload_len(protocol) < sizeof(struct nlattr) ||
	    mnl_attr_get_type(mnl_attr_get_payload(protocol)) != CTA_PROTOINFO_TCP)
		return false;
	nl_put(m, CTA_PROTOINFO | NLA_F_NESTED, &info, sizeof(info));
	return true;
}

static int tuple_addr(const struct nlattr *tuple, int family, bool src, struct in6_addr *ret)
{
	static const struct attr_size outer[] = { [CTA_TUPLE_IP] = ATTR_NEST };
	static const struct attr_size inner[] = {
		[CTA_IP_V4_SRC] = ATTR_ADDR, [CTA_IP_V4_DST] = ATTR_ADDR,
		[CTA_IP_V6_SRC] = ATTR_ADDR, [CTA_IP_V6_DST] = ATTR_ADDR,
	};
	const struct nlattr *ip[ARRAY_SIZE(outer)] = {}, *addr[ARRAY_SIZE(inner)] = {};
	int r = tuple ? attr_parse_nest(tuple, outer, ARRAY_SIZE(outer), ip) : -EBADMSG;

	if (!r && ip[CTA_TUPLE_IP])
		r = attr_parse_nest(ip[CTA_TUPLE_IP], inner, ARRAY_SIZE(inner), addr);
	if (r)
		return r;
	if (family == AF_INET)
		return attr_addr(addr[src ? CTA_IP_V4_SRC : CTA_IP_V4_DST], family, ret);
	return attr_addr(addr[src ? CTA_IP_V6_SRC : CTA_IP_V6_DST], family, ret);
}

/* Whether the source address is translated, or not. */
static bool source_is(bool translated, const struct changes *c, const struct nlattr *const *tb)
{
	struct in6_addr from, seen_as;

	return !tuple_addr(tb[CTA_TUPLE_ORIG], c->family, true, &from) &&
	       !tuple_addr(tb[CTA_TUPLE_REPLY], c->family, false, &seen_as) &&
	       addr_equal(&from, &seen_as) != translated;
}

/* The id: not the one that took its place meanwhile. */
static bool put_translated(const struct changes *c, const struct nlattr *const *tb, struct nl_msg *m)
{
	if ((ntohl(attr_u32(tb[CTA_MARK], 0)) & c->mask) != c->mark || !tb[CTA_ID] ||
	    !source_is(true, c, tb))
		return false;
	nl_put_u32(m, CTA_ID, attr_u32(tb[CTA_ID], 0));
	return true;
}

static bool put_unanswered(const struct changes *c, const struct nlattr *const *tb, struct nl_msg *m)
{
	if (ntohl(attr_u32(tb[CTA_MARK], 0)) & c->mask || !tb[CTA_ID] || !tb[CTA_STATUS] ||
	    ntohl(attr_u32(tb[CTA_STATUS], 0)) & IPS_SEEN_REPLY || !source_is(false, c, tb))
		return false;
	nl_put_u32(m, CTA_ID, attr_u32(tb[CTA_ID], 0));
	return true;
}

/* The first error that is more than "gone already". */
static int send_batch(struct nl *nl, struct nl_batch *batch)
{
	size_t first;
	int r = batch->n ? nl_batch_talk(nl, batch, &first) : 0;

	if (!r || first == batch->n)
		return r;
	for (size_t i = 0; i < batch->n; i++)
		if (batch->requests[i].err && batch->requests[i].err != -ENOENT)
			return batch->requests[i].err;
	return 0;
}

static void empty_batch(void *data)
{
	struct changes *c = data;

	nl_batch_done(&c->batch);
}

/* One that is refused does not keep the others from being sent. */
static void send_changes(struct changes *c)
{
	int r = c->out.sock ? 0 : nl_open(&c->out, NETLINK_NETFILTER);

	r = r ?: send_batch(&c->out, &c->batch);
	c->first = c->first ?: r;
	c->n += c->batch.n;
	empty_batch(c);
}

static int on_connection(const struct nlmsghdr *h, void *data)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct nfgenmsg to = { .nfgen_family = header->nfgen_family };
	struct changes *c = data;
	struct nl_msg m;
	int r = attr_parse(h, sizeof(*header), policy, ARRAY_SIZE(policy), tb);

	if (r)
		return r;
	if (!tb[CTA_TUPLE_ORIG])
		return 0;
	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | c->type, 0, &to, sizeof(to));
	nl_put(&m, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload(tb[CTA_TUPLE_ORIG]),
	       mnl_attr_get_payload_len(tb[CTA_TUPLE_ORIG]));
	if (c->put(c, tb, &m))
		nl_batch_add(&c->batch, &m);
	r = c->batch.err;
	if (c->batch.n >= AT_ONCE)
		send_changes(c);
	return r;
}

static int change_all(struct nl *nl, struct changes *c, size_t *ret_n)
{
	struct nfgenmsg header = { .nfgen_family = c->family };
	struct nl_msg m;
	int r;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	if (c->mark) {
		nl_put_u32(&m, CTA_MARK, htonl(c->mark));
		nl_put_u32(&m, CTA_MARK_MASK, htonl(c->mask));
	}
	r = nl_dump(nl, &m, on_connection, empty_batch, c);
	/* no ctnetlink in this kernel, or nothing has loaded it */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		r = 0;
	if (!r && c->batch.n)
		send_changes(c);
	empty_batch(c);
	nl_close(&c->out);
	r = r ?: c->first;
	if (!r)
		*ret_n = c->n;
	return r;
}

int conntrack_clear_marks(struct nl *nl, uint32_t mask, size_t *ret_n)
{
	struct changes c = { .put = put_mark, .type = IPCTNL_MSG_CT_NEW, .mask = mask };

	return change_all(nl, &c, ret_n);
}

int conntrack_make_liberal(struct nl *nl)
{
	struct changes c = { .put = put_liberal, .type = IPCTNL_MSG_CT_NEW };
	size_t n;

	return change_all(nl, &c, &n);
}

/*
 * The kernel deletes what it finds; a filter by mark has been in it since Linux 3.16, that by family
 * counts when the version is not 0 (ctnetlink_del_conntrack), and is as old as 5.3.  A kernel that would
 * ignore them would delete everything: such a one has no SO_NETNS_COOKIE (5.14), or no "ct mark" in
 * nftables, and nothing of ours is loaded there.
 */
int conntrack_delete_marked(struct nl *nl, int family, uint32_t mark, uint32_t mask)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = 1 };
	struct nl_msg m;
	int r;

	if (!mark || (mark & mask) != mark)
		return -EINVAL;
	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, &header,
		 sizeof(header));
	nl_put_u32(&m, CTA_MARK, htonl(mark));
	nl_put_u32(&m, CTA_MARK_MASK, htonl(mask));
	r = nl_ask(nl, &m, NULL, NULL);
	return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

int conntrack_delete_translated(struct nl *nl, int family, uint32_t mark, uint32_t mask)
{
	struct changes c = { .put = put_translated, .type = IPCTNL_MSG_CT_DELETE,
			     .family = family, .mark = mark, .mask = mask };
	size_t n;

	if (!mark || (mark & mask) != mark)
		return -EINVAL;
	return change_all(nl, &c, &n);
}

int conntrack_delete_unanswered(struct nl *nl, int family, uint32_t mask)
{
	struct changes c = { .put = put_unanswered, .type = IPCTNL_MSG_CT_DELETE,
			     .family = family, .mask = mask };
	size_t n;

	return change_all(nl, &c, &n);
}

/* How many connections there are; whom nobody answers the kernel loads the module that could
 * (nfnetlink_rcv_msg: request_module("nfnetlink-subsys-1")). */
void conntrack_autoload(struct nl *nl)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, 0, &header,
		 sizeof(header));
	nl_ask(nl, &m, NULL, NULL);
}
