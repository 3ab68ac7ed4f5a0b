// SPDX-License-Identifier: GPL-2.0-or-later
/* The chains of DHCP requests as text; apply/ruleset_bootp.c writes the same. */
#include "core/plan_nft.h"
#include "core/plan_nft_set.h"
#include <arpa/inet.h>

void plan_nft_bootp(struct str *out)
{
	str_add(out, "\n\tchain " PLAN_NFT_BOOTP " {\n"
		     "\t\ttype filter hook output priority raw; policy accept;\n"
		     "\t\tmeta nfproto ipv4 udp dport 67 goto " PLAN_NFT_STRAYS "\n\t}\n");
}

void plan_nft_strays(const struct plan *p, struct str *out)
{
	struct elements set = { 0 };

	str_add(out, "\n\tchain " PLAN_NFT_STRAYS " {\n"
		     "\t\t@th,%d,32 != 0x0 return\n\t\t@th,%d,32 0x0 return\n",
		PLAN_NFT_GIADDR * 8, PLAN_NFT_CIADDR * 8);
	for (size_t i = 0; i < p->n_owners; i++)
		if (!addr_is_zero(&p->owners[i].addr))
			str_add(out, "\t\toifname \"%s\" @th,%d,32 0x%x return\n",
				plan_link_by_id(p, p->owners[i].link)->conf->device,
				PLAN_NFT_CIADDR * 8, ntohl(p->owners[i].addr.s6_addr32[3]));
	str_add(out, "\t\toifname ");
	for (size_t i = 0; i < p->n_links; i++)
		elements_device(&set, out, &p->links[i], "");
	elements_print_test(&set, out);
	str_add(out, " notrack\n\t}\n");
}
