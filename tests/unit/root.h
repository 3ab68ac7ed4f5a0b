/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that only root can run; others skip them.  Include cmocka.h before. */
#ifndef TESTS_UNIT_ROOT_H
#define TESTS_UNIT_ROOT_H

#include <unistd.h>

/* The state is the test. */
static inline void root_run(void **state)
{
	if (geteuid())
		skip();
	((CMUnitTestFunction)*state)(state);
}

/* set_up and tear_down (or NULL) are called for others, too, and leave the state alone. */
#define root_test(fn, set_up, tear_down)                                                           \
	{                                                                                          \
		.name = #fn, .test_func = root_run, .setup_func = set_up,                          \
		.teardown_func = tear_down, .initial_state = fn,                                   \
	}

#endif
