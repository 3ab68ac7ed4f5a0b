// SPDX-License-Identifier: GPL-2.0-or-later
/* How long an update takes when links are lost. */
#include "tests/unit/update_lab.h"

static void make_links(unsigned int n)
{
	_cleanup_(str_done) struct str conf = {0};
	char number[16];

	snprintf(number, sizeof(number), "%u", n);
	setenv("N", number, 1);
	sh("ip link add lan0 type veth peer name peerl; ip addr add 192.168.7.1/24 dev lan0\n"
	   "ip link set lan0 up; ip link set peerl up\n"
	   "for i in $(seq $N); do\n"
	   "  echo link add w$i type veth peer p$i; echo link set p$i up\n"
	   "  echo addr add 10.9.$i.2/24 dev w$i; echo link set w$i up\n"
	   "  echo route add default via 10.9.$i.1 dev w$i metric $i\n"
	   "done | ip -batch -");
	str_add(&conf, "host-traffic = no\nlan { devices = {\"lan0\"} }\n");
	for (unsigned int i = 1; i <= n; i++)
		str_add(&conf, "link l%u { device = \"w%u\" }\n", i, i);
	lab_open(conf.s);
	plan_anew();
	updated(0);
}

/* Those from..to lose their carrier. */
static void time_loss(unsigned int from, unsigned int to)
{
	struct asym_control control;
	char number[32], why[64];
	size_t written;
	double t[4];

	snprintf(number, sizeof(number), "%u %u", from, to);
	setenv("N", number, 1);
	sh("for i in $(seq $N); do echo link set p$i down; done | ip -batch -");
	t[0] = ms_now();
	plan_anew();
	t[1] = ms_now();
	/* into the other bank, where all of it differs: the switch is this */
	assert_int_equal(maps_control(&lab->object, &control), 0);
	assert_int_equal(maps_update_policies(&lab->object, &lab->plan, !control.bank, &written, why,
					      sizeof(why)),
			 0);
	t[2] = ms_now();
	assert_int_equal(apply_plan(true), 0);
	t[3] = ms_now();
	assert_true(lab->u.done & UPDATE_MAPS && lab->u.done & UPDATE_CONNECTIONS);
	print_message("%u of %zu links lost: snapshot and plan %.1f ms, policies %.1f ms, all of the "
		      "update %.1f ms\n",
		      to - from + 1, lab->plan.n_links, t[1] - t[0], t[2] - t[1], t[3] - t[2]);
}

/* ASYM_TEST_TIMES=1: many links.  Programs go on 502 hooks and off again, for half a minute. */
static void test_time(void **state)
{
	bool many = getenv("ASYM_TEST_TIMES");

	netns_need();
	make_links(many ? 250 : 2);
	time_loss(1, 1);
	if (many)
		time_loss(2, 126);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		update_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
