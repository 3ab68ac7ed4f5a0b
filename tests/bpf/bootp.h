/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BOOTP messages, and what the programs say of them.  What a spec leaves out is that of a renewal
 * of wan1's client, 192.0.2.1, sent by wan1 to 192.0.2.254.
 */
#ifndef TESTS_BPF_BOOTP_H
#define TESTS_BPF_BOOTP_H

#include "tests/bpf/run.h"
#include <bpf/libbpf.h>
#include <linux/udp.h>

#define BOOTP_LEN 300 /* from op on; RFC 1542 section 2.1 */
#define ADDR_ZERO "0.0.0.0"

struct message {
	const char *src, *dst, *ciaddr, *giaddr;
	uint32_t chaddr; /* ifindex of the device whose MAC it is; default WAN1 */
	int sport, dport;
	bool reply;
	bool no_sum; /* UDP checksum 0 */
	const char *mac; /* destination */
	uint8_t options; /* words of the IP header */
	/* what can be wrong */
	uint8_t op, htype, hlen, proto, version;
	uint16_t frag;
	int udp_add, ip_add; /* to the lengths in the headers */
};

struct bootp_at {
	struct ethhdr *eth;
	struct iphdr *ip;
	struct udphdr *udp;
	uint8_t *bootp;
};

static inline struct bootp_at bootp_at(struct pkt *p)
{
	struct bootp_at at = { .eth = (struct ethhdr *)p->data,
			       .ip = (struct iphdr *)(p->data + ETH_HLEN) };

	at.udp = (struct udphdr *)((uint8_t *)at.ip + at.ip->ihl * 4);
	at.bootp = (uint8_t *)(at.udp + 1);
	return at;
}

static inline __be32 v4(const char *s)
{
	__be32 a;

	assert_int_equal(inet_pton(AF_INET, s, &a), 1);
	return a;
}

static inline void mac_of(uint32_t ifindex, uint8_t *ret)
{
	const uint8_t mac[ETH_ALEN] = { 2, 0, 0, 0, 0, (uint8_t)(ifindex / 10 << 4 | ifindex % 10) };

	memcpy(ret, mac, sizeof(mac));
}

static inline uint32_t sum_add(uint32_t sum, const void *from, size_t len)
{
	const uint8_t *p = from;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static inline __be16 sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* Both checksums from the start; that of UDP stays 0 if it is. */
static inline void bootp_sum(struct pkt *p)
{
	struct bootp_at at = bootp_at(p);
	uint16_t len = ntohs(at.udp->len);

	at.ip->check = 0;
	at.ip->check = sum_end(sum_add(0, at.ip, at.ip->ihl * 4u));
	if (!at.udp->check)
		return;
	at.udp->check = 0;
	at.udp->check = sum_end(sum_add(sum_add(IPPROTO_UDP + len, &at.ip->saddr, 8), at.udp, len)) ?:
			0xffff;
}

static inline void bootp_body(uint8_t *b, const struct message *m)
{
	__be32 ciaddr = v4(m->ciaddr ? m->ciaddr : "192.0.2.1");
	__be32 giaddr = v4(m->giaddr ? m->giaddr : ADDR_ZERO);

	b[0] = m->op ? m->op : m->reply ? 2 : 1;
	b[1] = m->htype ? m->htype : 1;
	b[2] = m->hlen ? m->hlen : 6;
	memcpy(b + 4, "\x12\x34\x56\x78", 4);
	memcpy(b + 12, &ciaddr, 4);
	memcpy(b + 24, &giaddr, 4);
	mac_of(m->chaddr ? m->chaddr : WAN1, b + 28);
	memcpy(b + 236, "\x63\x82\x53\x63\x35\x01\x03\xff", 8);
}

static inline struct pkt bootp_make(const struct message *m)
{
	struct pkt_spec spec = {
		.src = m->src ? m->src : m->reply ? "192.0.2.254" : "192.0.2.1",
		.dst = m->dst ? m->dst : m->reply ? "192.0.2.1" : "192.0.2.254",
		.proto = IPPROTO_UDP,
		.sport = m->sport ? m->sport : m->reply ? 67 : 68,
		.dport = m->dport ? m->dport : m->reply ? 68 : 67,
		.mac = m->mac,
		.options = m->options,
		.payload = sizeof(struct udphdr) + BOOTP_LEN,
	};
	struct pkt p = pkt_make(&spec);
	struct bootp_at at = bootp_at(&p);

	at.udp->len = htons(sizeof(struct udphdr) + BOOTP_LEN);
	at.udp->check = !m->no_sum;
	bootp_body(at.bootp, m);
	bootp_sum(&p);
	at.ip->frag_off = htons(m->frag);
	at.ip->version = m->version ? m->version : 4;
	at.ip->protocol = m->proto ? m->proto : IPPROTO_UDP;
	at.ip->tot_len = htons((uint16_t)(ntohs(at.ip->tot_len) + m->ip_add));
	at.udp->len = htons((uint16_t)(ntohs(at.udp->len) + m->udp_add));
	return p;
}

/* The lab, with routes. */
static inline int bootp_lab(void **state)
{
	int r = lab_open(state);

	if (r || !lab.ready)
		return r;
	return system("set -e; sysctl -qw net.ipv4.ip_forward=1\n"
		      "for k in 1 2 3 4; do ip link set wan$k up; ip addr add 192.0.2.$k/24 dev wan$k; done\n"
		      "ip addr add 192.0.2.22/24 dev wan2\n"
		      "ip route add 203.0.113.0/24 via 192.0.2.254 dev wan2");
}

#define MARK 0xa5ff0211u /* ours is the 02 */

struct result {
	int verdict;
	uint32_t mark;
	struct pkt p;
};

static inline struct result bootp_run(enum object_program which, const struct pkt *p, uint32_t out,
			 uint32_t arrived)
{
	struct result r = { .p = *p };
	struct __sk_buff in = { .mark = MARK, .ifindex = out, .ingress_ifindex = arrived };
	struct __sk_buff after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len,
		    .data_out = r.p.data, .data_size_out = sizeof(r.p.data), .ctx_in = &in,
		    .ctx_size_in = sizeof(in), .ctx_out = &after, .ctx_size_out = sizeof(after));

	assert_int_equal(bpf_prog_test_run_opts(lab.o.program[which], &opts), 0);
	r.p.len = opts.data_size_out;
	r.verdict = (int)opts.retval;
	r.mark = after.mark;
	return r;
}

