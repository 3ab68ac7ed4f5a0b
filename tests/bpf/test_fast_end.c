// SPDX-License-Identifier: GPL-2.0-or-later
/* How entries of the flow cache come to an end: by checks, by FIN and RST, by what conntrack says. */
#include "tests/bpf/model.h"
#include "tests/bpf/tagged.h"
#include <sched.h>

#define HOP 9
#define WHOLE 1000

static struct cached plain(bool v6, bool udp, uint32_t with)
{
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = v6 }, LAN1);
	struct cached c = { .v6 = v6, .udp = udp, .hop = HOP, .arrival = LAN1, .size = WHOLE,
			    .with = with, .in = tuple_of(&p, v6) };

	c.out = c.in;
	c.out.src = pkt_addr(v6 ? "2001:db8:2::1" : "192.0.2.1", NULL);
	c.out.sport = 2048;
	return c;
}

static bool is_there(const struct cached *c)
{
	return cache_entry(c)->head & ASYM_FLOW_LIVE;
}

static struct shot send_flags(const struct cached *c, uint8_t flags, enum asym_reason also)
{
	struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };
	struct pkt_spec spec = { .v6 = c->v6, .proto = c->udp ? IPPROTO_UDP : IPPROTO_TCP };
	struct pkt p = model_pkt(&spec, LAN1);
	struct layers l = layers_of(&p, c->v6, c->udp);
	uint8_t *l4 = p.data + l.l4;

	put16(l4, c->in.sport);
	put16(l4 + 2, c->in.dport);
	model_translate(&p, &l, &c->in);
	if (!c->udp)
		l4[13] = flags;
	model_seal(&p, c->v6, c->udp);
	counters_begin();
	shoot(&s, &p);
	assert_true(counters_are(s.verdict == TC_ACT_REDIRECT ? ASYM_LAN_FLOW : ASYM_LAN_BUCKET,
				 also));
	if (s.verdict == TC_ACT_UNSPEC)
		assert_true(pkt_is(&s.p, &p));
	return s;
}

/* --- checks ---------------------------------------------------------------------------------------- */

/* A stale entry is shut until the stack has sent on a packet, which `learn` tells by the size. */
static void test_shut(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (int i = 0; i < 4; i++) {
		struct cached c = plain(i & 1, i & 2, 0);

		c.age = cache.period;
		cache_clear();
		cache_put(&c);
		assert_int_equal(send_flags(&c, TCP_ACK, ASYM_CACHE_STALE).verdict, TC_ACT_UNSPEC);
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
		cache_entry(&c)->checked = cache_now();
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
		cache_entry(&c)->size = WHOLE;
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_REDIRECT);
	}
}

/* How many of n packets the stack is shown, each of them stale. */
static uint32_t shown_of(const struct cached *c, uint32_t n)
{
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = c->v6 }, LAN1);
	struct asym_flow_state *e = cache_entry(c);
	uint32_t shown = 0;

	while (n--) {
		struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

		e->size = WHOLE;
		shoot(&s, &p);
		shown += s.verdict == TC_ACT_UNSPEC;
	}
	return shown;
}

