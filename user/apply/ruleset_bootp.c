// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP requests on their way out.  As text: core/plan_nft_bootp.c. */
#include "apply/ruleset_rules.h"
#include "core/dhcp.h"
#include "core/plan_nft.h"
#include <arpa/inet.h>

#define UDP_DPORT 2 /* where it is in the header */

/* Relayed messages, of a relay of this machine, and those of clients without an address stay as they are. */
static void rule_no_renewal(struct nft_batch *b, int offset, bool is_zero)
{
	const uint32_t none = 0;

	nft_rule_begin(b, PLAN_NFT_STRAYS, "@th,%d,32 %s0x0 return", offset * 8, is_zero ? "" : "!= ");
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(none));
	nft_cmp(b, is_zero ? NFT_CMP_EQ : NFT_CMP_NEQ, &none, sizeof(none));
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

static void rule_strays_but(struct nft_batch *b, const char *device, const struct in6_addr *addr)
{
	uint32_t ciaddr = addr->s6_addr32[3];

	nft_rule_begin(b, PLAN_NFT_STRAYS, "oifname \"%s\" @th,%d,32 0x%x return", device,
		       PLAN_NFT_CIADDR * 8, ntohl(ciaddr));
	nft_meta_load(b, NFT_META_OIFNAME);
	nft_cmp_ifname(b, NFT_CMP_EQ, device);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, PLAN_NFT_CIADDR, sizeof(ciaddr));
	nft_cmp(b, NFT_CMP_EQ, &ciaddr, sizeof(ciaddr));
	nft_verdict(b, NFT_RETURN, NULL);
	nft_rule_end(b);
}

/* What is about to leave by a link that it does not belong to will leave by another one, from another
 * address (bpf/lib/guard.h, run/shim.h).  conntrack must not see it: its entry would claim the address and
 * the port of the wrong link, and the next such request would be dropped as one that changed devices.
 * What is where it belongs, or will not be moved, stays known, for firewalls that let answers in by that. */
void ruleset_bootp_add(struct nft_batch *b, const struct plan *p)
{
	uint16_t port = htons(DHCP_SERVER_PORT);

	nft_rule_begin(b, PLAN_NFT_BOOTP, "meta nfproto ipv4 udp dport 67 goto " PLAN_NFT_STRAYS);
	nft_meta_load(b, NFT_META_NFPROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, NFPROTO_IPV4);
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, IPPROTO_UDP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, UDP_DPORT, sizeof(port));
	nft_cmp(b, NFT_CMP_EQ, &port, sizeof(port));
	nft_verdict(b, NFT_GOTO, PLAN_NFT_STRAYS);
	nft_rule_end(b);
	rule_no_renewal(b, PLAN_NFT_GIADDR, false);
	rule_no_renewal(b, PLAN_NFT_CIADDR, true);
	for (size_t i = 0; i < p->n_owners; i++)
		if (!addr_is_zero(&p->owners[i].addr))
			rule_strays_but(b, plan_link_by_id(p, p->owners[i].link)->conf->device,
					&p->owners[i].addr);
	nft_rule_begin(b, PLAN_NFT_STRAYS, "oifname { DEVICES } notrack");
	nft_meta_load(b, NFT_META_OIFNAME);
	ruleset_test_links(b, p);
	nft_notrack(b);
	nft_rule_end(b);
}
