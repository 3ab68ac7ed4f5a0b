// SPDX-License-Identifier: GPL-2.0-or-later
/* The same rules as text: core/plan_nft.c. */
#include "apply/ruleset_rules.h"

#include "core/plan_nft.h"
#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>

static uint32_t devices_goto(struct nft_batch *b, const struct plan *p, enum plan_nft_chain kind)
{
	char chain[PLAN_NFT_NAME];

	nft_set_begin(b, NFT_KEY_IFNAME, NFT_SET_VERDICTS);
	for (size_t i = 0; i < p->n_links; i++) {
		plan_nft_link_name(kind, &p->links[i], chain);
		nft_elem_ifname_goto(b, p->links[i].conf->device, chain);
	}
	return nft_set_end(b);
}

static uint32_t marks_goto(struct nft_batch *b, const struct plan *p)
{
	char chain[PLAN_NFT_NAME];

	nft_set_begin(b, NFT_KEY_MARK, NFT_SET_VERDICTS);
	for (size_t i = 0; i < p->n_links; i++) {
		plan_nft_link_name(PLAN_NFT_MARK, &p->links[i], chain);
		nft_elem_mark_goto(b, p->links[i].mark, chain);
	}
	for (size_t i = 0; i < p->n_gone; i++) {
		if (!plan_nft_gone_fits(p, &p->gone[i]))
			continue;
		plan_nft_gone_name(&p->gone[i], chain);
		nft_elem_mark_goto(b, plan_mark(p, p->gone[i].id), chain);
	}
	return nft_set_end(b);
}

static void test_ct_state(struct nft_batch *b, uint32_t any)
{
	nft_ct_load(b, NFT_CT_STATE);
	nft_bitwise_u32(b, any, 0);
	nft_cmp_u32(b, NFT_CMP_NEQ, 0);
}

static void test_ct_mark(struct nft_batch *b, const struct plan *p, uint32_t op)
{
	nft_ct_load(b, NFT_CT_MARK);
	nft_bitwise_u32(b, p->config.mark_mask, 0);
	nft_cmp_u32(b, op, 0);
}

/* Foreign bits stay. */
static void set_mark(struct nft_batch *b, const struct plan *p, uint32_t mark)
{
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, ~p->config.mark_mask, mark);
	nft_meta_set(b, NFT_META_MARK);
}

/* The common case, nobody else's bits in the packet's mark: no other chain, no map.  The mark
 * tested last is still in the register when it is set. */
static void rule_known_alone(struct nft_batch *b, const struct plan *p, const char *chain)
{
	nft_rule_begin(b, chain,
		       "meta mark & 0x%08x == 0 ct mark & MASK != 0 meta mark set ct mark & MASK "
		       "return",
		       ~p->config.mark_mask);
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, ~p->config.mark_mask, 0);
	nft_cmp_u32(b, NFT_CMP_EQ, 0);
	test_ct_mark(b, p, NFT_CMP_NEQ);
	nft_meta_set(b, NFT_META_MARK);
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

static void rules_known(struct nft_batch *b, const struct plan *p, const char *chain)
{
	rule_known_alone(b, p, chain);
	nft_rule_begin(b, chain, "ct mark & 0x%08x != 0 goto known", p->config.mark_mask);
	test_ct_mark(b, p, NFT_CMP_NEQ);
	nft_verdict(b, NFT_GOTO, "known");
	nft_rule_end(b);
}

