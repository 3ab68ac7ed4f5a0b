// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a flow cache speaks for a link, and what does not. */
#include "base/defs.h"
#include "run/evidence_search.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICKS 250
#define NOW 100000u
#define BLOCKS 16
#define GOOD (0x70000 | ASYM_FLOW_USED | ASYM_FLOW_LIVE | ASYM_FLOW_SENT)

/* Link 3 on device 12, link 4 on device 13, link 250 on device 14. */
struct cache {
	struct asym_block4 v4[BLOCKS];
	struct asym_block6 v6[BLOCKS];
	uint32_t written[ASYM_WRITTEN / 32];
	struct flows f;
	struct evidence_search s;
};

static int setup(void **state)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	c->f = (struct flows){
		.table = {{.ways = c->v4, .n = BLOCKS * ASYM_WAYS4},
			  {.ways = c->v6, .n = BLOCKS * ASYM_WAYS6}},
		.epoch = 7,
		.clock = {.now = NOW, .hz = TICKS},
	};
	c->s.ifindex[3] = 12;
	c->s.ifindex[4] = 13;
	c->s.ifindex[250] = 14;
	memset(c->written, 0xff, sizeof(c->written));
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct asym_flow_state entry(uint32_t flags, uint32_t link, uint32_t arrival, uint32_t age)
{
	return (struct asym_flow_state){
		.head = flags | link << ASYM_FLOW_LINK_SHIFT,
		.created = NOW - age,
		.checked = NOW,
		.arrival = arrival,
		.epoch = 7,
	};
}

static uint32_t age_of(struct cache *c, uint32_t link, enum asym_family family)
{
	evidence_search(&c->s, &c->f, c->written);
	return c->s.of[link][family].age;
}

static void urgent(struct cache *c, uint32_t link, enum asym_family family, uint32_t enough)
{
	c->s.of[link][family] = (struct evidence_age){.urgent = true, .enough = enough};
}

static void test_newest(void **state)
{
	struct cache *c = *state;

	urgent(c, 3, ASYM_V4, 0);
	assert_int_equal(age_of(c, 3, ASYM_V4), EVIDENCE_NONE);
	c->v4[2].way[5].state = entry(GOOD, 3, 12, 500);
	assert_int_equal(age_of(c, 3, ASYM_V4), 500);
	c->v4[9].way[0].state = entry(GOOD, 3, 12, 100);
	c->v4[15].way[7].state = entry(GOOD | ASYM_FLOW_ORIGINAL, 3, 12, 200);
	assert_int_equal(age_of(c, 3, ASYM_V4), 100);
	assert_int_equal(c->s.of[4][ASYM_V4].age, EVIDENCE_NONE);
	/* it has ended */
	c->v4[9].way[0].state.head &= ~ASYM_FLOW_LIVE;
	assert_int_equal(age_of(c, 3, ASYM_V4), 100);
	/* another has taken its place, and was not sent on yet */
	c->v4[9].way[0].state = entry(GOOD & ~ASYM_FLOW_SENT, 3, 12, 10);
	assert_int_equal(age_of(c, 3, ASYM_V4), 200);
}

/* Each row is wrong in one thing alone. */
static void test_no_proof(void **state)
{
	const struct asym_flow_state rows[] = {
		entry(GOOD & ~ASYM_FLOW_SENT, 3, 12, 10),
		entry(GOOD | ASYM_FLOW_BUSY, 3, 12, 10),
		entry(GOOD | ASYM_FLOW_UDP, 3, 12, 10),
		entry(GOOD | ASYM_FLOW_STATELESS, 3, 12, 10),
		entry(GOOD, 3, 2, 10),	/* the direction from the LAN */
		entry(GOOD, 3, 13, 10), /* leaves by one link, comes back by another */
		entry(GOOD, 5, 0, 10),	/* no such link */
		entry(GOOD, 0, 0, 10),
	};
	struct cache *c = *state;

	urgent(c, 3, ASYM_V4, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		c->v4[4].way[4].state = rows[i];
		assert_int_equal(age_of(c, 3, ASYM_V4), EVIDENCE_NONE);
		for (int link = 0; link < ASYM_LINK_IDS; link++)
			assert_int_equal(c->s.of[link][ASYM_V4].age, EVIDENCE_NONE);
	}
	c->v4[4].way[4].state = entry(GOOD, 3, 12, 10);
	assert_int_equal(age_of(c, 3, ASYM_V4), 10);
}

/* Packets of a connection that was made before prove nothing, however many and late; nor does a reload
 * take from what was made. */
static void test_packets(void **state)
{
	struct cache *c = *state;
	struct asym_flow_state *e = &c->v4[4].way[4].state;

	urgent(c, 3, ASYM_V4, 0);
	*e = entry(GOOD, 3, 12, 5000);
	e->packets = 1000000;
	e->checked = NOW;
	e->epoch = 6;
	assert_int_equal(age_of(c, 3, ASYM_V4), 5000);
}

