/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network namespace of its own for every test; it goes with the next one or the program's end. */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool netns_ours;

#define netns_test(fn) cmocka_unit_test_setup(fn, netns_setup)

/* A namespace with two veth pairs, wan0-peer0 and wan1-peer1, and addresses. */
static inline int netns_setup(void **state)
{
	netns_ours = !unshare(CLONE_NEWNET);
	if (!netns_ours)
		return 0;
	return system("set -e; ip link set lo up\n"
		      "for n in 0 1; do\n"
		      "  ip link add wan$n type veth peer name peer$n\n"
		      "  ip link set peer$n up; ip link set wan$n up\n"
		      "  ip addr add 10.$n.0.2/24 dev wan$n\n"
		      "  ip addr add 2001:db8:$n::2/64 dev wan$n nodad\n"
		      "done");
}

/* Skips the test without root. */
static inline void netns_need(void)
{
	if (!netns_ours)
		skip();
}

/* Runs shell commands, each of which must succeed. */
static inline void sh(const char *commands)
{
	char *script;

	assert_true(asprintf(&script, "set -e\n%s", commands) > 0);
	if (system(script))
		fail_msg("failed: %s", commands);
	free(script);
}

#endif