/* A connection older than asymbpf: it follows the main table as before, whatever BPF says. */
static void rule_older(struct nft_batch *b, const struct plan *p)
{
	nft_rule_begin(b, "prerouting",
		       "ct state established,related meta mark set meta mark & 0x%08x return",
		       ~p->config.mark_mask);
	test_ct_state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	set_mark(b, p, 0);
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

/* By the device, not by the packet's mark: so a connection is answered by the right link, and is
 * counted at the link it came by, even where no program has marked its first packet. */
static void rule_arrivals(struct nft_batch *b, const struct plan *p)
{
	nft_rule_begin(b, "prerouting", "meta pkttype host iifname vmap { DEVICE : goto in_LINK }");
	nft_meta_load(b, NFT_META_PKTTYPE);
	nft_cmp_u8(b, NFT_CMP_EQ, PACKET_HOST);
	nft_meta_load(b, NFT_META_IIFNAME);
	nft_vmap(b, devices_goto(b, p, PLAN_NFT_IN));
	nft_rule_end(b);
}

/* The kernel joins two registers only from 6.13 on, so each link has its chain. */
static void rule_known_map(struct nft_batch *b, const struct plan *p)
{
	nft_rule_begin(b, "known", "ct mark & 0x%08x vmap { MARK : goto mark_LINK }",
		       p->config.mark_mask);
	nft_ct_load(b, NFT_CT_MARK);
	nft_bitwise_u32(b, p->config.mark_mask, 0);
	nft_vmap(b, marks_goto(b, p));
	nft_rule_end(b);
}

static void rule_mark(struct nft_batch *b, const struct plan *p, const char *chain, uint32_t mark)
{
	nft_rule_begin(b, chain, "meta mark set meta mark & 0x%08x ^ 0x%08x",
		       ~p->config.mark_mask, mark);
	set_mark(b, p, mark);
	nft_rule_end(b);
}

static void rule_count(struct nft_batch *b, const struct plan *p, const char *name, uint32_t mark)
{
	nft_rule_begin(b, name, "ct mark set ct mark & 0x%08x ^ 0x%08x counter name \"%s\"",
		       ~p->config.mark_mask, mark, name);
	nft_ct_load(b, NFT_CT_MARK);
	nft_bitwise_u32(b, ~p->config.mark_mask, mark);
	nft_ct_set(b, NFT_CT_MARK);
	nft_count(b, name);
	nft_rule_end(b);
}

/* Probes choose their way anew each time, so they leave nothing in conntrack to be followed. */
static void rule_departures(struct nft_batch *b, const struct plan *p)
{
	uint32_t probe = plan_mark(p, p->reserved[PLAN_PROBE]);

	nft_rule_begin(b, "postrouting",
		       "ct state new ct mark & MASK == 0 meta mark & MASK != 0x%08x "
		       "oifname vmap { DEVICE : goto out_LINK }",
		       probe);
	test_ct_state(b, NF_CT_STATE_BIT(IP_CT_NEW));
	test_ct_mark(b, p, NFT_CMP_EQ);
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, p->config.mark_mask, 0);
	nft_cmp_u32(b, NFT_CMP_NEQ, probe);
	nft_meta_load(b, NFT_META_OIFNAME);
	nft_vmap(b, devices_goto(b, p, PLAN_NFT_OUT));
	nft_rule_end(b);
}

/* A mark that no link of ours has or had: as main says, with or without foreign bits. */
static void rule_known_else(struct nft_batch *b, const struct plan *p)
{
	nft_rule_begin(b, "known", "meta mark set meta mark & 0x%08x", ~p->config.mark_mask);
	set_mark(b, p, 0);
	nft_rule_end(b);
}

static void rules_link(struct nft_batch *b, const struct plan *p, const struct plan_link *l)
{
	char name[PLAN_NFT_NAME];

	plan_nft_link_name(PLAN_NFT_MARK, l, name);
	rule_mark(b, p, name, l->mark);
	plan_nft_link_name(PLAN_NFT_IN, l, name);
	rule_count(b, p, name, plan_mark(p, l->reply));
	plan_nft_link_name(PLAN_NFT_OUT, l, name);
	rule_count(b, p, name, l->mark);
}

static void rules_gone(struct nft_batch *b, const struct plan *p, const struct plan_id *id)
{
	char name[PLAN_NFT_NAME];

	if (!plan_nft_gone_fits(p, id))
		return;
	plan_nft_gone_name(id, name);
	rule_mark(b, p, name, plan_mark(p, id->id));
}

void ruleset_rules_add(struct nft_batch *b, const struct plan *p)
{
	if (plan_nft_has_bootp(p))
		ruleset_bootp_add(b, p);
	rules_known(b, p, "prerouting");
	rule_older(b, p);
	rule_arrivals(b, p);
	if (p->model->reset)
		ruleset_reset_add(b, p);
	rules_known(b, p, "output");
	if (p->model->mss_clamp)
		ruleset_clamp_add(b, p);
	rule_departures(b, p);
	ruleset_nat_add(b, p);
	rule_known_map(b, p);
	rule_known_else(b, p);
	for (size_t i = 0; i < p->n_links; i++)
		rules_link(b, p, &p->links[i]);
	for (size_t i = 0; i < p->n_gone; i++)
		rules_gone(b, p, &p->gone[i]);
}
