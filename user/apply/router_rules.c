// SPDX-License-Identifier: GPL-2.0-or-later
/* The same rules as text: core/plan_router_text.c. */
#include "apply/router_rules.h"

#include "core/dhcp.h"
#include "core/plan_nft.h"
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>

/* Behind the chain of table inet asymbpf that gives packets of known connections their mark. */
#define PRIORITY (-150 + 1)

/* Where they are: RFC 791 section 3.1, RFC 8200 section 3, RFC 768. */
#define SADDR4 12
#define DADDR4 16
#define SADDR6 8
#define DADDR6 24
#define UDP_DPORT 2

#define PORT_DHCPV6_SERVER 547 /* RFC 8415 section 7.2 */

static void test_l4proto(struct nft_batch *b, uint32_t op, uint8_t proto)
{
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, op, proto);
}

static void rule_output(struct nft_batch *b, const struct plan *p)
{
	nft_rule_begin(b, PLAN_ROUTER_OUTPUT,
		       "ct state new meta mark & MASK == 0 ct mark & MASK == 0 goto " PLAN_ROUTER_CHAIN);
	nft_ct_load(b, NFT_CT_STATE);
	nft_bitwise_u32(b, NF_CT_STATE_BIT(IP_CT_NEW), 0);
	nft_cmp_u32(b, NFT_CMP_NEQ, 0);
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, p->config.mark_mask, 0);
	nft_cmp_u32(b, NFT_CMP_EQ, 0);
	nft_ct_load(b, NFT_CT_MARK);
	nft_bitwise_u32(b, p->config.mark_mask, 0);
	nft_cmp_u32(b, NFT_CMP_EQ, 0);
	nft_verdict(b, NFT_GOTO, PLAN_ROUTER_CHAIN);
	nft_rule_end(b);
}

