// SPDX-License-Identifier: GPL-2.0-or-later
/* The two banks of the maps: a packet sees the old configuration or the new one. */
#include "tests/bpf/run.h"
#include <pthread.h>
#include <stdatomic.h>

/* Two configurations that have nothing in common: any mixture of them marks a packet otherwise. */
#define OLD                                                                                        \
	"set s { prefixes = 198.51.100.0/24 }\n"                                                  \
	"policy a { links = wan1 } policy b { links = wan4 }\n"
#define NEW                                                                                        \
	"set s { prefixes = 203.0.113.0/24 }\n"                                                   \
	"policy a { links = wan3 } policy b { links = wan2 }\n"
#define RULES "rule x { dst-set = s policy = a } rule y { policy = b }\n"
#define OLD_MARK 0x100
#define NEW_MARK 0x20000

static uint32_t load_both(void)
{
	uint32_t bank = maps_idle_bank(&lab.o);

	lab_load(LAB_WANS OLD RULES);
	lab_load("mark-mask = 0xff0000 " LAB_WANS NEW RULES);
	return bank;
}

static void test_banks(void **state)
{
	struct pkt_spec s = { 0 };
	uint32_t old;

	lab_need();
	old = load_both();
	for (int i = 0; i < 4; i++) {
		lab_switch(i & 1 ? old : !old);
		assert_int_equal(lab_send(PROGRAM_LAN_ETH, &s).mark, i & 1 ? OLD_MARK : NEW_MARK);
	}
}

static atomic_bool flipping;

static void *flip(void *unused)
{
	for (uint32_t bank = 0; flipping; bank = !bank)
		maps_switch(&lab.o, lab.cookie, bank);
	return NULL;
}

/* The switch comes at any moment. */
static void test_switching(void **state)
{
	unsigned int old = 0, new = 0;
	struct pkt p = pkt_to(&(struct pkt_spec){ 0 }, LAN1);
	pthread_t thread;

	lab_need();
	load_both();
	flipping = true;
	assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		uint32_t mark = lab_test_run(PROGRAM_LAN_ETH, &p, LAN1, 0);

		old += mark == OLD_MARK;
		new += mark == NEW_MARK;
	}
	flipping = false;
	pthread_join(thread, NULL);
	print_message("# %u packets by the old configuration, %u by the new\n", old, new);
	assert_int_equal(old + new, 100000);
	assert_true(old > 100 && new > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_banks),
		cmocka_unit_test(test_switching),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
