// SPDX-License-Identifier: GPL-2.0-or-later
/* Anonymous sets and maps.  The type numbers are nft's (nftables include/datatype.h), which nft
 * needs to list what we wrote; the kernel only looks at lengths. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <net/if.h>
#include <string.h>

#include "nl/nft_message.h"

enum { ORDER_HOST = 1, ORDER_BIG_ENDIAN = 2 }; /* nft's enum byteorder */

static const struct {
	uint32_t type, len;
} keys[] = {
	[NFT_KEY_MARK] = { 19, sizeof(uint32_t) },
	[NFT_KEY_IFNAME] = { 41, IFNAMSIZ },
	[NFT_KEY_RANGE] = { 4, sizeof(uint32_t) },
};

static void order_set(struct nft_batch *b, enum nft_key key, enum nft_data data)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(32);

	if (!udata ||
	    !nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER,
				 key == NFT_KEY_RANGE ? ORDER_BIG_ENDIAN : ORDER_HOST) ||
	    (data == NFT_SET_U16_BE &&
	     !nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_DATABYTEORDER, ORDER_BIG_ENDIAN)) ||
	    nftnl_set_set_data(b->set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
			       nftnl_udata_buf_len(udata)))
		nft_fail(b, -ENOMEM);
	if (udata)
		nftnl_udata_buf_free(udata);
}

static void data_set(struct nftnl_set *s, enum nft_key key, enum nft_data data)
{
	uint32_t flags = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT;

	if (key == NFT_KEY_RANGE)
		flags |= NFT_SET_INTERVAL;
	if (data != NFT_SET_PLAIN)
		flags |= NFT_SET_MAP;
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	if (data == NFT_SET_VERDICTS) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, 0);
	} else if (data == NFT_SET_U16_BE) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, 4); /* integer */
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint16_t));
	}
}

void nft_set_begin(struct nft_batch *b, enum nft_key key, enum nft_data data)
{
	if (b->err)
		return;
	b->set_elems = 0;
	b->set = nftnl_set_alloc();
	if (!b->set || nftnl_set_set_str(b->set, NFTNL_SET_TABLE, b->table) ||
	    nftnl_set_set_str(b->set, NFTNL_SET_NAME,
			      data == NFT_SET_PLAIN ? "__set%d" : "__map%d")) {
		nft_fail(b, -ENOMEM);
		return;
	}
	nftnl_set_set_u32(b->set, NFTNL_SET_ID, ++b->sets);
	nftnl_set_set_u32(b->set, NFTNL_SET_KEY_TYPE, keys[key].type);
	nftnl_set_set_u32(b->set, NFTNL_SET_KEY_LEN, keys[key].len);
	data_set(b->set, key, data);
	order_set(b, key, data);
}

/* NULL after an error.  The set owns the element. */
static struct nftnl_set_elem *elem_add(struct nft_batch *b, const void *key, uint32_t len)
{
	struct nftnl_set_elem *e;

	if (!b->err && b->set_elems == NFT_SET_ELEMS)
		nft_fail(b, -EMSGSIZE);
	if (b->err)
		return NULL;
	e = nftnl_set_elem_alloc();
	if (!e) {
		nft_fail(b, -ENOMEM);
		return NULL;
	}
	b->set_elems++;
	nftnl_set_elem_add(b->set, e);
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, len);
	return e;
}

static struct nftnl_set_elem *elem_ifname_add(struct nft_batch *b, const char *name)
{
	char key[IFNAMSIZ] = "";

	strncpy(key, name, sizeof(key) - 1);
	return elem_add(b, key, sizeof(key));
}

static void elem_goto(struct nft_batch *b, struct nftnl_set_elem *e, const char *chain)
{
	if (!e)
		return;
	nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_GOTO);
	if (nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, chain))
		nft_fail(b, -ENOMEM);
}

void nft_elem_ifname(struct nft_batch *b, const char *name)
{
	elem_ifname_add(b, name);
}

void nft_elem_mark_goto(struct nft_batch *b, uint32_t mark, const char *chain)
{
	elem_goto(b, elem_add(b, &mark, sizeof(mark)), chain);
}

void nft_elem_ifname_goto(struct nft_batch *b, const char *name, const char *chain)
{
	elem_goto(b, elem_ifname_add(b, name), chain);
}

void nft_elem_ifname_u16(struct nft_batch *b, const char *name, uint16_t value)
{
	struct nftnl_set_elem *e = elem_ifname_add(b, name);
	uint16_t value_be = htons(value);

	if (e)
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_DATA, &value_be, sizeof(value_be));
}

void nft_elem_from_goto(struct nft_batch *b, uint32_t from, const char *chain)
{
	uint32_t key = htonl(from);

	elem_goto(b, elem_add(b, &key, sizeof(key)), chain);
}

void nft_elem_end(struct nft_batch *b, uint32_t end)
{
	uint32_t key = htonl(end);
	struct nftnl_set_elem *e = elem_add(b, &key, sizeof(key));

	if (e)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
}

uint32_t nft_set_end(struct nft_batch *b)
{
	struct nlmsghdr *h;

	if (b->err)
		return 0;
	nftnl_set_set_u32(b->set, NFTNL_SET_DESC_SIZE, b->set_elems);
	h = nft_message_begin(b, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(h, b->set);
	nft_message_add(b, h, "%s (its set)", b->rule_label.text);
	h = nft_message_begin(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	nftnl_set_elems_nlmsg_build_payload(h, b->set);
	nft_message_add(b, h, "%s (its elements)", b->rule_label.text);
	nftnl_set_free(b->set);
	b->set = NULL;
	return b->sets;
}
