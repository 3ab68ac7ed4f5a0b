// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module chooses as the BPF programs and as user space do (select.h three times): random
 * packets, policies and sticky keys, each through the program asym_lan_eth (a test run), through
 * explain's apply/choose.c and through a rule with the expression.  SEED=n in the environment
 * repeats a run.
 */
#include "apply/choose.h"
#include "tests/bpf/model.h"
#include "tests/kmod/capture.h"

#define ROUNDS 100
#define PACKETS 200
#define BEFORE 0x90000003u /* bits of the mark that are nobody's */

static struct capture capture;
static bool ready;

static int open_all(void **state)
{
	int r = lab_open(state);

	if (r || !lab.ready)
		return r;
	r = module_find();
	if (r || !module_ready)
		return r;
	r = rule_table(&module, NFPROTO_INET) ?: capture_open(&capture);
	ready = !r;
	if (r == -ENOENT || r == -ENODEV)
		print_message("# no TUN devices\n");
	return r && getenv("ASYM_KMOD") ? -1 : 0;
}

static int close_all(void **state)
{
	if (ready)
		capture_close(&capture);
	module_close(state);
	return lab_close(state);
}

static struct in6_addr some_addr(bool v6)
{
	struct in6_addr a = {.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 10}};

	if (v6)
		a = (struct in6_addr){.s6_addr = {0x20, 1, 0xd, 0xb8, [7] = (uint8_t)below(3)}};
	a.s6_addr[14] = (uint8_t)below(3);
	a.s6_addr[15] = (uint8_t)below(4);
	return a;
}

/* Links of one family: their names make the buckets, ids are the same for both families. */
static void some_links(struct policy *p, int family)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	struct bucket_share shares[ARRAY_SIZE(names)];
	size_t n = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		if (below(3))
			shares[n++] = (struct bucket_share){names[i], (uint8_t)(3 + 50 * i),
			                                    1 + below(9)};
	if (!below(8))
		n = 0;
	memset(p->p.live[family], 0, sizeof(p->p.live[family]));
	for (size_t i = 0; i < n; i++)
		p->p.live[family][shares[i].id >> 5] |= 1u << (shares[i].id & 31);
	buckets_fill(&p->b[family], shares, n);
}

struct round {
	struct policy policy;
	struct asym_rule rule;
	struct loaded *l; /* what the programs have */
};

/* The same in both places. */
static void use(struct round *r)
{
	struct plan *p = &r->l->p;

	p->config.seed = r->policy.seed;
	p->config.rules = 1;
	p->bpf_rules[0] = r->rule;
	p->policies[r->rule.policy] = r->policy.p;
	memcpy(p->buckets[r->rule.policy], r->policy.b, sizeof(r->policy.b));
	lab_use(p);
	assert_int_equal(policy_set(&module, &r->policy), 0);
}

static void some_round(struct round *r, uint32_t n)
{
	r->policy = (struct policy){
		.number = below(3), /* of lab_round's configuration, which has as many */
		.seed = any(),
		.mask = 0xff00,
		.p = {.key = (uint8_t)below(ASYM_KEY_MAX),
	              .last_resort = (uint8_t)(252 + below(3))},
	};
	for (int f = 0; f < ASYM_FAMILIES; f++)
		some_links(&r->policy, f);
	r->rule = (struct asym_rule){
		.policy = (uint8_t)r->policy.number,
		.sticky_s = below(2) ? 0 : 1000 + below(1000),
		.sticky_key = (uint8_t)(below(2) ? ASYM_KEY_SRC : ASYM_KEY_SRC_DST),
		.sticky_id = n,
	};
	use(r);
}

static void some_rule(const struct round *r)
{
	static const struct rule_how how = {"prerouting", BEFORE, .log = true, .drop = true};
	static struct attrs l;

	rule_attrs(&l, r->policy.number);
	if (r->rule.sticky_s) {
		attrs_be32(&l, NFTA_ASYM_STICKY, r->rule.sticky_s);
		attrs_be32(&l, NFTA_ASYM_STICKY_KEY, r->rule.sticky_key);
		attrs_be32(&l, NFTA_ASYM_STICKY_ID, r->rule.sticky_id);
	}
	assert_int_equal(rule_use(&module, &how, &l), 0);
}

struct question {
	struct asym_flow flow;
	struct pkt pkt;
};

static uint16_t some_port(void)
{
	return (uint16_t)(below(8) ? 1 + below(65535) : 53);
}