/* On this CPU; ret_all is for going back. */
static void stay_here(cpu_set_t *ret_all)
{
	cpu_set_t one;

	sched_getaffinity(0, sizeof(*ret_all), ret_all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static uint32_t next_jiffy(void)
{
	uint32_t now = cache_now();

	while (cache_now() == now)
		;
	return cache_now();
}

/* A CPU makes so many checks in a jiffy and puts off the others, but not for ever. */
static void test_pace(void **state)
{
	struct cached c = plain(false, false, 0);
	uint32_t checks, begin, most, shown, n;
	cpu_set_t all;

	cache_need();
	cache_hop(HOP, WAN2);
	stay_here(&all);
	checks = lab.o.skel->rodata->asym_flow_checks;
	n = 20 * checks;
	c.age = (cache.period + cache.latest) / 2;
	cache_clear();
	cache_put(&c);
	begin = next_jiffy();
	shown = shown_of(&c, n);
	most = checks * (cache_now() - begin + 1);
	print_message("# %u of %u checked, at most %u\n", shown, n, most);
	assert_true(shown <= most && shown >= checks);
	c.age = cache.latest;
	cache_put(&c);
	assert_int_equal(shown_of(&c, n), n);
	sched_setaffinity(0, sizeof(all), &all);
}

/* --- the end of a connection --------------------------------------------------------------------- */

/* Both directions go, whichever ends it; the UDP flow of the same ports stays. */
static void end_by(bool v6, uint8_t flags, bool by_answer)
{
	struct cached pair[2] = { plain(v6, false, ASYM_FLOW_ORIGINAL) }, udp = plain(v6, true, 0);

	pair[1] = cache_answer(&pair[0]);
	pair[1].with = 0;
	cache_clear();
	for (int i = 0; i < 2; i++)
		cache_put_beside(&pair[i]);
	cache_put_beside(&udp);
	assert_int_equal(send_flags(&pair[by_answer], flags, ASYM_CACHE_CLOSED).verdict,
			 TC_ACT_UNSPEC);
	assert_false(is_there(&pair[0]) || is_there(&pair[1]));
	assert_true(is_there(&udp));
	/* again: there is nothing left to be closed */
	assert_int_equal(send_flags(&pair[by_answer], flags, 0).verdict, TC_ACT_UNSPEC);
	assert_int_equal(send_flags(&pair[0], TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
	assert_int_equal(send_flags(&udp, 0, 0).verdict, TC_ACT_REDIRECT);
}

static void test_end(void **state)
{
	static const uint8_t ends[] = { 0x01, 0x02, 0x04, 0x11, 0x12, 0x14, 0x19 };

	cache_need();
	cache_hop(HOP, WAN2);
	for (size_t i = 0; i < 4 * ARRAY_SIZE(ends); i++)
		end_by(i & 1, ends[i / 4], i & 2);
}

/* A stateless entry has no other direction: what looks like it is another flow's. */
static void test_end_stateless(void **state)
{
	struct cached one = plain(false, false, ASYM_FLOW_STATELESS), other;

	cache_need();
	cache_hop(HOP, WAN2);
	one.out = one.in;
	other = cache_answer(&one);
	cache_clear();
	cache_put(&one);
	cache_put_beside(&other);
	send_flags(&one, 0x14, ASYM_CACHE_CLOSED);
	assert_false(is_there(&one));
	assert_true(is_there(&other));
}

/* --- what conntrack is asked --------------------------------------------------------------------- */

/* Of another epoch, or long without an answer: conntrack is asked, and holds no such connection. */
static void asked(bool v6, bool udp, uint32_t epochs, uint32_t age)
{
	struct cached c = plain(v6, udp, 0), answer;

	c.epochs = epochs;
	c.age = age * cache.period;
	c.without = age ? ASYM_FLOW_SENT : 0;
	answer = cache_answer(&c);
	cache_clear();
	cache_put(&c);
	cache_put_beside(&answer);
	assert_int_equal(send_flags(&c, TCP_ACK, ASYM_CACHE_UNFIT).verdict, TC_ACT_UNSPEC);
	assert_false(is_there(&c) || is_there(&answer));
}

static void test_unfit(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	for (int i = 0; i < 4; i++) {
		asked(i & 1, i & 2, 1, 0);
		asked(i & 1, i & 2, 0, 2);
	}
}

static uint64_t times_asked(const struct cached *c, uint32_t packets)
{
	struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = c->v6 }, LAN1);

	counters_begin();
	while (packets--) {
		struct shot s = { .which = PROGRAM_LAN_ETH, .in = { .ifindex = LAN1 } };

		shoot(&s, &p);
	}
	return counters_since(ASYM_CACHE_UNFIT);
}

/* A flood of packets that are no flow's: a CPU asks so many times in a jiffy. */
static void test_questions(void **state)
{
	struct cached c = plain(false, false, 0);
	uint32_t questions, begin;
	uint64_t most, asked;
	cpu_set_t all;

	cache_need();
	stay_here(&all);
	questions = lab.o.skel->rodata->asym_flow_questions;
	cache_clear();
	begin = next_jiffy();
	asked = times_asked(&c, 20 * questions);
	most = (uint64_t)questions * (cache_now() - begin + 1);
	print_message("# %lu of %u asked, at most %lu\n", asked, 20 * questions, most);
	assert_true(asked <= most && asked >= questions);
	sched_setaffinity(0, sizeof(all), &all);
}

/* --- what rules and others say ----------------------------------------------------------------------- */

/* A rule with `fastpath = no`: pairs that another rule's packets made are not kept up. */
static void test_forbidden(void **state)
{
	cache_need();
	cache_hop(HOP, WAN2);
	lab_load(LAB_WANS LAB_POLICIES "rule all { policy = to1  fastpath = no }\n");
	for (int i = 0; i < 4; i++) {
		struct cached c = plain(i & 1, i & 2, 0), answer = cache_answer(&c);

		c.age = cache.latest; /* a check that test_pace has left no room for would be put off */
		cache_clear();
		cache_put(&c);
		cache_put_beside(&answer);
		assert_int_equal(send_flags(&c, TCP_ACK, ASYM_CACHE_STALE).verdict, TC_ACT_UNSPEC);
		assert_false(is_there(&c) || is_there(&answer));
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_UNSPEC);
	}
	lab_load(CACHE_CONF);
}

/* Packets that come with a tag are the stack's, be it ours: whoever tagged them wants it to see them. */
static void test_tags(void **state)
{
	static const int tags[] = { 1, TAG, 0xffff };

	cache_need();
	cache_hop(HOP, WAN2);
	for (size_t i = 0; i < 8 * ARRAY_SIZE(tags); i++) {
		struct cached c = plain(i & 1, false, 0);
		struct pkt p = model_pkt(&(struct pkt_spec){ .v6 = c.v6 }, LAN1), after = p;
		int program = tagged_program(cache_program(PROGRAM_LAN_ETH, i & 2), tags[i / 8]);
		struct __sk_buff in = { .ifindex = LAN1 };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data, .data_size_in = p.len,
			    .data_out = after.data, .data_size_out = sizeof(after.data),
			    .ctx_in = &in, .ctx_size_in = sizeof(in));

		cache_clear();
		cache_put(&c);
		assert_int_equal(send_flags(&c, TCP_ACK, 0).verdict, TC_ACT_REDIRECT);
		assert_int_equal(bpf_prog_test_run_opts(program, &opts), 0);
		assert_int_equal((int)opts.retval, TC_ACT_UNSPEC);
		assert_true(pkt_is(&after, &p));
		close(program);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shut),	      cmocka_unit_test(test_pace),
		cmocka_unit_test(test_end),	      cmocka_unit_test(test_end_stateless),
		cmocka_unit_test(test_unfit),	      cmocka_unit_test(test_questions),
		cmocka_unit_test(test_forbidden),     cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, cache_open, cache_close);
}
