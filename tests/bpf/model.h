/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the flow cache is to make of a frame, said without the means that it uses: checksums are
 * summed up anew over the whole packet, byte by byte.  Frames have room for an Ethernet header,
 * also those of devices without.
 */
#ifndef TESTS_BPF_MODEL_H
#define TESTS_BPF_MODEL_H

#include "tests/bpf/cache.h"

#define TCP_ACK 0x10

/* Where things are in a frame without options. */
struct layers {
	bool v6, udp;
	uint32_t len; /* from the IP header on as it says */
	uint32_t l4, check;
};

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline struct layers layers_of(const struct pkt *p, bool v6, bool udp)
{
	const uint8_t *ip = p->data + ETH_HLEN;
	struct layers l = { .v6 = v6, .udp = udp };

	l.len = v6 ? 40u + get16(ip + 4) : get16(ip + 2);
	l.l4 = ETH_HLEN + (v6 ? 40 : 20);
	l.check = l.l4 + (udp ? 6 : 16);
	return l;
}

/* Sums are modulo 0xffff, so 0 and 0xffff are one. */
static inline uint32_t model_sum(const uint8_t *data, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? data[i] : (uint64_t)data[i] << 8;
	return sum % 0xffff;
}

/* Of TCP or UDP with its pseudo header; 0 where the checksum is right. */
static inline uint32_t model_residue(const struct pkt *p, const struct layers *l)
{
	uint32_t l4_len = ETH_HLEN + l->len - l->l4;
	uint32_t sum = l->v6 ? model_sum(p->data + ETH_HLEN + 8, 32) :
			       model_sum(p->data + ETH_HLEN + 12, 8);

	sum += l->udp ? IPPROTO_UDP : IPPROTO_TCP;
	return (sum + l4_len + model_sum(p->data + l->l4, l4_len)) % 0xffff;
}

/* The checksum that makes this residue; UDP sends 0xffff for 0 (RFC 768). */
static inline void model_check(struct pkt *p, const struct layers *l, uint32_t residue)
{
	uint32_t check;

	put16(p->data + l->check, 0);
	check = (residue + 0xffff - model_residue(p, l)) % 0xffff;
	put16(p->data + l->check, (uint16_t)(l->udp && !check ? 0xffff : check));
}

static inline void model_ip_check(struct pkt *p, uint32_t residue)
{
	uint8_t *ip = p->data + ETH_HLEN;

	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)((residue + 0xffff - model_sum(ip, 20)) % 0xffff));
}

/* All checksums right. */
static inline void model_seal(struct pkt *p, bool v6, bool udp)
{
	struct layers l = layers_of(p, v6, udp);

	if (!v6)
		model_ip_check(p, 0);
	model_check(p, &l, 0);
}

static inline void model_translate(struct pkt *p, const struct layers *l, const struct tuple *out)
{
	uint8_t *ip = p->data + ETH_HLEN;
	int size = l->v6 ? 16 : 4, at = l->v6 ? 8 : 12;

	memcpy(ip + at, &out->src.s6_addr[16 - size], (size_t)size);
	memcpy(ip + at + size, &out->dst.s6_addr[16 - size], (size_t)size);
	put16(p->data + l->l4, out->sport);
	put16(p->data + l->l4 + 2, out->dport);
	ip[l->v6 ? 7 : 8]--;
}

/* What is wrong with a checksum stays wrong with it; UDP without one stays without. */
static inline void model_forward(struct pkt *p, bool v6, bool udp, const struct tuple *out,
				 const struct asym_hop *hop)
{
	struct layers l = layers_of(p, v6, udp);
	bool unchecked = udp && !get16(p->data + l.check);
	uint32_t residue = model_residue(p, &l), ip_residue = model_sum(p->data + ETH_HLEN, 20);

	model_translate(p, &l, out);
	if (!v6)
		model_ip_check(p, ip_residue);
	if (!unchecked)
		model_check(p, &l, residue);
	if (hop->l2_len)
		memcpy(p->data, hop->mac, sizeof(hop->mac));
	else
		p->len = ETH_HLEN + l.len;
}

/* A packet as pkt_to() makes it, with a header of TCP or UDP that is whole, and sealed. */
static inline struct pkt model_pkt(const struct pkt_spec *s, uint32_t ifindex)
{
	bool v6 = pkt_is_v6(s), udp = s->proto == IPPROTO_UDP;
	struct pkt p = pkt_to(s, ifindex);
	struct layers l = layers_of(&p, v6, udp);
	uint8_t *l4 = p.data + l.l4;

	for (uint32_t i = l.l4 + (udp ? 8 : 20); i < p.len; i++)
		p.data[i] = (uint8_t)(i * 37 + 11);
	if (udp) {
		put16(l4 + 4, (uint16_t)(ETH_HLEN + l.len - l.l4));
	} else {
		l4[12] = 5 << 4;
		l4[13] = TCP_ACK;
	}
	if (l.len + ETH_HLEN <= p.len)
		model_seal(&p, v6, udp);
	return p;
}

/* A program run on a frame. */
struct shot {
	enum object_program which;
	bool helped; /* the programs that leave checksums to helpers */
	struct __sk_buff in; /* ifindex, mark, gso_size */
	/* what came of it */
	int verdict;
	struct __sk_buff out;
	struct pkt p;
};

static inline void shoot(struct shot *s, const struct pkt *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len,
		    .data_out = s->p.data, .data_size_out = sizeof(s->p.data), .ctx_in = &s->in,
		    .ctx_size_in = sizeof(s->in), .ctx_out = &s->out,
		    .ctx_size_out = sizeof(s->out));

	if (bpf_prog_test_run_opts(cache_program(s->which, s->helped), &opts))
		fail_msg("test run of %u bytes: %s", p->len, strerror(errno));
	s->verdict = (int)opts.retval;
	s->p.len = opts.data_size_out;
}

static inline bool pkt_equal(const struct pkt *a, const struct pkt *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static inline void pkt_show(const char *what, const struct pkt *p)
{
	print_error("%s, %u bytes:", what, p->len);
	for (uint32_t i = 0; i < p->len && i < 120; i++)
		print_error("%s%02x", i % 2 ? "" : " ", p->data[i]);
	print_error("\n");
}

static inline bool pkt_is(const struct pkt *p, const struct pkt *want)
{
	if (pkt_equal(p, want))
		return true;
	pkt_show("  have", p);
	pkt_show("  want", want);
	return false;
}

/* Exactly these counters rose, by one each; ASYM_LAN_BUCKET stands for none in `also`.  Besides,
 * conntrack may have been asked about a packet that goes to the stack. */
static inline bool counters_are(enum asym_reason reason, enum asym_reason also)
{
	uint64_t now[ASYM_REASON_MAX];
	bool good = true;

	assert_int_equal(maps_counters(&lab.o, now), 0);
	for (unsigned int i = 0; i < ASYM_REASON_MAX; i++) {
		uint64_t rose = now[i] - lab.before[i], want = i == reason || (also && i == also);

		if (rose == want || (i == ASYM_CACHE_UNFIT && rose == 1 && reason == ASYM_LAN_BUCKET))
			continue;
		print_error("  %s rose by %llu\n", reason_name(i), (unsigned long long)rose);
		good = false;
	}
	return good;
}

#endif
