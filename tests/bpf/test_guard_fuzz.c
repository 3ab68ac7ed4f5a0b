// SPDX-License-Identifier: GPL-2.0-or-later
/* Guard and requests that are nearly right: as a model in plain C has it, or untouched. */
#include "tests/bpf/renewals.h"

#define FRAMES 20000

/* Of our own, so that a run can be repeated. */
static uint32_t rnd(uint32_t below)
{
	static uint64_t x = 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 33) % below;
}

static uint32_t owner_of(bool by_mac, const uint8_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		__be32 addr = v4(owned[i].addr);
		uint8_t mac[ETH_ALEN];

		mac_of(owned[i].ifindex, mac);
		if (by_mac ? !memcmp(mac, value, 6) :
			     !memcmp(&addr, value, 4) && addr != v4("192.0.2.99"))
			return owned[i].ifindex;
	}
	return 0;
}

static bool is_request(struct pkt *p)
{
	struct bootp_at at = bootp_at(p);
	uint32_t len = ntohs(at.ip->tot_len), udp_len;

	if (at.eth->h_proto != htons(ETH_P_IP) || at.ip->version != 4 || at.ip->ihl < 5 ||
	    at.ip->protocol != IPPROTO_UDP || ntohs(at.ip->frag_off) & 0x3fff ||
	    ETH_HLEN + len > p->len)
		return false;
	udp_len = ntohs(at.udp->len);
	if (at.ip->ihl * 4u + udp_len > len || udp_len < 244 || at.udp->dest != htons(67))
		return false;
	return at.bootp[0] == 1 && at.bootp[1] == 1 && at.bootp[2] == 6 &&
	       !memcmp(at.bootp + 24, "\0\0\0", 4);
}

static enum fate judge(struct pkt *p, uint32_t out)
{
	struct bootp_at at = bootp_at(p);
	uint32_t owner;

	if (!is_request(p))
		return UNSEEN;
	owner = owner_of(true, at.bootp + 28);
	if (owner != out)
		owner = owner_of(false, at.bootp + 12) ?: owner;
	if (!owner || !memcmp(at.bootp + 12, "\0\0\0", 4) || ntohl(at.ip->daddr) >> 28 >= 14)
		return TOLD;
	if (owner != out)
		return at.ip->daddr == v4("198.51.100.1") ? FAILED : MOVED;
	return !memcmp(&at.ip->saddr, at.bootp + 12, 4) && at.udp->source == htons(68) ? RIGHT : MENDED;
}

static void mutate(struct pkt *p)
{
	for (uint32_t n = rnd(4); n; n--) {
		uint32_t at = rnd(4) ? 12 + rnd(66) : rnd(p->len);

		if (at < 30 || at > 33) /* where to is from a list, for the sake of the routes */
			p->data[at] = rnd(2) ? (uint8_t)rnd(256) : p->data[at] ^ (uint8_t)(1 << rnd(8));
	}
	if (!rnd(8))
		p->len = 14 + 20 + rnd(p->len - 14 - 20 + 1);
}

static void test_nearly(void **state)
{
	static const uint32_t outs[] = { WAN1, WAN2, WAN3 };
	unsigned int met[FAILED + 1] = { 0 };

	lab_need();
	lab_own(DHCP_GUARD, owned, ARRAY_SIZE(owned));
	for (int i = 0; i < FRAMES; i++) {
		const struct message *m = rnd(3) ? &renewals[rnd(ARRAY_SIZE(renewals))].m :
						   &others[rnd(ARRAY_SIZE(others))].m;
		struct pkt p = bootp_make(m), want;
		uint32_t out = outs[rnd(ARRAY_SIZE(outs))];
		enum fate fate;
		struct result r;

		mutate(&p);
		if (p.data[14] >> 4 == 4 && (p.data[14] & 15) < 5 && p.len < 34)
			continue;
		fate = judge(&p, out);
		if (fate == MOVED || fate == MENDED)
			bootp_sum(&p);
		want = expected(&p, fate);
		r = bootp_run(PROGRAM_GUARD_ETH, &p, out, 0);
		assert_int_equal(r.verdict, fate == MOVED ? TC_ACT_REDIRECT : TC_ACT_UNSPEC);
		assert_int_equal(r.p.len, p.len);
		assert_memory_equal(r.p.data, want.data, p.len);
		met[fate]++;
	}
	for (int i = 0; i <= FAILED; i++)
		assert_in_range(met[i], FRAMES / 200, FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearly),
	};

	return cmocka_run_group_tests(tests, bootp_lab, lab_close);
}
