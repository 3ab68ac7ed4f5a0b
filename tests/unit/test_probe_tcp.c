// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP: who accepts or refuses is there. */
#include "tests/unit/probe_lab.h"

static void tcp_refuse(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_RST | TH_ACK, 1);
}

static void tcp_other_ack(struct frame *f)
{
	if (is_syn(f))
		tcp_to(f, TH_RST | TH_ACK, 2);
}

static void port_by_router(struct frame *f)
{
	port_unreachable(f);
	from_router(f);
}

static void test_tcp(void **state)
{
	static const struct lie lies[] = {
		{ "accepted", tcp_accept, NULL },
		{ "refused", tcp_refuse, NULL },
		{ "refused by ICMP", port_by_target, NULL },
		{ "refused by a router", port_by_router, "unreachable" },
		{ "unreachable", unreachable, "unreachable" },
		{ "RST of another connection", tcp_other_ack, "timeout" },
		{ "silence", NULL, "timeout" },
	};

	expect_all(PROBE_TCP, lies, ARRAY_SIZE(lies));
}

static int count_sockets(void)
{
	FILE *f = popen("ss -Htan | wc -l", "r");
	int n;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

/* A connection that was made is reset, and forgotten on both sides. */
static void test_tcp_ends(void **state)
{
	netns_need();
	expect("accepted", PROBE_TCP, ASYM_V4, tcp_accept, NULL);
	for (int i = 0; i < 100 && !(((struct tcphdr *)seen.l4)->th_flags & TH_RST); i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(10000);
	}
	assert_true(((struct tcphdr *)seen.l4)->th_flags & TH_RST);
	assert_int_equal(count_sockets(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_tcp),
		probe_test(test_tcp_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