static void test_families(void **state)
{
	struct cache *c = *state;

	urgent(c, 250, ASYM_V4, 0);
	urgent(c, 250, ASYM_V6, 0);
	for (int i = 0; i < ASYM_WAYS6; i++) {
		memset(c->v6, 0, sizeof(c->v6));
		c->v6[15].way[i].state = entry(GOOD, 250, 14, 30 + i);
		assert_int_equal(age_of(c, 250, ASYM_V6), 30 + i);
		assert_int_equal(c->s.of[250][ASYM_V4].age, EVIDENCE_NONE);
	}
	c->v4[0].way[0].state = entry(GOOD, 250, 14, 9);
	assert_int_equal(age_of(c, 250, ASYM_V4), 9);
	assert_int_equal(c->s.of[250][ASYM_V6].age, 30 + ASYM_WAYS6 - 1);
}

/* The search ends when all that is urgent has enough, not before, and not for what is not urgent. */
static void test_enough(void **state)
{
	struct cache *c = *state;

	c->v4[1].way[0].state = entry(GOOD, 3, 12, 40);
	c->v4[2].way[0].state = entry(GOOD, 4, 13, 80);
	c->v4[3].way[0].state = entry(GOOD, 4, 13, 60);
	c->v4[4].way[0].state = entry(GOOD, 3, 12, 20);
	c->v4[4].way[1].state = entry(GOOD, 4, 13, 50);
	c->v4[5].way[1].state = entry(GOOD, 4, 13, 1);
	urgent(c, 3, ASYM_V4, 40);
	assert_int_equal(age_of(c, 3, ASYM_V4), 40);
	assert_int_equal(c->s.of[4][ASYM_V4].age, EVIDENCE_NONE);
	urgent(c, 4, ASYM_V4, 50);
	assert_int_equal(age_of(c, 3, ASYM_V4), 20);
	assert_int_equal(c->s.of[4][ASYM_V4].age, 50);
	/* nobody is in a hurry in this family */
	urgent(c, 3, ASYM_V4, 40);
	c->v6[0].way[0].state = entry(GOOD, 3, 12, 5);
	assert_int_equal(age_of(c, 3, ASYM_V6), EVIDENCE_NONE);
}

static void test_clock(void **state)
{
	struct cache *c = *state;
	struct asym_flow_state *e = &c->v4[0].way[0].state;

	urgent(c, 3, ASYM_V4, 0);
	/* made after the clock was read */
	*e = entry(GOOD, 3, 12, -3);
	assert_int_equal(age_of(c, 3, ASYM_V4), 0);
	/* very long ago */
	e->created = NOW + 0x70000000;
	assert_int_equal(age_of(c, 3, ASYM_V4), 0x90000000);
	/* jiffies have wrapped since */
	c->f.clock.now = 100;
	e->created = (uint32_t)-150;
	assert_int_equal(age_of(c, 3, ASYM_V4), 250);
}

static void test_written(void **state)
{
	struct cache *c = *state;

	urgent(c, 3, ASYM_V4, 0);
	urgent(c, 3, ASYM_V6, 0);
	c->v4[3].way[0].state = entry(GOOD, 3, 12, 40);
	c->v6[3].way[0].state = entry(GOOD, 3, 12, 50);
	memset(c->written, 0, sizeof(c->written));
	assert_int_equal(age_of(c, 3, ASYM_V4), EVIDENCE_NONE);
	/* every bit of the others, none of its own */
	for (uint32_t i = 0; i < ASYM_WRITTEN; i++)
		c->written[i / 32] |= (uint32_t)(i % BLOCKS != 3) << i % 32;
	assert_int_equal(age_of(c, 3, ASYM_V4), EVIDENCE_NONE);
	/* the last of its own */
	c->written[ASYM_WRITTEN / 32 - 1] |= 1u << (32 - BLOCKS + 3);
	assert_int_equal(age_of(c, 3, ASYM_V4), 40);
	assert_int_equal(c->s.of[3][ASYM_V6].age, 50);
}

/* More blocks than bits: one bit stands for several. */
static void test_large(void **state)
{
	enum { LARGE = 4 * ASYM_WRITTEN };
	struct asym_block4 *table = calloc(LARGE, sizeof(*table));
	struct cache *c = *state;

	assert_non_null(table);
	c->f.table[ASYM_V4] = (struct flows_table){.ways = table, .n = LARGE * ASYM_WAYS4};
	memset(c->written, 0, sizeof(c->written));
	c->written[77 / 32] |= 1u << 77 % 32;
	urgent(c, 3, ASYM_V4, 0);
	table[3 * ASYM_WRITTEN + 77].way[6].state = entry(GOOD, 3, 12, 40);
	table[3 * ASYM_WRITTEN + 78].way[6].state = entry(GOOD, 3, 12, 20);
	assert_int_equal(age_of(c, 3, ASYM_V4), 40);
	free(table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_newest), TEST(test_no_proof), TEST(test_packets), TEST(test_families),
		TEST(test_enough), TEST(test_clock),	TEST(test_written), TEST(test_large),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
