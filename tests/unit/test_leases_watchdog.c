// SPDX-License-Identifier: GPL-2.0-or-later
/* When the watchdog asks, for whom, and how many at once.  Nothing leaves: the links have no devices. */
#include "leases_lab.h"
#include <errno.h>

static struct lab *lab;

static int setup(void **state)
{
	int r = loop_setup(state);

	lab = lab_new();
	return r ?: courier_open(&loop, &lab->leases.courier);
}

static int teardown(void **state)
{
	courier_close(lab->leases.courier);
	lab_free(lab);
	return loop_teardown(state);
}

static uint64_t watch_at(uint32_t s)
{
	return leases_watch(&lab->leases, lab_after(s));
}

static void test_once_it_is_late(void **state)
{
	struct leases_link *k = lab_lease(lab, 7);

	assert_int_equal(watch_at(1790), lab_after(1800));
	watch_at(1859);
	assert_int_equal(k->sent, 0);
	watch_at(1860);
	assert_int_equal(k->sent, 1);
	assert_int_equal(k->failed, 1); /* no such device */
	assert_int_equal(k->error, -ENODEV);
	assert_true(lab->leases.changed);
	watch_at(1861);
	assert_int_equal(k->sent, 1);
	assert_true(watch_at(1862) > lab_after(1863));
	watch_at(3100); /* half of what was left to T2 has passed */
	assert_int_equal(k->sent, 2);
	watch_at(3600);
	assert_int_equal(k->sent, 2);
	assert_int_equal(lab->leases.refs, 1);
}

static void test_its_xids(void **state)
{
	struct leases_link *k = lab_lease(lab, 7);

	watch_at(1860);
	watch_at(3100);
	assert_int_equal(k->lease.n_requests, 2);
	assert_int_not_equal(k->lease.requests[0].xid, k->lease.requests[1].xid);
	assert_true(leases_is_ours(&k->lease, k->lease.requests[0].xid));
	assert_true(leases_is_ours(&k->lease, k->lease.requests[1].xid));
	assert_false(leases_is_ours(&k->lease, ~k->lease.requests[1].xid));
	k->lease.requests[0].ours = false;
	assert_false(leases_is_ours(&k->lease, k->lease.requests[0].xid));
	assert_int_equal(k->lease.asked, 0);
}

/* Due, but not to be sent: looked at again, though not all the time. */
static void test_not_for_others(void **state)
{
	static const char *const why[] = {"address", "MAC", "link", "watchdog = no", "no lease"};
	struct leases_link *k = lab_lease(lab, 7);
	const struct plan_owner good = lab->leases.owners[0];

	for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
		struct plan_owner *o = &lab->leases.owners[0];

		*o = good;
		o->addr.s6_addr[15] += i == 0;
		o->mac[5] += i == 1;
		o->link += i == 2;
		lab->leases.watchdog = i != 3;
		if (i == 4)
			k->lease.addr.s_addr = 0;
		if (watch_at(2000) < lab_after(2001))
			fail_msg("%s: no rest", why[i]);
		if (k->sent)
			fail_msg("%s: sent", why[i]);
	}
}

static void test_many_at_once(void **state)
{
	uint64_t sent = 0;

	for (uint8_t id = 1; id <= 20; id++)
		lab_lease(lab, id);
	for (int turn = 1; turn <= 4; turn++) {
		uint64_t next = watch_at(2000);

		sent = 0;
		for (uint8_t id = 1; id <= 20; id++)
			sent += lab->leases.links[id].sent;
		assert_int_equal(sent, MIN(turn * LEASES_SENDS, 20));
		if (turn * LEASES_SENDS <= 20)
			assert_int_equal(next, lab_after(2000) + LEASES_SENDS_MS * 1000000ull);
	}
}

/* Timers stand still while the machine sleeps. */
static void test_looks_now_and_then(void **state)
{
	assert_int_equal(watch_at(0), lab_after(60));
	lab_lease(lab, 7);
	assert_int_equal(watch_at(1), lab_after(61));
}

#define row(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_once_it_is_late), row(test_its_xids),		 row(test_not_for_others),
		row(test_many_at_once),	   row(test_looks_now_and_then),
	};

	if (geteuid()) { /* packet sockets */
		printf("1..0 # SKIP needs root\n");
		return EXIT_SUCCESS;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
