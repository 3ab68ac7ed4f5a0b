/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets.  What a spec leaves out is that of a TCP packet of the LAN host 10.0.0.2 (2001:db8:1::2)
 * to 198.51.100.7 (2001:db8:f::7), port 40000 to 443.
 */
#ifndef TESTS_BPF_PKT_H
#define TESTS_BPF_PKT_H

#include "base/addr.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <string.h>

/* Numbers whose 0 is not "left out". */
#define PROTO_ZERO 256
#define PORT_ZERO 65536
#define EXT(header) ((header) + 1)
#define VLAN(id) ((id) + 1)

struct pkt_spec {
	bool v6;
	const char *src, *dst;
	int proto, sport, dport;
	uint8_t icmp_type;
	uint16_t echo_id;
	uint8_t dscp, ecn;
	uint32_t flow_label;
	uint16_t frag;	 /* IPv4: flags and offset */
	uint8_t options; /* IPv4: words of them */
	uint32_t mark;	 /* carried already, in test runs */
	uint32_t in;	 /* ifindex, default LAN1 */
	int ext;	 /* IPv6: EXT(number) of an extension header */
	/* what can be wrong */
	const char *mac; /* destination */
	uint16_t ether;
	int vlan;	 /* VLAN(id): a tag before the rest */
	uint8_t version, ihl;
	int len_add;	 /* to the length in the IP header */
	bool no_len;	 /* 0 there, as jumbograms have */
	uint32_t cut;	 /* bytes of the frame, those behind are gone */
	uint32_t payload; /* bytes; default 20 */
};

struct pkt {
	uint32_t len;
	uint8_t align[2]; /* puts the IP header on four bytes */
	uint8_t data[8192];
};

static inline uint8_t *pkt_take(struct pkt *p, uint32_t size)
{
	uint8_t *at = p->data + p->len;

	p->len += size;
	return at;
}

static inline struct in6_addr pkt_addr(const char *s, const char *otherwise)
{
	struct in6_addr a = {};

	s = s ? s : otherwise;
	if (addr_parse(s, &a))
		fail_msg("\"%s\" is no address", s);
	return a;
}

static inline bool pkt_is_v6(const struct pkt_spec *s)
{
	return s->v6 || (s->src && strchr(s->src, ':')) || (s->dst && strchr(s->dst, ':'));
}

static inline void pkt_ether(struct pkt *p, const struct pkt_spec *s)
{
	struct ethhdr *eth = (struct ethhdr *)pkt_take(p, sizeof(*eth));

	if (s->mac)
		memcpy(eth->h_dest, s->mac, ETH_ALEN);
	memset(eth->h_source, 0x22, ETH_ALEN);
	eth->h_proto = htons(s->ether ? s->ether : pkt_is_v6(s) ? ETH_P_IPV6 : ETH_P_IP);
}

static inline void pkt_tag(struct pkt *p, const struct pkt_spec *s)
{
	__be16 tag[] = { htons(ETH_P_8021Q), htons((uint16_t)(s->vlan - 1)) };

	memmove(p->data + 2 * ETH_ALEN + sizeof(tag), p->data + 2 * ETH_ALEN,
		p->len - 2 * ETH_ALEN);
	memcpy(p->data + 2 * ETH_ALEN, tag, sizeof(tag));
	p->len += sizeof(tag);
}

static inline struct iphdr *pkt_v4(struct pkt *p, const struct pkt_spec *s)
{
	struct iphdr *ip = (struct iphdr *)pkt_take(p, sizeof(*ip));
	struct in6_addr src = pkt_addr(s->src, "10.0.0.2");
	struct in6_addr dst = pkt_addr(s->dst, "198.51.100.7");

	ip->version = s->version ? s->version : 4;
	ip->ihl = s->ihl ? s->ihl : 5 + s->options;
	ip->tos = (uint8_t)(s->dscp << 2 | s->ecn);
	ip->frag_off = htons(s->frag);
	ip->ttl = 64;
	ip->protocol = (uint8_t)(s->proto ? s->proto : IPPROTO_TCP);
	ip->saddr = src.s6_addr32[3];
	ip->daddr = dst.s6_addr32[3];
	memset(pkt_take(p, s->options * 4u), 1 /* no operation */, s->options * 4u);
	return ip;
}

static inline struct ipv6hdr *pkt_v6(struct pkt *p, const struct pkt_spec *s)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)pkt_take(p, sizeof(*ip));
	struct in6_addr src = pkt_addr(s->src, "2001:db8:1::2");
	struct in6_addr dst = pkt_addr(s->dst, "2001:db8:f::7");
	uint32_t first = (uint32_t)(s->dscp << 2 | s->ecn) << 20 | s->flow_label;
	uint8_t proto = (uint8_t)(s->proto ? s->proto : IPPROTO_TCP);
	__be32 word = htonl((s->version ? s->version : 6u) << 28 | first);

	memcpy(ip, &word, sizeof(word));
	ip->nexthdr = s->ext ? (uint8_t)(s->ext - 1) : proto;
	ip->hop_limit = 64;
	memcpy(&ip->saddr, &src, sizeof(src));
	memcpy(&ip->daddr, &dst, sizeof(dst));
	if (s->ext)
		*pkt_take(p, 8) = proto;
	return ip;
}

static inline void pkt_transport(struct pkt *p, const struct pkt_spec *s)
{
	__be16 *word = (__be16 *)pkt_take(p, s->payload ? s->payload : 20);

	if (s->icmp_type) {
		word[0] = htons((uint16_t)(s->icmp_type << 8));
		word[2] = htons(s->echo_id);
		word[3] = htons(77); /* sequence */
		return;
	}
	word[0] = htons((uint16_t)(s->sport ? s->sport : 40000));
	word[1] = htons((uint16_t)(s->dport ? s->dport : 443));
	word[2] = htons(0x1234);
}

/* The IP packet begins at ETH_HLEN. */
static inline struct pkt pkt_make(const struct pkt_spec *s)
{
	struct pkt p = { 0 };
	struct ipv6hdr *v6 = NULL;
	struct iphdr *v4 = NULL;

	pkt_ether(&p, s);
	if (pkt_is_v6(s))
		v6 = pkt_v6(&p, s);
	else
		v4 = pkt_v4(&p, s);
	pkt_transport(&p, s);
	if (v6 && !s->no_len)
		v6->payload_len =
			htons((uint16_t)(p.len - ETH_HLEN - sizeof(*v6) + (uint32_t)s->len_add));
	if (v4)
		v4->tot_len = htons((uint16_t)(p.len - ETH_HLEN + (uint32_t)s->len_add));
	if (s->vlan)
		pkt_tag(&p, s);
	if (s->cut)
		p.len = s->cut;
	return p;
}

#endif