/* IP options, fragments and protocols without ports too. */
static void some_question(struct question *q)
{
	static const uint8_t protos[] = {IPPROTO_TCP,  IPPROTO_TCP, IPPROTO_UDP,  IPPROTO_UDP,
	                                 IPPROTO_ICMP, IPPROTO_GRE, IPPROTO_SCTP, IPPROTO_UDPLITE};
	uint8_t proto = protos[below(ARRAY_SIZE(protos))];
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];
	bool v6 = below(2), ports, echo = proto == IPPROTO_ICMP;
	struct in6_addr a = some_addr(v6), b = some_addr(v6);
	struct pkt_spec s = {.v6 = v6,
	                     .src = addr_str(&a, src),
	                     .dst = addr_str(&b, dst),
	                     .dscp = (uint8_t)below(64),
	                     .in = LAN1};

	s.proto = echo && v6 ? IPPROTO_ICMPV6 : proto;
	s.options = (uint8_t)(v6 || below(3) ? 0 : below(11));
	s.frag = v6 || below(6) ? 0 : below(2) ? 185 : 0x2000;
	ports = !echo && proto != IPPROTO_GRE && !s.frag;
	s.sport = some_port();
	s.dport = some_port();
	if (echo) {
		s.icmp_type = v6 ? 128 : 8;
		s.echo_id = (uint16_t)s.sport;
	}
	q->flow = (struct asym_flow){
		.ifindex = LAN1, .family = v6, .proto = (uint8_t)s.proto, .dscp = s.dscp};
	q->flow.sport = (uint16_t)(ports || (echo && !s.frag) ? s.sport : 0);
	q->flow.dport = (uint16_t)(ports ? s.dport : 0);
	memcpy(&q->flow.src, &a, sizeof(a));
	memcpy(&q->flow.dst, &b, sizeof(b));
	q->pkt = pkt_to(&s, LAN1);
	if (!v6) { /* the stack looks at what the program does not */
		uint8_t *ip = q->pkt.data + ETH_HLEN;

		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)((0xffff - model_sum(ip, (ip[0] & 15) * 4u)) % 0xffff));
	}
}

static void compare(const struct round *r, const struct question *q, unsigned int round,
                    unsigned int n, unsigned int seen[ASYM_REASON_MAX])
{
	static struct choose_verdict v;
	struct outcome o;
	uint32_t mark;
	int e;

	assert_int_equal(choose_verdict(&lab.o, &q->flow, &v), 0);
	o = lab_run(PROGRAM_LAN_ETH, &q->pkt, LAN1, BEFORE);
	e = capture_mark(&capture, q->pkt.data + ETH_HLEN, q->pkt.len - ETH_HLEN, &mark);
	if (e)
		fail_msg("round %u, packet %u: the rule saw nothing: %s", round, n, strerror(-e));
	seen[o.reason]++;
	if (mark != o.mark || o.mark != (BEFORE | policy_mark(&r->policy, v.link)))
		fail_msg("round %u, packet %u: module 0x%x, program 0x%x (%s), explain link %u; "
		         "key %u, "
		         "sticky %u by %u, protocol %u",
		         round, n, mark, o.mark, reason_name(o.reason), v.link, r->policy.p.key,
		         r->rule.sticky_s, r->rule.sticky_key, q->flow.proto);
}

static void run_round(struct round *r, unsigned int round, unsigned int seen[ASYM_REASON_MAX])
{
	static struct question q;

	r->l = loaded_new(LAB_WANS LAB_POLICIES "rule r { policy = to1 }", NULL);
	lab_forget_sticky();
	some_round(r, round + 1);
	some_rule(r);
	for (unsigned int n = 0; n < PACKETS; n++) {
		if (n == PACKETS / 2) { /* links die and come back under a rule that stays */
			for (int f = 0; f < ASYM_FAMILIES; f++)
				some_links(&r->policy, f);
			use(r);
		}
		some_question(&q);
		compare(r, &q, round, n, seen);
	}
	loaded_free(r->l);
}

static void test_same_link(void **state)
{
	unsigned int seen[ASYM_REASON_MAX + 1] = {0}, rounds;
	static struct round r;

	if (!ready)
		skip();
	seed(20240229);
	rounds = MAX(times(ROUNDS), 10u); /* enough for each outcome */
	for (unsigned int round = 0; round < rounds; round++)
		run_round(&r, round, seen);
	for (enum asym_reason i = ASYM_LAN_BUCKET; i <= ASYM_LAN_LAST_RESORT; i++) {
		print_message("# %u %s\n", seen[i], reason_name(i));
		assert_true(seen[i] > rounds * PACKETS / 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_link)};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
