// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What explain says (apply/choose.c, select.h compiled for user space) is what the lan program
 * does: random rules, sets, policies and packets.  SEED=n in the environment repeats a run.
 */
#include "apply/choose.h"
#include "core/buckets.h"
#include "tests/bpf/run.h"

#define ROUNDS 100
#define PACKETS 200
#define POLICIES 6
#define SETS 4

static uint32_t rng;

/* xorshift32 (Marsaglia, 2003). */
static uint32_t any(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng;
}

static uint32_t below(uint32_t n)
{
	return any() % n;
}

static bool often(void)
{
	return below(4);
}

/* Few addresses, near each other, so that prefixes and packets meet. */
static struct in6_addr some_addr(bool v6)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 10 } };

	if (v6)
		a = (struct in6_addr){ .s6_addr = { 0x20, 1, 0xd, 0xb8, [7] = below(3),
						    [8] = below(2) << 7 } };
	a.s6_addr[13] = (uint8_t)below(4);
	a.s6_addr[14] = (uint8_t)(below(2) << 7);
	a.s6_addr[15] = (uint8_t)below(4);
	return a;
}

static struct prefix some_prefix(void)
{
	bool v6 = below(2);
	struct prefix p = { .addr = some_addr(v6),
			    .len = (uint8_t)(v6 ? below(129) : 96 + below(33)) };

	if (often())
		p.len = (uint8_t)(v6 ? 50 + below(79) : 104 + below(25));
	p.addr = addr_mask(&p.addr, p.len);
	return p;
}

static uint8_t some_proto(void)
{
	static const uint8_t protos[] = { 1, 6, 6, 17, 17, 33, 47, 58, 132, 136, 255 };

	return protos[below(ARRAY_SIZE(protos))];
}

static uint16_t some_port(void)
{
	static const uint16_t ports[] = { 0, 1, 53, 80, 443, 8000, 8001, 8100, 65534, 65535 };

	return ports[below(ARRAY_SIZE(ports))];
}

static uint8_t some_ports(struct asym_ports *ports)
{
	uint8_t n = (uint8_t)(1 + below(below(4) ? 3 : ASYM_MAX_PORTS));

	for (int i = 0; i < n; i++) {
		uint16_t a = some_port(), b = below(2) ? a : some_port();

		ports[i] = (struct asym_ports){ MIN(a, b), MAX(a, b) };
	}
	return n;
}

static void set_prefix(struct asym_addr *net, struct asym_addr *mask)
{
	static const struct in6_addr ones = { .s6_addr32 = { ~0u, ~0u, ~0u, ~0u } };
	struct prefix p = some_prefix();
	struct in6_addr m = addr_mask(&ones, p.len);

	memcpy(net, &p.addr, sizeof(*net));
	memcpy(mask, &m, sizeof(*mask));
}

static struct asym_rule some_rule(uint32_t n)
{
	static const uint32_t devices[] = { LO, LAN1, LAN2, WAN1, 99 };
	struct asym_rule r = {
		.match = any() & any() & any() & (ASYM_MATCH_DST_SET * 2 - 1),
		.family = (uint8_t)below(2),
		.dscp = (uint64_t)any() << 32 | any(),
		.policy = (uint8_t)below(POLICIES),
		.src_set = (uint8_t)below(SETS),
		.dst_set = (uint8_t)below(SETS),
		.sticky_s = below(3) ? 0 : 1000 + below(1000),
		.sticky_key = (uint8_t)(below(2) ? ASYM_KEY_SRC : ASYM_KEY_SRC_DST),
		.sticky_id = n,
		.devices = (uint8_t)(1 + below(3)),
	};

	r.negate = r.match & any() & any();
	set_prefix(&r.src, &r.src_mask);
	set_prefix(&r.dst, &r.dst_mask);
	for (int i = 0; i < 6; i++) {
		uint8_t proto = some_proto();

		r.proto[proto / 32] |= 1u << proto % 32;
	}
	r.sports = some_ports(r.sport);
	r.dports = some_ports(r.dport);
	for (int i = 0; i < r.devices; i++)
		r.device[i] = devices[below(ARRAY_SIZE(devices))];
	return r;
}

static void some_policy(struct plan *p, unsigned int n)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };

	p->policies[n].key = (uint8_t)below(ASYM_KEY_MAX);
	p->policies[n].last_resort = (uint8_t)(252 + below(3));
	for (int f = 0; f < ASYM_FAMILIES; f++) {
		struct bucket_share shares[5];
		size_t links = below(ARRAY_SIZE(shares) + 1);

		for (size_t i = 0; i < links; i++) {
			uint8_t id = (uint8_t)(50 * i + 1 + below(50));

			shares[i] = (struct bucket_share){ names[i], id, 1 + below(9) };
			p->policies[n].live[f][id >> 5] |= 1u << (id & 31);
		}
		buckets_fill(&p->buckets[n][f], shares, links);
	}
}

/* A plan with what goes into the maps, and nothing else. */
static struct loaded *some_plan(void)
{
	struct loaded *l = loaded_new(LAB_WANS LAB_POLICIES "policy to5 { links = wan1 }"
				      "policy to6 { links = wan1 } rule r { policy = to1 }", NULL);

