// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/plan_nft.h"

void plan_nft_link_name(enum plan_nft_chain kind, const struct plan_link *l,
			char ret[static PLAN_NFT_NAME])
{
	static const char *const kinds[PLAN_NFT_CHAIN_MAX] = {
		[PLAN_NFT_MARK] = "mark", [PLAN_NFT_IN] = "in", [PLAN_NFT_OUT] = "out",
	};

	snprintf(ret, PLAN_NFT_NAME, "%s_%s", kinds[kind], l->conf->name);
}

void plan_nft_gone_name(const struct plan_id *id, char ret[static PLAN_NFT_NAME])
{
	snprintf(ret, PLAN_NFT_NAME, "gone_%u", id->id);
}

bool plan_nft_gone_fits(const struct plan *p, const struct plan_id *id)
{
	return !(plan_mark(p, id->id) & ~p->config.mark_mask);
}

bool plan_nft_has_nat(const struct plan *p, enum asym_family f, enum model_nat nat)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (p->links[i].conf->nat[f] == nat)
			return true;
	return false;
}

bool plan_nft_any_nat(const struct plan *p)
{
	for (int f = 0; f < ASYM_FAMILIES; f++)
		if (plan_nft_has_nat(p, f, NAT_MASQUERADE) || plan_nft_has_nat(p, f, NAT_SNAT))
			return true;
	return false;
}

uint16_t plan_nft_mss(const struct plan_link *l, enum asym_family f)
{
	/* IP header and TCP header without options: RFC 9293 section 3.7.1 */
	uint32_t headers = f == ASYM_V4 ? 40 : 60;
	uint32_t mtu = MIN(l->mtu ?: UINT32_MAX, l->route_mtu[f] ?: UINT32_MAX);

	return mtu > headers && mtu <= UINT16_MAX ? mtu - headers : 0;
}

bool plan_nft_has_bootp(const struct plan *p)
{
	return p->n_owners;
}
