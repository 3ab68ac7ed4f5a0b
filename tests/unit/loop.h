/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop to run by hand, and a list of what events it saw. */
#ifndef TESTS_UNIT_LOOP_H
#define TESTS_UNIT_LOOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/event.h"
#include <uv.h>

static uv_loop_t loop;

#define loop_test(fn) cmocka_unit_test_setup_teardown(fn, loop_setup, loop_teardown)

static inline int loop_setup(void **state)
{
	return uv_loop_init(&loop);
}

static inline void loop_on_tick(uv_timer_t *timer)
{
}

/* Runs the loop until the condition holds; fails after ten seconds. */
#define loop_until(condition)                                                                      \
	do {                                                                                       \
		uint64_t until_ = uv_hrtime() + 10ull * 1000000000;                                \
		uv_timer_t tick_;                                                                  \
                                                                                                   \
		uv_timer_init(&loop, &tick_);                                                      \
		uv_timer_start(&tick_, loop_on_tick, 5, 5);                                        \
		while (!(condition)) {                                                             \
			if (uv_hrtime() > until_)                                                  \
				fail_msg("in vain: %s", #condition);                               \
			uv_run(&loop, UV_RUN_ONCE);                                                \
		}                                                                                  \
		uv_close((uv_handle_t *)&tick_, NULL);                                             \
		uv_run(&loop, UV_RUN_NOWAIT);                                                      \
	} while (0)

/* Every handle has been closed. */
static inline int loop_teardown(void **state)
{
	for (int turns = 0; turns < 1000 && uv_run(&loop, UV_RUN_NOWAIT); turns++)
		;
	return uv_loop_close(&loop);
}

struct seen {
	struct event_sink sink;
	size_t n;
	char text[512]; /* of the last one */
	enum event_kind only;
};

static inline void seen_take(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	struct seen *seen = (struct seen *)s;

	if (e->kind != seen->only)
		return;
	seen->n++;
	event_text(e, seen->text, sizeof(seen->text));
}

#endif