	l->p.config.seed = any();
	l->p.config.rules = 1 + below(below(5) ? 12 : 60);
	memset(l->p.policies, 0, sizeof(l->p.policies));
	for (unsigned int i = 0; i < POLICIES; i++)
		some_policy(&l->p, i);
	for (uint32_t i = 0; i < l->p.config.rules; i++)
		l->p.bpf_rules[i] = some_rule(i);
	for (unsigned int i = 0; i < SETS; i++) {
		struct model_set *set = ARRAY_ADD(l->m.sets, l->m.n_sets);

		for (uint32_t k = below(8); k; k--) {
			struct prefix *p = ARRAY_ADD(set->prefixes, set->n);

			*p = some_prefix();
		}
	}
	return l;
}

struct question {
	struct asym_flow flow;
	struct pkt pkt;
};

static void some_question(struct question *q)
{
	static const uint32_t devices[] = { LO, LAN1, LAN2, WAN1 };
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];
	bool v6 = below(2), echo;
	struct in6_addr a = some_addr(v6), b = some_addr(v6);
	struct pkt_spec s = { .v6 = v6, .src = addr_str(&a, src), .dst = addr_str(&b, dst),
			      .proto = some_proto(), .dscp = (uint8_t)below(64),
			      .ecn = (uint8_t)below(4), .flow_label = any() & 0xfffff,
			      .in = devices[below(ARRAY_SIZE(devices))] };
	struct asym_flow f = { .ifindex = s.in, .family = v6, .proto = (uint8_t)s.proto,
			       .dscp = s.dscp };

	if (!v6)
		s.options = (uint8_t)(below(3) ? 0 : below(11));
	echo = s.proto == (v6 ? 58 : 1);
	f.sport = some_port();
	f.dport = echo ? 0 : some_port();
	if (echo) {
		s.icmp_type = v6 ? 128 : 8;
		s.echo_id = f.sport;
	} else if (s.proto == 1 || s.proto == 58 || s.proto == 47 || s.proto == 255) {
		f.sport = f.dport = 0;
	}
	s.sport = f.sport ? f.sport : PORT_ZERO;
	s.dport = f.dport ? f.dport : PORT_ZERO;
	memcpy(&f.src, &a, sizeof(a));
	memcpy(&f.dst, &b, sizeof(b));
	q->flow = f;
	q->pkt = pkt_to(&s, s.in);
}

static enum asym_reason reason_of(const struct choose_verdict *v)
{
	if (v->rule < 0)
		return ASYM_LAN_NO_RULE;
	if (v->last_resort)
		return ASYM_LAN_LAST_RESORT;
	return v->sticky ? ASYM_LAN_STICKY : ASYM_LAN_BUCKET;
}

/* The rule whose count rose from `before`; -1: none. */
static int rule_hit(const struct asym_hits *before, uint32_t bank, uint32_t rules)
{
	struct asym_hits after[ASYM_MAX_RULES];

	assert_int_equal(maps_hits(&lab.o, bank, after), 0);
	for (uint32_t i = 0; i < rules; i++)
		if (after[i].packets != before[i].packets)
			return (int)i;
	return -1;
}

static void compare(const struct question *q, struct choose_verdict *v, enum asym_reason reason,
		    uint32_t mark, unsigned int round, unsigned int n)
{
	if (mark != (uint32_t)v->link << 8 || reason != reason_of(v))
		fail_msg("round %u, packet %u: the program %s, mark 0x%x; explain %s, link %u",
			 round, n, reason_name(reason), mark, reason_name(reason_of(v)), v->link);
}

static void test_same_verdict(void **state)
{
	unsigned int seen[ASYM_REASON_MAX] = { 0 }, rules = 0;
	static struct choose_verdict v;
	static struct question q;

	lab_need();
	rng = getenv("SEED") ? (uint32_t)strtoul(getenv("SEED"), NULL, 0) : 20240229;
	print_message("# SEED=%u\n", rng);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct loaded *l = some_plan();

		lab_use(&l->p);
		lab_forget_sticky();
		for (unsigned int n = 0; n < PACKETS; n++) {
			struct outcome o;

			some_question(&q);
			assert_int_equal(choose_verdict(&lab.o, &q.flow, &v), 0);
			o = lab_run(PROGRAM_LAN_ETH, &q.pkt, q.flow.ifindex, 0);
			compare(&q, &v, o.reason, o.mark, round, n);
			seen[o.reason]++;
			rules |= v.rule > 0;
		}
		loaded_free(l);
	}
	for (enum asym_reason i = ASYM_LAN_BUCKET; i <= ASYM_LAN_NO_RULE; i++) {
		print_message("# %u %s\n", seen[i], reason_name(i));
		assert_true(seen[i] > ROUNDS * PACKETS / 100);
	}
	assert_true(rules);
}

/* The number of the rule, and why those before it did not match. */
static void test_rule_number(void **state)
{
	struct asym_hits before[ASYM_MAX_RULES];
	static struct choose_verdict v;
	static struct question q;
	uint32_t bank = 0;

	lab_need();
	rng = 4711;
	for (unsigned int n = 0; n < 2000; n++) {
		if (n % 100 == 0) {
			struct loaded *l = some_plan();

			bank = maps_idle_bank(&lab.o);
			lab_use(&l->p);
			loaded_free(l);
		}
		some_question(&q);
		assert_int_equal(choose_verdict(&lab.o, &q.flow, &v), 0);
		assert_int_equal(maps_hits(&lab.o, bank, before), 0);
		lab_run(PROGRAM_LAN_ETH, &q.pkt, q.flow.ifindex, 0);
		assert_int_equal(rule_hit(before, bank, v.rules), v.rule);
		for (int i = 0; i < (v.rule < 0 ? (int)v.rules : v.rule); i++)
			assert_true(!v.misses[i] == v.unseen[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_verdict),
		cmocka_unit_test(test_rule_number),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
