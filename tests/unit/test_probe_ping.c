// SPDX-License-Identifier: GPL-2.0-or-later
/* Echo: what is taken for a reply, and what for an error. */
#include "tests/unit/probe_lab.h"

static void echo_id(struct frame *f)
{
	echo(f);
	f->l4[5] ^= 1;
	send_back(f);
}

static void echo_seq(struct frame *f)
{
	echo(f);
	f->l4[7] ^= 1;
	send_back(f);
}

static void echo_cookie(struct frame *f)
{
	echo(f);
	f->l4[f->l4_len - 1] ^= 1;
	send_back(f);
}

static void echo_short(struct frame *f)
{
	echo(f);
	f->l4_len -= 1;
	send_back(f);
}

static void echo_source(struct frame *f)
{
	echo(f);
	if (f->ip)
		f->ip->saddr ^= htonl(1);
	else
		f->ip6->ip6_src.s6_addr[15] ^= 1;
	send_back(f);
}

static void echo_request(struct frame *f)
{
	frame_turn(f);
	send_back(f);
}

static void echo_all_lies(struct frame *f)
{
	static answer_fn *const lies[] = { echo_id, echo_seq, echo_cookie, echo_short, echo_source,
					   echo_request, echo_right };

	answer_each(f, lies, ARRAY_SIZE(lies));
}

static void exceeded(struct frame *f)
{
	frame_to_error(f, f->ip ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	from_router(f);
}

/* As much as RFC 792 asks for. */
static void unreachable_short(struct frame *f)
{
	if (f->ip)
		f->l4_len = 8;
	unreachable(f);
}

static void unreachable_seq(struct frame *f)
{
	f->l4[7] ^= 1;
	unreachable(f);
}

static void unreachable_id(struct frame *f)
{
	f->l4[5] ^= 1;
	unreachable(f);
}

static void unreachable_target(struct frame *f)
{
	turn_aside(f);
	unreachable(f);
}

static void unreachable_cut(struct frame *f)
{
	f->l4_len = 6;
	unreachable(f);
}

static void test_ping(void **state)
{
	static const struct lie lies[] = {
		{ "reply", echo_right, NULL },
		{ "no reply", NULL, "timeout" },
		{ "another id", echo_id, "timeout" },
		{ "another sequence number", echo_seq, "timeout" },
		{ "other data", echo_cookie, "timeout" },
		{ "less data", echo_short, "timeout" },
		{ "another source", echo_source, "timeout" },
		{ "the request itself", echo_request, "timeout" },
		{ "lies, then the truth", echo_all_lies, NULL },
		{ "unreachable", unreachable, "unreachable" },
		{ "unreachable, short", unreachable_short, "unreachable" },
		{ "time exceeded", exceeded, "unreachable" },
		{ "unreachable: another sequence number", unreachable_seq, "timeout" },
		{ "unreachable: another id", unreachable_id, "timeout" },
		{ "unreachable: another target", unreachable_target, "timeout" },
		{ "unreachable: cut off", unreachable_cut, "timeout" },
	};

	expect_all(PROBE_PING, lies, ARRAY_SIZE(lies));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		probe_test(test_ping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
