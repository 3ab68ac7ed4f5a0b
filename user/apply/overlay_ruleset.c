// SPDX-License-Identifier: GPL-2.0-or-later
#include "apply/overlay_ruleset.h"

#include "apply/table.h"
#include "core/plan_nft.h"
#include "nl/nft.h"
#include <netinet/tcp.h>
#include <string.h>

#define TABLE "asymbpf-mesh"
#define TCP_FLAGS 13 /* offset of the byte with SYN and RST: RFC 9293 section 3.1 */
#define PRIORITY_MANGLE -150

static int begin(struct nl *nl, enum table_owner *ret, char *error, size_t size)
{
	int r = table_open_told(nl, TABLE, ret, error, size);

	return !r && *ret == TABLE_FOREIGN ? table_refuse(TABLE, error, size) : r;
}

/* "rt mtu" is the smaller of the routes to the receiver and back to the sender. */
static void clamp(struct nft_batch *b, const char *device, bool out)
{
	const uint8_t mask = TH_SYN | TH_RST, none = 0;

	nft_rule_begin(b, "forward",
		       "%s \"%s\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu",
		       out ? "oifname" : "iifname", device);
	nft_meta_load(b, out ? NFT_META_OIFNAME : NFT_META_IIFNAME);
	nft_cmp_ifname(b, NFT_CMP_EQ, device);
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, IPPROTO_TCP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	nft_bitwise(b, &mask, &none, sizeof(mask));
	nft_cmp_u8(b, NFT_CMP_EQ, TH_SYN);
	nft_mtu_load(b);
	nft_maxseg_set(b);
	nft_rule_end(b);
}

int overlay_ruleset_apply(const char *device, char *error, size_t size)
{
	static const struct nft_base forward = {"forward", "filter", NF_INET_FORWARD,
						PRIORITY_MANGLE};
	_cleanup_nft_batch_ struct nft_batch b;
	_cleanup_nl_ struct nl nl = {};
	enum table_owner owner;
	int r;

	nft_batch_init(&b, TABLE);
	r = begin(&nl, &owner, error, size);
	if (r)
		return r;
	if (owner == TABLE_OURS)
		nft_table_del(&b);
	nft_table_add(&b, PLAN_NFT_COMMENT);
	nft_base_add(&b, &forward);
	clamp(&b, device, true);
	clamp(&b, device, false);
	return nft_batch_send(&b, &nl, false, error, size);
}

int overlay_ruleset_remove(char *error, size_t size)
{
	_cleanup_nft_batch_ struct nft_batch b;
	_cleanup_nl_ struct nl nl = {};
	enum table_owner owner;
	int r;

	nft_batch_init(&b, TABLE);
	r = begin(&nl, &owner, error, size);
	if (r || owner == TABLE_NONE)
		return r;
	nft_table_del(&b);
	return nft_batch_send(&b, &nl, false, error, size);
}
