// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <string.h>

#include "nl/nft_message.h"

/* libnftnl writes without asking for room: NFT_SET_ELEMS elements of less than 300 bytes fit. */
#define SCRATCH (160 << 10)

void nft_batch_init(struct nft_batch *ret, const char *table)
{
	*ret = (struct nft_batch){ .table = table, .family = NFPROTO_INET,
				   .messages.transaction = true };
	ret->scratch = malloc(SCRATCH);
	if (!ret->scratch)
		ret->err = -ENOMEM;
	else
		nft_message_add(ret, nftnl_batch_begin(ret->scratch, 0), "transaction");
}

void nft_batch_done(struct nft_batch *b)
{
	nl_batch_done(&b->messages);
	free(b->labels);
	free(b->scratch);
	if (b->rule)
		nftnl_rule_free(b->rule);
	if (b->set)
		nftnl_set_free(b->set);
	*b = (struct nft_batch){ 0 };
}

void nft_fail(struct nft_batch *b, int err)
{
	if (!b->err)
		b->err = err;
}

struct nlmsghdr *nft_message_begin(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(b->scratch, type, b->family, flags, 0);
}

void nft_message_add(struct nft_batch *b, const struct nlmsghdr *h, const char *fmt, ...)
{
	struct nft_label *label;
	va_list ap;

	nl_batch_add_raw(&b->messages, h);
	label = ARRAY_ADD(b->labels, b->n_labels);
	if (b->messages.err || !label) {
		nft_fail(b, b->messages.err ? b->messages.err : -ENOMEM);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(label->text, sizeof(label->text), fmt, ap);
	va_end(ap);
}

static struct nlmsghdr *last_message(const struct nl_batch *batch)
{
	return (struct nlmsghdr *)(batch->buf + batch->requests[batch->n - 1].at);
}

/* The last message alone asks for an acknowledgement: it tells that the batch was read to its end,
 * and thousands of others need no room in the socket.  Errors come unasked. */
static void finish(struct nft_batch *b, bool dry_run)
{
	if (b->rule || b->set)
		nft_fail(b, -EINVAL);
	if (b->err)
		return;
	last_message(&b->messages)->nlmsg_flags |= NLM_F_ACK;
	if (!dry_run)
		nft_message_add(b, nftnl_batch_end(b->scratch, 0), "commit");
}

static int explain(const struct nft_batch *b, const struct nl *nl, int r, size_t first, char *error,
		   size_t size)
{
	const char *where = first < b->n_labels ? b->labels[first].text : "transaction";

	if (nl->error[0])
		snprintf(error, size, "%s: %s: %s", where, strerror(-r), nl->error);
	else
		snprintf(error, size, "%s: %s", where, strerror(-r));
	return r;
}

int nft_batch_send(struct nft_batch *b, struct nl *nl, bool dry_run, char *error, size_t size)
{
	size_t first = b->n_labels;
	int r;

	nl->error[0] = '\0';
	finish(b, dry_run);
	r = b->err ? b->err : nl_batch_talk(nl, &b->messages, &first);
	return r ? explain(b, nl, r, first, error, size) : 0;
}

/* nft's own form of a comment: type, length, text with its NUL. */
static void table_comment_set(struct nft_batch *b, struct nftnl_table *t, const char *comment)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(2 + NFTNL_UDATA_COMMENT_MAXLEN);

	if (!udata)
		nft_fail(b, -ENOMEM);
	else if (!nftnl_udata_put_strz(udata, NFTNL_UDATA_TABLE_COMMENT, comment))
		nft_fail(b, -EMSGSIZE);
	else if (nftnl_table_set_data(t, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(udata),
				      nftnl_udata_buf_len(udata)))
		nft_fail(b, -ENOMEM);
	if (udata)
		nftnl_udata_buf_free(udata);
}

static void table_message(struct nft_batch *b, uint16_t type, uint16_t flags, const char *comment,
			  uint32_t table_flags)
{
	struct nftnl_table *t = b->err ? NULL : nftnl_table_alloc();
	struct nlmsghdr *h;

	if (!t || nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->table)) {
		nft_fail(b, -ENOMEM);
	} else {
		if (comment)
			table_comment_set(b, t, comment);
		if (type == NFT_MSG_NEWTABLE)
			nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, table_flags);
		h = nft_message_begin(b, type, flags);
		nftnl_table_nlmsg_build_payload(h, t);
		nft_message_add(b, h, "table %s", b->table);
	}
	if (t)
		nftnl_table_free(t);
}

void nft_table_add(struct nft_batch *b, const char *comment)
{
	table_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, comment, 0);
}

void nft_table_add_owned(struct nft_batch *b, const char *comment)
{
	table_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, comment,
		      NFT_TABLE_F_OWNER);
}

void nft_table_wake(struct nft_batch *b)
{
	table_message(b, NFT_MSG_NEWTABLE, 0, NULL, 0);
}

void nft_table_del(struct nft_batch *b)
{
	table_message(b, NFT_MSG_DELTABLE, 0, NULL, 0);
}

static void chain_message(struct nft_batch *b, uint16_t type, uint16_t flags, const char *name,
			  const struct nft_base *base, bool accept)
{
	struct nftnl_chain *c = b->err ? NULL : nftnl_chain_alloc();
	struct nlmsghdr *h;

	if (!c || nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->table) ||
	    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name) ||
	    (base && nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, base->type))) {
		nft_fail(b, -ENOMEM);
	} else {
		if (base) {
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, base->hook);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, base->priority);
		}
		if (accept)
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		h = nft_message_begin(b, type, flags);
		nftnl_chain_nlmsg_build_payload(h, c);
		nft_message_add(b, h, "chain %s", name);
	}
	if (c)
		nftnl_chain_free(c);
}

void nft_chain_add(struct nft_batch *b, const char *name)
{
	chain_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, name, NULL, false);
}

void nft_base_add(struct nft_batch *b, const struct nft_base *base)
{
	chain_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, base->name, base, true);
}

/* Without its hook: the kernel compares that, and refuses another. */
void nft_base_accept(struct nft_batch *b, const char *name)
{
	chain_message(b, NFT_MSG_NEWCHAIN, 0, name, NULL, true);
}

void nft_chain_del(struct nft_batch *b, const char *name)
{
	chain_message(b, NFT_MSG_DELCHAIN, 0, name, NULL, false);
}

static void counter_message(struct nft_batch *b, uint16_t type, uint16_t flags, const char *name)
{
	struct nftnl_obj *o = b->err ? NULL : nftnl_obj_alloc();
	struct nlmsghdr *h;

	if (!o) {
		nft_fail(b, -ENOMEM);
		return;
	}
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, b->table);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	h = nft_message_begin(b, type, flags);
	nftnl_obj_nlmsg_build_payload(h, o);
	nft_message_add(b, h, "counter %s", name);
	nftnl_obj_free(o);
}

void nft_counter_add(struct nft_batch *b, const char *name)
{
	counter_message(b, NFT_MSG_NEWOBJ, NLM_F_CREATE, name);
}

void nft_counter_del(struct nft_batch *b, const char *name)
{
	counter_message(b, NFT_MSG_DELOBJ, 0, name);
}
