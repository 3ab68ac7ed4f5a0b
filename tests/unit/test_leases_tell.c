// SPDX-License-Identifier: GPL-2.0-or-later
/* What people hear of leases: each thing once, and not too much of it. */
#include "leases_lab.h"

static void test_late_and_over(void **state)
{
	static const struct {
		uint32_t s;
		size_t events;
		const char *text;
	} rows[] = {
		{1799, 0, ""},
		{1859, 0, ""}, /* its client has some time */
		{1861, 1, "link wan7: IPv4 lease late: 192.0.2.7 was to be renewed 61 s ago, the client "
			  "does not ask"},
		{1900, 1, NULL},
		{3200, 1, NULL}, /* rebinding is late as well */
		{3601, 2, "link wan7: IPv4 lease expired: 192.0.2.7"},
		{9999, 2, NULL},
	};
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		leases_tell_state(&lab->leases, k, lab_after(rows[i].s));
		assert_int_equal(lab->seen.n, rows[i].events);
		if (rows[i].text)
			assert_string_equal(lab->seen.text, rows[i].text);
	}
	lab_free(lab);
}

static void test_asked_in_vain(void **state)
{
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7);

	k->lease.asked = 2;
	leases_tell_state(&lab->leases, k, lab_after(2000));
	assert_non_null(strstr(lab->seen.text, "asked in vain"));
	lab_free(lab);
}

/* Who took the address away does not wait for its lease; likewise with another MAC. */
static void test_not_missed(void **state)
{
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7);

	lab->leases.owners[0].mac[5]++;
	leases_tell_state(&lab->leases, k, lab_after(2000));
	lab->leases.changed = false;
	leases_tell_state(&lab->leases, k, lab_after(2001));
	assert_false(lab->leases.changed);
	leases_tell_state(&lab->leases, k, lab_after(4000));
	assert_int_equal(lab->seen.n, 0);
	assert_int_equal(leases_device(&lab->leases, k), 0);
	lab_free(lab);
}

/* A client that notices the end before we do has taken its address away by then. */
static void test_over_after_late(void **state)
{
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7);

	leases_tell_state(&lab->leases, k, lab_after(2000));
	lab->leases.n_owners = 0;
	leases_tell_state(&lab->leases, k, lab_after(4000));
	assert_int_equal(lab->seen.n, 2);
	lab_free(lab);
}

static void test_answers(void **state)
{
	static const struct {
		uint8_t was;		/* its address, 0: none */
		enum lease_state told;
		enum lease_answer answer;
		bool by_watchdog;
		const char *text;	/* NULL: nothing is told */
	} rows[] = {
		{0, LEASE_NONE, LEASE_MOVED, false,
		 "link wan7: IPv4 lease bound: 192.0.2.7 by 192.0.2.254 for 3600 s"},
		{9, LEASE_BOUND, LEASE_MOVED, false,
		 "link wan7: IPv4 lease moved: 192.0.2.9, then 192.0.2.7 by 192.0.2.254 for 3600 s"},
		{7, LEASE_BOUND, LEASE_ACKED, false, NULL},
		{7, LEASE_RENEWING, LEASE_ACKED, false, NULL},
		{7, LEASE_LATE, LEASE_ACKED, false,
		 "link wan7: IPv4 lease renewed: 192.0.2.7 by 192.0.2.254 for 3600 s"},
		{7, LEASE_LATE, LEASE_ACKED, true,
		 "link wan7: IPv4 lease renewed: 192.0.2.7 by 192.0.2.254 for 3600 s, by the watchdog"},
		{7, LEASE_EXPIRED, LEASE_ACKED, false,
		 "link wan7: IPv4 lease bound: 192.0.2.7 by 192.0.2.254 for 3600 s"},
		{7, LEASE_BOUND, LEASE_REFUSED, false, "link wan7: IPv4 lease refused: 192.0.2.7"},
		{0, LEASE_NONE, LEASE_REFUSED, false, "link wan7: IPv4 lease refused"},
		{7, LEASE_BOUND, LEASE_IGNORED, false, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lab *lab = lab_new();
		struct leases_link *k = lab_lease(lab, 7);
		struct lease was = k->lease;

		was.addr.s_addr = rows[i].was ? lab_addr(rows[i].was).s_addr : 0;
		k->told = rows[i].told;
		k->lease.by_watchdog = rows[i].by_watchdog;
		leases_tell_answer(&lab->leases, k, &was, rows[i].answer, LAB_NOW);
		assert_int_equal(lab->seen.n, rows[i].text != NULL);
		assert_string_equal(lab->seen.text, rows[i].text ?: "");
		lab_free(lab);
	}
}

static void test_without_end(void **state)
{
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7);
	struct lease was = {};

	k->lease.lease_s = DHCP_FOREVER;
	leases_tell_answer(&lab->leases, k, &was, LEASE_MOVED, LAB_NOW);
	assert_non_null(strstr(lab->seen.text, "without end"));
	lab_free(lab);
}

/* A server that refuses and gives again and again. */
static void test_rate(void **state)
{
	struct lab *lab = lab_new();
	struct leases_link *k = lab_lease(lab, 7), *other = lab_lease(lab, 8);
	struct lease was = k->lease;

	for (int i = 0; i < 100; i++)
		leases_tell_answer(&lab->leases, k, &was, LEASE_REFUSED, LAB_NOW);
	assert_int_equal(lab->seen.n, LEASES_EVENTS);
	leases_tell_answer(&lab->leases, other, &was, LEASE_REFUSED, LAB_NOW);
	assert_int_equal(lab->seen.n, LEASES_EVENTS + 1);
	leases_tell_answer(&lab->leases, k, &was, LEASE_REFUSED, lab_after(59));
	assert_int_equal(lab->seen.n, LEASES_EVENTS + 1);
	leases_tell_answer(&lab->leases, k, &was, LEASE_REFUSED, lab_after(60));
	assert_int_equal(lab->seen.n, LEASES_EVENTS + 2);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_and_over), cmocka_unit_test(test_asked_in_vain),
		cmocka_unit_test(test_not_missed),    cmocka_unit_test(test_over_after_late),
		cmocka_unit_test(test_answers),	      cmocka_unit_test(test_without_end),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
