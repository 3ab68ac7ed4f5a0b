// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "nl/attr.h"
#include "nl/batch.h"
#include "nl/conntrack.h"

static const struct attr_size policy[] = {
	[CTA_TUPLE_ORIG] = ATTR_NEST,
	[CTA_MARK] = ATTR_U32,
};

/* Requests are collected while the kernel dumps, and sent after: a dump and a change do not go
 * together on one socket. */
struct clearing {
	struct nl_batch batch;
	uint32_t mask;
};

/* The mask is inverted by the kernel: mark = (mark & ~mask) ^ value (nf_conntrack_netlink.c,
 * ctnetlink_change_mark). */
static void add_change(struct clearing *c, uint8_t family, const struct nlattr *tuple)
{
	struct nfgenmsg header = { .nfgen_family = family };
	struct nl_msg m;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, &header, sizeof(header));
	nl_put(&m, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload(tuple),
	       mnl_attr_get_payload_len(tuple));
	nl_put_u32(&m, CTA_MARK, 0);
	nl_put_u32(&m, CTA_MARK_MASK, htonl(c->mask));
	nl_batch_add(&c->batch, &m);
}

static int on_connection(const struct nlmsghdr *h, void *data)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[ARRAY_SIZE(policy)];
	struct clearing *c = data;
	int r = attr_parse(h, sizeof(*header), policy, ARRAY_SIZE(policy), tb);

	if (r)
		return r;
	if (tb[CTA_TUPLE_ORIG] && ntohl(attr_u32(tb[CTA_MARK], 0)) & c->mask)
		add_change(c, header->nfgen_family, tb[CTA_TUPLE_ORIG]);
	return c->batch.err;
}

static void reset(void *data)
{
	struct clearing *c = data;

	nl_batch_done(&c->batch);
	c->batch = (struct nl_batch){};
}

/* The first error that is more than "gone already". */
static int send_changes(struct nl *nl, struct nl_batch *batch)
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

int conntrack_clear_marks(struct nl *nl, uint32_t mask, size_t *ret_n)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	struct clearing c = { .mask = mask };
	struct nl_msg m;
	int r;

	nl_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
		 sizeof(header));
	r = nl_dump(nl, &m, on_connection, reset, &c);
	/* no ctnetlink in this kernel, or nothing has loaded it */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		r = 0;
	r = r ? r : send_changes(nl, &c.batch);
	if (!r)
		*ret_n = c.batch.n;
	nl_batch_done(&c.batch);
	return r;
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
