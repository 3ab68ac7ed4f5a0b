// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/shim_table.h"

#include "core/dhcp.h"
#include "nl/nft.h"
#include "run/shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/udp.h>
#include <stddef.h>

typedef void queue_statement(struct nft_batch *b, uint16_t queue);

/* udp dport 67 queue flags bypass to QUEUE */
static void add_rule(struct nft_batch *b, uint16_t queue, queue_statement *statement)
{
	const uint16_t port_be = htons(DHCP_SERVER_PORT);

	nft_rule_begin(b, "output", "udp dport %u queue flags bypass to %u", DHCP_SERVER_PORT, queue);
	nft_meta_load(b, NFT_META_L4PROTO);
	nft_cmp_u8(b, NFT_CMP_EQ, IPPROTO_UDP);
	nft_payload_load(b, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct udphdr, dest),
			 sizeof(port_be));
	nft_cmp(b, NFT_CMP_EQ, &port_be, sizeof(port_be));
	statement(b, queue);
	nft_rule_end(b);
}

/* A table of family ip: targets of iptables are not for inet. */
static int try(struct nl *nl, uint16_t queue, queue_statement *statement)
{
	const struct nft_base output = { "output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW };
	_cleanup_nft_batch_ struct nft_batch b;
	char error[160];

	nft_batch_init(&b, SHIM_NFT_TABLE);
	b.family = NFPROTO_IPV4;
	nft_table_add_owned(&b, "asymbpf: DHCP renewals");
	nft_base_add(&b, &output);
	add_rule(&b, queue, statement);
	return nft_batch_send(&b, nl, false, error, sizeof(error));
}

int shim_table_open(struct nl *ret, uint16_t queue)
{
	int r = nl_open(ret, NETLINK_NETFILTER);

	if (r)
		return r;
	r = try(ret, queue, nft_queue);
	if (r && r != -EEXIST && r != -EPERM)
		r = try(ret, queue, nft_queue_xt);
	if (r)
		nl_close(ret);
	/* one that has an owner is not even looked at for us (nft_table_lookup) */
	return r == -EPERM ? -EEXIST : r == -ENOENT ? -EOPNOTSUPP : r;
}

void shim_table_stop(struct nl *nl)
{
	_cleanup_nft_batch_ struct nft_batch b;
	char error[160];

	nft_batch_init(&b, SHIM_NFT_TABLE);
	b.family = NFPROTO_IPV4;
	nft_rules_flush(&b);
	nft_batch_send(&b, nl, false, error, sizeof(error));
}