/* What the programs on the cgroup tree have judged, and left alone if it has no mark. */
static void rule_seen(struct nft_batch *b, uint8_t proto)
{
	nft_rule_begin(b, PLAN_ROUTER_CHAIN, "meta l4proto %u meta skuid >= 0 return", proto);
	test_l4proto(b, NFT_CMP_EQ, proto);
	nft_has_socket(b);
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

/* Bound to an address.  TCP and UDP sockets that are connected look the same; for them, where no program
 * judges them, the route has to tell: a link's address leads to that link. */
static void rule_bound(struct nft_batch *b)
{
	nft_rule_begin(b, PLAN_ROUTER_CHAIN,
		       "meta l4proto != tcp meta l4proto != udp socket wildcard 0 return");
	test_l4proto(b, NFT_CMP_NEQ, IPPROTO_TCP);
	test_l4proto(b, NFT_CMP_NEQ, IPPROTO_UDP);
	nft_wildcard_load(b);
	nft_cmp_u8(b, NFT_CMP_EQ, 0);
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

/* Clients must ask where they are. */
static void rule_dhcp(struct nft_batch *b, uint16_t port)
{
	uint16_t port_be = htons(port);

	nft_rule_begin(b, PLAN_ROUTER_CHAIN, "udp dport %u return", port);
	test_l4proto(b, NFT_CMP_EQ, IPPROTO_UDP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, UDP_DPORT, sizeof(port_be));
	nft_cmp(b, NFT_CMP_EQ, &port_be, sizeof(port_be));
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

static void rule_socket(struct nft_batch *b)
{
	nft_rule_begin(b, PLAN_ROUTER_CHAIN, "meta skuid >= 0 goto " PLAN_ROUTER_CHOICE);
	nft_has_socket(b);
	nft_verdict(b, NFT_GOTO, PLAN_ROUTER_CHOICE);
	nft_rule_end(b);
}

/* Of a tunnel.  With a mark it has a way of its own: somebody's rules, or a mesh's. */
static void rule_tunnel(struct nft_batch *b)
{
	nft_rule_begin(b, PLAN_ROUTER_CHAIN, "meta mark 0x00000000 goto " PLAN_ROUTER_CHOICE);
	nft_meta_load(b, NFT_META_MARK);
	nft_cmp_u32(b, NFT_CMP_EQ, 0);
	nft_verdict(b, NFT_GOTO, PLAN_ROUTER_CHOICE);
	nft_rule_end(b);
}

static void test_family(struct nft_batch *b, enum asym_family f)
{
	nft_meta_load(b, NFT_META_NFPROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, f == ASYM_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/* What bpf/lib/packet.h calls scope, as far as main's default takes it.  A prefix of whole bytes nft loads
 * alone. */
static void test_scope4(struct nft_batch *b)
{
	static const uint8_t link_local[] = { 169, 254 }, multicast[] = { 224, 0, 0, 0 };

	nft_payload_load(b, NFT_PAYLOAD_NETWORK_HEADER, DADDR4, sizeof(link_local));
	nft_cmp(b, NFT_CMP_NEQ, link_local, sizeof(link_local));
	nft_payload_load(b, NFT_PAYLOAD_NETWORK_HEADER, DADDR4, sizeof(multicast));
	nft_cmp(b, NFT_CMP_LT, multicast, sizeof(multicast));
}

static void test_scope6(struct nft_batch *b)
{
	static const struct in6_addr prefix = { .s6_addr = { 0xfe, 0x80 } };
	static const struct in6_addr mask = { .s6_addr = { 0xff, 0xc0 } }, none;
	static const struct in6_addr multicast = { .s6_addr = { 0xff } };

	nft_payload_load(b, NFT_PAYLOAD_NETWORK_HEADER, DADDR6, sizeof(prefix));
	nft_bitwise(b, &mask, &none, sizeof(mask));
	nft_cmp(b, NFT_CMP_NEQ, &prefix, sizeof(prefix));
	nft_payload_load(b, NFT_PAYLOAD_NETWORK_HEADER, DADDR6, sizeof(multicast));
	nft_cmp(b, NFT_CMP_LT, &multicast, sizeof(multicast));
}

/* What leaves by main's default: neither to another LAN, nor of a socket that is bound to another link. */
static void rule_family(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	const char *device = p->router.family[f].device;

	if (!*device)
		return;
	nft_rule_begin(b, PLAN_ROUTER_CHOICE,
		       "meta nfproto %s oifname \"%s\" SCOPE goto %s", plan_router_families[f], device,
		       plan_router_families[f]);
	test_family(b, f);
	nft_meta_load(b, NFT_META_OIFNAME);
	nft_cmp_ifname(b, NFT_CMP_EQ, device);
	if (f == ASYM_V4)
		test_scope4(b);
	else
		test_scope6(b);
	nft_verdict(b, NFT_GOTO, plan_router_families[f]);
	nft_rule_end(b);
}

static void rule_module(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	const struct asym_rule *rule = &p->bpf_rules[p->router.family[f].rule];
	const struct nft_asym choice = {
		.policy = rule->policy,
		.sticky_s = rule->sticky_s,
		.sticky_id = rule->sticky_id,
		.sticky_key = rule->sticky_key,
	};

	nft_rule_asym(b, plan_router_families[f], &choice);
}

/* Where a socket's ports are; of an echo type and checksum, so pings spread as connections do. */
static uint32_t hash_input(struct nft_batch *b, enum asym_family f, enum asym_key key)
{
	uint32_t len = f == ASYM_V4 ? 4 : 16, words = len / 4;

	nft_hash_input(b, NFT_PAYLOAD_NETWORK_HEADER, f == ASYM_V4 ? SADDR4 : SADDR6, len, 0);
	if (key == ASYM_KEY_SRC)
		return words;
	nft_hash_input(b, NFT_PAYLOAD_NETWORK_HEADER, f == ASYM_V4 ? DADDR4 : DADDR6, len, words);
	if (key == ASYM_KEY_SRC_DST)
		return 2 * words;
	nft_hash_input(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4, 2 * words);
	return 2 * words + 1;
}

static uint32_t ranges(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	struct plan_router_range r[PLAN_ROUTER_RANGES];
	size_t n = plan_router_ranges(p, f, r);
	char chain[PLAN_ROUTER_NAME];

	nft_set_begin(b, NFT_KEY_RANGE, NFT_SET_VERDICTS);
	for (size_t i = 0; i < n; i++) {
		plan_router_mark_name(p, r[i].id, chain);
		nft_elem_from_goto(b, r[i].from, chain);
	}
	nft_elem_end(b, ASYM_BUCKETS);
	return nft_set_end(b);
}

static void rule_hash(struct nft_batch *b, const struct plan *p, enum asym_family f)
{
	uint32_t words;

	nft_rule_begin(b, plan_router_families[f], "jhash KEY mod %u vmap { RANGE : goto mark_LINK }",
		       ASYM_BUCKETS);
	test_family(b, f);
	words = hash_input(b, f, plan_router_key(p, f));
	nft_hash_load(b, words, ASYM_BUCKETS, p->config.seed);
	nft_vmap(b, ranges(b, p, f));
	nft_rule_end(b);
}

static void rule_mark(struct nft_batch *b, const struct plan *p, uint8_t id)
{
	char chain[PLAN_ROUTER_NAME];

	plan_router_mark_name(p, id, chain);
	nft_rule_begin(b, chain, "meta mark set meta mark & 0x%08x ^ 0x%08x", ~p->config.mark_mask,
		       plan_mark(p, id));
	nft_meta_load(b, NFT_META_MARK);
	nft_bitwise_u32(b, ~p->config.mark_mask, plan_mark(p, id));
	nft_meta_set(b, NFT_META_MARK);
	nft_rule_end(b);
}

static void chains_add(struct nft_batch *b, const struct plan *p, const uint8_t *ids, size_t n)
{
	static const struct nft_base base = { PLAN_ROUTER_OUTPUT, "route", NF_INET_LOCAL_OUT, PRIORITY };
	char chain[PLAN_ROUTER_NAME];

	for (size_t i = 0; i < n; i++) {
		plan_router_mark_name(p, ids[i], chain);
		nft_chain_add(b, chain);
	}
	nft_base_add(b, &base);
	nft_chain_add(b, PLAN_ROUTER_CHAIN);
	nft_chain_add(b, PLAN_ROUTER_CHOICE);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		if (p->router.family[f].device[0])
			nft_chain_add(b, plan_router_families[f]);
}

static void rules_router(struct nft_batch *b, const struct plan *p, bool programs)
{
	if (programs) {
		rule_seen(b, IPPROTO_TCP);
		rule_seen(b, IPPROTO_UDP);
	}
	rule_bound(b);
	rule_dhcp(b, DHCP_SERVER_PORT);
	rule_dhcp(b, PORT_DHCPV6_SERVER);
	rule_socket(b);
	if (!p->router.sockets_only)
		rule_tunnel(b);
	for (int f = 0; f < ASYM_FAMILIES; f++)
		rule_family(b, p, f);
}

void router_rules_add(struct nft_batch *b, const struct plan *p, enum plan_router_kind kind, bool programs)
{
	uint8_t ids[PLAN_ROUTER_RANGES];
	size_t n = kind == PLAN_ROUTER_HASH ? plan_router_marks(p, ids) : 0;

	chains_add(b, p, ids, n);
	rule_output(b, p);
	rules_router(b, p, programs);
	for (size_t i = 0; i < n; i++)
		rule_mark(b, p, ids[i]);
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		if (!p->router.family[f].device[0])
			continue;
		if (kind == PLAN_ROUTER_MODULE)
			rule_module(b, p, f);
		else
			rule_hash(b, p, f);
	}
}
