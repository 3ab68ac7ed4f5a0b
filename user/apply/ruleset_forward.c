// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets on their way out: the size of TCP segments, source addresses, and those that are too late.  As
 * text: core/plan_nft.c. */
#include "apply/ruleset_rules.h"
#include "core/plan_nft.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/tcp.h>

#define TCP_FLAGS 13 /* their byte in the header: RFC 9293 section 3.1 */

/* Whether the link belongs to a set. */
typedef bool member(const struct plan_link *l, enum asym_family f);

static bool member_any(const struct plan_link *l, enum asym_family f)
{
	return true;
}

static bool member_masqueraded(const struct plan_link *l, enum asym_family f)
{
	return l->conf->nat[f] == NAT_MASQUERADE;
}

/* The device name loaded is one of these.  nft writes a set of one as a comparison, so we do: its
 * listing, loaded again, is then the same. */
static void test_device(struct nft_batch *b, const struct plan *p, member *is_member,
			enum asym_family f)
{
	const char *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->n_links; i++) {
		if (is_member(&p->links[i], f)) {
			last = p->links[i].conf->device;
			n++;
		}
	}
	if (n == 1) {
		nft_cmp_ifname(b, NFT_CMP_EQ, last);
		return;
	}
	nft_set_begin(b, NFT_KEY_IFNAME, NFT_SET_PLAIN);
	for (size_t i = 0; i < p->n_links; i++)
		if (is_member(&p->links[i], f))
			nft_elem_ifname(b, p->links[i].conf->device);
	nft_lookup(b, nft_set_end(b));
}

void ruleset_test_links(struct nft_batch *b, const struct plan *p)
{
	test_device(b, p, member_any, ASYM_V4);
}

/* A connection that was deleted with its link has a segment left: from another link's address the other
 * end would not know it.  Only what goes out by a link is told so, what the router and other LANs have
 * of connections is none of our business.  The route is that of the mark that the program gave; the
 * question is asked for hardly any packet.  reject is allowed in prerouting since Linux 5.9. */
void ruleset_reset_add(struct nft_batch *b, const struct plan *p)
{
	uint8_t mask = TH_SYN, none = 0;

	nft_rule_begin(b, "prerouting",
		       "ct state new tcp flags ! syn fib daddr . mark oifname { DEVICES } "
		       "reject with tcp reset");
	nft_ct_load(b, NFT_CT_STATE);
	nft_bitwise_u32(b, NF_CT_STATE_BIT(IP_CT_NEW), 0);
	nft_cmp_u32(b, NFT_CMP_NEQ, 0);
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, IPPROTO_TCP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	nft_bitwise(b, &mask, &none, sizeof(mask));
	nft_cmp_u8(b, NFT_CMP_EQ, 0);
	nft_route_load(b);
	ruleset_test_links(b, p);
	nft_reset(b);
	nft_rule_end(b);
}

/* All of it that every packet pays for.  In postrouting, where there is a chain anyway: one more at
 * forward costs as much again.  The device a packet came in by is known there, too (ip_output). */
static void rule_clamp(struct nft_batch *b)
{
	uint8_t mask = TH_SYN | TH_RST, none = 0;

	nft_rule_begin(b, "postrouting", "tcp flags syn / syn,rst jump clamp");
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, IPPROTO_TCP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	nft_bitwise(b, &mask, &none, sizeof(mask));
	nft_cmp_u8(b, NFT_CMP_EQ, TH_SYN);
	nft_verdict(b, NFT_JUMP, "clamp");
	nft_rule_end(b);
}

/* "rt mtu" is the smaller of the routes to the receiver and back to the sender. */
static void rule_clamp_route(struct nft_batch *b, const struct plan *p, bool out)
{
	nft_rule_begin(b, "clamp", "%s { DEVICES } tcp option maxseg size set rt mtu",
		       out ? "oifname" : "iifname");
	nft_meta_load(b, out ? NFT_META_OIFNAME : NFT_META_IIFNAME);
	test_device(b, p, member_any, ASYM_V4);
	nft_mtu_load(b);
	nft_maxseg_set(b);
	nft_rule_end(b);
}