/* --- owners --------------------------------------------------------------------------------------- */

struct owned {
	uint32_t ifindex;
	uint8_t link;
	const char *addr; /* NULL: none */
	uint32_t mac;	  /* ifindex of the device whose MAC it is; 0: its own */
	bool shared_mac;
};

static inline void plan_own(struct plan *p, const struct owned *owned, size_t n)
{
	free(p->owners);
	p->owners = calloc(n + 1, sizeof(*p->owners));
	p->n_owners = n;
	for (size_t i = 0; i < n; i++) {
		struct plan_owner *o = &p->owners[i];

		*o = (struct plan_owner){ .link = owned[i].link, .ifindex = owned[i].ifindex,
					  .shared_mac = owned[i].shared_mac };
		mac_of(owned[i].mac ? owned[i].mac : o->ifindex, o->mac);
		if (owned[i].addr)
			o->addr = pkt_addr(owned[i].addr, NULL);
	}
}

/* Makes the lab's links these owners'. */
static inline void lab_own(enum model_dhcp dhcp, const struct owned *owned, size_t n)
{
	struct loaded *l = loaded_new(LAB_WANS, NULL);

	l->m.dhcp = dhcp;
	plan_own(&l->p, owned, n);
	lab_use(&l->p);
	free(l->p.owners);
	l->p.owners = NULL;
	l->p.n_owners = 0;
	loaded_free(l);
}

/* --- what was said -------------------------------------------------------------------------------- */

#define NEWS 512
static struct {
	struct ring_buffer *ring;
	struct asym_bootp all[NEWS];
	size_t n;
	struct asym_dhcp before[ASYM_LINK_IDS];
} news;

static int news_take(void *ctx, void *data, size_t size)
{
	assert_int_equal((int)size, (int)sizeof(struct asym_bootp));
	if (news.n < NEWS)
		memcpy(&news.all[news.n], data, size);
	news.n++;
	return 0;
}

static inline void news_read(void)
{
	if (!news.ring)
		news.ring = ring_buffer__new(lab.o.map[MAP_BOOTP], news_take, NULL, NULL);
	assert_non_null(news.ring);
	news.n = 0;
	assert_true(ring_buffer__consume(news.ring) >= 0);
}

/* Each link may tell again, and what was told is forgotten. */
static inline void news_begin(void)
{
	for (unsigned int i = 0; i < ASYM_LINK_IDS; i++) {
		struct asym_dhcp *d = &news.before[i];
		uint32_t slot = i;

		assert_int_equal(maps_dhcp(&lab.o, i, d), 0);
		d->told = 0;
		assert_int_equal(bpf_map_update_elem(lab.o.map[MAP_DHCP], &slot, d, BPF_ANY), 0);
	}
	news_read();
}

/* How much a counter has risen: of one link, or (0) of all. */
static inline uint64_t dhcp_rose(uint8_t link, size_t offset)
{
	uint64_t rose = 0;

	for (unsigned int i = 0; i < ASYM_LINK_IDS; i++) {
		struct asym_dhcp d;

		assert_int_equal(maps_dhcp(&lab.o, i, &d), 0);
		if (!link || link == i)
			rose += *(uint64_t *)((char *)&d + offset) -
				*(uint64_t *)((char *)&news.before[i] + offset);
	}
	return rose;
}
#define ROSE(link, field) dhcp_rose(link, offsetof(struct asym_dhcp, field))

#endif