static uint32_t devices_mss(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	nft_set_begin(b, NFT_KEY_IFNAME, NFT_SET_U16_BE);
	for (size_t i = 0; i < p->n_links; i++)
		if (plan_nft_mss(&p->links[i], f))
			nft_elem_ifname_u16(b, p->links[i].conf->device,
					    plan_nft_mss(&p->links[i], f));
	return nft_set_end(b);
}

static void test_family(struct nft_batch *b, enum asym_family f)
{
	nft_meta_load(b, NFT_META_NFPROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, f == ASYM_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/* The way back to a sender behind a link: "rt mtu" looks it up without the mark, so it sees the
 * route of main, which may leave by a link with a larger MTU (nft_rt.c, get_tcpmss). */
static void rule_clamp_device(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	bool any = false;

	for (size_t i = 0; i < p->n_links; i++)
		any = any || plan_nft_mss(&p->links[i], f);
	if (!any)
		return;
	nft_rule_begin(b, "clamp",
		       "meta nfproto ipv%c tcp option maxseg size set iifname map { DEVICE : MSS }",
		       f == ASYM_V4 ? '4' : '6');
	test_family(b, f);
	nft_meta_load(b, NFT_META_IIFNAME);
	nft_map(b, devices_mss(b, p, f));
	nft_maxseg_set(b);
	nft_rule_end(b);
}

void ruleset_clamp_add(struct nft_batch *b, const struct plan *p)
{
	rule_clamp(b);
	rule_clamp_route(b, p, true);
	rule_clamp_route(b, p, false);
	rule_clamp_device(b, p, ASYM_V4);
	rule_clamp_device(b, p, ASYM_V6);
}

static void rule_masquerade(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	if (!plan_nft_has_nat(p, f, NAT_MASQUERADE))
		return;
	nft_rule_begin(b, "nat", "meta nfproto ipv%c oifname { DEVICES } masquerade",
		       f == ASYM_V4 ? '4' : '6');
	test_family(b, f);
	nft_meta_load(b, NFT_META_OIFNAME);
	test_device(b, p, member_masqueraded, f);
	nft_masquerade(b);
	nft_rule_end(b);
}

static void rule_snat4(struct nft_batch *b, const struct model_link *l)
{
	char to[ADDR_STRLEN];

	nft_rule_begin(b, "nat", "meta nfproto ipv4 oifname \"%s\" snat ip to %s", l->device,
		       addr_str(&l->snat[ASYM_V4], to));
	test_family(b, ASYM_V4);
	nft_meta_load(b, NFT_META_OIFNAME);
	nft_cmp_ifname(b, NFT_CMP_EQ, l->device);
	nft_snat(b, &l->snat[ASYM_V4]);
	nft_rule_end(b);
}

/* Link-local addresses stay: DHCPv6 and the neighbour's router know us by them. */
static void rule_snat6(struct nft_batch *b, const struct model_link *l)
{
	static const struct in6_addr prefix = { .s6_addr = { 0xfe, 0x80 } };
	static const struct in6_addr mask = { .s6_addr = { 0xff, 0xc0 } }, none;
	char to[ADDR_STRLEN];

	nft_rule_begin(b, "nat", "ip6 saddr != fe80::/10 oifname \"%s\" snat ip6 to %s", l->device,
		       addr_str(&l->snat[ASYM_V6], to));
	test_family(b, ASYM_V6);
	/* the source address is at byte 8: RFC 8200 section 3 */
	nft_payload_load(b, NFT_PAYLOAD_NETWORK_HEADER, 8, sizeof(prefix));
	nft_bitwise(b, &mask, &none, sizeof(mask));
	nft_cmp(b, NFT_CMP_NEQ, &prefix, sizeof(prefix));
	nft_meta_load(b, NFT_META_OIFNAME);
	nft_cmp_ifname(b, NFT_CMP_EQ, l->device);
	nft_snat(b, &l->snat[ASYM_V6]);
	nft_rule_end(b);
}

void ruleset_nat_add(struct nft_batch *b, const struct plan *p)
{
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		rule_masquerade(b, p, f);
		for (size_t i = 0; i < p->n_links; i++) {
			if (p->links[i].conf->nat[f] != NAT_SNAT)
				continue;
			if (f == ASYM_V4)
				rule_snat4(b, p->links[i].conf);
			else
				rule_snat6(b, p->links[i].conf);
		}
	}
}
